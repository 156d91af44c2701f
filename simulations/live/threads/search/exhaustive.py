"""Every schedule, in the order of "least", but for those that differ in the order of independent steps only.

What a run has done so far is given a number that depends only on which accesses conflicted, and in
which order (its happens-before relation). Two beginnings with the same number lead to the same state; so
whoever could go on there, with the same thread running, has to be followed once only. Beginnings are
visited in the order of (preemptions, deviations, sequence), so the first visit is the least. This is
happens-before caching: Musuvathi and Qadeer, "Partial-order reduction for context-bounded state
exploration", MSR-TR-2007-12.
"""

from __future__ import annotations

import heapq
from typing import TYPE_CHECKING, NamedTuple

from simulations.live.threads.search.plans import order

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from simulations.live.threads.control.accesses import Touch
    from simulations.live.threads.control.scheduler import Failure, Scheduler, Strategy, Task
    from simulations.live.threads.control.sites import Site
    from simulations.live.threads.search.strategies import Decisions

Options = tuple[tuple[int, int], ...]
"""What was not nominal: at which step which option was taken."""


class Rank(NamedTuple):
    """The place of a schedule in the order of "least"."""

    preemptions: int
    deviations: int
    sequence: Options


class _Object:
    """What the accesses to one object so far amount to."""

    __slots__ = ("parts", "reads", "whole_reads", "wrote", "wrote_parts")

    def __init__(self) -> None:
        self.wrote = 0
        self.wrote_parts = 0
        self.reads = 0
        self.whole_reads = 0
        self.parts: dict[object, list[int]] = {}


class Happened:
    """Numbers what a run has done so far, by its happens-before relation."""

    __slots__ = ("_last", "_objects", "_site_numbers", "number", "shares")

    def __init__(self, site_numbers: dict[Site | None, int]) -> None:
        self._site_numbers = site_numbers
        self.number = 0
        self._last: dict[int, int] = {}
        self._objects: dict[int, _Object] = {}
        self.shares: dict[int, dict[tuple[object, int, bool], set[Site]]] = {}

    def access(self, task: Task, site: Site | None, touches: list[Touch], verb: str) -> None:
        """Take note of an access, after it has come to its turn."""
        numbers = self._site_numbers
        event = hash(
            (task.index, self._last.get(task.index, 0), numbers.setdefault(site, len(numbers)), verb)
        )
        for stamp, part, writes in touches:
            event = hash((event, self._depend(stamp, part, event, writes=writes)))
        for stamp, part, writes in touches:
            self._settle(stamp, part, event, writes=writes)
            if site is not None:
                entries = self.shares.setdefault(stamp, {})
                entries.setdefault((part, task.index, writes), set()).add(site)
        self._last[task.index] = event
        self.number = (self.number + event) & _MASK

    def _depend(self, stamp: int, part: object, event: int, *, writes: bool) -> int:
        thing = self._objects.get(stamp)
        if thing is None:
            thing = self._objects[stamp] = _Object()
        if part is None:
            if writes:
                return hash((event, thing.wrote, thing.wrote_parts, thing.reads, thing.whole_reads))
            return hash((event, thing.wrote, thing.wrote_parts))
        wrote, reads = thing.parts.get(part, (0, 0))
        if writes:
            return hash((event, thing.wrote, wrote, reads, thing.whole_reads))
        return hash((event, thing.wrote, wrote))

    def _settle(self, stamp: int, part: object, event: int, *, writes: bool) -> None:
        thing = self._objects[stamp]
        if part is None and writes:
            thing.wrote = event
            thing.wrote_parts = thing.reads = thing.whole_reads = 0
            thing.parts.clear()
        elif part is None:
            thing.whole_reads = (thing.whole_reads + event) & _MASK
        else:
            entry = thing.parts.setdefault(part, [0, 0])
            if writes:
                entry[:] = event, 0
                thing.wrote_parts = (thing.wrote_parts + event) & _MASK
            else:
                entry[1] = (entry[1] + event) & _MASK
                thing.reads = (thing.reads + event) & _MASK


_MASK = (1 << 64) - 1


class Visit(NamedTuple):
    """A choice that a run met.

    Attributes:
        step: Its number.
        before: The number of what had happened.
        running: The thread that could go on, or -1 if none could.
        options: The threads that could be chosen, as `(option, index)`.
        chosen: The index of the thread that was.
    """

    step: int
    before: int
    running: int
    options: tuple[tuple[int, int], ...]
    chosen: int


