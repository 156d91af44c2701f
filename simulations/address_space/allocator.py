"""The allocator of a program: small blocks share arenas, large ones have a mapping of their own.

The figures are those of the GNU C library: `M_MMAP_THRESHOLD` 128 KiB, blocks aligned to 16 bytes with a
header of 16 bytes. That size decides where a block lands is why tests with small data never met the bug.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from simulations.address_space.gap_map import GapMap
from simulations.address_space.space import KIB, MIB
from simulations.errors import LabError

if TYPE_CHECKING:
    from collections.abc import Callable

    from simulations.address_space.space import Region, Space

__all__ = ["ARENA", "HEADER", "MAPPED_FROM", "Allocator", "Block"]

HEADER: Final = 16
"""Bytes before each block, and the alignment of its address."""

MAPPED_FROM: Final = 128 * KIB
"""Blocks of this many bytes and more have a mapping of their own."""

ARENA: Final = 1 * MIB
"""Bytes that the allocator asks the system for when it needs room for small blocks."""


class Block(NamedTuple):
    """Memory that the program was given.

    Attributes:
        address: What `Allocator.allocate` returned.
        size: What was asked for, in bytes.
        name: Who asked.
        arena: The index of the arena it lies in, or -1 where it has a mapping of its own.
    """

    address: int
    size: int
    name: str
    arena: int


class Allocator:
    """An allocator above a space.

    Args:
        space: Where it gets its memory.
        mapping: Called with a size in bytes and a name, where the system is asked for a mapping.
        reserve: Bytes of a heap that is mapped at the start, at the lowest address, and serves blocks of
            any size while they fit; 0 for none.
    """

    __slots__ = ("_arenas", "_mapped", "_mapping", "_reserved", "_space", "blocks")

    def __init__(
        self, space: Space, mapping: Callable[[int, str], Region | None], *, reserve: int = 0
    ) -> None:
        self._space = space
        self._mapping = mapping
        self._arenas: list[GapMap] = []
        self._mapped: dict[int, Region] = {}
        self.blocks: dict[int, Block] = {}
        self._reserved = bool(reserve)
        if reserve:
            region = space.map_above(space.layout.floor, reserve, "reserved heap")
            if region is None:
                raise LabError(f"no room for a reserved heap of {reserve:#x} bytes")
            self._arenas.append(GapMap(region.start, region.end))

    def allocate(self, size: int, name: str) -> int | None:
        """Return the address of `size` bytes; None when there is no memory."""
        needed = -(-size // HEADER) * HEADER + HEADER
        small = needed < MAPPED_FROM
        for index, arena in enumerate(self._arenas):
            if small or (index == 0 and self._reserved):
                start = arena.take_first(needed)
                if start is not None:
                    return self._given(start, size, name, index)
        region = self._mapping(ARENA if small else needed, "heap" if small else name)
        if region is None:
            return None
        if small:
            self._arenas.append(GapMap(region.start, region.end))
            return self.allocate(size, name)
        self._mapped[region.start] = region
        return self._given(region.start, size, name, -1)

    def _given(self, start: int, size: int, name: str, arena: int) -> int:
        self.blocks[start + HEADER] = Block(start + HEADER, size, name, arena)
        return start + HEADER

    def release(self, address: int) -> None:
        """Return a block.

        Raises:
            LabError: the address is not that of a block.
        """
        block = self.blocks.pop(address, None)
        if block is None:
            raise LabError(f"no block begins at {address:#x}; was it released before?")
        start = address - HEADER
        if block.arena < 0:
            self._space.unmap(self._mapped.pop(start))
        else:
            self._arenas[block.arena].give(start, -(-block.size // HEADER) * HEADER + HEADER)

    def drain(self, limit: int) -> int:
        """Take what is free below `limit` in arenas that exist already; return how many bytes that is.

        Filling the gaps of the space leaves these: the allocator would hand them out, low, for a while.
        """
        drained = 0
        for arena in self._arenas:
            for gap in list(arena):
                size = min(gap.end, limit) - gap.start
                if size > 0:
                    arena.take_at(gap.start, size)
                    drained += size
        return drained

    def owner(self, address: int) -> str | None:
        """Return whose memory an address is, or None where it is not accessible."""
        region = self._space.region_at(address)
        if region is None or region.kind == "filler":
            return None
        for block in self.blocks.values():
            if block.address <= address < block.address + block.size:
                return block.name
        return region.name
