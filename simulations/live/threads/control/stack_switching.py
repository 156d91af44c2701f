"""Threads without an operating system: each is a stack of WebAssembly, and one runs until it waits.

CPython in WebAssembly cannot start threads. Where the engine has JavaScript Promise Integration (JSPI), a
call is parked with all its frames until a promise is settled, and others go on meanwhile. That is all the
scheduler asks for, since it lets one thread run at a time anyway: a thread is a call from the event loop, and
waiting for a lock is parking.

Three things differ from native threads. None is ever preempted, so one that runs in a loop without coming to
a point is not noticed; none can be interrupted from outside; and the interpreter takes all of them for one
thread, so what it keeps for each thread must be kept here.

While a thread is parked, other calls from the event loop may come, such as a task of the page or of the
kernel of a notebook. To a program they are the main thread, like all that nobody started here. To the
scheduler they are not: it may have handed the baton to the one that explores, which has yet to go on.

Part of what leads from one frame to the next lies in memory that others overwrite while a thread is parked;
it is put back before the thread goes on. So nobody may follow the frames of a parked thread meanwhile. The
collector of CPython 3.14 does when it starts by itself (pyodide#6464), and rests as long as any thread is
parked; who asks for frames gets those that were noted before.
"""

from __future__ import annotations

import _thread
import asyncio
import gc
import inspect
import sys
import threading
import time
from itertools import count
from typing import TYPE_CHECKING, Any, Final, Self, cast

import js
from pyodide.ffi import can_run_sync, run_sync

from simulations.errors import LabError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import FrameType

_MAIN: Final = _thread.get_ident()
_FIRST: Final = 1 << 20
"""The identifier of the first thread; the interpreter's own are others."""
_BESIDE: Final = _FIRST - 1
"""The identifier of what runs while threads are parked and is none of them."""


class _Running:
    """Which thread runs, and whether the collector is to run when none is parked any more."""

    __slots__ = ("collects", "ident")

    def __init__(self) -> None:
        self.ident = _MAIN
        self.collects = False


class _Frame:
    """A frame of a parked thread, and the one that called it."""

    __slots__ = ("_frame", "f_back")

    def __init__(self, frame: FrameType, back: _Frame | None) -> None:
        self._frame = frame
        self.f_back = back

    def __getattr__(self, name: str) -> Any:
        return getattr(self._frame, name)


_running: Final = _Running()
_idents: Final = count(_FIRST)
_parked: Final[dict[object, tuple[int, list[FrameType]]]] = {}
"""The identifier and the frames, innermost first, of each call that is parked."""


def get_ident() -> int:
    """Return the identifier of the thread that runs, or of whatever else runs while threads are parked."""
    return _running.ident


def thread_ident() -> int:
    """Return the identifier of the thread that runs, as a program sees it."""
    ident = _running.ident
    return _MAIN if ident == _BESIDE else ident


def _stop_running() -> None:
    _running.ident = _BESIDE if _parked else _MAIN


def get_native_id() -> int:
    """Return 0: the operating system does not know these threads."""
    return 0


def current_frames() -> dict[int, FrameType]:
    """Return the frame of each thread that has begun, by its identifier."""
    found = {ident: _linked(frames) for ident, frames in _parked.values()}
    return {**found, _running.ident: sys._getframe(1)}  # noqa: SLF001  (nothing public does it)


def _linked(frames: list[FrameType]) -> FrameType:
    linked: _Frame | None = None
    for frame in reversed(frames):
        linked = _Frame(frame, linked)
    return cast("FrameType", linked)


def _park(promise: Any) -> Any:
    """Let others run until a promise is settled; return what it is settled with."""
    me, call, frames = _running.ident, object(), []
    frame: FrameType | None = sys._getframe(1)  # noqa: SLF001  (nothing public does it)
    while frame is not None:
        frames.append(frame)
        frame = frame.f_back
    if not _parked:
        _running.collects = gc.isenabled()
    gc.disable()
    _parked[call] = (me, frames)
    _stop_running()
    try:
        return run_sync(promise)
    finally:
        del _parked[call]
        _stop_running()
        if me != _BESIDE:
            _running.ident = me
        if _running.collects and not _parked:
            gc.enable()


