"""Interrupts a set-up or a check in the main thread when the time for a search is up."""

from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING, Final

from simulations.live.threads.control import back_end
from simulations.live.threads.control.carriers import forget_interruptions, interrupt

if TYPE_CHECKING:
    from simulations.live.threads.control.run import Run

AGAIN: Final = 0.05
"""After this many seconds a set-up or a check that did not listen is interrupted again."""


class Alarm:
    """A region in which the main thread runs code of the program, and may be interrupted.

    Workers need none: the main thread watches over them. Here another thread watches over the main one. It
    interrupts it in the region only, so that nothing else is ever torn apart. Where no thread can interrupt
    another it does nothing.
    """

    __slots__ = ("_inside", "_lock", "_over", "_run", "_running", "_stop", "_target", "ident")

    def __init__(self, run: Run) -> None:
        self._run = run
        self._lock = back_end.allocate_lock()
        self._stop, self._over = _held(), _held()
        self._running = self._inside = False
        self._target = 0
        self.ident = 0

    def __enter__(self) -> None:
        if self._run.until is None or not back_end.NATIVE:
            return
        if not self._running:
            # A thread keeps the locks that it was started with, so that one which is late to end does not
            # meddle with its successor.
            self._stop, self._over = _held(), _held()
            self._running = True
            self.ident = back_end.start_new_thread(self._serve, (self._stop, self._over))
        self._target = back_end.get_ident()
        self._inside = True

    def __exit__(self, *_: object) -> None:
        self.leave()

    def leave(self) -> None:
        """Leave the region, where that has not been done."""
        if not self._inside:
            return
        with self._lock:
            self._inside = False
        if self._run.cut:
            forget_interruptions()  # one may be on its way still

    def _serve(self, stop: back_end.LockType, over: back_end.LockType) -> None:
        wait = AGAIN
        while not stop.acquire(timeout=wait):
            with self._lock:
                until = self._run.until
                left = AGAIN if until is None else until - monotonic()
                wait = min(left, AGAIN) if left > 0 else AGAIN
                if self._inside and left <= 0 and stop is self._stop:
                    self._run.cut_short()
                    interrupt(self._target)
        over.release()

    def close(self) -> None:
        """End the thread that watches."""
        if self._running:
            if self._stop.locked():
                self._stop.release()
            self._over.acquire(timeout=1)
            self._running = False


def _held() -> back_end.LockType:
    lock = back_end.allocate_lock()
    lock.acquire()
    return lock
