"""What a call of a primitive becomes under control: locks, sleep, clocks, queues, threads.

The primitives themselves stay what they are, also those that were made before the run, at import or in C.
What would block waits under the baton instead until the real operation is sure not to block, and is then
done. Everything that `threading`, `queue` and `concurrent.futures` build out of locks is theirs, unchanged.
"""

from __future__ import annotations

import _thread
import datetime as dt
import functools
import queue
import threading
import time
from io import FileIO
from types import (
    BuiltinFunctionType,
    FunctionType,
    MethodDescriptorType,
    MethodType,
    ModuleType,
    WrapperDescriptorType,
)
from typing import TYPE_CHECKING, Any, Final

from simulations.live.threads.control import back_end
from simulations.live.threads.control.back_end import get_ident
from simulations.live.threads.control.limits import EPOCH
from simulations.live.threads.control.outside import Outdoors, Transaction
from simulations.live.threads.control.refused import REFUSED, refusing
from simulations.live.threads.control.standard_library import LOCK, RLOCK, VERSION, optional_module
from simulations.live.threads.control.touching import Touching
from simulations.live.threads.control.tracing import quiet

if TYPE_CHECKING:
    from collections.abc import Callable

    from simulations.live.threads.control.points import Points
    from simulations.live.threads.control.scheduler import Scheduler
    from simulations.live.threads.control.sites import Site
    from simulations.live.threads.control.tasks import Task

SIMPLE_QUEUE: Final[type] = queue.SimpleQueue
SEMAPHORE: Final[type | None] = getattr(optional_module("_multiprocessing"), "SemLock", None)
"""What the locks of `multiprocessing` are made of."""
HANDLE: Final[type | None] = getattr(_thread, "_ThreadHandle", None)
_HANDLE_NAME: Final = "_handle" if VERSION < (3, 14) else "_os_thread_handle"
_NS: Final = 1_000_000_000
_CONTROLLED_TYPES: Final = frozenset(
    kind for kind in (LOCK, RLOCK, SIMPLE_QUEUE, SEMAPHORE, HANDLE) if kind is not None
)


def free(lock: Any) -> bool:
    """Return whether a lock, or a reentrant lock from the point of view of another thread, can be taken."""
    if type(lock) is LOCK:
        return not lock.locked()  # type: ignore[attr-defined]
    if lock._is_owned():  # noqa: SLF001  (nothing public does it)
        return False
    if lock.acquire(False):
        lock.release()
        return True
    return False


class _Register:
    """Stands for the list of threads.

    That one begins or ends is told as what only reads it, since in which order two threads begin or end is
    nothing to either. Who asks which threads there are writes it.
    """


_REGISTER: Final = _Register()
_GUARD: Final[object] = getattr(threading, "_active_limbo_lock", None)
_LISTING: Final = frozenset({threading.enumerate.__code__, threading.active_count.__code__})
"""What takes the lock to look at the list; to start a thread takes it too, and looks at nothing."""


_CHANGED_BY_START: Final = ("_ident", "ident", "_native_id", "native_id", "_handle", "_tstate_lock")
"""What changes in a thread object when the thread starts: others may look at it."""


