"""The free parts of an address space, ordered by address, fast at a million of them.

Blocked sorted lists: a block holds some hundred gaps, and of each block an upper bound of its largest gap is
kept, in a tournament. First fit from either end goes down the tournament to a block and looks into it; the
structure never scans all gaps. A bound is made exact when a block was looked into in vain, so each operation
causes at most one more such look.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["GapMap"]

BLOCK: Final = 256
"""How many gaps a block holds after it was split."""


class Gap(NamedTuple):
    """A free range of addresses: `start`, and its length in bytes, `size`."""

    start: int
    size: int

    @property
    def end(self) -> int:
        """The first address after the gap."""
        return self.start + self.size


class GapMap:
    """The gaps of the range from `start` to `end`, which is free at first.

    Args:
        start: The first address.
        end: The address after the last; greater than `start`.
        by_size: Keep a second index, ordered by size, which `take_best` needs and which costs a third more.
        block: How many gaps a block holds after it was split, from 1.

    Raises:
        ValueError: the range is empty.
    """

    __slots__ = ("_block", "_bounds", "_by_size", "_count", "_firsts", "_sizes", "_starts")

    def __init__(self, start: int, end: int, *, by_size: bool = False, block: int = BLOCK) -> None:
        if end <= start:
            raise ValueError(f"an address space from {start:#x} to {end:#x} is empty")
        self._block = block
        self._starts: list[list[int]] = []
        self._sizes: list[list[int]] = []
        self._bounds = _Maxima()
        self._firsts: list[int] = []
        self._count = 0
        self._by_size = _SizeIndex(block) if by_size else None
        self._put(start, end - start)

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[Gap]:
        for starts, sizes in zip(self._starts, self._sizes, strict=True):
            yield from map(Gap, starts, sizes)

    def gap_at(self, address: int) -> Gap | None:
        """Return the gap that an address lies in, or None where it does not lie in one."""
        place = self._find(address)
        return (
            None if place is None else Gap(self._starts[place[0]][place[1]], self._sizes[place[0]][place[1]])
        )

    def take_first(self, size: int, floor: int = 0) -> int | None:
        """Take `size` bytes at the lowest address from `floor` where they fit; return it, or None."""
        block = slot = 0
        if floor:
            inside = self._find(floor)
            if inside is not None:
                block, slot = inside
                if self._starts[block][slot] + self._sizes[block][slot] - floor >= size:
                    self._carve(block, slot, floor, size)
                    return floor
                slot += 1
            else:
                block = max(bisect_right(self._firsts, floor) - 1, 0)
                slot = bisect_left(self._starts[block], floor) if self._starts else 0
        index = self._bounds.first_from(block, size)
        while index is not None:
            sizes = self._sizes[index]
            for at in range(slot if index == block else 0, len(sizes)):
                if sizes[at] >= size:
                    start = self._starts[index][at]
                    self._carve(index, at, start, size)
                    return start
            self._bounds.set(index, max(sizes))
            index = self._bounds.first_from(index + 1, size)
        return None

    def take_last(self, size: int) -> int | None:
        """Take `size` bytes at the highest address where they fit; return it, or None where they do not."""
        while (index := self._bounds.last(size)) is not None:
            sizes = self._sizes[index]
            for at in range(len(sizes) - 1, -1, -1):
                if sizes[at] >= size:
                    start = self._starts[index][at] + sizes[at] - size
                    self._carve(index, at, start, size)
                    return start
            self._bounds.set(index, max(sizes))
        return None

    def take_best(self, size: int) -> int | None:
        """Take `size` bytes at the start of the smallest gap that is large enough, the lowest of equal ones.

        Raises:
            ValueError: the map was made without `by_size`.
        """
        if self._by_size is None:
            raise ValueError("best fit needs the index by size; make the map with by_size=True")
        start = self._by_size.smallest_from(size)
        if start is None:
            return None
        block, slot = self._located(start)
        self._carve(block, slot, start, size)
        return start

    def take_at(self, start: int, size: int) -> bool:
        """Take exactly the `size` bytes from `start`; where some are not free, take none and return False."""
        place = self._find(start)
        if place is None:
            return False
        block, slot = place
        if self._starts[block][slot] + self._sizes[block][slot] < start + size:
            return False
        self._carve(block, slot, start, size)
        return True

    def give(self, start: int, size: int) -> None:
        """Return `size` bytes from `start`, and join them with the gaps on either side.

        Raises:
            ValueError: some of them are free already.
        """
        end = start + size
        block = bisect_right(self._firsts, start) - 1
        slot = bisect_right(self._starts[block], start) - 1 if block >= 0 else -1
        after, at = (
            (block, slot + 1) if block >= 0 and slot + 1 < len(self._starts[block]) else (block + 1, 0)
        )
        before_end = self._starts[block][slot] + self._sizes[block][slot] if block >= 0 else start - 1
        after_start = self._starts[after][at] if after < len(self._starts) else end + 1
        if before_end > start or after_start < end:
            raise ValueError(f"{size:#x} bytes at {start:#x} were given back twice")
        if before_end == start:
            grown = self._sizes[block][slot] + size
            if after_start == end:
                grown += self._sizes[after][at]
                self._drop(after, at)  # it lies behind the gap before, whose place stays what it is
            self._resize(block, slot, self._starts[block][slot], grown)
        elif after_start == end:
            self._resize(after, at, start, self._sizes[after][at] + size)
        else:
            self._put(start, size)

    def _find(self, address: int) -> tuple[int, int] | None:
        block = bisect_right(self._firsts, address) - 1
        if block < 0:
            return None
        starts = self._starts[block]
        slot = bisect_right(starts, address) - 1
        return (block, slot) if starts[slot] + self._sizes[block][slot] > address else None

    def _located(self, start: int) -> tuple[int, int]:
        block = bisect_right(self._firsts, start) - 1
        return block, bisect_left(self._starts[block], start)

    def _carve(self, block: int, slot: int, start: int, size: int) -> None:
        """Take a range out of the gap at a place."""
        gap_start, gap_size = self._starts[block][slot], self._sizes[block][slot]
        left = start - gap_start
        right = gap_size - left - size
        if left:
            self._resize(block, slot, gap_start, left)
            if right:
                self._put(start + size, right)
        elif right:
            self._resize(block, slot, start + size, right)
        else:
            self._drop(block, slot)

    def _put(self, start: int, size: int) -> None:
        self._count += 1
        if self._by_size is not None:
            self._by_size.add(start, size)
        if not self._starts:
            self._starts, self._sizes, self._firsts = [[start]], [[size]], [start]
            self._bounds.splice(0, 0, [size])
            return
        block = max(bisect_right(self._firsts, start) - 1, 0)
        starts, sizes = self._starts[block], self._sizes[block]
        slot = bisect_left(starts, start)
        starts.insert(slot, start)
        sizes.insert(slot, size)
        self._firsts[block] = starts[0]
        self._bounds.lift(block, size)
        if len(starts) > 2 * self._block:
            self._split(block)

    def _split(self, block: int) -> None:
        half = self._block
        starts, sizes = self._starts[block], self._sizes[block]
        self._starts[block : block + 1] = [starts[:half], starts[half:]]
        self._sizes[block : block + 1] = [sizes[:half], sizes[half:]]
        self._bounds.splice(block, 1, [max(sizes[:half]), max(sizes[half:])])
        self._firsts[block : block + 1] = [starts[0], starts[half]]

    def _drop(self, block: int, slot: int) -> None:
        self._count -= 1
        starts, sizes = self._starts[block], self._sizes[block]
        start, size = starts.pop(slot), sizes.pop(slot)
        if self._by_size is not None:
            self._by_size.remove(start, size)
        if not starts:
            del self._starts[block], self._sizes[block], self._firsts[block]
            self._bounds.splice(block, 1, [])
            return
        self._firsts[block] = starts[0]

    def _resize(self, block: int, slot: int, start: int, size: int) -> None:
        sizes = self._sizes[block]
        if self._by_size is not None:
            self._by_size.remove(self._starts[block][slot], sizes[slot])
            self._by_size.add(start, size)
        sizes[slot] = size
        self._starts[block][slot] = start
        if slot == 0:
            self._firsts[block] = start
        self._bounds.lift(block, size)


class _Maxima:
    """A list of numbers that answers which is the first, or the last, of at least a given size.

    A tournament: node n holds the larger of the nodes 2n and 2n + 1, the numbers are the leaves, and 0 fills
    up the last row. So a question or a change costs the height of the tree.
    """

    __slots__ = ("_leaves", "_nodes", "_values")

    def __init__(self) -> None:
        self._values: list[int] = []
        self._leaves = 1
        self._nodes: list[int] = []  # empty: built at the first question

    def splice(self, index: int, removed: int, values: list[int]) -> None:
        """Replace a number of values by others."""
        self._values[index : index + removed] = values
        self._nodes = []

    def set(self, index: int, value: int) -> None:
        self._values[index] = value
        nodes = self._nodes
        if not nodes:
            return
        node = self._leaves + index
        nodes[node] = value
        while node > 1:
            node >>= 1
            largest = max(nodes[2 * node], nodes[2 * node + 1])
            if nodes[node] == largest:
                return
            nodes[node] = largest

    def _built(self) -> list[int]:
        self._leaves = 1 << max(len(self._values) - 1, 0).bit_length()
        rows = [self._values + [0] * (self._leaves - len(self._values))]
        while len(rows[-1]) > 1:
            rows.append(list(map(max, rows[-1][::2], rows[-1][1::2])))
        self._nodes = [0, *(node for row in reversed(rows) for node in row)]
        return self._nodes

    def lift(self, index: int, value: int) -> None:
        """Set a value where it is larger than what is there."""
        if value > self._values[index]:
            self.set(index, value)

    def first_from(self, index: int, size: int) -> int | None:
        """Return the index of the first value of at least `size`, from an index on, or None."""
        if index >= len(self._values):
            return None
        nodes = self._nodes or self._built()
        node = self._leaves + index
        while nodes[node] < size:
            while node & 1:  # a right child: what lies right of it lies right of its parent
                node >>= 1
            if node == 0:
                return None
            node += 1
        while node < self._leaves:
            node = 2 * node if nodes[2 * node] >= size else 2 * node + 1
        return node - self._leaves

    def last(self, size: int) -> int | None:
        """Return the index of the last value of at least `size`, or None."""
        nodes, node = self._nodes or self._built(), 1
        if nodes[node] < size:
            return None
        while node < self._leaves:
            node = 2 * node + 1 if nodes[2 * node + 1] >= size else 2 * node
        return node - self._leaves


_ADDRESS_BITS: Final = 64


class _SizeIndex:
    """The gaps ordered by size, then by address, in blocks; a gap is one integer, which bisects fastest."""

    __slots__ = ("_block", "_blocks", "_lasts")

    def __init__(self, block: int) -> None:
        self._block = block
        self._blocks: list[list[int]] = []
        self._lasts: list[int] = []

    def add(self, start: int, size: int) -> None:
        key = size << _ADDRESS_BITS | start
        if not self._blocks:
            self._blocks, self._lasts = [[key]], [key]
            return
        index = min(bisect_left(self._lasts, key), len(self._lasts) - 1)
        block = self._blocks[index]
        insort(block, key)
        self._lasts[index] = block[-1]
        if len(block) > 2 * self._block:
            half = self._block
            self._blocks[index : index + 1] = [block[:half], block[half:]]
            self._lasts[index : index + 1] = [block[half - 1], block[-1]]

    def remove(self, start: int, size: int) -> None:
        key = size << _ADDRESS_BITS | start
        index = bisect_left(self._lasts, key)
        block = self._blocks[index]
        del block[bisect_left(block, key)]
        if block:
            self._lasts[index] = block[-1]
        else:
            del self._blocks[index], self._lasts[index]

    def smallest_from(self, size: int) -> int | None:
        key = size << _ADDRESS_BITS
        index = bisect_left(self._lasts, key)
        if index == len(self._lasts):
            return None
        block = self._blocks[index]
        return block[bisect_left(block, key)] & ((1 << _ADDRESS_BITS) - 1)
