"""Runs the beginning of a schedule, goes on nominally, and notes every step with what it depends on."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Final

from simulations.live.threads.control.frames import place
from simulations.live.threads.control.limits import NEVER
from simulations.live.threads.control.touching import Touching
from simulations.live.threads.search.reduction import Step, dependent
from simulations.live.threads.search.strategies import Fixed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from simulations.live.threads.control.accesses import Touch
    from simulations.live.threads.control.points import Sink
    from simulations.live.threads.control.run import Run
    from simulations.live.threads.control.sites import Site
    from simulations.live.threads.control.strategy import Strategy
    from simulations.live.threads.control.tasks import Task, Wait
    from simulations.live.threads.search.reduction import Beginning

_TAKING: Final = frozenset({Touching.ACQUIRES, Touching.GETS, Touching.JOINS})
_GIVING: Final = frozenset({Touching.RELEASES, Touching.PUTS, Touching.ENDS})


class Follower:
    """Runs the beginning of a schedule, goes on as another strategy says, and takes note of every step.

    Args:
        beginning: The threads of its steps, in order.
        inner: Says who goes on afterwards.

    Attributes:
        decided: What was not nominal, as `(step, thread)`.
        steps: What was done that another thread could notice, in order.
        did: For each step the thread, the place and the verb, to compare runs by.
        time_outs: Where a wait had a time-out, whether it passed or not.
        branches: Where time could have passed for another thread: after how many steps, and for which thread.
        strayed: Whether a step came before one of another thread that depends on it, against the beginning:
            in front of it nobody could be asked who goes on.
    """

    def __init__(self, beginning: Beginning = (), inner: Strategy | None = None) -> None:
        self._left = list(reversed(beginning))
        self._inner = inner or Fixed()
        self._stop = NEVER
        self.decided: list[tuple[int, int]] = []
        self.steps: list[Step] = []
        self.did: list[tuple[int, Site | None, Touching]] = []
        self.time_outs: dict[str, None] = {}
        self.branches: list[tuple[int, int]] = []
        self.strayed = False
        self._feasible = True
        self._ahead: list[Step] = []
        self._over: Wait | None = None
        self._run: Run | None = None
        self._trying: dict[int, int] = {}
        self._born: dict[int, int] = {}

    def start(self, run: Run) -> None:
        """See `Strategy`."""
        self._run = run
        self._inner.start(run)
        self._stop = run.stop
        self._be_asked(run)

    def point(self, run: Run, task: Task, site: Site) -> Task:
        """See `Strategy`."""
        chosen = self._wanted(run)
        if chosen is None and run.step >= self._stop:
            chosen = self._inner.point(run, task, site)
            self._stop = run.stop
        self._be_asked(run)
        chosen = chosen or task
        if chosen is not task:
            self.decided.append((run.step, chosen.index))
        return chosen

    def forced(self, run: Run, candidates: Sequence[Task]) -> Task:
        """See `Strategy`."""
        chosen = self._wanted(run, candidates)
        if chosen is None:
            run.ask_at(self._stop)
            chosen = self._inner.forced(run, candidates)
            self._stop = run.stop
        if any(task.wait is not None and not task.can_go_on for task in candidates):
            # Nothing happens but that time passes, and for whom is no order of steps.
            others = [task.index for task in candidates if task is not chosen]
            self.branches += [(len(self.steps), index) for index in others]
        self._be_asked(run)
        if chosen is not candidates[0]:
            self.decided.append((run.step, chosen.index))
        return chosen

    def _be_asked(self, run: Run) -> None:
        """Be asked at the next point while there is a beginning, then where the other strategy wants to."""
        run.ask_at(run.step + 1 if self._left else self._stop)

    def _wanted(self, run: Run, candidates: Sequence[Task] = ()) -> Task | None:
        """Return the thread of the next step of the beginning; None once there is none that can go on."""
        if self._left:
            for task in run.tasks:
                if task.index == self._left[-1] and (task.can_go_on or task in candidates):
                    return task
            self._left.clear()
        return None

    def access(self, task: Task, site: Site | None, touches: list[Touch], touching: Touching) -> None:
        """Take note of a step; a `Sink`."""
        thread = task.index
        if touching is Touching.TRIES:
            self._trying[thread] = touches[0][0]
            return
        if touching is Touching.LETS_GO and self.steps and self.steps[-1].thread == thread:
            # It came behind its last step, and before that of any other thread.
            last = self.steps[-1]
            self.steps[-1] = last._replace(touches=(*last.touches, *touches))
            return
        stamp = touches[0][0]
        timed_out = task.took_time_out()
        if task.had_limit():
            self.time_outs[place(sys._getframe())] = None  # noqa: SLF001  (the one way to one's own frame)
        tried = self._trying.pop(thread, None)
        waits = touching in _TAKING and tried != stamp
        born = self._born.pop(thread, None)
        self.did.append((thread, site, touching))
        self.steps.append(
            Step(
                thread,
                tuple(touches),
                # A time-out is taken to pass only where no thread can go on: after all that came before.
                tuple(range(len(self.steps))) if timed_out else () if born is None else (born,),
                stamp if waits else None,
                tuple(touch[0] for touch in touches) if touching in _GIVING else (),
            )
        )
        if touching is Touching.STARTS and self._run is not None:
            self._born[self._run.tasks[-1].index] = len(self.steps) - 1
        if self._left:
            self._compare(thread)

    def _compare(self, thread: int) -> None:
        """Compare a step that was taken with the one that the beginning has there.

        One of another thread may come before that if neither depends on the other. Of a thread that has to
        wait the beginning cannot be followed, and after that it says nothing; whether it has to is known from
        before the step, which may be what it waits for.
        """
        if self._left[-1] == thread:
            self._left.pop()
            self.strayed = self.strayed or any(dependent(step, self.steps[-1]) for step in self._ahead)
            while self._left and (done := [s for s in self._ahead if s.thread == self._left[-1]]):
                self._ahead.remove(done[0])
                self._left.pop()
        elif self._feasible:
            wanted = self._task(self._left[-1])
            if wanted is not None and (wanted.wait is None or wanted.wait is self._over):
                self._ahead.append(self.steps[-1])
            else:
                self._feasible = False
        self._over = None
        if self._left and self._left[-1] != thread:
            wanted = self._task(self._left[-1])
            self._over = wanted.wait if wanted is not None and wanted.can_go_on else None

    def _task(self, thread: int) -> Task | None:
        """Return a thread that has not ended."""
        tasks = () if self._run is None else self._run.tasks
        return next((task for task in tasks if task.index == thread and not task.done), None)


def nothing(task: Task, site: Site | None, touches: list[Touch], touching: Touching) -> None:
    """Take note of nothing: a sink for a run of which only the end matters."""


def together(one: Sink, other: Sink) -> Sink:
    """Return a sink that tells two."""

    def both(task: Task, site: Site | None, touches: list[Touch], touching: Touching) -> None:
        one(task, site, touches, touching)
        other(task, site, touches, touching)

    return both
