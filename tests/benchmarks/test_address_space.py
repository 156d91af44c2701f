"""What an allocation costs. The goal is 200,000 allocations or frees a second at a million regions.

Run with `pytest tests/benchmarks/test_address_space.py`; each row is 10,000 operations, so a goal met is
a row under 50 ms. In `mixed` schedules sizes fit small gaps; in `skip` first fit has to pass over all.
The plain list and sortedcontainers scan the gaps by address, and stand at sizes at which they end in seconds.
"""

from random import Random

import pytest

from simulations.address_space.gap_map import GapMap
from simulations.address_space.space import GIB
from simulations.address_space.system import run
from simulations.address_space.variants import System
from simulations.address_space.workload import long_session
from simulations.choices import nominal

OPERATIONS = 10_000
STEP = 64


class PlainList:
    """Gaps in one list ordered by address; bisection for a release, a scan for an allocation."""

    def __init__(self, gaps):
        self.gaps = list(gaps)

    def take_first(self, size):
        for index, (start, room) in enumerate(self.gaps):
            if room >= size:
                self.gaps[index : index + 1] = [(start + size, room - size)] if room > size else []
                return start
        return None

    def give(self, start, size):
        from bisect import bisect_left

        at = bisect_left(self.gaps, (start, 0))
        if at < len(self.gaps) and self.gaps[at][0] == start + size:
            size += self.gaps.pop(at)[1]
        if at and sum(self.gaps[at - 1]) == start:
            start, before = self.gaps[at - 1]
            self.gaps[at - 1] = (start, before + size)
        else:
            self.gaps.insert(at, (start, size))


class SortedContainers:
    """Gaps in a SortedDict from start to size; a scan for an allocation."""

    def __init__(self, gaps):
        from sortedcontainers import SortedDict

        self.gaps = SortedDict(gaps)

    def take_first(self, size):
        for start, room in self.gaps.items():
            if room >= size:
                del self.gaps[start]
                if room > size:
                    self.gaps[start + size] = room - size
                return start
        return None

    def give(self, start, size):
        after = self.gaps.pop(start + size, 0)
        at = self.gaps.bisect_left(start) - 1
        if at >= 0:
            before, room = self.gaps.peekitem(at)
            if before + room == start:
                self.gaps[before] = room + size + after
                return
        self.gaps[start] = size + after


def comb(regions):
    """Return the gaps of a space with so many regions, each one step long, one or two steps apart."""
    rng = Random(1)
    gaps, at = [], STEP
    for _ in range(regions):
        room = STEP * rng.randrange(1, 3)
        gaps.append((at, room))
        at += room + STEP
    gaps.append((at, 1 << 47))
    return gaps


def ours(gaps):
    end = gaps[-1][0] + gaps[-1][1]
    made = GapMap(0, end)
    made.take_first(end)
    for start, room in reversed(gaps):
        made.give(start, room)
    return made


MAPS = {"ours": ours, "plain list": PlainList, "sortedcontainers": SortedContainers}


def mixed(gaps, sizes):
    """Allocate and release in turn, sizes of one and two steps."""
    taken = []
    rng = Random(2)
    for size in sizes:
        taken.append((gaps.take_first(size), size))
        if len(taken) > 100:
            start, released = taken.pop(rng.randrange(len(taken)))
            gaps.give(start, released)


def rounds(benchmark, kind, regions, sizes):
    made = MAPS[kind](comb(regions))
    benchmark.extra_info["regions"] = regions
    benchmark.pedantic(mixed, args=(made, sizes), rounds=3)


@pytest.mark.parametrize(
    ("kind", "regions"),
    [
        ("ours", 10**3),
        ("ours", 10**5),
        ("ours", 10**6),
        ("plain list", 10**3),
        ("plain list", 10**5),
        ("sortedcontainers", 10**3),
        ("sortedcontainers", 10**5),
    ],
)
def test_mixed(benchmark, kind, regions):
    rng = Random(3)
    rounds(benchmark, kind, regions, [STEP * rng.randrange(1, 3) for _ in range(OPERATIONS // 2)])


@pytest.mark.parametrize(
    ("kind", "regions"),
    [("ours", 10**3), ("ours", 10**6), ("plain list", 10**3), ("sortedcontainers", 10**3)],
)
def test_skip(benchmark, kind, regions):
    rounds(benchmark, kind, regions, [STEP * 4] * (OPERATIONS // 2))


def test_a_session_of_two_gibibytes(benchmark):
    """1012 documents opened and 500 of them closed: a run of the world, trace included."""
    session = long_session(2 * GIB)
    ran = benchmark(lambda: run(System(), session, nominal()))
    assert ran.outcome == "right"
