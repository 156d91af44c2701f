"""The threads of a program, as the scheduler sees them: what each does, and what it waits for."""

from __future__ import annotations

import _thread
import sys
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Sequence

    from simulations.live.threads.control.back_end import LockType
    from simulations.live.threads.control.carriers import Carrier
    from simulations.live.threads.control.sites import Site


_LOCK: Final = type(_thread.allocate_lock())


class Wait:
    """What a thread waits for.

    Attributes:
        ready: Whether it is there.
        deadline: When it stops waiting, in virtual nanoseconds; None is never.
        sleeping: It waits for nothing but time.
        what: The object waited for.
        verb: What it is doing, in words.
        expired: Whether the deadline came first.
    """

    __slots__ = ("deadline", "expired", "ready", "sleeping", "verb", "what")

    def __init__(
        self, ready: Callable[[], bool], deadline: int | None, verb: str, what: object, *, sleeping: bool
    ) -> None:
        self.ready = ready
        self.deadline = deadline
        self.sleeping = sleeping
        self.what = what
        self.verb = verb
        self.expired = False

    def end(self, now: int) -> int:
        """End the wait, and return the time that it is then: its deadline, where that had to come first."""
        if self.deadline is None or self.ready():
            return now
        self.expired = True
        return max(now, self.deadline)


class Task:
    """A thread of the program, on a carrier.

    Attributes:
        index: Its number among the threads of the run; -1 is the main thread.
        ident: The identifier of the real thread.
        carrier: The real thread; None is the main thread.
        started: Whether it has run at all.
        done: Whether it has ended.
        wait: What it waits for; None if it could go on.
        muted: Whether it is in a part in which no other thread may be chosen.
        alike: Threads that start with the same function have the same number; None is no such function.
        thread: The `threading.Thread` of the program that it runs; None if there is none.
        switched: The place at which this interpreter may last have switched threads.
        holds: The locks that it holds, by their address, each with its name.
    """

    __slots__ = (
        "_had_limit",
        "_timed_out",
        "alike",
        "carrier",
        "done",
        "gate",
        "holds",
        "ident",
        "index",
        "muted",
        "name",
        "sentinel",
        "started",
        "switched",
        "thread",
        "wait",
    )

    def __init__(
        self,
        index: int,
        name: str,
        gate: LockType,
        ident: int,
        *,
        carrier: Carrier | None = None,
        thread: threading.Thread | None = None,
        alike: int | None = None,
        muted: bool = False,
    ) -> None:
        self.index = index
        self.name = name
        self.gate = gate
        self.ident = ident
        self.carrier = carrier
        self.wait: Wait | None = None
        self.done = False
        self.started = False
        self.muted = muted
        self.alike = alike
        self.thread = thread
        self.sentinel: LockType | None = None
        self.switched: Site | None = None
        self._timed_out = self._had_limit = False
        self.holds: dict[int, tuple[Any, str]] = {}

    @property
    def number(self) -> int:
        """The number that the operating system has for the real thread; 0 is not known."""
        return self.carrier.number if self.carrier is not None else 0

    def starts(self) -> None:
        """Note that it runs."""
        self.started = True

    def ends(self) -> None:
        """Note that it has ended, and tell those who join it."""
        self.done = True
        if self.sentinel is not None and self.sentinel.locked():
            self.sentinel.release()

    def watched_by(self, sentinel: LockType) -> None:
        """Give a lock back when it ends; up to Python 3.12 `join` waits for that."""
        self.sentinel = sentinel

    def waits(self, wait: Wait | None) -> None:
        """Note what it waits for, or that it waits no more."""
        if wait is None and self.wait is not None:
            self._timed_out = self.wait.expired and not self.wait.sleeping
            self._had_limit = self.wait.deadline is not None and not self.wait.sleeping
        self.wait = wait

    def took_time_out(self) -> bool:
        """Return whether its last wait ended with its time; asked again, the answer is no."""
        timed_out, self._timed_out = self._timed_out, False
        return timed_out

    def had_limit(self) -> bool:
        """Return whether its last wait could have ended with its time; asked again, the answer is no."""
        had_limit, self._had_limit = self._had_limit, False
        return had_limit

    def mute(self, *, muted: bool) -> None:
        """Say whether another thread may be chosen while it runs."""
        self.muted = muted

    def comes_to(self, site: Site) -> None:
        """Note a place at which this interpreter may switch threads."""
        self.switched = site

    def renumber(self, index: int, *, muted: bool) -> None:
        """Give a thread that the set-up started its place among the workers."""
        self.index = index
        self.muted = muted

    def takes(self, lock: Any, name: str) -> None:
        """Note that it holds a lock."""
        self.holds[id(lock)] = (lock, name)

    def gives_back(self, lock: Any) -> None:
        """Note that it does not hold a lock any more."""
        self.holds.pop(id(lock), None)

    def rename(self, name: str) -> None:
        """Call it by another name."""
        self.name = name

    def free_locks(self) -> None:
        """Make the locks new that it held: its thread is gone, and they may outlive the run."""
        for lock, _ in self.holds.values():
            if type(lock) is _LOCK and lock.locked():
                lock.release()  # a thread outside may wait for it
            elif hasattr(lock, "_at_fork_reinit"):
                lock._at_fork_reinit()  # noqa: SLF001  (the one way to free a lock of another thread)
        self.holds.clear()

    @property
    def can_go_on(self) -> bool:
        """Whether it has not ended and what it waits for, if anything, is there; a sleep may end early."""
        return not self.done and (self.wait is None or self.wait.sleeping or self.wait.ready())

    @property
    def due(self) -> tuple[int, int]:
        """When its wait ends, and its number; the order in which waits end."""
        return (self.wait.deadline or 0 if self.wait is not None else 0), self.index

    def __repr__(self) -> str:
        return f"<task {self.name}>"


