"""Threads outside of the exploration, such as those of a server or a logger: what they hold is waited for.

They run when the interpreter lets them, so a lock that one of them holds says nothing of the program: it is
given time to give the lock back, and that it had to be forbids a proof. Where nobody but a thread of the run
can give a lock back, a wait for it is what it seems to be.
"""

from __future__ import annotations

import _thread
import re
import threading
import time
from typing import TYPE_CHECKING, Any, Final

from simulations.live.threads.control.back_end import current_frames
from simulations.live.threads.control.frames import place
from simulations.live.threads.errors import StuckError

if TYPE_CHECKING:
    from collections.abc import Collection

    from simulations.live.threads.control.run import Run
    from simulations.live.threads.control.tasks import Wait

HELD: Final = "a thread outside of the exploration held a lock that a worker took"
NAME: Final = "a lock that a thread outside of the exploration holds"
PATIENCE: Final = 0.2
"""How long, in seconds, an exploration waits in all for plain locks that are not given back."""
_AT_ONCE: Final = 0.05
_STEP: Final = 0.05
_OWNER: Final = re.compile(r" owner=(\d+) ")
_LOCK: Final = type(_thread.allocate_lock())
_monotonic: Final = time.monotonic


def hold(lock: Any, ours: Collection[int]) -> bool:
    """Return whether a thread that is not one of ours holds a reentrant lock of C that is not free.

    A thread that has waited for it and has just got it writes its name there a moment later: until then
    nobody is named. Ours do not wait like that.
    """
    owner = _owner(lock)
    return owner is not None and owner not in ours


def _owner(lock: Any) -> int | None:
    """Return the identifier of the thread that holds a reentrant lock, 0 where nobody is named.

    Nothing but its representation says which thread it is. Of a plain lock nothing does: None.
    """
    found = None if type(lock) is _LOCK else _OWNER.search(repr(lock))
    return int(found[1]) if found is not None else None


def wait_for(run: Run, lock: Any, limit: float) -> None:
    """Take a lock that a thread outside holds; the run is abandoned if it is not given back in time."""
    end = _monotonic() + limit
    while not lock.acquire(True, _STEP):
        if run.dying or _monotonic() >= end:
            run.abandon(StuckError(_kept(run.current.name, _owner(lock), limit)))


def _kept(waiting: str, owner: int | None, limit: float) -> str:
    frame = current_frames().get(owner or 0)
    thread = next((each.name for each in threading.enumerate() if each.ident == owner), "one that has ended")
    return (
        f"{waiting} waited {limit:g} s for a lock that a thread outside of the exploration holds: {thread}, "
        f"which is at {place(frame)}; end it before, or replace what holds the lock by a stand-in in the test"
    )


class Patience:
    """How long an exploration still waits for plain locks of which nothing says who holds them.

    They may be held by the program itself, in a call that is not looked into. So the time is short, and it is
    spent once; it begins anew when a lock is given back.
    """

    def __init__(self) -> None:
        self._left = PATIENCE

    def given_back(self, run: Run) -> bool:
        """Give threads outside the time to give back a lock, in a run in which no thread can go on.

        Returns:
            Whether a thread can go on now.
        """
        for wait in _waits(run) if self._left > 0 else ():
            begin = _monotonic()
            lock: Any = wait.what
            if lock.acquire(True, min(self._left, _AT_ONCE)):
                lock.release()
                self._left = PATIENCE
                run.waited_in(NAME)
                return True
            self._left -= min(_monotonic() - begin, self._left)
        return False


def _waits(run: Run) -> list[Wait]:
    """Return the waits for a plain lock that nobody of the run is known to hold, where other threads run."""
    if set(current_frames()) <= run.ours():
        return []
    known = {address for task in run.everybody() for address in task.holds}
    return [
        task.wait
        for task in run.tasks
        if task.wait is not None and type(task.wait.what) is _LOCK and id(task.wait.what) not in known
    ]
