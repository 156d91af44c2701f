"""What the first page of the site shows; `python -m tests.docs.front` makes it anew.

Left the sentence, right the schedule that makes the cache stale, which is the first thing to play with; below
it a card for each story, with its hidden input behind a click; and three doors.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

import scenarios
from docs.play.python import gaps, scheduler, strike, suspects
from docs.play.python.elements import text
from simulations.address_space.picture import cut_of, tracks
from simulations.drawing.canvas import NARROW
from simulations.drawing.palette import host_style
from simulations.drawing.svg import svg

if TYPE_CHECKING:
    from simulations.drawing.marks import Picture

FRONT: Final = Path(__file__).parents[2] / "docs/images/front.html"
STALE: Final = (0, 0, 0, 1, 0)
"""The moves of the scheduler that make the cache stale with a single pause."""
STRUCK: Final = "f2.0.2,r5"
FILLED: Final = 12
"""6 GiB, in half GiB."""
SEEN: Final = "acde"
"""What costs no day, in the case of the story."""
PLAYED: Final = {
    "stale-cache": "scheduler",
    "invalid-mode": "strike",
    "truncated-pointer": "gaps",
    "vanishing-job": "suspects",
}
"""The page on which each story can be played."""
DOORS: Final = {
    "I have a bug": {
        "in my threads": "guide/threads.html",
        "in my state machine": "guide/state_machines.html",
        "in memory: a truncated pointer": "guide/memory.html",
        "in a long job that dies": "guide/recorder.html",
    },
    "I teach": {
        "ten minutes": "notebooks/ten_minutes.html",
        "lessons and exercises": "lessons.html",
        "plans for a class": "guide/teaching.html",
        "six things to play with": "play/index.html",
    },
    "I want to know how": {
        "the one idea": "idea.html",
        "what is guaranteed, and what is not": "guide/guarantees.html",
        "the architecture": "architecture.html",
    },
}
_STYLE: Final = (
    ".front,.cards,.doors{display:grid;gap:1.2rem;margin:1rem 0}"
    "@media(min-width:52rem){.front,.cards{grid-template-columns:1fr 1fr}"
    ".doors{grid-template-columns:1fr 1fr 1fr}}"
    ".front>*,.cards>*,.doors>*{min-width:0}"
    ".cards>div,.doors>div,.front figure{border:1px solid var(--color-foreground-border,currentColor);"
    "border-radius:.4rem;padding:.8rem;margin:0;overflow:hidden}"
    # A picture has margins of its own, so that it reaches to the border of its card.
    ".front svg,.cards svg{display:block;width:calc(100% + 1.6rem);max-width:none;height:auto;"
    "margin:-.2rem -.8rem -.8rem}"
    ".front .sentence{font-size:1.4rem;line-height:1.35}"
    ".front .play{display:inline-block;padding:.6rem 1rem;border:2px solid currentColor;border-radius:.4rem}"
    ".cards h2,.doors h2{margin:0 0 .4rem;padding:0;font-size:1.25rem}.doors ul{margin:0;padding-left:1.2rem}"
)


def front() -> str:
    """Return the piece of HTML."""
    stale = scheduler._picture(scheduler.play("as-shipped", STALE))
    moves = "".join(map(str, STALE))
    cards = "".join(_card(name, page) for name, page in PLAYED.items())
    doors = "".join(_door(name, links) for name, links in DOORS.items())
    return (
        f"<style>{_STYLE}{host_style()}</style>\n"
        '<div class="front">\n<div>\n'
        '<p class="sentence">A bug is irreproducible when one of its inputs is not recorded. The lab makes '
        "that input a value, and then the bug is a failing test like any other.</p>\n"
        "<p>Here that input is the order of two threads. Reader and writer share a cache: decide who goes "
        "on, and make it stale.</p>\n"
        '<p><a class="play" href="play/scheduler.html">You are the scheduler: play</a></p>\n'
        '<p>Or <a href="play/paste.html">paste a class of your own</a>, and see its least failing schedule. '
        "Nothing to install, and nothing leaves the page.</p>\n"
        f'</div>\n<figure><a href="play/scheduler.html#moves={moves}">\n{svg(stale, width=NARROW)}</a>'
        "</figure>\n"
        f'</div>\n<div class="cards">\n{cards}</div>\n<div class="doors">\n{doors}</div>\n'
    )


def _pictured(name: str) -> Picture:
    if name == "stale-cache":
        broken = scheduler.play("delete-twice", _breaking("delete-twice"))
        return scheduler._picture(broken)
    if name == "invalid-mode":
        done = strike.done_in(STRUCK)
        struck = strike.played(strike.SCENARIO.variant(), done)
        struck.goto(8)
        return strike._picture(struck, done)
    if name == "truncated-pointer":
        opened = gaps.opened(FILLED, gaps.CUTS[0])
        return tracks(opened.regions, cut=cut_of(opened.uses[0]))
    return suspects._bars(suspects.believed(0, SEEN))


def _breaking(name: str) -> tuple[int, ...]:
    """Return the first moves, in their order, that break a variant of the cache."""
    ways: list[tuple[int, ...]] = [()]
    while ways:
        moves, *ways = ways
        played = scheduler.play(name, moves)
        if played.question is not None:
            ways += [(*moves, option) for option in range(len(played.question.threads))]
        elif played.failure:
            return moves
    raise AssertionError(f"nothing breaks {name}")


def _card(name: str, page: str) -> str:
    scenario = scenarios.get(name)
    story = f"stories/{name.replace('-', '_')}.html"
    return (
        f"<div>\n<h2>{text(scenario.title)}</h2>\n{svg(_pictured(name), width=NARROW)}"
        f"<p>{text(scenario.story.symptom)}</p>\n"
        "<details><summary>The hidden input: say it before you look</summary>\n"
        f"<p>{text(scenario.hidden_input.capitalize())}: {text(scenario.question)}</p></details>\n"
        f'<p><a href="play/{page}.html">Play</a> · <a href="{story}">Read the story</a></p>\n</div>\n'
    )


def _door(name: str, links: dict[str, str]) -> str:
    rows = "".join(f'<li><a href="{target}">{text(words)}</a></li>\n' for words, target in links.items())
    return f"<div>\n<h2>{text(name)}</h2>\n<ul>\n{rows}</ul>\n</div>\n"


def main() -> None:
    """Write the file."""
    FRONT.write_text(front(), encoding="utf-8")


if __name__ == "__main__":
    main()
