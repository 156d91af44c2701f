"""Threads outside of the exploration, such as those of a server or a logger: what they hold is waited for.

They run when the interpreter lets them, so a lock that one of them holds says nothing of the program: it is
given time to give the lock back, and that it had to be forbids a proof. Where nobody but a thread of the run
can give a lock back, a wait for it is what it seems to be.
"""

from __future__ import annotations

import _thread
import re
import sys
import time
from typing import TYPE_CHECKING, Any, Final

from simulations.live.threads.control.failures import stuck
from simulations.live.threads.errors import StuckError

if TYPE_CHECKING:
    from collections.abc import Collection

    from simulations.live.threads.control.run import Run
    from simulations.live.threads.control.tasks import Wait

HELD: Final = "a thread outside of the exploration held a lock that a worker took"
NAME: Final = "a lock that a thread outside of the exploration holds"
STEP: Final = 0.05
"""How long, in seconds, a thread waits for a stranger before it looks whether its run is over."""
_PAUSE: Final = 0.001
_OWNER: Final = re.compile(r" owner=(\d+) ")
_LOCK: Final = type(_thread.allocate_lock())
_LOCKS: Final = (_LOCK, _thread.RLock)
_sleep: Final = time.sleep
_monotonic: Final = time.monotonic


def hold(lock: Any, ours: Collection[int]) -> bool:
    """Return whether a thread that is not one of ours is known to hold a lock.

    Nothing but the representation of a reentrant lock says which thread it is. Of a plain lock nothing does.
    """
    if type(lock) is _LOCK:
        return False
    owner = _OWNER.search(repr(lock))
    return owner is not None and int(owner.group(1)) not in {0, *ours}


def give_back(run: Run, limit: float) -> bool:
    """Give threads outside the time to give back a lock, in a run in which no thread can go on.

    Args:
        run: The run; it is abandoned where nobody gives anything back in time.
        limit: How long it may take, in seconds.

    Returns:
        Whether a thread can go on now; False if nobody waits for what a thread outside may hold.
    """
    waits = _waits(run)
    if not waits:
        return False
    end = _monotonic() + limit
    while not any(wait.ready() for wait in waits):
        if run.dying or _monotonic() >= end:
            run.abandon(StuckError(stuck(run.current, limit)))
        _sleep(_PAUSE)
    run.waited_in(NAME)
    return True


def _waits(run: Run) -> list[Wait]:
    """Return the waits for a lock that nobody of the run is known to hold, where other threads run."""
    if set(sys._current_frames()) <= run.ours():  # noqa: SLF001  (nothing public tells of all threads)
        return []
    known = {address for task in run.everybody() for address in task.holds}
    return [
        task.wait
        for task in run.tasks
        if task.wait is not None and isinstance(task.wait.what, _LOCKS) and id(task.wait.what) not in known
    ]
