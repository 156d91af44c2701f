"""Rows of cells as aligned lines of text."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


def aligned(rows: Sequence[Sequence[str]], *, gap: int) -> list[str]:
    """Return a line for each row, each column as wide as its widest cell, without spaces at the end.

    Args:
        rows: All of one length.
        gap: The number of spaces between two columns.
    """
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = (
        (" " * gap).join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows
    )
    return [line.rstrip() for line in lines]
