"""The pages that can be played, in Chromium: how soon there is a picture, and how soon a move is answered.

    python -m tests.benchmarks.play_pages FOLDER [--times N]

FOLDER is what `python -m docs.play.build` has made. Each page is opened N times, each time with a new
profile, so that nothing is cached, and then played by its keys. Printed are medians, in seconds: until the
first picture is painted; until Python has made that picture anew, from when on moves are answered; until a
first move, made as soon as then, is answered; and how long a move takes. Run it on a quiet machine.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from pathlib import Path

from tests.docs.play import sites
from tests.docs.play.test_pages import PLAYED, press

_PAINTED = "performance.getEntriesByName('first-contentful-paint')[0].startTime / 1000"


def measured(base, name):
    """Open and play a page once; return the four figures."""
    with tempfile.TemporaryDirectory() as profile, sites.chromium(base, profile) as tab:
        begun = time.perf_counter()
        tab.page.goto(f"{base}{name}.html")
        tab.page.wait_for_function("document.body.dataset.shown")
        started = time.perf_counter() - begun
        moves = []
        first = None
        for key in PLAYED[name]:
            before, at = tab.page.evaluate("location.href"), time.perf_counter()
            press(tab, key)
            if tab.page.evaluate("location.href") != before:
                first = first or time.perf_counter() - begun
                moves.append(time.perf_counter() - at)
        return tab.page.evaluate(_PAINTED), started, first, statistics.median(moves)


def main():
    """Print a line for each page."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.play_pages")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--times", type=int, default=3)
    given = parser.parse_args()
    sys.stdout.write(f"{'page':12}{'picture':>10}{'Python':>10}{'first move':>12}{'a move':>10}\n")
    with sites.served(given.folder) as base:
        for name in PLAYED:
            rows = [measured(base, name) for _ in range(given.times)]
            picture, python, first, move = (statistics.median(column) for column in zip(*rows, strict=True))
            sys.stdout.write(f"{name:12}{picture:10.2f}{python:10.2f}{first:12.2f}{move:10.3f}\n")


if __name__ == "__main__":
    main()
