"""What a call of the operating system becomes under control: files, databases, pipes, sockets, processes.

What lies outside of the program is taken for one thing that every such call touches, since which file or
connection leads to which is not known.

A lock of a file (`flock`) and a database of `sqlite3` are waited for under the baton: the call is made so
that it does not block, and made again when another thread has done something outside. Their time-outs are
virtual, and end only where no thread can go on. All other calls are made apart; see `kernel.py`.
"""

from __future__ import annotations

import functools
import io
import mmap
import os
import select
import socket
import sys
from collections import deque
from types import BuiltinFunctionType, MethodDescriptorType, ModuleType
from typing import TYPE_CHECKING, Any, Final

from simulations.live.threads.control.carriers import Stopped
from simulations.live.threads.control.roots import roots
from simulations.live.threads.control.standard_library import optional_module
from simulations.live.threads.control.touching import Touching

if TYPE_CHECKING:
    from collections.abc import Callable

    from simulations.live.threads.control.points import Points
    from simulations.live.threads.control.sites import Site


_MS: Final = 1_000_000
_READING_NAMES: Final = (
    "stat", "lstat", "access", "listdir", "scandir", "readlink", "getxattr", "fstat", "statvfs", "fstatvfs",
    "listxattr", "getcwd", "getcwdb",
)  # fmt: skip
_WRITING_NAMES: Final = (
    "open", "read", "readv", "pread", "write", "writev", "pwrite", "close", "ftruncate", "truncate", "lseek",
    "rename", "replace", "link", "symlink", "unlink", "remove", "mkdir", "rmdir", "fsync", "lockf",
    "chmod", "fchmod", "lchmod", "chown", "fchown", "lchown", "utime", "chflags", "lchflags", "chdir",
    "fchdir", "chroot", "umask", "mkfifo", "mknod", "setxattr", "removexattr", "copy_file_range", "pwritev",
    "preadv", "posix_fallocate", "dup", "dup2", "closerange", "fdatasync", "sync",
    "wait", "wait3", "wait4", "waitid", "waitpid", "sendfile", "splice",
)  # fmt: skip
_READING: Final = frozenset(
    function for name in _READING_NAMES if (function := getattr(os, name, None)) is not None
)
_WRITING: Final = frozenset(
    function for name in _WRITING_NAMES if (function := getattr(os, name, None)) is not None
) | {open, io.open_code, select.select}
_HANDLES: Final[tuple[type, ...]] = (
    io.FileIO,
    io.BufferedReader,
    io.BufferedWriter,
    io.BufferedRandom,
    io.BufferedRWPair,
    io.TextIOWrapper,
    *socket.socket.__mro__[1:2],
    *(kind for name in ("epoll", "kqueue") if isinstance(kind := getattr(select, name, None), type)),
    *(type(make()) for name in ("poll", "devpoll") if (make := getattr(select, name, None)) is not None),
)
_STARTING: Final = frozenset(
    function
    for module, names in (
        (os, ("posix_spawn", "posix_spawnp", "system", "startfile")),
        (optional_module("_posixsubprocess"), ("fork_exec",)),
        (optional_module("_winapi"), ("CreateProcess",)),
    )
    for name in names
    if (function := getattr(module, name, None)) is not None
)
"""What starts a process, which then runs beside the threads."""
_SIGNALLING: Final = frozenset(
    function
    for module, names in (
        (optional_module("_signal"), ("raise_signal", "pthread_kill", "alarm", "setitimer", "signal")),
        (os, ("kill", "killpg")),
    )
    for name in names
    if (function := getattr(module, name, None)) is not None
)
"""What sends a signal, or says what one does."""
_PROCESS: Final = "a process was started, which runs beside the threads and is not under control"
_SIGNAL: Final = (
    "signals were used, whose handlers run in the main thread at a moment that is not under control"
)
_CONNECTED: Final = "a socket was connected, and what is at its other end may not be under control"
_CONNECTING: Final = frozenset({"connect", "connect_ex"})
_INSIDE: Final = frozenset({list, dict, set, frozenset, tuple, str, bytes, bytearray, int, float, deque})
"""Types whose methods never leave the program."""
_QUIET: Final = frozenset({"fileno", "isatty", "readable", "writable", "seekable", "closed", "gettimeout"})


