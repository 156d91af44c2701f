"""How much room text takes in a monospaced font, and how it is broken into lines of a given width."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from simulations.terminal_text import printable

FAMILY: Final = "ui-monospace, Menlo, Consolas, 'DejaVu Sans Mono', 'Liberation Mono', monospace"
"""Fonts that a machine has of its own; none is fetched."""
EM: Final = 0.61
"""The width of a character, as a share of the font's size: that of the widest of these fonts, rounded up."""
HANGING_MAX: Final = 36
"""Columns by which the rest of a wrapped line may be set in: on a telephone 15 or more are left for it."""
_GAP: Final = re.compile(r"(?<=\S) {2,}(?=\S)")
_BREAKS: Final = frozenset("._-/([{,;:=")
"""Behind one of these a word that is too long may be broken."""


def hanging(line: str) -> int:
    """Return by how many columns the rest of a wrapped line is set in: to below its last cell, or by four."""
    indent = len(line) - len(line.lstrip())
    ends = [gap.end() for gap in _GAP.finditer(line[: HANGING_MAX + 1])]
    return ends[-1] if ends else min(indent + 4, HANGING_MAX)


def columns(text: str) -> int:
    """Return how many columns a text takes; an ideograph takes two."""
    if text.isascii():
        return len(text)
    return sum(2 if unicodedata.east_asian_width(each) in "WF" else 1 for each in text)


def wrapped(text: str, most: int) -> list[str]:
    """Return a text as printable lines of at most `most` columns, from 2; at least one line."""
    found, line, taken = [], "", 0
    for word in printable(text).split(" "):
        room = columns(word)
        if line and taken + 1 + room <= most:
            line, taken = f"{line} {word}", taken + 1 + room
            continue
        if line:
            found.append(line)
        *full, line = _pieces(word, most) if room > most else [word]
        found += full
        taken = columns(line)
    return [*found, line] if line or not found else found


def _pieces(word: str, most: int) -> list[str]:
    """Break a word that is too long, behind punctuation where that leaves no line less than half full."""
    found, line, taken = [], "", 0
    for each in word:
        wide = columns(each)
        while taken + wide > most:
            half = len(line) // 2
            end = max((at + 1 for at in range(half, len(line)) if line[at] in _BREAKS), default=len(line))
            found.append(line[:end])
            line = line[end:]
            taken = columns(line)
        line, taken = line + each, taken + wide
    return [*found, line]