class Visitor:
    """Takes given decisions, and notes every choice after the last of them."""

    __slots__ = ("_at", "_from", "_happened", "missed", "visits")

    def __init__(self, decisions: Decisions, happened: Happened) -> None:
        self._at = dict(decisions)
        self._from = decisions[-1][0] if decisions else 0
        self._happened = happened
        self.visits: list[Visit] = []
        self.missed = False

    def start(self, run: Scheduler) -> None:
        """See `Strategy`."""
        run.stop = run.step + 1

    def point(self, run: Scheduler, task: Task, site: Site) -> Task:  # noqa: ARG002
        """See `Strategy`."""
        run.stop = run.step + 1
        return self._visit(run, run.candidates(), task, task.index)

    def forced(self, run: Scheduler, candidates: Sequence[Task]) -> Task:
        """See `Strategy`."""
        run.stop = run.step + 1
        return self._visit(run, candidates, candidates[0], -1)

    def _visit(self, run: Scheduler, candidates: Sequence[Task], nominal: Task, running: int) -> Task:
        chosen = nominal
        wanted = self._at.get(run.step)
        if wanted is not None:
            able = [task for task in candidates if task.index == wanted]
            if able:
                chosen = able[0]
            else:
                self.missed = True
        if run.step > self._from and len(candidates) > 1:
            numbered = order(run, nominal)
            options = tuple(
                (option, task.index) for option, task in enumerate(numbered) if task in candidates
            )
            self.visits.append(Visit(run.step, self._happened.number, running, options, chosen.index))
        return chosen


class Result(NamedTuple):
    """What an enumeration came to.

    Attributes:
        failure: What the least failing schedule failed with; None if none was found.
        decisions: That schedule.
        rank: Its place in the order of "least".
        schedules: How many runs it took.
        complete: How many preemptions (or deviations) have been gone through in full; -1: none; None: all.
    """

    failure: Failure | None
    decisions: Decisions
    rank: Rank | None
    schedules: int
    complete: int | None


class Item(NamedTuple):
    """A schedule to be run, in the order of the heap."""

    first: int
    second: int
    sequence: Options
    decisions: Decisions


def enumerate_schedules(
    run: Callable[[Strategy, Happened], Failure | None],
    *,
    schedules_max: int,
    bound: int | None,
    by_deviations: bool = False,
    below: Rank | None = None,
    wanted: Callable[[Failure], bool] = lambda _: True,
    expired: Callable[[], bool] = lambda: False,
) -> Result:
    """Run schedules in the order of "least" until one fails.

    Args:
        run: Runs one schedule under a strategy, telling `Happened` of every access.
        schedules_max: The budget.
        bound: The greatest number of preemptions, or of deviations; None is no bound.
        by_deviations: Order by deviations before preemptions: delay bounding, for many threads.
        below: Leave out what is not less than this.
        wanted: Which failures count.
        expired: Whether time has run out.
    """
    heap = [Item(0, 0, (), ())]
    visited: set[tuple[int, int, int]] = set()
    numbers: dict[Site | None, int] = {}
    schedules = 0
    left_out = False
    while heap:
        item = heapq.heappop(heap)
        if schedules >= schedules_max or expired():
            return Result(None, (), None, schedules, item.first - 1)
        happened = Happened(numbers)
        visitor = Visitor(item.decisions, happened)
        failure = run(visitor, happened)
        schedules += 1
        if failure is not None and wanted(failure):
            first, second = (item.second, item.first) if by_deviations else (item.first, item.second)
            return Result(
                failure, item.decisions, Rank(first, second, item.sequence), schedules, item.first - 1
            )
        for visit in visitor.visits:
            preempts = visit.running >= 0
            visited.add((visit.before, visit.running, visit.chosen))
            for option, index in visit.options:
                key = (visit.before, visit.running, index)
                if option == 0 or key in visited:
                    continue
                steps = (1, preempts) if by_deviations else (preempts, 1)
                first, second = item.first + steps[0], item.second + steps[1]
                sequence = (*item.sequence, (visit.step, option))
                if bound is not None and first > bound:
                    left_out = True
                    continue
                if below is not None and (first, second, sequence) >= _ordered(
                    below, by_deviations=by_deviations
                ):
                    continue
                visited.add(key)
                heapq.heappush(heap, Item(first, second, sequence, (*item.decisions, (visit.step, index))))
    return Result(None, (), None, schedules, bound if left_out else None)


def _ordered(rank: Rank, *, by_deviations: bool) -> tuple[int, int, Options]:
    first, second = (
        (rank.deviations, rank.preemptions) if by_deviations else (rank.preemptions, rank.deviations)
    )
    return first, second, rank.sequence
