"""Rows of cells as aligned lines of text."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


def columns(text: str) -> int:
    """Return how many columns a text takes: an ideograph takes two, an accent above a letter none."""
    if text.isascii():
        return len(text)
    return sum(map(_columns_of, text))


def _columns_of(character: str) -> int:
    if unicodedata.category(character) in {"Mn", "Me"}:
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def aligned(rows: Sequence[Sequence[str]], *, gap: int) -> list[str]:
    """Return a line for each row, each column as wide as its widest cell, without spaces at the end.

    Args:
        rows: All of one length.
        gap: The number of spaces between two columns.
    """
    widths = [max(map(columns, column)) for column in zip(*rows, strict=True)]
    lines = (
        (" " * gap).join(
            cell + " " * (width - columns(cell)) for cell, width in zip(row, widths, strict=True)
        )
        for row in rows
    )
    return [line.rstrip() for line in lines]
