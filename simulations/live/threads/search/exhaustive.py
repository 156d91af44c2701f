"""Why the enumeration is complete: every schedule, in the order of "least", without running them all.

What is enumerated. A run meets choices. At a point the running thread could go on, and so could others: to go
on is option 0, every other option is a *preemption*. Where the thread cannot go on another must: the
first candidate is option 0, any other is a *deviation* that costs no preemption. A schedule is the list of
the options that are not 0, each with its step. Nothing else is left to chance, so a schedule determines a
run, and the set of schedules is a tree: the root is the empty list, and the children of a schedule add one
answer *after its last one*, at a choice that this very run meets. So every schedule has one parent, is made
once, and none is missed, although which choices a run will meet is not known in advance.

In which order. The heap holds schedules that were met and not yet run, ordered by (preemptions, deviations,
sequence). A child is never less than its parent in that order: an answer adds a deviation, perhaps a
preemption, and makes the sequence longer. So what is popped is the least of all that are left, whatever is
still to be met; the first failure is the least failing schedule; and when a schedule with n + 1 preemptions
is popped, every schedule with at most n has been run. That is what `gone_through` states.

What need not be run. Most schedules differ only in the order of steps that do not concern each other. Each
access of a run is an event, hashed from its thread, its place, the thread's event before it, and the events
that it conflicts with: the last write for a reader, the last write and all reads since for a writer
(`_Object`). Equal hashes mean equal pasts, up to the order of independent steps. `Happened.number` is the sum
of the hashes of all events so far, which does not depend on their order: it numbers the *happens-before
relation* of a beginning. Two beginnings with one number lead to the same state; so to go on from there with
the same thread, while the same thread is running, needs to be followed only once. Beginnings are visited in
the order of "least", so the visit that counts is the least one, and pruning the others loses no state and no
least schedule. This is happens-before caching: Musuvathi and Qadeer, "Partial-order reduction for context-
bounded state exploration", MSR-TR-2007-12.

Why the running thread belongs to the key. The same state with another thread running costs different
preemptions from there on: the one that runs may go on for nothing. Leaving it out would be sound for "does
any schedule fail?", and wrong for "with how few preemptions?".

Why a thread is not paused before it has done anything. Whoever is chosen then could have been chosen in place
of the thread, at the choice at which it came in: the same order of steps, with one preemption less.

What it rests on. (1) A thread does nothing that another could notice between two points; this is the business
of `control`, and what it takes for a single step is stated with the verdict. (2) The accesses told to
`Happened` are all that matter: one that is missed makes different states look alike. (3) A program does
the same under the same schedule; else a step would name another place. (4) Threads that start with the same
function and the same state are interchangeable until they have started. (5) No two different sums of hashes
of 64 bits are equal by accident: with a million beginnings that has a chance of about 1 in 37 million.

To change this file, keep: children only after the last answer; keys noted when a child is pushed, not when it
is run; and the comparison with brute force in the tests, which is what noticed each mistake so far.
"""

from __future__ import annotations

import heapq
from typing import TYPE_CHECKING, Final, NamedTuple

from simulations.live.threads.search.plans import order

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from simulations.live.threads.control.accesses import Shares, Touch
    from simulations.live.threads.control.failures import Failure
    from simulations.live.threads.control.run import Run
    from simulations.live.threads.control.sites import Site
    from simulations.live.threads.control.strategy import Strategy
    from simulations.live.threads.control.tasks import Task
    from simulations.live.threads.control.touching import Touching
    from simulations.live.threads.search.strategies import Decisions

Options = tuple[tuple[int, int], ...]
"""What was not nominal: at which step which option was taken."""


_MASK: Final = (1 << 64) - 1


class Rank(NamedTuple):
    """The place of a schedule in the order of "least"."""

    preemptions: int
    deviations: int
    sequence: Options


