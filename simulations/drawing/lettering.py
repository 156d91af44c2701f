"""How much room text takes in a monospaced font, and how it is broken into lines of a given width."""

from __future__ import annotations

import unicodedata
from typing import Final

from simulations.terminal_text import printable

FAMILY: Final = "ui-monospace, Menlo, Consolas, 'DejaVu Sans Mono', 'Liberation Mono', monospace"
"""Fonts that a machine has of its own; none is fetched."""
EM: Final = 0.61
"""The width of a character, as a share of the font's size: that of the widest of these fonts, rounded up."""


def columns(text: str) -> int:
    """Return how many columns a text takes; an ideograph takes two."""
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
        if room <= most:
            line, taken = word, room
            continue
        line, taken = "", 0
        for each in word:
            wide = columns(each)
            if taken + wide > most:
                found.append(line)
                line, taken = "", 0
            line, taken = line + each, taken + wide
    return [*found, line] if line or not found else found
