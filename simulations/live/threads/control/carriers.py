"""Real threads, kept for one task after another."""

from __future__ import annotations

import ctypes
import sys
import threading
from itertools import count
from time import monotonic
from typing import TYPE_CHECKING, Final

from simulations.live.threads.control import back_end
from simulations.live.threads.control.frames import imports
from simulations.live.threads.control.standard_library import VERSION
from simulations.live.threads.control.thread_data import Untouched
from simulations.live.threads.errors import ThreadsError

if TYPE_CHECKING:
    from collections.abc import Callable

REAP_LIMIT: Final = 1.0
"""How long, in seconds, a thread that is told to end and does not is waited for."""
KERNEL_LIMIT: Final = 0.1
"""How long, in seconds, a thread that waits in the operating system is waited for."""
_REAP_STEP: Final = 0.05
_IMPORT_LIMIT: Final = 5.0
"""How much longer, in seconds, a thread is waited for that imports a module."""


class Stopped(BaseException):
    """Unwinds a thread whose run is over. Never seen by a user who lets it pass."""


class Carrier:
    """A real thread that waits for a task, runs it, and waits again.

    Attributes:
        ident: The identifier of the real thread.
        number: What the operating system calls it.
        gate: Released to let the thread run.
        over: Released by the thread when its task has ended.
        thread: What `threading.current_thread()` gives a worker.
        spoilt: Whether the thread was interrupted, so that it must not carry another task.
    """

    __slots__ = (
        "_ended",
        "_gone",
        "_job",
        "_leaves",
        "_started",
        "_untouched",
        "gate",
        "ident",
        "number",
        "over",
        "spoilt",
        "thread",
    )

    def __init__(self) -> None:
        self.gate = back_end.allocate_lock()
        self.gate.acquire()
        self.over = back_end.allocate_lock()
        self._ended = back_end.allocate_lock()
        self._ended.acquire()
        self._job: Callable[[], None] | None = None
        self._started = self._gone = self._leaves = False
        self._untouched: Untouched | None = None
        self.ident = self.number = 0
        self.spoilt = False
        # Without it `threading.current_thread()` would make a dummy, which would stay behind.
        # What a worker starts is in the background if the worker is; so a worker must not seem to be.
        self.thread = threading.Thread(name="worker", daemon=False)
        self.thread._started._flag = True  # type: ignore[attr-defined]  # noqa: SLF001  (it has started)
        if VERSION < (3, 13):
            # It is alive as long as this lock is held.
            self.thread._tstate_lock = self._ended  # type: ignore[attr-defined]  # noqa: SLF001  (likewise)

    def start(self) -> None:
        """Start the real thread; it waits for its first task.

        Raises:
            ThreadsError: the machine has none left.
        """
        self._started = True
        try:
            self.ident = back_end.start_new_thread(self._serve, ())
        except RuntimeError as error:
            self._started = False
            raise ThreadsError(f"{error}: end other programs, or raise the limit (ulimit -u)") from error

    def _serve(self) -> None:
        self.ident, self.number = back_end.get_ident(), back_end.get_native_id()
        self._untouched = Untouched()
        try:
            while not self._leaves:
                self.gate.acquire()
                job, self._job = self._job, None
                if job is None:
                    break
                job()
                job = None  # or what it holds of its run would stay until the next
        except Stopped:
            self.spoilt = True  # an interruption that came when the task had just ended by itself
        self._gone = True
        self._forget()
        self._ended.release()

    def _forget(self) -> None:
        """Let `threading` know the thread no more; idempotent."""
        if threading._active.get(self.ident) is self.thread:  # type: ignore[attr-defined]  # noqa: SLF001  (nothing public does it)
            threading._active.pop(self.ident, None)  # type: ignore[attr-defined]  # noqa: SLF001  (likewise)

    @property
    def started(self) -> bool:
        """Whether there is a real thread, or there was one that has not been ended."""
        return self._started

    def stays(self) -> bool:
        """Return whether the thread can carry another task; else it ends when its task has returned.

        Its own thread calls this.
        """
        self._leaves = not self._untouched
        return not self._leaves

    def load(self, job: Callable[[], None]) -> None:
        """Take on a job; it starts when the gate is next released."""
        self.over.acquire(blocking=False)
        self._job = job

    def pose_as(self, name: str) -> None:
        """Let `threading` know the thread by the name of its task."""
        self.thread.name = name
        self.thread._ident = self.ident  # type: ignore[attr-defined]  # noqa: SLF001  (as its start would)
        threading._active[self.ident] = self.thread  # type: ignore[attr-defined]  # noqa: SLF001  (likewise)

    def finish(self, limit_s: float = REAP_LIMIT) -> bool:
        """Wait until the task has ended; interrupt one that runs without coming to a point.

        Args:
            limit_s: How long to wait, in seconds; longer while the thread imports a module, since an
                interruption there would leave the module locked.

        Returns:
            Whether it has ended.
        """
        limit = monotonic() + limit_s
        latest = limit + _IMPORT_LIMIT
        while not self.over.acquire(timeout=_REAP_STEP):
            if self._gone:
                break
            if monotonic() > limit:
                forget_interruptions()
                self.spoilt = True
                return False
            if imports(back_end.current_frames().get(self.ident)):
                limit = min(monotonic() + limit_s, latest)
                continue
            self.spoilt = True
            interrupt(self.ident)
        return True

    def end(self) -> None:
        """Let the thread end, and wait until it has; it can then be started again."""
        self._job = None
        if self._started and (self._leaves or not self._gone):
            if not self._leaves and self.gate.locked():
                self.gate.release()
            ended = self._ended.acquire(timeout=_REAP_STEP if self.spoilt else 1)
            if ended and not self.spoilt:
                self._started = self._gone = self._leaves = False  # all is as it was before the start
        if self.spoilt and (self._gone or self.ident not in back_end.current_frames()):
            self._forget()  # it may have been interrupted again on its last steps