class _Object:
    """What the accesses to one object so far amount to."""

    __slots__ = ("_parts", "_reads", "_whole_reads", "_wrote", "_wrote_parts")

    def __init__(self) -> None:
        self._wrote = 0
        self._wrote_parts = 0
        self._reads = 0
        self._whole_reads = 0
        self._parts: dict[object, list[int]] = {}

    def depends(self, part: object, event: int, *, writes: bool) -> int:
        """Return a number of what an access to a part, or to all of it, comes after."""
        if part is None:
            if writes:
                return hash((event, self._wrote, self._wrote_parts, self._reads, self._whole_reads))
            return hash((event, self._wrote, self._wrote_parts))
        wrote, reads = self._parts.get(part, (0, 0))
        if writes:
            return hash((event, self._wrote, wrote, reads, self._whole_reads))
        return hash((event, self._wrote, wrote))

    def settle(self, part: object, event: int, *, writes: bool) -> None:
        """Take note of an access."""
        if part is None and writes:
            self._wrote = event
            self._wrote_parts = self._reads = self._whole_reads = 0
            self._parts.clear()
        elif part is None:
            self._whole_reads = (self._whole_reads + event) & _MASK
        else:
            entry = self._parts.setdefault(part, [0, 0])
            if writes:
                entry[:] = event, 0
                self._wrote_parts = (self._wrote_parts + event) & _MASK
            else:
                entry[1] = (entry[1] + event) & _MASK
                self._reads = (self._reads + event) & _MASK


class Happened:
    """Numbers what a run has done so far, by its happens-before relation.

    Args:
        site_numbers: The numbers that sites have been given.
        matters: Whether what a site does is noticed by another thread in some run; else its order is nothing.
    """

    __slots__ = ("_last", "_matters", "_objects", "_site_numbers", "number", "shares")

    def __init__(
        self, site_numbers: dict[Site | None, int], matters: Callable[[Site], bool] = lambda _: True
    ) -> None:
        self._site_numbers = site_numbers
        self._matters = matters
        self.number = 0
        self._last: dict[int, int] = {}
        self._objects: dict[int, _Object] = {}
        self.shares: Shares = {}

    def access(self, task: Task, site: Site | None, touches: list[Touch], touching: Touching) -> None:
        """Take note of an access, after it has come to its turn."""
        if site is not None:
            for stamp, part, writes in touches:
                entries = self.shares.setdefault(stamp, {})
                entries.setdefault((part, task.index, writes), set()).add(site)
            if not self._matters(site):
                return
        numbers = self._site_numbers
        event = hash(
            (task.index, self._last.get(task.index, 0), numbers.setdefault(site, len(numbers)), touching)
        )
        for stamp, part, writes in touches:
            thing = self._objects.get(stamp)
            if thing is None:
                thing = self._objects[stamp] = _Object()
            event = hash((event, thing.depends(part, event, writes=writes)))
        for stamp, part, writes in touches:
            self._objects[stamp].settle(part, event, writes=writes)
        self._add(task, event)

    def slept(self, task: Task) -> None:
        """Take note that a thread gives way for a time: it stands elsewhere, and has touched nothing."""
        self._add(task, hash((task.index, self._last.get(task.index, 0), "sleeps")))

    def _add(self, task: Task, event: int) -> None:
        self._last[task.index] = event
        self.number = (self.number + event) & _MASK

    def has_begun(self, thread: int) -> bool:
        """Whether a thread has done what matters; one that has not might as well not have been chosen."""
        return thread < 0 or thread in self._last


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

    def start(self, run: Run) -> None:
        """See `Strategy`."""
        run.ask_at(run.step + 1)

    def point(self, run: Run, task: Task, site: Site) -> Task:  # noqa: ARG002  (the protocol has it)
        """See `Strategy`."""
        run.ask_at(run.step + 1)
        return self._visit(run, run.candidates(), task, task.index)

    def forced(self, run: Run, candidates: Sequence[Task]) -> Task:
        """See `Strategy`."""
        run.ask_at(run.step + 1)
        standing = run.current
        if standing.wait is not None and standing.wait.deadline is not None:
            self._happened.slept(standing)
        return self._visit(run, candidates, candidates[0], -1)

    def _visit(self, run: Run, candidates: Sequence[Task], nominal: Task, running: int) -> Task:
        chosen = nominal
        wanted = self._at.get(run.step)
        if wanted is not None:
            able = [task for task in candidates if task.index == wanted]
            if able:
                chosen = able[0]
            else:
                self.missed = True
        if run.step > self._from and len(candidates) > 1 and self._happened.has_begun(running):
            numbered = order(run, nominal)
            options = tuple(
                (option, task.index) for option, task in enumerate(numbered) if task in candidates
            )
            self.visits.append(Visit(run.step, self._happened.number, running, options, chosen.index))
        return chosen


