"""Which schedules need not be run: those that differ only in the order of independent steps.

Two steps are *dependent* when they belong to one thread, or touch the same thing and at least one of them
writes it, or when one of them started or woke the thread of the other. Schedules that order all dependent
steps alike are equivalent: every thread does the same and the end is the same. Such a class of schedules is
a Mazurkiewicz trace; one run of each class is a proof over all schedules.

**How the classes are found.** After each run its *races* are looked for: pairs of dependent steps `d`
before `e` of two threads with nothing that must come between them. Whether `e` could have come before `d`
is another class, and a run of it begins with every step that has to come after neither of the two, followed
by `e`. Such a beginning goes on the list, unless a class that was run contains it already.

**Why none is forgotten.** Suppose that a class *u* was never run. Of the classes that were run take one,
*v*, that agrees with *u* in a longest beginning *w*, and let `e` be the next step of *u* after *w*. The
thread of `e` does the same step in *v*, since it has seen the same; if nothing in *v* that is not in *w*
had to come before it, then *v* would agree with *u* in *w* and `e`, which is longer. So some such steps
come before it, and the last that is dependent on `e` is a race with it. Its reversal keeps all of *w*, and
was run or is contained in a class that was run; and there, fewer steps outside *w* come before `e`. Again
and again, until none does: a contradiction.

**Why none is run twice.** A step is known by its thread, its number there, and the steps that had to come
before it, and these again by the same: so a step names all of its past, in whatever run it occurs. A
beginning is contained in a class exactly if its last steps are. The number of runs is then the number of
classes, which no search that runs whole schedules can be below: the optimum of Abdulla, Aronis, Jonsson and
Sagonas, "Source sets: a foundation for optimal dynamic partial order reduction", J. ACM 64(4), 2017. They
keep one path of a tree in memory; this keeps a number for each step of each class, which is affordable for
as many schedules as a person waits for, and makes the argument above this short.

**Waiting.** A step that may have to wait, such as taking a lock, cannot come right before the step that let
it go on. For a lock the race is with the taking before it, when the lock was still free. For whatever else
lets threads wait, all takings before it are tried; a beginning in which the thread cannot go on is run as
far as it goes. Where the run ends in a deadlock, what each thread waits to do counts as its last step.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, NamedTuple

from simulations.live.threads.control.accesses import BACK, FRONT

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from simulations.live.threads.control.accesses import Part, Touch


class Step(NamedTuple):
    """What a thread did, in one go, that another thread could notice.

    Attributes:
        thread: The number of the thread.
        touches: What it touched: the number of the thing, the part of it (None is all), whether it wrote.
        after: Earlier steps, by their place in the run, that started the thread or woke it.
        takes: The number of the thing for which it may have had to wait, such as a lock; None where it could
            not.
        gives: The numbers of the things that a thread which waits for them could have only after it.
    """

    thread: int
    touches: tuple[Touch, ...]
    after: tuple[int, ...] = ()
    takes: int | None = None
    gives: tuple[int, ...] = ()


_ENDS: Final = (FRONT, BACK)

Beginning = tuple[int, ...]
"""The beginning of a schedule: the threads of its steps, in order."""


def dependent(one: Step, other: Step) -> bool:
    """Whether two steps of two threads touch the same thing, and at least one writes it."""
    return any(
        thing == thing2 and (writes or writes2) and (part == part2 or part is None or part2 is None)
        for thing, part, writes in one.touches
        for thing2, part2, writes2 in other.touches
    )


def _at_one_end(one: Step, other: Step) -> bool:
    """Whether two steps take from one queue, or put into one."""
    return any(
        touch[:2] in {touch2[:2] for touch2 in other.touches} and touch[1] in _ENDS for touch in one.touches
    )


@dataclass(frozen=True)
class _Run:
    """A run, with what had to come before what. Sets of steps are integers, a bit for each step."""

    steps: Sequence[Step]
    past: list[int]
    own: list[int]
    number: list[int]
    names: list[int]
    races: list[list[int]]
    """For each step the steps of other threads that it is dependent on and that come before it, last first;
    those that are in the past of a later one of them are marked by their complement."""
    _after: dict[int, int] = field(default_factory=dict)

    def after(self, step: int) -> int:
        """Return a step and all that have to come after it."""
        found = self._after.get(step)
        if found is None:
            found = sum(1 << index for index in range(step, len(self.past)) if (self.past[index] >> step) & 1)
            self._after[step] = found
        return found

    def last(self, steps: int) -> Iterator[int]:
        """Yield the steps of a downward-closed set that nothing in it has to come after."""
        while steps:
            step = steps.bit_length() - 1
            yield step
            steps &= ~self.past[step]

    def needed(self, earlier: int, later: int) -> Iterator[int]:
        """Yield what a step depends on when it is done in place of an earlier one, and some later steps."""
        step, other = self.steps[later], self.steps[earlier]
        if _at_one_end(step, other):
            # Which item of a queue it touches is a matter of its turn.
            yield from (index for index in range(earlier) if dependent(self.steps[index], other))
        else:
            yield from (marked if marked >= 0 else ~marked for marked in self.races[later])

    def name(self, thread: int, number: int, past: int) -> int:
        """Return the name of a step: equal in two runs exactly if all of its past is."""
        return hash((thread, number, frozenset(self.names[step] for step in self.last(past))))


class Reduction:
    """Proposes the beginnings of schedules until every class has been run once.

    Attributes:
        classes: How many classes have been run.
        repeated: How many runs belonged to a class that had been run, as a thread had to wait.
    """

    def __init__(self) -> None:
        self.classes = 0
        self.repeated = 0
        self._open: deque[tuple[Beginning, frozenset[int]]] = deque([((), frozenset())])
        self._proposed = self._open[0]
        self._planned: set[frozenset[int]] = set()
        self._classes_of: dict[int, int] = {}

    @property
    def waiting(self) -> int:
        """How many beginnings are on the list; some may turn out to be contained in a class that was run."""
        return len(self._open)

    def following(self) -> Beginning | None:
        """Return the beginning of a schedule of a class that has not been run; None when all have been."""
        while self._open:
            self._proposed = self._open.popleft()
            beginning, last = self._proposed
            if not self._contained(last):
                return beginning
        return None

    def put_back(self) -> None:
        """Propose again what was proposed last, since it was not run."""
        self._open.appendleft(self._proposed)

    def _contained(self, last: frozenset[int]) -> bool:
        """Whether some class that was run contains all these steps, and so all their past."""
        classes = (1 << self.classes) - 1
        for name in last:
            classes &= self._classes_of.get(name, 0)
        return bool(classes)

    def ran(
        self,
        steps: Sequence[Step],
        pending: Sequence[Step] = (),
        branches: Sequence[tuple[int, int]] = (),
    ) -> None:
        """Learn from a run.

        Args:
            steps: What was done, in order.
            pending: After a deadlock, what each thread waits to do.
            branches: After how many steps which thread could have gone on for another reason than the order
                of steps, such as time.
        """
        run = _looked_at([*steps, *pending])
        done = run.names[: len(steps)]
        if self._contained(frozenset(done)):
            self.repeated += 1
        bit = 1 << self.classes
        self.classes += 1
        for name in done:
            self._classes_of[name] = self._classes_of.get(name, 0) | bit
        for later in range(len(run.steps)):
            for earlier in _reversible(run, later):
                if earlier < len(steps):
                    self._plan(run, earlier, later, len(steps))

        for place, thread in branches:
            mark = hash((-1, thread, frozenset(run.names[:place])))
            last = frozenset((mark,))
            if last not in self._planned:
                self._planned.add(last)
                self._open.append(((*(step.thread for step in steps[:place]), thread), last))

    def _plan(self, run: _Run, earlier: int, later: int, done: int) -> None:
        """Put the class in which two steps of a race come in the other order on the list."""
        step = run.steps[later]
        kept = ((1 << done) - 1) & ~run.after(earlier) & ~run.after(later)
        past = run.own[later]
        # What comes after the step and is kept does not depend on it, or it would not be kept.
        for index in run.needed(earlier, later):
            if (kept >> index) & 1:
                past |= run.past[index]
        name = run.name(step.thread, run.number[later], past)
        last = frozenset((name, *(run.names[index] for index in run.last(kept & ~past))))
        if last in self._planned or self._contained(last):
            return
        self._planned.add(last)
        threads = (*(run.steps[index].thread for index in range(done) if (kept >> index) & 1), step.thread)
        self._open.append((threads, last))


class _Touched:
    """The steps of a run so far by what they touched, so that those that a step depends on are soon found."""

    def __init__(self) -> None:
        # By thing, part and whether it writes, where the part None has all of them; then by thread.
        self._steps: dict[tuple[int, Part, bool], dict[int, list[int]]] = {}
        self._whole: dict[tuple[int, bool], dict[int, list[int]]] = {}

    def add(self, index: int, step: Step) -> None:
        """Take note of a step."""
        for thing, part, writes in step.touches:
            for each in {None, part}:
                by_thread = self._steps.setdefault((thing, each, writes), {})
                by_thread.setdefault(step.thread, []).append(index)
            if part is None:
                self._whole.setdefault((thing, writes), {}).setdefault(step.thread, []).append(index)

    def unordered(self, step: Step, past: int) -> set[int]:
        """Return the steps of other threads that a step depends on, but those that have to come before it.

        Of a thread those are the first ones, so the search goes from the last.
        """
        found: set[int] = set()
        for places in self._dependent_on(step):
            for place in reversed(places):
                if (past >> place) & 1:
                    break
                found.add(place)
        return found

    def _dependent_on(self, step: Step) -> Iterator[list[int]]:
        for thing, part, writes in step.touches:
            for other_writes in (True,) if not writes else (True, False):
                found = [self._steps.get((thing, part, other_writes), {})]
                if part is not None:
                    found.append(self._whole.get((thing, other_writes), {}))
                for by_thread in found:
                    yield from (places for thread, places in by_thread.items() if thread != step.thread)


def _looked_at(steps: Sequence[Step]) -> _Run:
    """Find what had to come before what, and the races."""
    run = _Run(steps, [], [], [], [], [])
    latest: dict[int, int] = {}
    touched = _Touched()
    count: dict[int, int] = {}
    for index, step in enumerate(steps):
        past = run.past[latest[step.thread]] if step.thread in latest else 0
        for before in step.after:
            past |= run.past[before]
        run.own.append(past)
        races: list[int] = []
        for other in sorted(touched.unordered(step, run.own[index]), reverse=True):
            races.append(~other if (past >> other) & 1 else other)
            past |= run.past[other]
        number = count.get(step.thread, 0)
        run.names.append(run.name(step.thread, number, past))
        run.past.append(past | 1 << index)
        run.number.append(number)
        run.races.append(races)
        count[step.thread] = number + 1
        latest[step.thread] = index
        touched.add(index, step)
    return run


def _reversible(run: _Run, later: int) -> Iterator[int]:
    """Yield the steps before which a step might have come, and did not."""
    step = run.steps[later]
    given = False
    for marked in run.races[later]:
        earlier = marked if marked >= 0 else ~marked
        other = run.steps[earlier]
        if step.takes is None:
            if marked >= 0:
                yield earlier
        elif step.takes in other.gives:
            given = True
        else:
            yield earlier
            if given and other.takes == step.takes:
                # What is given back has one holder. Earlier ones are reached from the class in which this one
                # comes later.
                return
