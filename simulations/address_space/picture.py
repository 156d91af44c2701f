"""An address space as a picture: as data, and as text.

A row covers the addresses from 16^k to 16^(k+1), one hexadecimal digit more than the row below it; so 64 KiB
and 128 TiB fit on one page. The highest addresses stand on top: a pointer that is cut falls.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final, NamedTuple

from simulations.address_space.space import GIB, Region, Space
from simulations.drawing.marks import FAILS, NEAREST, Fall, Kind, Look, Span, Spot, Tone, Track, Tracks
from simulations.drawing.sheet import Lines, Sheet
from simulations.drawing.text import track_cells

if TYPE_CHECKING:
    from collections.abc import Sequence

    from simulations.address_space.system import Run, Use

__all__ = ["Cut", "cut_of", "pictures", "rows", "sheet", "text", "tracks"]

WIDTH: Final = 64
"""Cells of a row."""

_KINDS: Final = (
    Kind(".", "free", Look.BLANK),
    Kind("/", "filler", Look.HATCHED),
    Kind("=", "mapping", Look.SOLID),
    Kind("#", "island", Look.DARK),
    Kind("P", "pointer", Look.DOT),
    Kind("X", "what came back", Look.CROSS),
)
"""What a cell shows, the least important first: a cell shows the most important that lies in it."""
_NAMES: Final = [kind.name for kind in _KINDS]
_POINTER: Final = _NAMES.index("pointer")
_CAME_BACK: Final = _NAMES.index("what came back")

_LOWEST: Final = 4
_DIGIT_BITS: Final = 4


class Cut(NamedTuple):
    """A pointer that was cut.

    Attributes:
        address: Where it pointed.
        came_back: What it was afterwards.
        name: What lies where it pointed.
        outcome: What came of its use.
    """

    address: int
    came_back: int
    name: str
    outcome: str

    @property
    def landed(self) -> str:
        """What came back and what came of it, in words."""
        return f"X {self.came_back:#x}: {self.outcome}"


def cut_of(use: Use) -> Cut:
    """Return the pointer of a use."""
    said = {"crash": "crash", "silent": f"silent, it is {use.victim}", "right": "right"}[use.outcome]
    return Cut(use.address, use.came_back, f"document {use.document}", said)


class Row(NamedTuple):
    """A row of the picture: the addresses from `start` to `end`."""

    start: int
    end: int


def rows(top: int) -> tuple[Row, ...]:
    """Return the rows of a space that ends at `top`, the highest first."""
    found = [Row(0, 1 << _DIGIT_BITS * _LOWEST)]
    while found[-1].end < top:
        found.append(Row(found[-1].end, min(found[-1].end << _DIGIT_BITS, top)))
    return tuple(reversed(found))


def text(regions: Sequence[Region], *, top: int = 1 << 47, use: Use | None = None, width: int = WIDTH) -> str:
    """Draw a layout as text.

    Args:
        regions: What is mapped.
        top: The address after the highest.
        use: A pointer that was cut, drawn as a fall from its address to what came back.
        width: Cells of a row, at least 8.

    Raises:
        ValueError: the width is too small.
    """
    if width < 8:
        raise ValueError(f"a row has at least 8 cells, not {width}")
    picture = tracks(regions, top=top, cut=cut_of(use) if use else None)
    lines = []
    for track in picture.tracks:
        outside = track.low >= top
        cells = " " * (width + 2) if outside else f"[{track_cells(picture, track, width)}]"
        lines.append(f"{track.label:>17} {cells}{f'  {track.note}' if track.note else ''}")
    signs = "  ".join(f"{kind.sign} {kind.name}" for kind in picture.kinds)
    return "\n".join([*lines, f"{signs}; a cell shows the most important that lies in it", *picture.said])


def tracks(
    regions: Sequence[Region], *, top: int = 1 << 47, cut: Cut | None = None, title: str = "The address space"
) -> Tracks:
    """Return a layout as a picture; a pointer that was cut falls from its address to what came back.

    Args:
        regions: What is mapped.
        top: The address after the highest.
        cut: A pointer that was cut.
        title: What stands above it.
    """
    drawn = [
        Track(
            label=f"{row.start:#x}",
            low=row.start,
            high=row.end,
            spans=tuple(
                Span(region.start, region.end, _NAMES.index(region.kind))
                for region in regions
                if region.start < row.end and region.end > row.start
            ),
            spots=tuple(
                Spot(address, kind) for address, kind in _targets(cut) if row.start <= address < row.end
            ),
            note=_beside(row, cut),
        )
        for row in rows(top)
    ]
    if cut is not None and cut.came_back >= top:
        spots = (Spot(cut.came_back, _CAME_BACK),)
        drawn.insert(0, Track(label="outside", low=top, high=1 << 64, spots=spots, note=cut.landed))
    return Tracks(
        title=title,
        kinds=_KINDS,
        tracks=tuple(drawn),
        falls=_falls(drawn, cut),
        said=(_mapped(regions),),
    )


def pictures(shown: Run | Space, beside: Run | None = None) -> tuple[Tracks, ...]:
    """Return the picture of a run, alone, or as one that fails above one that passes; or of a space."""
    if isinstance(shown, Space):
        return (tracks(shown.regions, top=shown.layout.top),)
    drawn = tracks(shown.regions, cut=_shown_cut(shown))
    if beside is None:
        return (drawn,)
    passing = tracks(beside.regions, cut=_shown_cut(beside), title=f"{Tone.GOOD} {NEAREST}")
    return (replace(drawn, title=f"{Tone.BAD} {FAILS}"), passing)


def sheet(shown: Run | Space) -> Sheet:
    """Return what is shown of a run, or of a space."""
    if isinstance(shown, Space):
        drawn = text(shown.regions, top=shown.layout.top)
    else:
        drawn = text(shown.regions, use=_shown_use(shown))
    return Sheet(blocks=(Lines(drawn, drawn=True),), pictures=pictures(shown))


def _shown_use(run: Run) -> Use | None:
    return run.wrong or next(iter(run.uses), None)


def _shown_cut(run: Run) -> Cut | None:
    use = _shown_use(run)
    return cut_of(use) if use else None


def _targets(cut: Cut | None) -> list[tuple[int, int]]:
    return [] if cut is None else [(cut.address, _POINTER), (cut.came_back, _CAME_BACK)]


def _falls(drawn: Sequence[Track], cut: Cut | None) -> tuple[Fall, ...]:
    """Return the arrow from a pointer to what came back; there is none within one row."""
    places = [
        (number, address)
        for address, _ in _targets(cut)
        for number, track in enumerate(drawn)
        if track.low <= address < track.high
    ]
    if len(places) < 2 or places[0][0] == places[1][0]:
        return ()
    (track, at), (to_track, to) = places
    return (Fall(track, at, to_track, to),)


def _beside(row: Row, cut: Cut | None) -> str:
    """Return what stands beside a row: that the pointer was there, or where it came down."""
    if cut is None:
        return ""
    comes_down = row.start <= cut.came_back < row.end
    if row.start <= cut.address < row.end:
        return f"P {cut.address:#x}, {cut.landed if comes_down else cut.name}"
    return cut.landed if comes_down else ""


def _mapped(regions: Sequence[Region]) -> str:
    low, high = (_mebibytes(regions, limit * GIB) for limit in (2, 4))
    return f"mapped below 2 GiB: {low}, below 4 GiB: {high}"


def _mebibytes(regions: Sequence[Region], limit: int) -> str:
    size = sum(max(0, min(region.end, limit) - region.start) for region in regions if region.kind != "filler")
    return f"{size / (1 << 20):.1f} MiB"
