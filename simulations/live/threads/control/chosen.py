"""Real threads whose order a `Chooser` decides, at places that the program names itself.

`explore` finds those places in code that is not prepared, and learns them by running it. A world is
prepared: it knows what its threads share. Here it says so, in front of each operation that another thread
could notice, and the question "which thread runs next?" is asked there, with a label that neither an edit
nor another Python changes.
"""

from __future__ import annotations

import random
import threading
from typing import TYPE_CHECKING, Final

from simulations.errors import LabError
from simulations.live.threads.control.carriers import Stopped
from simulations.live.threads.control.limits import NEVER, START_OF_TIME
from simulations.live.threads.control.scheduler import Scheduler

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from simulations.choices import Chooser
    from simulations.live.threads.control.failures import Failure
    from simulations.live.threads.control.run import Run
    from simulations.live.threads.control.sites import Site
    from simulations.live.threads.control.tasks import Task

__all__ = ["ChosenEvent", "ChosenLock", "ChosenThreads"]

QUESTIONS_MAX: Final = 100_000
"""A run that asks more often is called endless."""

WALL_LIMIT_S: Final = 10.0
_MS: Final = 1_000_000


class ChosenThreads:
    """Threads under a chooser, and the locks, events and clock that they share.

    Nominally a thread goes on until it waits, and then the next in order does. A thread that waits for
    time comes after those who could go on at once, since its wait may end before or after anything that they
    do; and a thread that was made to pause comes last of all: it pauses until no other can go on, until
    one waits for so long that all pauses are over, or until it is chosen.
    Time is virtual, in milliseconds, and passes only when a thread is chosen that waits for it.

    Args:
        chooser: Who answers. Labels are `start`; `<thread> after <operation>` where it could go on; and
            `<thread> waits for <what>` or `<thread> ends` where it cannot.
    """

    def __init__(self, chooser: Chooser) -> None:
        self._chooser = chooser
        self.scheduler = Scheduler(wall_limit=WALL_LIMIT_S)
        self._done: dict[int, str] = {}
        self._paused: list[Task] = []
        self._questions = 0

    @property
    def now_ms(self) -> int:
        """Virtual time in milliseconds since the start."""
        return (self.scheduler.now - START_OF_TIME) // _MS

    @property
    def running(self) -> str:
        """The name of the thread that runs."""
        return self.scheduler.current.name

    def run(self, workers: Mapping[str, Callable[[], object]]) -> Failure | None:
        """Run each worker in a thread of its own until all have ended, or can get no further.

        Args:
            workers: By the name of the thread.

        Returns:
            How the run failed: a deadlock or a livelock; None if every worker has ended.

        Raises:
            Exception: what a worker raised, or the chooser.
            StuckError: a thread blocks in something that is not under control.
        """
        named = [(name, lambda _, worker=worker: worker()) for name, worker in workers.items()]
        chance, numbered = random.getstate(), threading._counter  # type: ignore[attr-defined]  # noqa: SLF001  (nothing public does it)
        try:
            failure = self.scheduler.run(lambda: None, named, None, self)
        finally:
            self.scheduler.close()
            random.setstate(chance)  # a run has the global generator and the names of threads to itself
            threading._counter = numbered  # type: ignore[attr-defined]  # noqa: SLF001  (nothing public does it)
        if failure is not None and failure.error is not None:
            raise failure.error
        return failure

    def before(self, operation: str) -> None:
        """A point in front of an operation that other threads could notice.

        The first operation of a thread, and the first after `between`, asks nothing: whatever could happen
        there can happen at the choice that led to it.
        """
        task = self.scheduler.current
        done = self._done.get(task.index)
        self._done[task.index] = operation
        if done is not None:
            self._ask(task, done)

    def between(self, done: str) -> None:
        """A point between two pieces of work, of which the first is over."""
        task = self.scheduler.current
        self._done.pop(task.index, None)
        self._ask(task, done)

    def sleep(self, ms: int, what: str, *, long: bool = False) -> None:
        """Wait for `ms` milliseconds.

        Args:
            ms: How long, from 0.
            what: What for, such as `database`.
            long: Whether all pauses are over by then; so it must be for a thread that polls, or it would
                poll for ever for what a paused thread has.
        """
        run = self.scheduler
        if long:
            self._paused.clear()
        run.block(lambda: False, "waits for", what, deadline=run.now + ms * _MS, sleeping=True)

    def after(self, operation: str) -> None:
        """Note an operation that was done at the end of a wait, where `before` would ask a second time."""
        self._done[self.scheduler.current.index] = operation

    def lock(self, name: str) -> ChosenLock:
        """Return a lock that threads wait for under the chooser."""
        return ChosenLock(self, name)

    def event(self, name: str) -> ChosenEvent:
        """Return an event that threads wait for under the chooser."""
        return ChosenEvent(self, name)

    def start(self, run: Run) -> None:
        """Ask for no point: they are asked for here, not by the scheduler."""
        run.ask_at(NEVER)

    def point(self, run: Run, task: Task, site: Site) -> Task:  # noqa: ARG002  (the protocol has it)
        """See `Strategy`."""
        return task

    def forced(self, run: Run, candidates: Sequence[Task]) -> Task:
        """See `Strategy`."""
        task = run.current
        if task.index < 0:
            label = "start"
        elif task.done or task.wait is None:
            label = f"{task.name} ends"
        else:
            label = f"{task.name} waits for {task.wait.what}"
        ready = [other for other in candidates if other not in self._paused]
        last = [other for other in self._paused if other in candidates]
        chosen = self._pick(label, [*ready, *last], forced=True)
        self._goes_on(chosen)
        return chosen

    def _goes_on(self, task: Task) -> None:
        if task in self._paused:
            self._paused.remove(task)

    def _ask(self, task: Task, done: str) -> None:
        if self.scheduler.dying:
            raise Stopped
        self.scheduler.baton.tick()
        others = [other for other in self.scheduler.candidates() if other is not task]
        if others:
            chosen = self._pick(f"{task.name} after {done}", [task, *others], forced=False)
            if chosen is not task:
                self._paused.append(task)
                self._goes_on(chosen)
                self.scheduler.switch(task, chosen)

    def _pick(self, label: str, options: Sequence[Task], *, forced: bool) -> Task:
        self._questions += 1
        if self._questions > QUESTIONS_MAX:
            raise LabError(
                f"the run has asked {QUESTIONS_MAX} times which thread runs next, the last time at {label}; "
                f"a thread that polls must wait in between"
            )
        self._chooser.at(self.now_ms)
        return self._chooser.pick(label, options, forced=forced)


class ChosenLock:
    """A lock, held by at most one thread, which is not reentrant."""

    def __init__(self, threads: ChosenThreads, name: str) -> None:
        self._threads = threads
        self._name = name
        self._held = False

    def __enter__(self) -> None:
        run = self._threads.scheduler
        self._threads.before(f"taking {self._name}")
        while self._held:
            run.block(lambda: not self._held, "waits for", self)
        self._held = True
        run.current.takes(self, self._name)

    def __exit__(self, *_: object) -> None:
        self._held = False
        task = self._threads.scheduler.current
        task.gives_back(self)
        self._threads.after(f"releasing {self._name}")

    def __str__(self) -> str:
        return self._name


class ChosenEvent:
    """An event: threads wait until it is set, and it stays set."""

    def __init__(self, threads: ChosenThreads, name: str) -> None:
        self._threads = threads
        self._name = name
        self._set = False

    def set(self) -> None:
        """Let all threads go on that wait, or will."""
        self._threads.before(f"setting {self._name}")
        self._set = True

    def wait(self) -> None:
        """Wait until it is set."""
        run = self._threads.scheduler
        if not self._set:
            run.block(lambda: self._set, "waits for", self)

    def __str__(self) -> str:
        return self._name
