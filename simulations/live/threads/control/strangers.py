"""Threads outside of the exploration, such as those of a server or a logger: what they hold is waited for.

They run when the interpreter lets them, so a lock that one of them holds says nothing of the program: it is
given time to give the lock back, as if it had not been there, and that it had to be forbids a proof. Where no
thread of the run can go on, one outside may be about to give what they wait for, and has time for that, too.
Where nobody but a thread of the run can give a lock back, a wait for it is what it seems to be.
"""

from __future__ import annotations

import queue
import re
import threading
import time
from typing import TYPE_CHECKING, Any, Final

from simulations.live.threads.control.back_end import current_frames
from simulations.live.threads.control.frames import place
from simulations.live.threads.control.standard_library import LOCK
from simulations.live.threads.errors import StuckError

if TYPE_CHECKING:
    from collections.abc import Callable

    from simulations.live.threads.control.run import Run
    from simulations.live.threads.control.tasks import Wait

MET: Final = "a thread outside of the exploration held, or gave, what a worker waited for"
PATIENCE: Final = 0.2
"""How long, in seconds, an exploration waits in all for what is not given back and has no known holder."""
_AT_ONCE: Final = 0.05
_STEP: Final = 0.05
_POLL: Final = 0.001
_OWNER: Final = re.compile(r" owner=(\d+) ")
_monotonic: Final = time.monotonic
_sleep: Final = time.sleep


class Strangers:
    """The threads outside of an exploration, as far as it waits for them.

    Of a plain lock nothing says who holds it: one that no thread of the run has taken may be held by a thread
    outside, or by the program itself, in a call that is not looked into. So the time for it is short, and is
    spent once; it begins anew when a lock is given back.

    Attributes:
        met: Whether one held, or gave, what a thread of the run waited for.
    """

    def __init__(self, run: Run) -> None:
        self._run = run
        self._left = self._left_to_give = PATIENCE
        self._theirs: dict[int, object] = {}
        self.met = False

    def names(self) -> tuple[str, ...]:
        """Return what the threads outside are called."""
        ours = self._run.ours()
        frames = current_frames()
        return tuple(
            thread.name
            for thread in threading.enumerate()
            if thread.ident in frames and thread.ident not in ours
        )

    def meddled(self) -> str:
        """Return the message for a program that did not do the same again since they meddled with it."""
        names = ", ".join(self.names())
        return (
            f"the program did not do the same under the same schedule, and {MET} ({names}): "
            f"end such threads before, or replace what they share with the workers by a stand-in in the test"
        )

    @property
    def _are_there(self) -> bool:
        return not set(current_frames()) <= self._run.ours()

    def _is_ours(self, lock: object) -> bool:
        """Return whether a thread of the run is known to hold a lock, or gives it back when it ends."""
        return any(id(lock) in task.holds or task.sentinel is lock for task in self._run.everybody())

    def may_hold(self, lock: Any) -> bool:
        """Return whether one of them may hold a lock that is not free.

        One that has waited for a reentrant lock and has just got it writes its name there a moment later:
        until then nobody is named. Ours do not wait like that.
        """
        if type(lock) is LOCK:
            asks = self._left > 0 or id(lock) in self._theirs
            return asks and not self._is_ours(lock) and self._are_there
        owner = _owner(lock)
        return owner is not None and owner not in self._run.ours()

    def lends(self, lock: Any, *, blocking: bool) -> bool:
        """Wait for a lock that one of them may hold; return whether it was taken.

        The run is abandoned if one that is sure to hold it does not give it back in time.
        """
        if blocking and (type(lock) is not LOCK or id(lock) in self._theirs):
            self.met = True
            self._wait_for(lock, lambda: bool(lock.acquire(True, _STEP)))
            return True
        begin = _monotonic()
        taken = bool(lock.acquire(True, min(self._left, _AT_ONCE) or _POLL))
        if taken:
            self._gave(lock)
        elif type(lock) is LOCK:
            self._left -= min(_monotonic() - begin, self._left)
        return taken

    def give(self) -> bool:
        """Wait for what they may give, in a run in which no thread can go on; return whether one can now."""
        waits = self._waits()
        if not waits or not self._are_there:
            return False
        left = [wait for wait in waits if type(wait.what) is LOCK and not self._is_ours(wait.what)]
        if left:
            lock: Any = left[0].what
            self._wait_for(lock, lambda: bool(lock.acquire(True, _STEP)))
            lock.release()
            self._gave(lock)
            return True
        begin = _monotonic()
        given = _comes(waits, min(self._left_to_give, _AT_ONCE))
        self._left_to_give = PATIENCE if given else max(self._left_to_give - _monotonic() + begin, 0)
        self.met = self.met or given
        return given

    def _gave(self, lock: object) -> None:
        """Note that one of them gave a lock back."""
        self.met = True
        self._left = PATIENCE
        self._theirs[id(lock)] = lock

    def _waits(self) -> list[Wait]:
        """Return the waits for what a thread outside could give."""
        waits = [task.wait for task in self._run.tasks if task.wait is not None and not task.done]
        return [wait for wait in waits if type(wait.what) in (LOCK, queue.SimpleQueue)]

    def _wait_for(self, lock: Any, comes: Callable[[], bool]) -> None:
        run = self._run
        limit = run.wall_limit / 2
        end = _monotonic() + limit
        while not comes():
            if run.dying or _monotonic() >= end or (run.until is not None and _monotonic() >= run.until):
                run.abandon(StuckError(self._kept(lock, limit)))

    def _kept(self, lock: Any, limit: float) -> str:
        waited = f"{self._run.current.name} waited {limit:g} s for a lock that"
        rest = "end it before, or replace what holds the lock by a stand-in in the test"
        owner = _owner(lock)
        if owner is None:
            names = ", ".join(self.names())
            return f"{waited} no thread of the exploration took; one outside may hold it ({names}): {rest}"
        where = place(current_frames().get(owner))
        names = next(
            (each.name for each in threading.enumerate() if each.ident == owner), "one that has ended"
        )
        return f"{waited} a thread outside of the exploration holds: {names}, which is at {where}; {rest}"


def _comes(waits: list[Wait], limit: float) -> bool:
    """Return whether a wait ends within so many seconds."""
    end = _monotonic() + limit
    while not any(wait.ready() for wait in waits):
        if _monotonic() >= end:
            return False
        _sleep(_POLL)
    return True


def _owner(lock: Any) -> int | None:
    """Return the identifier of the thread that holds a reentrant lock, 0 where nobody is named.

    Nothing but its representation says which thread it is. Of a plain lock nothing does: None.
    """
    found = None if type(lock) is LOCK else _OWNER.search(repr(lock))
    return int(found[1]) if found is not None else None