class Result(NamedTuple):
    """The result of an enumeration.

    Attributes:
        failure: What the least failing schedule failed with; None if none was found.
        decisions: That schedule.
        rank: Its place in the order of "least".
        schedules: How many runs it took.
        gone_through: Up to how many preemptions (or deviations) every schedule was run; None where not even
            those without one were, or where there is no bound.
        complete: Whether every schedule was run.
        grown: The sites at which threads must be switched too, as only the runs have shown.
    """

    failure: Failure | None
    decisions: Decisions
    rank: Rank | None
    schedules: int
    gone_through: int | None = None
    complete: bool = False
    grown: frozenset[Site] = frozenset()


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
    matters: Callable[[Site], bool] = lambda _: True,
    enough: tuple[int, int] | None = None,
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
        matters: See `Happened`.
        enough: A number of preemptions, and the number of runs after which none goes to a schedule with more.
    """
    heap = [Item(0, 0, (), ())]
    visited: set[tuple[int, int, int]] = set()
    numbers: dict[Site | None, int] = {}
    schedules = 0
    left_out = False
    while heap:
        item = heapq.heappop(heap)
        beyond = enough is not None and item.first > enough[0] and schedules >= enough[1]
        if schedules >= schedules_max or beyond or expired():
            return Result(None, (), None, schedules, _before(item))
        happened = Happened(numbers, matters)
        visitor = Visitor(item.decisions, happened)
        failure = run(visitor, happened)
        schedules += 1
        if failure is not None and wanted(failure):
            first, second = (item.second, item.first) if by_deviations else (item.first, item.second)
            return Result(
                failure, item.decisions, Rank(first, second, item.sequence), schedules, _before(item)
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
    if expired():
        return Result(None, (), None, schedules)
    return Result(None, (), None, schedules, bound if left_out else None, complete=not left_out)


def _before(item: Item) -> int | None:
    """Return up to how many preemptions every schedule was run before this one."""
    return item.first - 1 if item.first else None


def _ordered(rank: Rank, *, by_deviations: bool) -> tuple[int, int, Options]:
    first, second = (
        (rank.deviations, rank.preemptions) if by_deviations else (rank.preemptions, rank.deviations)
    )
    return first, second, rank.sequence


class Ranked:
    """Asks another strategy, and notes the place of what it decides in the order of "least"."""

    __slots__ = ("_inner", "_preemptions", "_sequence")

    def __init__(self, inner: Strategy) -> None:
        self._inner = inner
        self._preemptions = 0
        self._sequence: list[tuple[int, int]] = []

    def start(self, run: Run) -> None:
        """See `Strategy`."""
        self._inner.start(run)

    def point(self, run: Run, task: Task, site: Site) -> Task:
        """See `Strategy`."""
        chosen = self._inner.point(run, task, site)
        if chosen is not task:
            self._preemptions += 1
            self._note(run, task, chosen)
        return chosen

    def forced(self, run: Run, candidates: Sequence[Task]) -> Task:
        """See `Strategy`."""
        chosen = self._inner.forced(run, candidates)
        if chosen is not candidates[0]:
            self._note(run, candidates[0], chosen)
        return chosen

    def _note(self, run: Run, nominal: Task, chosen: Task) -> None:
        self._sequence.append((run.step, order(run, nominal).index(chosen)))

    @property
    def rank(self) -> Rank:
        """The place of the schedule that was run."""
        return Rank(self._preemptions, len(self._sequence), tuple(self._sequence))
