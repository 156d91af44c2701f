"""Which addresses to take away from a process, and which of its gaps that means; nothing is touched here."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from simulations.live.memory.errors import RefusedError
from simulations.live.memory.layout import (
    GIB,
    KIB,
    MIB,
    PAGE,
    TOP,
    Region,
    Span,
    bytes_mapped,
    gaps,
    size_words,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

Kind: TypeAlias = Literal["fill", "squeeze", "story", "plain"]

DEFAULT_LIMIT: Final = 4 * GIB
STORY_LINE: Final = 2 * GIB
"""Top of the low hole of a story: below it a pointer survives a cut to 32 bits, signed or unsigned."""

RESERVE: Final = 4096
"""Mappings left to the program itself, of the `vm.max_map_count` that the kernel allows a process."""

STACK_GUARD: Final = 256 * PAGE
"""The kernel's `stack_guard_gap`: the stack does not grow closer than this to another mapping."""

_ROOM_HIGH: Final = GIB
_ROOM_LOW: Final = 64 * MIB
_ROOM_STORY: Final = 16 * MIB
_CUT_LINE: Final = 1 << 32

MMAP_FLAGS: Final = 0x2 | 0x20 | 0x4000 | 0x100000
"""MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE: with PROT_NONE it costs no memory, and
takes no address that is in use (Linux 4.17; an older kernel may put it elsewhere, so the address that comes
back is compared)."""

SESSION_LIMIT_VARIABLE: Final = "HEISENLAB_FILL_LOW"
"""Environment variable for the pytest plugin `scenarios.lab.adaptors.memory`: the number of bytes below which
it fills for the whole session."""


@dataclass(frozen=True)
class Filling:
    """How to bend the address space of a process.

    Attributes:
        kind: `fill` takes every gap below `size`, so that all memory is high and a truncated pointer crashes
            at its first use; `squeeze` takes every gap above, so that all memory is low and the bug hides, as
            it did on old systems; `story` leaves a low hole of `size` bytes, which is used first, then high
            memory; `plain` takes nothing and only watches.
        size: Bytes, a whole number of pages; 0 for `plain`.
    """

    kind: Kind = "fill"
    size: int = DEFAULT_LIMIT

    def __post_init__(self) -> None:
        if self.size % PAGE or self.size < 0:
            raise RefusedError(f"{self.size} bytes is not a whole number of pages of {PAGE} bytes")
        if (self.size == 0) != (self.kind == "plain"):
            raise RefusedError(
                f"--{self.kind} needs a size, such as 4G" if self.size == 0 else "plain takes no size"
            )

    def __str__(self) -> str:
        return {
            "fill": f"filled below {size_words(self.size)}",
            "squeeze": f"squeezed below {size_words(self.size)}",
            "story": f"{size_words(self.size)} of low memory, then high",
            "plain": "plain",
        }[self.kind]


@dataclass(frozen=True)
class Bounds:
    """What the kernel says about a process before its first instruction.

    Attributes:
        floor: Lowest address a program may map, bytes (`vm.mmap_min_addr`).
        stack_room: Bytes to leave free below the stack: its limit, and the guard.
        mmap_top: Upper end of where the kernel places mappings, from above downwards; used for a story only.
        maps_max: Mappings a process may have (`vm.max_map_count`).
    """

    floor: int
    stack_room: int
    mmap_top: int
    maps_max: int


@dataclass(frozen=True)
class GapPlan:
    """The gaps to fill, largest first, and those for which there are not enough mappings."""

    fill: tuple[Span, ...]
    leave: tuple[Span, ...]


