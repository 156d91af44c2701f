"""Real threads, kept for one task after another."""

from __future__ import annotations

import _thread
import ctypes
import sys
import threading
from itertools import count
from time import monotonic
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

REAP_LIMIT: Final = 1.0
"""How long, in seconds, a thread that is told to end and does not is waited for."""
_REAP_STEP: Final = 0.05


class Stopped(BaseException):
    """Unwinds a thread whose run is over. Never seen by a user who lets it pass."""


class Carrier:
    """A real thread that waits for a task, runs it, and waits again.

    Attributes:
        ident: The identifier of the real thread.
        gate: Released to let the thread run.
        over: Released by the thread when its task has ended.
        thread: What `threading.current_thread()` gives a worker.
        spoilt: Whether the thread was interrupted, so that it must not carry another task.
    """

    __slots__ = ("_ended", "_job", "gate", "ident", "over", "spoilt", "thread")

    def __init__(self) -> None:
        self.gate = _thread.allocate_lock()
        self.gate.acquire()
        self.over = _thread.allocate_lock()
        self._ended = _thread.allocate_lock()
        self._ended.acquire()
        self._job: Callable[[], None] | None = None
        self.ident = 0
        self.spoilt = False
        # Without it `threading.current_thread()` would make a dummy, which would stay behind.
        self.thread = threading.Thread(name="worker", daemon=True)
        self.thread._started._flag = True  # type: ignore[attr-defined]  # noqa: SLF001  (it has started)
        started = _thread.allocate_lock()
        started.acquire()
        _thread.start_new_thread(self._serve, (started,))
        started.acquire()

    def _serve(self, started: _thread.LockType) -> None:
        self.ident = _thread.get_ident()
        started.release()
        try:
            while True:
                self.gate.acquire()
                job, self._job = self._job, None
                if job is None:
                    break
                job()
        except Stopped:
            pass  # an interruption that came when the task had just ended by itself
        self._ended.release()

    def load(self, job: Callable[[], None]) -> None:
        """Take on a job; it starts when the gate is next released."""
        self.over.acquire(blocking=False)
        self._job = job

    def pose_as(self, name: str) -> None:
        """Let `threading` know the thread by the name of its task."""
        self.thread.name = name
        self.thread._ident = self.ident  # type: ignore[attr-defined]  # noqa: SLF001  (as its start would)
        threading._active[self.ident] = self.thread  # type: ignore[attr-defined]  # noqa: SLF001  (likewise)

    def finish(self) -> None:
        """Wait until the task has ended; interrupt one that runs without coming to a point."""
        limit = monotonic() + REAP_LIMIT
        while not self.over.acquire(timeout=_REAP_STEP):
            if monotonic() > limit:
                _forget_interruptions()
                break
            self.spoilt = True
            _interrupt(self.ident)

    def end(self) -> None:
        """Let the thread end, and wait until it has."""
        self._job = None
        self.gate.release()
        self._ended.acquire(timeout=1)


class Crew:
    """The carriers, kept from run to run: to start a real thread costs as much as a short run."""

    def __init__(self) -> None:
        self._idle: list[Carrier] = []
        self._retired: list[Carrier] = []
        self._fresh = False

    def take(self) -> Carrier:
        """Return a carrier that has nothing to do."""
        return self._idle.pop() if self._idle else Carrier()

    def leave(self, carrier: Carrier) -> None:
        """Take a carrier back; its own thread calls this at the end of its task."""
        (self._retired if self._fresh or carrier.spoilt else self._idle).append(carrier)

    def use_each_once(self) -> None:
        """Carry each task by a real thread of its own from now on: thread-local data would survive."""
        self._fresh = True

    def discharge(self) -> None:
        """End the carriers that must not carry another task."""
        while self._retired:
            self._retired.pop().end()

    def close(self) -> None:
        """End all carriers."""
        self._retired += self._idle
        self._idle = []
        self.discharge()


def number_threads_anew() -> None:
    """Let the next thread of `threading`, and of the next executor, be called after the first number."""
    threading._counter = count(1).__next__  # type: ignore[attr-defined]  # noqa: SLF001  (nothing public does)
    executors = sys.modules.get("concurrent.futures.thread")
    if executors is not None:
        executors.ThreadPoolExecutor._counter = count().__next__  # noqa: SLF001  (nothing public does)


def _interrupt(ident: int) -> None:
    """Ask a thread that runs Python code without coming to a point to stop."""
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(ident), ctypes.py_object(Stopped))


def _forget_interruptions() -> None:
    """Take back the sign that some thread is to be interrupted, when that thread will not listen.

    The sign is shared by all threads, and on 3.11 a thread that is being traced would not move until another
    takes it back. A thread that handles an interruption of its own takes it back for all.
    """
    try:
        _interrupt(_thread.get_ident())
        for _ in range(1_000):
            pass
    except Stopped:
        pass
