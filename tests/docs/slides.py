"""The slides of the talk as a page: what Marp makes of them, as far as it counts for their size.

Marp sets each slide as a `section` of 1280 by 720 pixels with the style of the deck. Its own theme lies below
that style, which sets all that decides how much room a slide needs.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from markdown_it import MarkdownIt

WIDTH: Final = 1280
HEIGHT: Final = 720
_FRONT: Final = re.compile(r"---\n(?P<front>.*?)\n---\n", re.DOTALL)
_NOTES: Final = re.compile(r"<!--\n(?P<minutes>\d+):(?P<seconds>\d\d) (?P<said>.*?)\n-->", re.DOTALL)


class Slide(NamedTuple):
    """A slide: its Markdown, how long it is on the screen, in seconds, and what is said meanwhile."""

    markdown: str
    duration_s: int
    said: str


def slides(deck: str) -> list[Slide]:
    """Return the slides of a deck; each ends in a comment with its time and its notes."""
    found = []
    for part in re.split(r"^---\n", _FRONT.sub("", deck, count=1), flags=re.MULTILINE):
        notes = _NOTES.search(part)
        assert notes is not None, f"no time and no notes: {part[:60]!r}"
        duration_s = 60 * int(notes["minutes"]) + int(notes["seconds"])
        found.append(Slide(_NOTES.sub("", part).strip(), duration_s, notes["said"]))
    return found


def style(deck: str) -> str:
    """Return the style of a deck."""
    front = _FRONT.match(deck)
    assert front is not None, "the deck has no front matter"
    return re.sub(r"^  ", "", front["front"].partition("style: |\n")[2], flags=re.MULTILINE)


def page(deck: str) -> str:
    """Return the slides of a deck as one page of HTML, one below the other."""
    render = MarkdownIt("commonmark", {"breaks": True}).render
    sections = "\n".join(f"<section>{render(each.markdown)}</section>" for each in slides(deck))
    return f"<!doctype html><meta charset='utf-8'><style>body {{ margin: 0 }} {style(deck)}</style>{sections}"