def taken(filling: Filling, regions: Sequence[Region], bounds: Bounds) -> tuple[Span, ...]:
    """Return the spans of addresses that `filling` takes from a process with these regions.

    Raises:
        RefusedError: The program would not have room left to run.
    """
    if filling.kind == "plain":
        return ()
    stack = next((region.span for region in regions if region.path == "[stack]"), Span(TOP, TOP))
    stack_floor = stack.start - bounds.stack_room
    _check_image(filling, regions)
    if filling.kind == "fill":
        if stack_floor - filling.size < _ROOM_HIGH:
            raise RefusedError(
                f"--fill {filling.size:#x} leaves less than {size_words(_ROOM_HIGH)} below the stack at "
                f"{stack.start:#x}, of which it needs {size_words(bounds.stack_room)}: use a lower limit; 4G "
                "finds cuts to 32 bits, 32G finds pointers compressed by a shift of 3"
            )
        return (Span(bounds.floor, filling.size),)
    if filling.kind == "squeeze":
        room = filling.size - bounds.floor - bytes_mapped(regions, Span(0, filling.size))
        if room < _ROOM_LOW or filling.size >= stack_floor:
            raise RefusedError(
                f"--squeeze {filling.size:#x} leaves {size_words(max(room, 0))} for libraries, heap and "
                "thread stacks: use a limit between 128M and 64T; 2G hides signed cuts, 4G unsigned ones"
            )
        return tuple(
            span for span in (Span(filling.size, stack_floor), Span(stack.end, TOP)) if span.size > 0
        )
    if not _ROOM_STORY <= filling.size <= STORY_LINE - 2 * _ROOM_STORY:
        raise RefusedError(f"--story {filling.size:#x} is no low hole: use from 16M to 1G, such as 256M")
    below_stack = max(
        bounds.mmap_top, *(region.span.end for region in regions if region.span.end <= stack.start)
    )
    return (Span(bounds.floor, STORY_LINE - filling.size), Span(STORY_LINE, below_stack))


def _check_image(filling: Filling, regions: Sequence[Region]) -> None:
    """Refuse a program linked to low addresses: it cannot be kept from them, and its heap starts there."""
    image = regions[0].path
    end = max(region.span.end for region in regions if region.path == image)
    if end <= _CUT_LINE and filling.size < end and filling.kind in ("fill", "squeeze"):
        raise RefusedError(
            f"--{filling.kind} {filling.size:#x} lies below the end of the program's own image, linked to "
            f"{regions[0].span.start:#x}-{end:#x}: use a higher limit, such as 2G or 4G"
        )


def check_address_limit(limit: int) -> None:
    """Check the limit on a process's address space, in bytes; negative where there is none.

    Raises:
        RefusedError: There is one. Filler would use it up, and the program would fail for another reason.
    """
    if limit >= 0:
        raise RefusedError(
            f"`ulimit -v` is {limit // KIB} KiB, and filler counts as address space, though it uses no "
            "memory: run `ulimit -v unlimited` first"
        )


def kernel_setting(name: str) -> int:
    """Return a setting of the kernel's memory management, such as `max_map_count`."""
    return int(Path("/proc/sys/vm", name).read_text(encoding="ascii"))


def gap_plan(
    regions: Sequence[Region], spans: Sequence[Span], maps_max: int, *, reserve: int = RESERVE
) -> GapPlan:
    """Choose gaps to fill: largest first, until the process has only `reserve` mappings left for itself.

    Raises:
        RefusedError: There is not one mapping to spare.
    """
    found = sorted(
        (gap for span in spans for gap in gaps(regions, span)),
        key=lambda gap: (gap.start - gap.end, gap.start),
    )
    budget = maps_max - len(regions) - reserve
    if found and budget < 1:
        raise RefusedError(
            f"too many gaps: {len(found)} to fill, {len(regions)} mappings in use, {reserve} kept for the "
            f"program, of the {maps_max} that vm.max_map_count allows: raise it with `sysctl "
            "vm.max_map_count=262144`, or lower --reserve"
        )
    return GapPlan(tuple(found[:budget]), tuple(found[budget:]))


def miss_chance(regions: Sequence[Region]) -> float:
    """Return the chance that the first use of a pointer cut to 32 bits falls on usable memory: no crash.

    It is the usable bytes below 4 GiB over 2^32, for a truncated pointer whose low half is uniform. Filler is
    not usable, so the layout before a fill gives the same chance as that after it.
    """
    return bytes_mapped(regions, Span(0, _CUT_LINE), usable_only=True) / _CUT_LINE