def ready(tasks: Sequence[Task]) -> list[Task]:
    """Return who could go on: the threads that are not blocked, in order; then those that sleep.

    A sleep may end before others have got anywhere. Of threads that are to start with the same function the
    first stands for all.
    """
    able = []
    asleep = []
    alike: set[int] = set()
    for task in tasks:
        if task.done:
            continue
        wait = task.wait
        if wait is None and not task.started and task.alike is not None:
            if task.alike not in alike:
                alike.add(task.alike)
                able.append(task)
        elif wait is None or wait.ready():
            able.append(task)
        elif wait.sleeping:
            asleep.append(task)
    if asleep:
        asleep.sort(key=_due)
        able += asleep
    return able


def next_in_time(tasks: Sequence[Task]) -> list[Task]:
    """Return who could go on; where no thread could at once, first those whose time comes first."""
    candidates = ready(tasks)
    if any(task.wait is None or not task.wait.sleeping for task in candidates):
        return candidates
    waiting = [
        task for task in tasks if not task.done and task.wait is not None and task.wait.deadline is not None
    ]
    if not waiting:
        return candidates
    if not unfinished(tasks):
        return []
    waiting.sort(key=_due)
    # Of those whose time comes first any may be first; and a sleep may end late for all others.
    first = [task for task in waiting if task.due[0] <= waiting[0].due[0]]
    return [*first, *(task for task in candidates if task not in first)]


def unfinished(tasks: Sequence[Task]) -> bool:
    """Return whether a thread must still finish: the main one, a worker, or one not in the background."""
    return any(not task.done and not _in_background(task) for task in tasks)


def unique_name(name: str, tasks: Sequence[Task]) -> str:
    """Return a name that no thread has: this one, or this one with a number."""
    names = {task.name for task in tasks}
    unique, number = name, 1
    while unique in names:
        number += 1
        unique = f"{name}-{number}"
    return unique


def _due(task: Task) -> tuple[int, int]:
    return task.due


def _in_background(task: Task) -> bool:
    thread = task.thread
    if thread is None:
        return False
    executors = sys.modules.get("concurrent.futures.thread")
    queue = None if executors is None else executors._threads_queues.get(thread)  # noqa: SLF001  (it knows its threads)
    idle = queue is not None and task.wait is not None and task.wait.what is queue
    return thread.daemon or idle
