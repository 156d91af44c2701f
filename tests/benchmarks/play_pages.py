"""The pages that can be played, in Chromium: how soon there is a picture, and how soon a move is answered.

    python -m tests.benchmarks.play_pages FOLDER [--times N] [--pause S]

FOLDER is what `python -m docs.play.build` has made. Each page is opened N times, each time with a new
profile, so that nothing is cached, and then played by its keys. Printed are medians, in seconds: until the
first picture is painted; until Python has made that picture anew, from when on moves are answered; until a
first move, made as soon as then, is answered; how long a move after that takes from the key to the new page,
the median and the slowest, where the reader looks for S seconds before each; and the processor time of the
page until Python has started, and for a move with all that is tried ahead while the reader looks. Run it on
a quiet machine: the load that there was is printed too, and processor time depends on it least.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

import psutil

from tests.docs.play import sites
from tests.docs.play.test_pages import PLAYED, press

_PAINTED = "performance.getEntriesByName('first-contentful-paint')[0].startTime / 1000"
_WATCH = """() => {
  let pressed;
  window.moves = [];
  addEventListener("keydown", () => { pressed = performance.now(); }, true);
  new MutationObserver(() => moves.push((performance.now() - pressed) / 1000))
    .observe(document.body, { attributeFilter: ["data-shown"] });
}"""
_HEAD = ("picture", "Python", "first move", "a move", "slowest", "CPU: start", "CPU: move")


def processor_time():
    """Return the processor time of the pages so far, in seconds."""
    renderers = [
        each for each in psutil.Process().children(recursive=True) if "--type=renderer" in each.cmdline()
    ]
    return sum(sum(each.cpu_times()[:2]) for each in renderers)


def measured(base, name, pause):
    """Open and play a page once, with a pause after each move; return the seven figures."""
    with tempfile.TemporaryDirectory() as profile, sites.chromium(base, profile) as tab:
        begun = time.perf_counter()
        tab.page.goto(f"{base}{name}.html")
        tab.page.wait_for_function("document.body.dataset.shown")
        started, start = time.perf_counter() - begun, processor_time()
        tab.page.evaluate(_WATCH)
        first = None
        for key in PLAYED[name]:
            before = tab.page.evaluate("location.href")
            press(tab, key)
            if tab.page.evaluate("location.href") != before and first is None:
                first, after_first = time.perf_counter() - begun, processor_time()
            if first is not None:
                tab.page.wait_for_timeout(pause * 1000)
        moves = tab.page.evaluate("moves")
        later = moves[1:] or moves
        each = (processor_time() - after_first) / max(1, len(moves) - 1)
        figures = (statistics.median(later), max(later), start, each)
        return tab.page.evaluate(_PAINTED), started, first, *figures


def main():
    """Print a line for each page."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.play_pages")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--times", type=int, default=3)
    parser.add_argument("--pause", type=float, default=1.0, metavar="S")
    given = parser.parse_args()
    sys.stdout.write(f"{'page':12}{''.join(f'{head:>12}' for head in _HEAD)}{'load':>8}\n")
    with sites.served(given.folder) as base:
        for name in PLAYED:
            rows = [measured(base, name, given.pause) for _ in range(given.times)]
            figures = (statistics.median(column) for column in zip(*rows, strict=True))
            said = "".join(f"{figure:12.3f}" for figure in figures)
            sys.stdout.write(f"{name:12}{said}{os.getloadavg()[0]:8.1f}\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
