"""Threads that wait in the operating system: the others go on meanwhile.

A thread that reads from a pipe, or waits for a process, does not come back to us; it may wait for what
another thread of the program is still to do. So such a call is made *apart*. As long as it returns soon
nothing is different. Where it does not, and the operating system says that the thread sleeps, the baton is
taken from it and goes to another thread; when the call returns, the thread waits at its gate until it is
chosen.

When a call returns is not ours to say, so every such wait is noted: it forbids to call a search exhausted.
After each call that may have woken another thread, that thread is given a moment to come back, so that the
same plan gives the same run. Where no thread can go on, the one that waits takes the baton when it returns.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from simulations.live.threads.control import back_end
from simulations.live.threads.control.carriers import Stopped
from simulations.live.threads.control.tasks import Wait

if TYPE_CHECKING:
    from collections.abc import Callable

    from simulations.live.threads.control.run import Run
    from simulations.live.threads.control.tasks import Task

PATIENCE: Final = 0.03
"""How long, in seconds, a call may take before the thread is looked at."""
MOMENT: Final = 0.002
"""How long, in seconds, a thread that another may have woken is given to come back."""
_sleep: Final = time.sleep
_monotonic: Final = time.monotonic


class Kernel:
    """The threads that wait in the operating system.

    Attributes:
        uncontrolled: The calls during which threads really waited, by name, in any run; they forbid a proof.
    """

    def __init__(self, run: Run) -> None:
        self._run = run
        self._lock = back_end.allocate_lock()
        self._since: dict[int, float] = {}
        self._away: dict[int, bool] = {}
        self._names: dict[int, str] = {}
        self._idle = False
        self.uncontrolled: dict[str, None] = {}

    def begin(self) -> None:
        """Start a run; what was left behind by the last one is not of it."""
        self._lock = back_end.allocate_lock()
        self._since, self._away, self._names = {}, {}, {}
        self._idle = False

    def waited_in(self, name: str) -> None:
        """Note what threads really waited in."""
        self.uncontrolled[name] = None

    def has(self, task: Task) -> bool:
        """Return whether a thread is in such a call."""
        return task.index in self._since

    def apart(self, name: str, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Call a function in the thread that holds the baton; others may go on until it returns."""
        run, lock = self._run, self._lock
        task = run.current
        if task.index < 0 or task.index in self._since:
            return function(*args, **kwargs)
        self._names[task.index] = name
        self._since[task.index] = _monotonic()
        try:
            return function(*args, **kwargs)
        finally:
            self._return(task, lock)
            self._settle()

    def _return(self, task: Task, lock: back_end.LockType) -> None:
        run = self._run
        with lock:
            if lock is not self._lock:
                raise Stopped  # the run that it belonged to is over
            self._since.pop(task.index, None)
            away = task.index in self._away
            takes = away and self._idle
            if takes:
                del self._away[task.index]
                self._idle = False
                task.waits(None)
                run.baton.take(task)
            elif away:
                self._away[task.index] = True
        if away and not takes:
            task.gate.acquire()
            self._away.pop(task.index, None)
            task.waits(None)
            if run.dying:
                raise Stopped

    def _settle(self) -> None:
        """Give those that the last call may have woken a moment to come back."""
        limit = _monotonic() + MOMENT
        while False in self._away.values() and _monotonic() < limit:
            _sleep(MOMENT / 4)

    def awaits_return(self) -> bool:
        """Where no thread can go on, let the next that returns take the baton; return whether one may."""
        with self._lock:
            if not self._away or True in self._away.values():
                return False
            self._idle = True
            index = next(iter(self._away))
            self._run.baton.rest_at(next(task for task in self._run.tasks if task.index == index))
            return True

    def look(self, task: Task) -> None:
        """Take the baton from a thread that sleeps in such a call, if another can go on.

        The main thread does it, which watches over the others.
        """
        since = self._since.get(task.index)
        if since is None or _monotonic() - since < PATIENCE or not _sleeps(task):
            return
        with self._lock:
            if task.index not in self._since or task.index in self._away or self._run.current is not task:
                return
            away = self._away
            wait = Wait(lambda: away.get(task.index, True), None, "waits in", None, sleeping=False)
            task.waits(wait)
            away[task.index] = False
            if not self._run.candidates():
                task.waits(None)
                del away[task.index]
                return
            self.waited_in(self._names[task.index])
        self._run.go_on_without()


def _sleeps(task: Task) -> bool:
    """Return whether the operating system says that a thread sleeps; true where it says nothing."""
    number = task.carrier.number if task.carrier is not None else 0
    try:
        status = Path(f"/proc/self/task/{number}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return True
    return status.rpartition(")")[2].split()[0] == "S"