class Primitives:
    """Finds the controlled form of a callable or a context manager, or None where there is none."""

    def __init__(self, points: Points) -> None:
        self._run: Scheduler = points.run
        self._run.work_by(self._work)
        self._points = points
        self._outdoors = Outdoors(points)
        self._functions: dict[Any, Callable[..., Callable[..., Any]]] = {
            **{function: self._refusing(function, why) for function, why in REFUSED.items()},
            time.sleep: self._sleep,
            time.monotonic: self._clock(lambda now: now / _NS),
            time.perf_counter: self._clock(lambda now: now / _NS),
            time.monotonic_ns: self._clock(lambda now: now),
            time.perf_counter_ns: self._clock(lambda now: now),
            time.time: self._clock(lambda now: (EPOCH + now) / _NS),
            time.time_ns: self._clock(lambda now: EPOCH + now),
            _thread.start_new_thread: self._start,
        }
        for name in ("start_joinable_thread", "_start_joinable_thread"):
            if hasattr(_thread, name):
                self._functions[getattr(_thread, name)] = self._start_joinable
        self._methods: dict[tuple[type, str], Callable[[Site, Any], Callable[..., Any]]] = {}
        for name in ("acquire", "acquire_lock", "__enter__"):
            self._methods[LOCK, name] = self._methods[RLOCK, name] = self._acquire
        for name in ("release", "release_lock", "__exit__"):
            self._methods[LOCK, name] = self._methods[RLOCK, name] = self._release
        self._methods[LOCK, "locked"] = self._methods[LOCK, "locked_lock"] = self._locked
        self._methods[RLOCK, "locked"] = self._locked
        self._methods[RLOCK, "_release_save"] = self._release_save
        self._methods[RLOCK, "_acquire_restore"] = self._acquire_restore
        for name in ("put", "put_nowait"):
            self._methods[SIMPLE_QUEUE, name] = self._put
        self._methods[SIMPLE_QUEUE, "get"] = self._get
        self._methods[SIMPLE_QUEUE, "get_nowait"] = self._get_nowait
        self._methods[SIMPLE_QUEUE, "empty"] = self._empty
        self._methods[SIMPLE_QUEUE, "qsize"] = self._size
        if SEMAPHORE is not None:
            for name in ("acquire", "__enter__"):
                self._methods[SEMAPHORE, name] = self._down
            for name in ("release", "__exit__"):
                self._methods[SEMAPHORE, name] = self._up

    def is_one(self, thing: Any) -> bool:
        """Return whether a thing is a primitive, or a file, whose methods have a controlled form."""
        return type(thing) in _CONTROLLED_TYPES or self._outdoors.is_handle(thing)

    def knows(self, function: Any) -> bool:
        """Return whether a function has a controlled form, as far as that can be said before it is called."""
        if type(function) is functools.partial:
            return self.knows(function.func)
        if not issubclass(type(function), BuiltinFunctionType):
            return False
        if type(function.__self__) in _CONTROLLED_TYPES:
            return True
        if type(function.__self__) is ModuleType and function in self._functions:
            return True
        return self._outdoors.knows(function)

    def controlled(self, function: Any, site: Site) -> Callable[..., Any] | None:
        """Return what to call in place of a function, or None to leave it alone."""
        kind = type(function)
        if kind is FunctionType or kind is MethodType:
            return None
        if issubclass(kind, BuiltinFunctionType):
            owner = type(function.__self__)
            if owner in _CONTROLLED_TYPES:
                make = self._methods.get((owner, function.__name__))
                return quiet(make(site, function.__self__)) if make is not None else None
            replace = self._functions.get(function)
            if replace is not None:
                return quiet(replace(site))
            if function.__name__ in {"now", "utcnow", "today"} and isinstance(function.__self__, type):
                return self._datetime(function)
            return self._outdoors.controlled(function, site)
        if kind is MethodDescriptorType or kind is WrapperDescriptorType:
            owner = function.__objclass__
            if owner in _CONTROLLED_TYPES and (make := self._methods.get((owner, function.__name__))):
                return quiet(lambda thing, *args, **kwargs: make(site, thing)(*args, **kwargs))
            return self._outdoors.controlled(function, site)
        if kind is functools.partial:
            inner = self.controlled(function.func, site)
            if inner is not None:
                return functools.partial(inner, *function.args, **function.keywords)
        return self._outdoors.controlled(function, site) if function is FileIO else None

    def guard(self, manager: Any, site: Site) -> Guard | Transaction | None:
        """Return what to enter in place of a lock or a database, or None where it is neither."""
        if type(manager) in (LOCK, RLOCK):
            return Guard(self, manager, site)
        return self._outdoors.guard(manager, site)

    def _refusing(self, function: Any, message: str) -> Callable[[Site], Callable[..., Any]]:
        return lambda _: refusing(self._run, function, message)

    def acquire(self, site: Site, lock: Any, blocking: bool = True, timeout: float = -1) -> bool:  # noqa: FBT001, FBT002  (the signature of the original)
        """Take a lock, waiting in virtual time."""
        run = self._run
        if not run.mine() or (timeout != -1 and (not blocking or timeout < 0)):
            return bool(lock.acquire(blocking, timeout))
        tries = not blocking or timeout != -1
        self._points.at_primitive(site, lock, tries=tries)
        taken = lock.acquire(False) or self._lent(lock, blocking=blocking)
        deadline = None if timeout == -1 else run.now + round(timeout * _NS)
        while not taken and blocking and timeout != 0:
            if not run.block(lambda: self._obtainable(lock), "waits for", lock, deadline=deadline):
                break
            taken = lock.acquire(False) or self._lent(lock, blocking=True)
        if taken:
            run.current.takes(lock, site.name)
        lists = (_REGISTER,) if lock is _GUARD and site.code in _LISTING else ()
        if lists or (tries and any(task.sentinel is lock for task in run.tasks)):
            self._points.ends.look()
        self._points.did(site, lock, Touching.ACQUIRES if taken else Touching.FAILS, *lists)
        return bool(taken)

    def _obtainable(self, lock: Any) -> bool:
        """Return whether no thread of the run holds a lock, as far as is known."""
        return free(lock) or self._run.strangers.may_hold(lock)

    def _lent(self, lock: Any, *, blocking: bool) -> bool:
        """Wait for a lock that a thread outside may hold; return whether it was taken."""
        strangers = self._run.strangers
        return strangers.may_hold(lock) and strangers.lends(lock, blocking=blocking)

    def release(self, site: Site, lock: Any) -> None:
        """Give a lock back."""
        run = self._run
        if not run.mine():
            lock.release()
            return
        self._points.at_primitive(site.exit or site, lock)
        lock.release()
        if type(lock) is LOCK or not lock._is_owned():  # noqa: SLF001  (nothing public does it)
            self._run.released(lock)
        self._points.did(site.exit or site, lock, Touching.RELEASES)

    def _acquire(self, site: Site, lock: Any) -> Callable[..., Any]:
        return functools.partial(self.acquire, site, lock)

    def _release(self, site: Site, lock: Any) -> Callable[..., Any]:
        return lambda *_: self.release(site, lock)

    def _locked(self, site: Site, lock: Any) -> Callable[..., Any]:
        if self._run.mine():
            self._points.at_primitive(site, lock, tries=True)
            if lock.locked() and self._lent(lock, blocking=False):
                lock.release()
            self._points.did(site, lock, Touching.LOOKS_AT)
        return lock.locked  # type: ignore[no-any-return]

    def _release_save(self, site: Site, lock: Any) -> Callable[..., Any]:
        def release_save() -> Any:
            if self._run.mine():
                self._points.at_primitive(site, lock)
                self._run.released(lock)
                self._points.did(site, lock, Touching.RELEASES)
            return lock._release_save()  # noqa: SLF001  (nothing public does it)

        return release_save

    def _acquire_restore(self, site: Site, lock: Any) -> Callable[..., Any]:
        def acquire_restore(state: Any) -> None:
            run = self._run
            if run.mine():
                self._points.at_primitive(site, lock)
                while not self._obtainable(lock):
                    run.block(lambda: self._obtainable(lock), "waits for", lock)
                run.current.takes(lock, site.name)
                self._points.did(site, lock, Touching.ACQUIRES)
            lock._acquire_restore(state)  # noqa: SLF001  (nothing public does it)

        return acquire_restore

    def _down(self, site: Site, semaphore: Any) -> Callable[..., Any]:
        def down(block: bool = True, timeout: float | None = None) -> bool:  # noqa: FBT001, FBT002  (the signature of the original)
            run = self._run
            if not run.mine():
                return bool(semaphore.acquire(block, timeout))
            if self._outdoors.has_processes():
                return bool(self._outdoors.apart(site, semaphore.acquire)(block, timeout))
            self._points.at_primitive(site, semaphore, tries=not block or timeout is not None)
            taken = semaphore.acquire(False)
            deadline = None if timeout is None else run.now + round(timeout * _NS)
            while not taken and block and (timeout is None or timeout > 0):
                if not run.block(
                    lambda: not semaphore._is_zero(),  # noqa: SLF001  (nothing public does it)
                    "waits for",
                    semaphore,
                    deadline=deadline,
                ):
                    break
                taken = semaphore.acquire(False)
            self._points.did(site, semaphore, Touching.ACQUIRES if taken else Touching.FAILS)
            return bool(taken)

        return down

    def _up(self, site: Site, semaphore: Any) -> Callable[..., Any]:
        def up(*_: object) -> None:
            if not self._run.mine():
                semaphore.release()
                return
            self._points.at_primitive(site.exit or site, semaphore)
            semaphore.release()
            self._points.did(site.exit or site, semaphore, Touching.RELEASES)

        return up

    def _put(self, site: Site, line: Any) -> Callable[..., Any]:
        if self._run.mine():
            self._points.at_primitive(site, line)
            self._points.did_at_end(site, line, Touching.PUTS)
        return lambda item, block=True, timeout=None: line.put(item)  # noqa: ARG005  (the signature of the original)

    def _get(self, site: Site, line: Any) -> Callable[..., Any]:
        def get(block: bool = True, timeout: float | None = None) -> Any:  # noqa: FBT001, FBT002  (the signature of the original)
            run = self._run
            if not run.mine() or (block and timeout is not None and timeout < 0):
                return line.get(block, timeout)
            self._points.at_primitive(site, line, tries=not block or timeout is not None)
            deadline = None if timeout is None else run.now + round(timeout * _NS)
            while block and (timeout is None or timeout > 0) and line.empty():
                if not run.block(lambda: not line.empty(), "waits for an item of", line, deadline=deadline):
                    break
            self._points.did_at_end(site, line, Touching.GETS)
            return line.get_nowait()

        return get

    def _get_nowait(self, site: Site, line: Any) -> Callable[..., Any]:
        return functools.partial(self._get(site, line), False)

    def _empty(self, site: Site, line: Any) -> Callable[..., Any]:
        if self._run.mine():
            self._points.at_primitive(site, line, looks=True)
            self._points.did_at_end(site, line, Touching.LOOKS_AT)
        return line.empty  # type: ignore[no-any-return]

    def _size(self, site: Site, line: Any) -> Callable[..., Any]:
        if self._run.mine():
            self._points.at_primitive(site, line, looks=True)
            self._points.did(site, line, Touching.LOOKS_AT)
        return line.qsize  # type: ignore[no-any-return]

    def _sleep(self, site: Site) -> Callable[..., Any]:
        def sleep(seconds: float) -> None:
            run = self._run
            if not run.mine() or seconds < 0:
                time.sleep(seconds)
                return
            deadline = run.now + round(seconds * _NS)
            self._points.at_primitive(site, None)
            run.block(lambda: False, "sleeps", None, deadline=deadline, sleeping=True)
            self._points.did(site, run, Touching.WAKES)

        return sleep

    def _clock(self, form: Callable[[int], Any]) -> Callable[[Site], Callable[..., Any]]:
        def replacement(site: Site) -> Callable[..., Any]:
            return lambda: form(self._tick(site))

        return replacement

    def _tick(self, site: Site) -> int:
        run = self._run
        if not run.mine():
            return run.now if run.active else time.monotonic_ns()
        self._points.at_primitive(site, None)
        now = run.read_clock()
        self._points.did(site, run, Touching.READS_TIME)
        return now

    def _datetime(self, function: Any) -> Callable[..., Any] | None:
        kind = function.__self__
        if not issubclass(kind, dt.date):
            return None
        if function.__name__ == "now":
            return lambda tz=None: kind.fromtimestamp((EPOCH + self._run.now) / _NS, tz)
        if function.__name__ == "today":
            return lambda: kind.fromtimestamp((EPOCH + self._run.now) / _NS)
        return lambda: kind.fromtimestamp((EPOCH + self._run.now) / _NS, dt.UTC).replace(tzinfo=None)

    def _start(self, site: Site) -> Callable[..., Any]:
        def start(function: Callable[..., object], args: tuple[Any, ...] = (), kwargs: Any = None) -> int:
            if not self._run.mine():
                return back_end.start_new_thread(function, args, kwargs or {})
            self._points.at_primitive(site, None)
            return self._spawn(site, function, lambda: function(*args, **(kwargs or {}))).ident

        return start

    def _start_joinable(self, site: Site) -> Callable[..., Any]:
        def start(function: Callable[[], object], handle: Any = None, daemon: bool = True) -> Any:  # noqa: FBT001, FBT002  (the signature of the original)
            if not self._run.mine():
                return _thread.start_joinable_thread(function, handle=handle, daemon=daemon)  # type: ignore[attr-defined]
            self._points.at_primitive(site, None)
            if isinstance(owner := getattr(function, "__self__", None), threading.Thread) and owner.ident:
                raise RuntimeError("thread already started")
            return Handle(self, self._spawn(site, function, function))

        return start

    def _spawn(self, site: Site, function: Any, body: Callable[[], object]) -> Task:
        """Start a thread of the program; it runs when it is first chosen.

        What `Thread` does around `run` is done here without its locks: the switches inside would be the
        interpreter's, not the program's.
        """
        run = self._run
        owner = function.__self__ if isinstance(function, MethodType) else None
        if not isinstance(owner, threading.Thread):
            task = run.spawn(body, None)
            self._points.did(site, task, Touching.STARTS)
            self._points.may_switch(site)
            return task
        thread: Any = owner
        task = run.spawn(lambda: self._run_thread(site, thread), thread)
        thread._ident = task.ident  # noqa: SLF001  (nothing public does it)
        thread._native_id = task.number  # noqa: SLF001  (nothing public does it)
        thread._started._flag = True  # noqa: SLF001  (nothing public does it)
        self._let_join(task, thread)
        changed = [(thread, name) for name in _CHANGED_BY_START]
        self._points.started(site, task, [*changed, (thread._started, "_flag")])  # noqa: SLF001  (nothing public is it)
        self._points.may_switch(site)
        return task

    def _let_join(self, task: Task, thread: Any) -> None:
        """Let others see through a thread object whether a thread has ended, and wait for it."""
        if VERSION < (3, 13):
            # `join` waits for this lock, which the interpreter gives back when a thread ends.
            sentinel = back_end.allocate_lock()
            sentinel.acquire()
            task.watched_by(sentinel)
            thread._tstate_lock = sentinel  # noqa: SLF001  (as its start would)
            thread._is_stopped = False  # noqa: SLF001  (likewise)
        else:
            setattr(thread, _HANDLE_NAME, Handle(self, task))

    def _run_thread(self, site: Site, thread: Any) -> None:
        threading._limbo.pop(thread, None)  # type: ignore[attr-defined]  # noqa: SLF001  (nothing public does it)
        context = getattr(thread, "_context", None)
        body = thread.run if context is None else functools.partial(context.run, thread.run)
        self._registered(thread, site, body)

    def _work(self, task: Task, worker: Callable[[], object]) -> object:
        """Run what a thread is there for; at that of a worker of the exploration others may look, too."""
        if task.thread is not None or task.carrier is None:
            return worker()
        thread = task.carrier.thread
        self._let_join(task, thread)
        return self._registered(thread, self._points.ends.told_of, worker)

    def _registered(self, thread: Any, site: Site | None, body: Callable[[], object]) -> object:
        """Run what a thread is there for, while it is on the list of threads."""
        points, ends, ident = self._points, self._points.ends, get_ident()
        active: dict[int, Any] = threading._active  # type: ignore[attr-defined]  # noqa: SLF001  (nothing public does it)
        active[ident] = thread
        if site is not None:
            points.tells_of(site, _REGISTER)
        try:
            given = body()
            ends.come(self._run)
        finally:
            if site is not None:
                points.tells_of(ends.told_of or site, _REGISTER)
            active.pop(ident, None)
        ends.come(self._run)
        return given

    def has_ended(self, task: Task) -> bool:
        """Return whether a thread of the program has ended, and note that it was asked."""
        if self._run.mine():
            ends = self._points.ends
            ends.look()
            self._points.at_primitive(ends.asking, task, looks=True)
            self._points.did(ends.asking, task, Touching.LOOKS_AT)
        return task.done

    def join(self, task: Task, timeout: float | None) -> None:
        """Wait until a thread of the program has ended."""
        run = self._run
        if task.done or not run.mine():
            return
        if timeout == 0:
            self.has_ended(task)
            return
        deadline = None if timeout is None or timeout < 0 else run.now + round(timeout * _NS)
        run.block(lambda: task.done, "waits for the end of", task, deadline=deadline)
        self._points.did(None, task, Touching.JOINS)


class Guard:
    """Stands in for a lock in a `with` statement."""

    __slots__ = ("_lock", "_primitives", "_site")

    def __init__(self, primitives: Primitives, lock: Any, site: Site) -> None:
        self._primitives = primitives
        self._lock = lock
        self._site = site

    @quiet
    def __enter__(self) -> bool:
        return self._primitives.acquire(self._site, self._lock)

    @quiet
    def __exit__(self, *_: object) -> None:
        self._primitives.release(self._site, self._lock)


class Handle:
    """Stands in for the handle of a thread, from Python 3.13 on."""

    __slots__ = ("_primitives", "_task", "ident")

    def __init__(self, primitives: Primitives, task: Task) -> None:
        self._primitives = primitives
        self._task = task
        self.ident = task.ident

    def is_done(self) -> bool:
        """Return whether the thread has ended."""
        return self._primitives.has_ended(self._task)

    def join(self, timeout: float | None = None) -> None:
        """Wait until the thread has ended."""
        self._primitives.join(self._task, timeout)

    def _set_done(self) -> None:
        """The interpreter calls this on the main thread's handle only."""
