"""The fast kernel: when each test is over, without an event for it.

List scheduling on one heap. It gives the finish order of the SimPy workers, test by test, as long as nothing
couples the workers but the queue. Whether something did is decided afterwards: reports hold a connection, and
where more of them would have overlapped than there are connections, a worker had to wait, and the kernel
steps aside.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from heapq import heapify, heappop, heapreplace
from itertools import accumulate
from operator import lt
from typing import TYPE_CHECKING, Final

import simpy

from simulations.batch_job.workload import Log, worker

if TYPE_CHECKING:
    from collections.abc import Sequence

    from simulations.batch_job.workload import Bulk

__all__ = ["kernel", "schedule", "simulated"]


@dataclass(frozen=True)
class Checkpoints:
    """When the job stops to save what it has.

    While it saves, no test starts; those that run go on. A checkpoint holds the tests that were over when it
    began, and counts once it is complete.

    Attributes:
        every_ms: The time from the end of one to the start of the next, in ms, from 1; 0 means never.
        cost_ms: How long one takes, in ms.

    Raises:
        ValueError: a time is below 0.
    """

    every_ms: int = 0
    cost_ms: int = 0

    def __post_init__(self) -> None:
        if min(self.every_ms, self.cost_ms) < 0:
            raise ValueError(f"times are 0 or more, not {self.every_ms!r} and {self.cost_ms!r}")

    def pause_ms(self, at_ms: int) -> int:
        """Return for how long no test may start, `at_ms` after the start of the job."""
        if not self.every_ms:
            return 0
        period = self.every_ms + self.cost_ms
        phase = at_ms % period
        return period - phase if phase >= self.every_ms else 0

    def complete(self, at_ms: int) -> int:
        """Return how many checkpoints are complete, `at_ms` after the start of the job."""
        return at_ms // (self.every_ms + self.cost_ms) if self.every_ms else 0

    def began_ms(self, number: int) -> int:
        """Return when a checkpoint began, counted from 1, in ms after the start of the job."""
        return number * (self.every_ms + self.cost_ms) - self.cost_ms


NEVER: Final = Checkpoints(every_ms=1 << 62)
"""A first checkpoint that no job lives to see."""


@dataclass(frozen=True)
class Schedule:
    """When each test is over.

    Attributes:
        order: The numbers of the tests, in the order in which they end.
        times_ms: When each ends, in ms after the start of the job; ascending.
    """

    order: Sequence[int]
    times_ms: Sequence[int]

    @property
    def makespan_ms(self) -> int:
        """When the last test is over; 0 if there was none."""
        return self.times_ms[-1] if self.times_ms else 0

    def done(self, at_ms: int) -> int:
        """Return how many tests are over before a time."""
        return bisect_left(self.times_ms, at_ms)

    def leaked_at(self, leak: Sequence[int], limit: int) -> int | None:
        """Return when the tests that are over have leaked `limit` together; None if they never do."""
        for time, leaked in zip(self.times_ms, accumulate(map(leak.__getitem__, self.order)), strict=True):
            if leaked >= limit:
                return time
        return None


def simulated(
    bulk: Bulk, queue: Sequence[int], workers: int, connections: int, saves: Checkpoints | None = None
) -> Schedule:
    """Return the schedule by SimPy: the reference. The arguments are those of `kernel`."""
    env = simpy.Environment()
    pool = simpy.Resource(env, capacity=connections)
    log, shared = Log(), iter(queue)
    pause_ms = saves.pause_ms if saves is not None and saves.every_ms else None
    for _ in range(workers):
        env.process(worker(env, shared, bulk, pool, log, pause_ms=pause_ms))
    env.run()
    return Schedule(log.order, log.ends_ms)


def kernel(
    bulk: Bulk, queue: Sequence[int], workers: int, connections: int, saves: Checkpoints | None = None
) -> Schedule | None:
    """Return the schedule by list scheduling, or None where workers waited for a connection.

    Args:
        bulk: The tests.
        queue: The numbers of the tests to run, in the order in which they are pulled.
        workers: How many run at a time.
        connections: How many reports may run at a time.
        saves: When no test may start; None means always.
    """
    run_ms, report_ms = bulk.run_ms, bulk.report_ms
    saves = saves if saves is not None and saves.every_ms else NEVER
    period_ms = saves.every_ms + saves.cost_ms
    stop_ms, go_ms = saves.every_ms, period_ms  # the next checkpoint; time does not go back
    log = Log()
    over, ended = log.order.append, log.ends_ms.append
    report_starts: list[int] = []  # ascending, as time does not go back
    report_ends: list[int] = []
    starts, ends = report_starts.append, report_ends.append
    # An entry is (time, tie-break, test, what ends at that time: -1 the pause, 0 the test, more: the time its
    # report takes). The tie-break counts as SimPy does: by when the wait began.
    heap = [(run_ms[test], place, test, report_ms[test]) for place, test in enumerate(queue[:workers])]
    heapify(heap)
    ticket = len(heap)
    waiting = iter(queue[ticket:])
    while heap:
        now, _, test, phase = heap[0]
        if phase > 0:
            starts(now)
            ends(now + phase)
            heapreplace(heap, (now + phase, ticket, test, 0))
        elif phase < 0:
            heapreplace(heap, (now + run_ms[test], ticket, test, report_ms[test]))
        else:
            over(test)
            ended(now)
            while now >= go_ms:
                stop_ms, go_ms = stop_ms + period_ms, go_ms + period_ms
            test = next(waiting, -1)
            if test < 0:
                heappop(heap)
            elif now >= stop_ms:
                heapreplace(heap, (go_ms, ticket, test, -1))
            else:
                heapreplace(heap, (now + run_ms[test], ticket, test, report_ms[test]))
        ticket += 1
    fits = _at_most(connections, report_starts, sorted(report_ends))
    return Schedule(log.order, log.ends_ms) if fits else None


def _at_most(most: int, starts: list[int], ends: list[int]) -> bool:
    """Return whether at most so many reports run at a time; one that ends as another starts counts.

    Both lists ascend. When the report number n starts, n - most others must have ended before.
    """
    return all(map(lt, ends, starts[most:]))


def schedule(
    bulk: Bulk, queue: Sequence[int], workers: int, connections: int, saves: Checkpoints | None = None
) -> Schedule:
    """Return the schedule: by the kernel where nothing couples the workers, else by SimPy."""
    fast = kernel(bulk, queue, workers, connections, saves)
    return fast if fast is not None else simulated(bulk, queue, workers, connections, saves)
