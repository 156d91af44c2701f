"""What proposes schedules: fixed decisions, random walk, probabilistic concurrency testing, strict turns.

Every strategy remembers what it decided that was not nominal, as `(step, thread)`, so that the run can be
repeated.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from simulations.choices import substream
from simulations.live.threads.control.limits import NEVER

if TYPE_CHECKING:
    from collections.abc import Sequence

    from simulations.live.threads.control.run import Run
    from simulations.live.threads.control.sites import Site
    from simulations.live.threads.control.tasks import Task

Decisions = tuple[tuple[int, int], ...]
"""What was not nominal: at which step which thread was chosen, by its index."""


class Fixed:
    """Takes given decisions, and the nominal answer everywhere else."""

    __slots__ = ("_at", "_steps", "decided", "missed")

    def __init__(self, decisions: Decisions = ()) -> None:
        self._at = dict(decisions)
        self._steps = sorted(self._at, reverse=True)
        self.decided: list[tuple[int, int]] = []
        self.missed = False

    def start(self, run: Run) -> None:
        """See `Strategy`."""
        self._next(run)

    def _next(self, run: Run) -> None:
        while self._steps and self._steps[-1] <= run.step:
            self._steps.pop()
        run.ask_at(self._steps[-1] if self._steps else NEVER)

    def point(self, run: Run, task: Task, site: Site) -> Task:  # noqa: ARG002  (the protocol has it)
        """See `Strategy`."""
        chosen = self._choose(run, run.candidates(), task)
        self._next(run)
        return chosen

    def forced(self, run: Run, candidates: Sequence[Task]) -> Task:
        """See `Strategy`."""
        chosen = self._choose(run, candidates, candidates[0])
        self._next(run)
        return chosen

    def _choose(self, run: Run, candidates: Sequence[Task], nominal: Task) -> Task:
        index = self._at.get(run.step)
        if index is None or index == nominal.index:
            return nominal
        # A thread that has not started can be chosen although one that starts alike stands for it.
        for candidate in (*candidates, *(task for task in run.tasks if not task.started)):
            if candidate.index == index:
                self.decided.append((run.step, index))
                return candidate
        self.missed = True
        return nominal


class Walk:
    """Switches at each point with one and the same probability, to any thread.

    Args:
        seed: The stream of chance.
        switches_in: A switch is expected once in this many points, from 1.
    """

    __slots__ = ("_chance", "_mean", "decided")

    def __init__(self, seed: int, switches_in: float) -> None:
        self._chance = substream(seed, "walk")
        self._mean = switches_in
        self.decided: list[tuple[int, int]] = []

    def start(self, run: Run) -> None:
        """See `Strategy`."""
        self._next(run)

    def _next(self, run: Run) -> None:
        gap = 1
        keep = 1 - 1 / self._mean
        while gap < _GAP_MAX and self._chance.random() < keep:
            gap += 1
        run.ask_at(run.step + gap)

    def point(self, run: Run, task: Task, site: Site) -> Task:  # noqa: ARG002  (the protocol has it)
        """See `Strategy`."""
        self._next(run)
        others = [other for other in run.candidates() if other is not task]
        if not others:
            return task
        chosen = others[self._chance.randrange(len(others))]
        self.decided.append((run.step, chosen.index))
        return chosen

    def forced(self, run: Run, candidates: Sequence[Task]) -> Task:
        """See `Strategy`."""
        chosen = candidates[self._chance.randrange(len(candidates))]
        if chosen is not candidates[0]:
            self.decided.append((run.step, chosen.index))
        return chosen


_GAP_MAX: Final = 1_000


class Pct:
    """Probabilistic concurrency testing: random priorities, lowered at random points.

    A run finds a bug of depth d with probability at least 1/(n k^(d-1)), for n threads and k points;
    Burckhardt et al., "A Randomized Run with Probabilistic Guarantees of Finding Bugs", ASPLOS 2010.

    Args:
        seed: The stream of chance.
        depth: The depth d, from 1.
        points: The number of points k that a run is expected to have.
    """

    __slots__ = ("_base", "_chance", "_changes", "_level", "_priority", "_sleepers", "decided")

    def __init__(self, seed: int, depth: int, points: int) -> None:
        self._chance = substream(seed, "pct")
        self._changes = sorted(
            (1 + self._chance.randrange(max(points, 1)) for _ in range(depth - 1)), reverse=True
        )
        self._priority: dict[int, float] = {}
        self._level = depth
        self._sleepers = self._chance.randrange(2) == 1
        self.decided: list[tuple[int, int]] = []
        self._base = 0

    def start(self, run: Run) -> None:
        """See `Strategy`."""
        order = list(range(len(run.tasks)))
        self._chance.shuffle(order)
        for rank, task in zip(order, run.tasks, strict=True):
            self._priority[task.index] = self._level + rank + self._chance.random()
        run.ask_at(1)

    def _of(self, task: Task) -> float:
        priority = self._priority.get(task.index)
        if priority is None:
            ranks = self._level + len(self._priority)
            priority = self._priority[task.index] = self._chance.uniform(self._level, ranks)
        return priority

    def _best(self, run: Run, candidates: Sequence[Task]) -> Task:
        awake = [task for task in candidates if self._sleepers or task.wait is None or not task.wait.sleeping]
        best = max(awake, key=self._of) if awake else candidates[0]
        higher = any(
            not task.done and task is not best and self._of(task) > self._of(best) for task in run.tasks
        )
        run.ask_at(run.step + 1 if higher else self._changes[-1] + self._base if self._changes else NEVER)
        return best

    def point(self, run: Run, task: Task, site: Site) -> Task:  # noqa: ARG002  (the protocol has it)
        """See `Strategy`."""
        while self._changes and run.step >= self._changes[-1]:
            self._changes.pop()
            # Each change gets a value below every initial one; a later change lies below an earlier one.
            self._priority[task.index] = float(len(self._changes)) - self._level
        chosen = self._best(run, run.candidates())
        if chosen is not task:
            self.decided.append((run.step, chosen.index))
        return chosen

    def forced(self, run: Run, candidates: Sequence[Task]) -> Task:
        """See `Strategy`."""
        chosen = self._best(run, candidates)
        if chosen is not candidates[0]:
            self.decided.append((run.step, chosen.index))
        return chosen


class Turns:
    """Gives every thread its turn of `quantum` points, in order or in reverse."""

    __slots__ = ("_backwards", "_quantum", "decided")

    def __init__(self, quantum: int, *, backwards: bool) -> None:
        self._quantum = quantum
        self._backwards = backwards
        self.decided: list[tuple[int, int]] = []

    def start(self, run: Run) -> None:
        """See `Strategy`."""
        run.ask_at(run.step + self._quantum)

    def point(self, run: Run, task: Task, site: Site) -> Task:  # noqa: ARG002  (the protocol has it)
        """See `Strategy`."""
        run.ask_at(run.step + self._quantum + 1)
        chosen = self._following(run.candidates(), task)
        if chosen is not task:
            self.decided.append((run.step, chosen.index))
        return chosen

    def forced(self, run: Run, candidates: Sequence[Task]) -> Task:
        """See `Strategy`."""
        run.ask_at(run.step + self._quantum + 1)
        chosen = candidates[-1] if self._backwards else candidates[0]
        if chosen is not candidates[0]:
            self.decided.append((run.step, chosen.index))
        return chosen

    def _following(self, candidates: Sequence[Task], task: Task) -> Task:
        ring = sorted(candidates, key=lambda other: other.index, reverse=self._backwards)
        later = [
            other
            for other in ring
            if (other.index < task.index if self._backwards else other.index > task.index)
        ]
        return (later or ring)[0]


Proposal = Fixed | Walk | Pct | Turns
"""A strategy that says what it decided."""
