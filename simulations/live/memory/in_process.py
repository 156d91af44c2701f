"""Fill the low memory of the running Python process, from inside: without ptrace, and for a single test.

Filling from outside, before the first instruction, is better: here the heap is old, and malloc may keep free
low chunks. So these are drained as well: taken, and held. Threads may run meanwhile: what they map first
stays theirs.
"""

from __future__ import annotations

import contextlib
import ctypes
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from simulations.live.memory.errors import RefusedError
from simulations.live.memory.filling import (
    DEFAULT_LIMIT,
    MMAP_FLAGS,
    RESERVE,
    check_address_limit,
    gap_plan,
    kernel_setting,
    miss_chance,
)
from simulations.live.memory.launch import check_system
from simulations.live.memory.layout import PAGE, Span, gaps, read_layout, size_words

if TYPE_CHECKING:
    from collections.abc import Iterator

_DRAIN_SIZE_MAX: Final = 1 << 17
_DRAIN_SIZE_MIN: Final = 16
_DRAIN_CHUNKS_MAX: Final = 1_000_000
_LIMIT_MAX: Final = 64 << 40
_ROUNDS_MAX: Final = 4
_MAP_FAILED: Final = ctypes.c_void_p(-1).value


@dataclass(frozen=True)
class LowFill:
    """What was taken from this process.

    Attributes:
        filled: Gaps that are now inaccessible memory.
        left_open: Gaps that are not: no mapping was left for them, or a thread was faster.
        drained: Addresses of the low chunks that malloc still had, now held.
        drained_bytes: Their size.
        miss: Chance that a pointer cut to 32 bits falls on usable low memory, and is missed.
        microseconds: What it took, of the wall clock.
    """

    filled: tuple[Span, ...]
    left_open: tuple[Span, ...]
    drained: tuple[int, ...]
    drained_bytes: int
    miss: float
    microseconds: int


def fill_low(limit: int = DEFAULT_LIMIT, *, reserve: int = RESERVE) -> LowFill:
    """Take every gap below `limit` from this process, and drain malloc's low chunks. It costs no memory.

    Args:
        limit: Bytes, a whole number of pages.
        reserve: Mappings left to the program itself, of the `vm.max_map_count` that the kernel allows.

    Raises:
        RefusedError: Not Linux on x86-64; `ulimit -v`; too many gaps; a limit that is too high or not
            a whole number of pages.
    """
    check_system()
    import resource  # noqa: PLC0415  (exists on Unix only, and this module is imported everywhere)

    check_address_limit(resource.getrlimit(resource.RLIMIT_AS)[0])
    floor = kernel_setting("mmap_min_addr")
    if limit % PAGE or not floor < limit <= _LIMIT_MAX:
        raise RefusedError(
            f"a limit of {limit:#x} is not a whole number of pages up to {size_words(_LIMIT_MAX)}: "
            f"use {DEFAULT_LIMIT:#x}"
        )
    start = time.perf_counter()
    libc = _libc()
    low = Span(floor, limit)
    regions = read_layout()
    plan = gap_plan(regions, (low,), kernel_setting("max_map_count"), reserve=reserve)
    leave = set(plan.leave)
    filled: list[Span] = []
    pending = list(plan.fill)
    for _ in range(_ROUNDS_MAX):
        missed: list[Span] = []
        for gap in pending:
            (filled if _take(libc, gap) else missed).append(gap)
        if not missed:
            break
        # Another mapping was faster, such as this heap growing: look again at what is left.
        regions = read_layout()
        pending = [gap for gap in gaps(regions, low) if gap not in leave]
    left_open = [*missed, *plan.leave]
    drained, drained_bytes = _drain(libc, limit)
    took = round((time.perf_counter() - start) * 1e6)
    return LowFill(tuple(filled), tuple(left_open), drained, drained_bytes, miss_chance(regions), took)


def _take(libc: ctypes.CDLL, gap: Span) -> bool:
    """Map a gap, and nothing else; return whether it worked."""
    address = libc.mmap(gap.start, gap.end - gap.start, 0, MMAP_FLAGS, -1, 0)
    if address == gap.start:
        return True
    if address != _MAP_FAILED:  # a kernel older than 4.17 takes the address for a hint
        libc.munmap(address, gap.size)
    return False


def release(fill: LowFill) -> None:
    """Give back what `fill_low` took."""
    libc = _libc()
    for address in fill.drained:
        libc.free(address)
    for gap in fill.filled:
        libc.munmap(gap.start, gap.size)


@contextlib.contextmanager
def filled_low(limit: int = DEFAULT_LIMIT, *, reserve: int = RESERVE) -> Iterator[LowFill]:
    """Do `fill_low` for the length of a with-block."""
    fill = fill_low(limit, reserve=reserve)
    try:
        yield fill
    finally:
        release(fill)


def _libc() -> ctypes.CDLL:
    """Return the C library with function objects of its own: a declaration here changes no other's."""
    libc = ctypes.CDLL(None, use_errno=True)
    libc.mmap.restype = ctypes.c_void_p
    libc.mmap.argtypes = [
        ctypes.c_void_p,
        ctypes.c_size_t,
        ctypes.c_int,
        ctypes.c_int,
        ctypes.c_int,
        ctypes.c_long,
    ]
    libc.munmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t]
    libc.malloc.restype = ctypes.c_void_p
    libc.malloc.argtypes = [ctypes.c_size_t]
    libc.free.restype = None
    libc.free.argtypes = [ctypes.c_void_p]
    return libc


def _drain(libc: ctypes.CDLL, limit: int) -> tuple[tuple[int, ...], int]:
    """Take malloc's free chunks below `limit`, from large to small, until it has none left to give."""
    held: list[int] = []
    total, size = 0, _DRAIN_SIZE_MAX
    while size >= _DRAIN_SIZE_MIN and len(held) < _DRAIN_CHUNKS_MAX:
        address = libc.malloc(size)
        if address is not None and address < limit:
            held.append(address)
            total += size
            continue
        libc.free(address)
        size = size * 3 // 4 if size > 1024 else size - 16
    return tuple(held), total