class Crew:
    """The carriers, kept from run to run: to start a real thread costs as much as a short run."""

    def __init__(self) -> None:
        self._everybody: list[Carrier] = []
        self._idle: list[Carrier] = []
        self._retired: list[Carrier] = []

    @property
    def idents(self) -> list[int]:
        """The identifiers of their real threads."""
        return [carrier.ident for carrier in self._everybody]

    def take(self) -> Carrier:
        """Return a carrier that has nothing to do."""
        while self._idle:
            carrier = self._idle.pop()
            if not carrier.spoilt:
                break
        else:
            carrier = Carrier()
            self._everybody.append(carrier)
        if not carrier.started:
            carrier.start()
        return carrier

    def leave(self, carrier: Carrier) -> None:
        """Take a carrier back; its own thread calls this at the end of its task."""
        (self._idle if carrier.stays() else self._retired).append(carrier)

    def discharge(self) -> None:
        """End the carriers that must not carry another task."""
        while self._retired:
            carrier = self._retired.pop()
            carrier.end()
            if carrier.started:
                self._everybody.remove(carrier)
            else:
                self._idle.append(carrier)
        for carrier in [carrier for carrier in self._everybody if carrier.spoilt]:
            carrier.end()
            self._everybody.remove(carrier)
        self._idle = [carrier for carrier in self._idle if not carrier.spoilt]

    def close(self) -> None:
        """End all carriers."""
        while self._everybody:
            self._everybody[-1].end()
            self._everybody.pop()
        self._idle = []


def number_threads_anew() -> None:
    """Let the next thread of `threading`, and of the next executor, be called after the first number."""
    threading._counter = count(1).__next__  # type: ignore[attr-defined]  # noqa: SLF001  (nothing public does)
    executors = sys.modules.get("concurrent.futures.thread")
    if executors is not None:
        executors.ThreadPoolExecutor._counter = count().__next__  # noqa: SLF001  (nothing public does)


def interrupt(ident: int) -> None:
    """Ask a thread that runs Python code without coming to a point to stop."""
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(ident), ctypes.py_object(Stopped))


def forget_interruptions() -> None:
    """Take back the sign that some thread is to be interrupted, where it does not listen or has ended.

    The sign is shared by all threads, and on 3.11 a thread that is being traced would not move until another
    takes it back. A thread that handles an interruption of its own takes it back for all.
    """
    try:
        interrupt(back_end.get_ident())
        for _ in range(1_000):
            pass
    except Stopped:
        pass
