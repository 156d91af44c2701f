"""A picture as lines of text, for a terminal and for those who cannot see it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from simulations.drawing.marks import PARTS, Chart, Diagram, Lanes, Table
from simulations.terminal_text import printable
from simulations.text_columns import aligned

if TYPE_CHECKING:
    from collections.abc import Iterable

    from simulations.drawing.marks import Picture, Sequence, Track, Tracks

__all__ = ["lines", "sequence_lines", "sparkline", "track_cells"]

_BLOCKS: Final = "▁▂▃▄▅▆▇█"
_COLUMNS_MAX: Final = 12
"""How many lanes have a column each; of more, each step is a line with the name of its lane."""


def sparkline(shares: Iterable[float]) -> str:
    """Return a block for each share, from 0 to 1."""
    return "".join(_BLOCKS[min(len(_BLOCKS) - 1, int(share * len(_BLOCKS)))] for share in shares)


def lines(picture: Picture, width: int = 40) -> list[str]:
    """Return a picture as printable lines of text.

    Args:
        picture: What is drawn; of a chart each series becomes a row of blocks, of tracks each a row of signs.
        width: The number of blocks or signs of a row, from 2.
    """
    if width < 2:
        raise ValueError(f"a row has at least 2 blocks, not {width}")
    body = _body(picture, width)
    return [printable(line).rstrip() for line in (picture.title, *body, *picture.said)]


def _body(picture: Picture, width: int) -> list[str]:
    if isinstance(picture, Chart):
        return _chart(picture, width)
    if isinstance(picture, Table):
        return _table(picture.header, picture.rows)
    if isinstance(picture, Lanes):
        return _lanes(picture)
    if isinstance(picture, Diagram):
        return _diagram(picture)
    return _tracks(picture, width)


def sequence_lines(run: Sequence, parts_at: int | None = None) -> list[str]:
    """Return a run with a column for each actor, or for many actors a line for each step.

    Args:
        run: The run.
        parts_at: The number of the step before which it is said that from there on two runs differ.
    """
    in_columns = len(run.lanes) <= _COLUMNS_MAX
    timed = any(step.at for step in run.steps)
    width = max([len(run.unit), *(len(step.at) for step in run.steps)])
    rows = [[run.unit, *run.lanes]] if in_columns else []
    first = len(rows)
    for step in run.steps:
        words = f"{step.tone} {step.text}".strip()
        cells = [run.lanes[step.lane], words]
        if in_columns:
            cells = [words if lane == step.lane else "" for lane in range(len(run.lanes))]
        rows.append([step.at, *cells])
    timed_rows = ([at.rjust(width), *cells] if timed else cells for at, *cells in rows)
    found = aligned([[printable(cell) for cell in row] for row in timed_rows], gap=2)
    if parts_at is not None and parts_at < len(run.steps):
        found.insert(first + parts_at, f"--- {PARTS}")
    return [*found, *([printable(run.ended)] if run.ended else [])]


def _lanes(picture: Lanes) -> list[str]:
    found: list[str] = []
    for run in picture.runs:
        found += [f"{run.tone} {printable(run.title)}".strip(), *sequence_lines(run, picture.parts_at)]
    return found


def _diagram(picture: Diagram) -> list[str]:
    names = [
        f"{node.name}{f' ({picture.island})' * (node.island and bool(picture.island))}"
        for node in picture.nodes
    ]
    return [f"{names[edge.source]} -> {names[edge.target]}: {edge.label}" for edge in picture.edges]


def track_cells(picture: Tracks, track: Track, width: int) -> str:
    """Return a track as a sign for each of `width` cells: that of the most important kind that lies in it."""
    return "".join(picture.kinds[kind].sign for kind in picture.cells(track, width))


def _tracks(picture: Tracks, width: int) -> list[str]:
    rows = [(track.label, f"[{track_cells(picture, track, width)}]", track.note) for track in picture.tracks]
    signs = "  ".join(f"{kind.sign} {kind.name}" for kind in picture.kinds if kind.sign.strip())
    return [*_table(None, rows), signs]


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
