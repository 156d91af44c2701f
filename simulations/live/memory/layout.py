"""Where the memory of a live process lies: its regions, the gaps between them, and a picture of both."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from simulations.live.memory.errors import RefusedError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

PAGE: Final = 4096
KIB: Final = 1 << 10
MIB: Final = 1 << 20
GIB: Final = 1 << 30
TIB: Final = 1 << 40
TOP: Final = (1 << 47) - PAGE
"""End of what a program can map on x86-64: the kernel keeps the last page below 2^47 free."""

_UNITS: Final = {"": 1, "K": KIB, "M": MIB, "G": GIB, "T": TIB}
_SIZE: Final = re.compile(r"(0x[0-9a-f]+|\d+)\s*([kmgt]?)(i?b)?", re.IGNORECASE)
_CLUSTER_GAP: Final = GIB
_CELLS: Final = 64
_SHADES: Final = " ░▒▓█"


class Span(NamedTuple):
    """Addresses from `start` up to, and without, `end`. A tuple, for a process may have 30,000 of them."""

    start: int
    end: int

    @property
    def size(self) -> int:
        """Bytes in the span."""
        return self.end - self.start

    def __contains__(self, address: object) -> bool:
        return isinstance(address, int) and self.start <= address < self.end

    def __str__(self) -> str:
        return f"{self.start:#x}-{self.end:#x}"


class Region(NamedTuple):
    """One mapping of a process, a line of `/proc/PID/maps`.

    Attributes:
        span: Where it lies.
        permissions: Four letters, such as `r-xp`; `---p` is inaccessible memory.
        offset: Of its first byte in its file; 0 for anonymous memory.
        path: The file, a name in brackets such as `[stack]`, or the empty string for anonymous memory.
    """

    span: Span
    permissions: str
    offset: int = 0
    path: str = ""

    @property
    def usable(self) -> bool:
        """Whether the program can read, write or run anything in it."""
        return self.permissions[:3] != "---"

    @property
    def name(self) -> str:
        """What to call it in a sentence."""
        if not self.usable:
            return "inaccessible memory"
        return Path(self.path).name or "anonymous memory"


def parse_size(text: str) -> int:
    """Read a number of bytes such as `4G`, `256M`, `2GiB`, `4096` or `0x100000000`.

    Raises:
        ValueError: When it is no such number, or not a whole number of pages of 4 KiB.
    """
    match = _SIZE.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"{text!r} is no size: write it as 4G, 256M or 0x100000000")
    size = int(match[1], 0) * _UNITS[match[2].upper()]
    if size % PAGE:
        raise ValueError(f"{text!r} is not a whole number of pages of {PAGE} bytes")
    return size


def size_words(size: int) -> str:
    """Return a number of bytes in words: `6.8 MiB`, `4 GiB`."""
    for unit, name in ((TIB, "TiB"), (GIB, "GiB"), (MIB, "MiB"), (KIB, "KiB")):
        if size >= unit * 0.99995:  # what would be rounded to 1024 of the unit below
            return f"{size / unit:.1f}".removesuffix(".0") + f" {name}"
    return f"{size} bytes"


def parse_maps(text: str) -> tuple[Region, ...]:
    """Read the text of a `/proc/PID/maps`, in the order of addresses."""
    regions = []
    for line in text.splitlines():
        fields = line.split(None, 5)
        start, _, end = fields[0].partition("-")
        span = Span(int(start, 16), int(end, 16))
        if span.start <= TOP:  # [vsyscall] belongs to the kernel
            regions.append(Region(span, fields[1], int(fields[2], 16), fields[5] if len(fields) > 5 else ""))
    return tuple(regions)


def read_layout(pid: int | None = None) -> tuple[Region, ...]:
    """Return the regions of a live process, in the order of addresses; of this one when no `pid` is given.

    Raises:
        RefusedError: There is no such process, it is another user's, or the system has no `/proc`.
    """
    path = f"/proc/{'self' if pid is None else pid}/maps"
    try:
        text = Path(path).read_text(encoding="utf-8", errors="surrogateescape")
    except (FileNotFoundError, ProcessLookupError):
        hint = "give the number of a running process" if Path("/proc/1").is_dir() else "this needs Linux"
        raise RefusedError(f"cannot read {path}: {hint}") from None
    except PermissionError:
        raise RefusedError(
            f"may not read {path}: the process is another user's; be that user, or root"
        ) from None
    if not text:
        raise RefusedError(
            f"{path} is empty: process {pid} belongs to the kernel or has ended; it has no memory"
        )
    return parse_maps(text)


def gaps(regions: Sequence[Region], within: Span) -> Iterator[Span]:
    """Yield what no region covers of `within`, in the order of addresses."""
    reached = within.start
    for region in regions:
        if region.span.end <= reached:
            continue
        if region.span.start >= within.end:
            break
        if region.span.start > reached:
            yield Span(reached, region.span.start)
        reached = region.span.end
    if reached < within.end:
        yield Span(reached, within.end)


def bytes_mapped(regions: Sequence[Region], within: Span, *, usable_only: bool = False) -> int:
    """Return how many bytes of `within` are mapped; with `usable_only`, mapped and accessible."""
    return sum(
        max(0, min(region.span.end, within.end) - max(region.span.start, within.start))
        for region in regions
        if region.usable or not usable_only
    )


def picture(regions: Sequence[Region]) -> list[str]:
    """Return the layout as text: the low 4 GiB, then one row for each cluster of regions.

    A row has 64 cells. The darker a cell, the more of it is mapped; `x` is inaccessible memory, such as
    filler and guard pages, where nothing usable shares the cell.
    """
    low = Span(0, 4 * GIB)
    rows = [low]
    for region in regions:
        span = Span(max(region.span.start, low.end), region.span.end)
        if span.size <= 0:
            continue
        if len(rows) > 1 and span.start - rows[-1].end < _CLUSTER_GAP:
            rows[-1] = Span(rows[-1].start, span.end)
        else:
            rows.append(span)
    lines = []
    for row in rows:
        members = [
            region for region in regions if region.span.start < row.end and region.span.end > row.start
        ]
        cells = "".join(_cell(members, row, index) for index in range(_CELLS))
        usable = size_words(bytes_mapped(members, row, usable_only=True))
        lines.append(f"{row.start:>14x} |{cells}| {row.end:<12x}  {usable} usable of {size_words(row.size)}")
    return lines


def _cell(regions: Sequence[Region], row: Span, index: int) -> str:
    cell = Span(row.start + row.size * index // _CELLS, row.start + row.size * (index + 1) // _CELLS)
    mapped = bytes_mapped(regions, cell)
    usable = bytes_mapped(regions, cell, usable_only=True)
    if mapped and not usable:
        return "x"
    steps = len(_SHADES) - 1
    return _SHADES[-(-usable * steps // cell.size)] if cell.size else " "