class World:
    """What is outside of the program. There is one in each exploration."""


class Outdoors:
    """Finds the controlled form of a call of the operating system, or None where it is not one."""

    def __init__(self, points: Points) -> None:
        self._points = points
        self._run = points.run
        self._world = World()
        self._changes = 0

    def knows(self, function: Any) -> bool:
        """Return whether a builtin function is a call of the operating system."""
        owner = function.__self__
        if owner is None or isinstance(owner, ModuleType):
            return any(function in known for known in (_WRITING, _READING, _STARTING, _SIGNALLING))
        return issubclass(type(owner), _HANDLES)

    def is_handle(self, thing: Any) -> bool:
        """Return whether a thing is a file, a socket or a database."""
        return issubclass(type(thing), (*_HANDLES, *_sqlite_types()))

    def controlled(self, function: Any, site: Site) -> Callable[..., Any] | None:
        """Return what to call in place of a function, or None to leave it alone."""
        kind = type(function)
        if function is io.FileIO:
            return self.apart(site, function)
        if issubclass(kind, BuiltinFunctionType):
            owner = function.__self__
            if type(owner) in _INSIDE:
                return None
            if _is_sqlite(owner):
                return self._sqlite(site, function, owner, function.__name__)
            if issubclass(type(owner), _HANDLES):
                if function.__name__ in _CONNECTING:
                    self._hinder(_CONNECTED)
                return (
                    None if function.__name__ in _QUIET or _is_standard(owner) else self.apart(site, function)
                )
            fcntl = sys.modules.get("fcntl")
            if fcntl is not None and function is fcntl.flock:
                return functools.partial(self._flock, site, fcntl)
            if function in _SIGNALLING:
                self._hinder(_SIGNAL)
                return None
            if function in _STARTING:
                self._hinder(_PROCESS)
                return self.apart(site, function)
            if function in _WRITING or (fcntl is not None and function is fcntl.lockf):
                return self.apart(site, function)
            if function in _READING:
                return self.apart(site, function, Touching.READS)
        elif (
            kind is MethodDescriptorType
            and function.__name__ not in _QUIET
            and issubclass(function.__objclass__, (*_HANDLES, *_sqlite_types()))
        ):
            return functools.partial(self._unbound, site, function)
        return None

    def _unbound(self, site: Site, function: Any, thing: Any, *args: Any, **kwargs: Any) -> Any:
        bound = function.__get__(thing)
        return (self.controlled(bound, site) or bound)(*args, **kwargs)

    def guard(self, manager: Any, site: Site) -> Transaction | None:
        """Return what to enter in place of a database or a file: its end commits, or writes."""
        if _is_sqlite(manager) or (issubclass(type(manager), _HANDLES) and not _is_standard(manager)):
            return Transaction(self, manager, site)
        return None

    def has_processes(self) -> bool:
        """Return whether there are processes of `multiprocessing`, which may hold what a thread waits for."""
        processes = sys.modules.get("multiprocessing.process")
        if processes is None:
            return False
        with self._run.outside():
            return bool(processes.active_children())

    def _hinder(self, what: str) -> None:
        if self._run.mine():
            self._points.stamps.hinder(what)

    def _at(self, site: Site) -> None:
        self._points.at_primitive(site, None)

    def _did(self, site: Site, touching: Touching = Touching.CALLS, *others: object) -> None:
        if touching.changes:
            self._changes += 1
        self._points.did(site, self._world, touching, mmap, *others)  # memory may show a file

    def apart(
        self, site: Site, function: Callable[..., Any], touching: Touching = Touching.CALLS
    ) -> Callable[..., Any]:
        """Return a call of the operating system as it is made apart; see `Kernel.apart`."""

        def called(*args: Any, **kwargs: Any) -> Any:
            run = self._run
            if not run.mine() or run.dying:
                return function(*args, **kwargs)
            self._at(site)
            try:
                return run.kernel.apart(function.__name__, function, *args, **kwargs)
            finally:
                if not run.dying:
                    owner = getattr(function, "__self__", None)
                    below = roots(owner) if issubclass(type(owner), _HANDLES) else ()
                    self._did(site, touching, *(one for one in below if one is not mmap))

        return called

    def _flock(self, site: Site, fcntl: Any, file: Any, operation: int) -> None:
        run = self._run
        if not run.mine() or run.dying:
            fcntl.flock(file, operation)
            return
        self._at(site)
        try:
            while True:
                try:
                    fcntl.flock(file, operation | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    if operation & fcntl.LOCK_NB:
                        raise
                run.block(
                    functools.partial(_can_lock, fcntl, file, operation), "waits for a lock of a file", None
                )
        finally:
            if not run.dying:
                self._did(site)

    def _sqlite(self, site: Site, function: Callable[..., Any], owner: Any, name: str) -> Callable[..., Any]:
        sqlite3 = sys.modules["sqlite3"]

        def call(*args: Any, **kwargs: Any) -> Any:
            run = self._run
            if not run.mine() or run.dying:
                return function(*args, **kwargs)
            self._at(site)
            connection = owner if isinstance(owner, sqlite3.Connection) else owner.connection
            try:
                if name in {"executescript", "executemany"}:
                    # What was done before it had to wait would be done a second time.
                    return run.kernel.apart(name, function, *args, **kwargs)
                return self._patiently(sqlite3, connection, functools.partial(function, *args, **kwargs))
            finally:
                if not run.dying:
                    self._did(site, Touching.CALLS, connection)

        return call

    def _patiently(self, sqlite3: Any, connection: Any, function: Callable[[], Any]) -> Any:
        """Make a call again and again while the database is locked, until the time-out of the connection."""
        run = self._run
        timeout = _busy_timeout(sqlite3, connection, 0)
        deadline = run.now + timeout * _MS
        try:
            while True:
                try:
                    return function()
                except sqlite3.OperationalError as error:
                    busy = error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY
                    if not busy or not timeout or run.now >= deadline:
                        raise
                seen = self._changes
                run.block(
                    functools.partial(self._has_changed, seen),
                    "waits for a database",
                    None,
                    deadline=deadline,
                )
        finally:
            if timeout:
                _busy_timeout(sqlite3, connection, timeout)

    def _has_changed(self, seen: int) -> bool:
        return self._changes != seen


class Transaction:
    """Stands in for a file or a connection to a database in a `with` statement."""

    __slots__ = ("_manager", "_outdoors", "_site")

    def __init__(self, outdoors: Outdoors, manager: Any, site: Site) -> None:
        self._outdoors = outdoors
        self._manager = manager
        self._site = site

    def __enter__(self) -> Any:
        return self._manager.__enter__()

    def __exit__(self, *error: object) -> Any:
        leave = self._manager.__exit__
        try:
            return (self._outdoors.controlled(leave, self._site.exit or self._site) or leave)(*error)
        except Stopped as end:
            leave(Stopped, end, end.__traceback__)  # the run is over; the file is closed all the same
            raise


def _can_lock(fcntl: Any, file: Any, operation: int) -> bool:
    """Return whether a lock of a file could be taken: it is taken, and given back.

    Where the file has a lock of another kind, that was given up when the lock was first waited for.
    """
    try:
        fcntl.flock(file, operation | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    fcntl.flock(file, fcntl.LOCK_UN)
    return True


def _busy_timeout(sqlite3: Any, connection: Any, milliseconds: int) -> int:
    """Set how long a connection waits for a lock, and return how long it did; 0 where it is closed."""
    try:
        cursor = sqlite3.Cursor(connection)
        cursor.row_factory = None
        before = int(cursor.execute("PRAGMA busy_timeout").fetchone()[0])
        cursor.execute(f"PRAGMA busy_timeout = {milliseconds}")
        cursor.close()
    except sqlite3.Error:
        return 0
    return before


def _sqlite_types() -> tuple[type, ...]:
    sqlite3 = sys.modules.get("sqlite3")
    return () if sqlite3 is None else (sqlite3.Connection, sqlite3.Cursor)


def _is_sqlite(thing: Any) -> bool:
    return issubclass(type(thing), _sqlite_types())


def _is_standard(file: Any) -> bool:
    """Return whether a file is one that messages go to, whose order is not part of the program."""
    streams = {id(stream) for stream in (sys.stdin, sys.stdout, sys.stderr, sys.__stdout__, sys.__stderr__)}
    return id(file) in streams or id(file) in {
        id(getattr(stream, "buffer", None)) for stream in (sys.stdout, sys.stderr)
    }
