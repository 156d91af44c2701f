"""A picture as lines of text, for a terminal and for those who cannot see it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from simulations.drawing.marks import Chart
from simulations.terminal_text import printable
from simulations.text_columns import aligned

if TYPE_CHECKING:
    from collections.abc import Iterable

    from simulations.drawing.marks import Picture

__all__ = ["lines", "sparkline"]

_BLOCKS: Final = "▁▂▃▄▅▆▇█"


def sparkline(shares: Iterable[float]) -> str:
    """Return a block for each share, from 0 to 1."""
    return "".join(_BLOCKS[min(len(_BLOCKS) - 1, int(share * len(_BLOCKS)))] for share in shares)


def lines(picture: Picture, width: int = 40) -> list[str]:
    """Return a picture as printable lines of text.

    Args:
        picture: A chart, of which each series becomes a row of blocks; or a table.
        width: The number of blocks of a row, from 2.
    """
    if width < 2:
        raise ValueError(f"a row has at least 2 blocks, not {width}")
    body = _chart(picture, width) if isinstance(picture, Chart) else _table(picture.header, picture.rows)
    return [printable(line).rstrip() for line in (picture.title, *body, *picture.said)]


def _chart(chart: Chart, width: int) -> list[str]:
    rows = [
        (series.name, f"|{_blocks(chart, number, width)}|", series.detail)
        for number, series in enumerate(chart.series)
    ]
    ends = [
        f"{axis.label}: {axis.low:g} to {axis.high:g}{' (logarithmic)' if axis.log else ''}"
        for axis in (chart.x, chart.y)
    ]
    notes = [f"{number}. at {note.x:g}: {note.text}" for number, note in enumerate(chart.notes, 1)]
    return [*ends, *_table(None, rows), *notes]


def _blocks(chart: Chart, number: int, width: int) -> str:
    heights = (
        chart.series[number].height_at(chart.x.value_at(cell / (width - 1)) * (1 + 1e-9))
        for cell in range(width)
    )
    return "".join(" " if height is None else sparkline([chart.y.place(height)]) for height in heights)


def _table(header: tuple[str, ...] | None, rows: Iterable[tuple[object, ...]]) -> list[str]:
    cells = [[printable(str(cell)) for cell in row] for row in ([header] if header else []) + list(rows)]
    return aligned(cells, gap=2)