class LockType:
    """A lock as `_thread.allocate_lock` makes them; a thread that waits for it is parked.

    It is handed to the one that waits longest, so which one goes on is the same in every run.
    """

    __slots__ = ("_held", "_waiting")

    def __init__(self) -> None:
        self._held = False
        self._waiting: dict[object, Callable[[bool], object]] = {}

    def acquire(self, blocking: bool = True, timeout: float = -1) -> bool:  # noqa: FBT001, FBT002  (the signature of the original)
        """Take the lock; return whether it was taken.

        Args:
            blocking: Whether to wait for it.
            timeout: How long to wait, in seconds; -1 is for ever.

        Raises:
            LabError: the thread would have to wait, and the engine cannot park it.
        """
        if not self._held:
            self._held = True
            return True
        if not blocking:
            return False
        if not can_run_sync():
            raise LabError(
                "threads in a browser need WebAssembly stack switching (JSPI), and a call that may wait: use "
                "Chromium 137, Firefox 153 or newer, and call Python with callPromising or runPythonAsync"
            )
        promised = js.Promise.withResolvers()
        call, settle = object(), promised.resolve
        self._waiting[call] = settle
        timer = js.setTimeout(settle, timeout * 1000, False) if timeout >= 0 else None
        got = _park(promised.promise)
        if timer is not None:
            js.clearTimeout(timer)
        # Where the time was up first, the lock may have been handed over before this call went on.
        return bool(got) or self._waiting.pop(call, None) is None

    def release(self) -> None:
        """Give the lock back.

        Raises:
            RuntimeError: nobody holds it.
        """
        if not self._held:
            raise RuntimeError("release unlocked lock")
        if self._waiting:
            first = next(iter(self._waiting))
            self._waiting.pop(first)(True)
        else:
            self._held = False

    def locked(self) -> bool:
        """Return whether somebody holds the lock."""
        return self._held

    def __enter__(self) -> bool:
        return self.acquire()

    def __exit__(self, *_: object) -> None:
        self.release()


allocate_lock: Final = LockType


def start_new_thread(
    function: Callable[..., object], args: tuple[Any, ...], kwargs: Mapping[str, Any] | None = None
) -> int:
    """Start a thread, which first runs when the caller waits; return its identifier."""
    ident = next(_idents)

    def live() -> None:
        _running.ident = ident
        try:
            function(*args, **(kwargs or {}))
        except SystemExit:
            pass
        except BaseException:  # noqa: BLE001  (as the interpreter does it: a thread's error ends the thread only)
            sys.excepthook(*sys.exc_info())
        finally:
            _stop_running()

    asyncio.get_running_loop().call_soon(live)
    return ident


class Local:
    """What `threading.local` is: attributes of which each thread has its own."""

    __slots__ = ("__dict__", "_given", "_own")

    def __new__(cls, /, *args: Any, **kwargs: Any) -> Self:
        """Keep the arguments: each thread that comes to the object initialises it anew."""
        self = object.__new__(cls)
        object.__setattr__(self, "_given", (args, kwargs))
        own: dict[int, dict[str, Any]] = {thread_ident(): {}}
        object.__setattr__(self, "_own", own)
        return self

    def __getattribute__(self, name: str) -> Any:
        _enter(self)
        return object.__getattribute__(self, name)

    def __setattr__(self, name: str, value: Any) -> None:
        _enter(self)
        object.__setattr__(self, name, value)

    def __delattr__(self, name: str) -> None:
        _enter(self)
        object.__delattr__(self, name)


def _enter(local: Local) -> None:
    """Let an object have the attributes that it has in the thread that runs; the first time, make them."""
    own, ident = object.__getattribute__(local, "_own"), thread_ident()
    anew = ident not in own
    object.__setattr__(local, "__dict__", own.setdefault(ident, {}))
    if anew and type(local).__init__ is not object.__init__:
        args, kwargs = object.__getattribute__(local, "_given")
        type(local).__init__(local, *args, **kwargs)


# What the interpreter keeps for each thread and takes for the same in all of these: who runs, who holds a
# reentrant lock, and what is a thread's own. The standard library's lock in Python asks `get_ident`.
threading.get_ident = thread_ident
threading.local = Local  # type: ignore[assignment]
threading._CRLock = None  # type: ignore[attr-defined]  # noqa: SLF001  (nothing public does it)
# Pyodide's sleep parks the caller behind the scheduler's back; the one beneath it just takes time.
time.sleep = inspect.unwrap(time.sleep)
