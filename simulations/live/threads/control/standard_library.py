"""What the instrument needs of Python: a version that it knows, and private parts of the standard library.

Every private attribute that the instrument reads or sets is named here, so that a Python without one of them
is refused in a sentence before anything has been touched.
"""

from __future__ import annotations

import _thread
import importlib
import sys
import sysconfig
import threading
from operator import attrgetter
from types import BuiltinFunctionType
from typing import Any, Final, NamedTuple

VERSION: Final = sys.version_info[:2]
SUPPORTED: Final = ((3, 11), (3, 12), (3, 13), (3, 14), (3, 15))
_ALWAYS: Final = ((3, 0), (4, 0))


class Private(NamedTuple):
    """A private attribute of the standard library.

    Attributes:
        module: The module that has it.
        name: Where it is in the module; `Thread()` and `RLock()` stand for an instance.
        purpose: What the instrument needs it for.
        versions: The first Python that has it, and the first that no longer has.
    """

    module: str
    name: str
    purpose: str
    versions: tuple[tuple[int, int], tuple[int, int]] = _ALWAYS

    def __str__(self) -> str:
        return f"{self.module}.{self.name}"


LOCK: Final[type] = type(_thread.allocate_lock())
RLOCK: Final[type] = type(threading.RLock())
PRIVATE: Final = (
    Private("threading", "_active", "what current_thread() returns in a controlled thread"),
    Private("threading", "_active_limbo_lock", "what asks which threads there are"),
    Private("threading", "_dangling", "which threads there are already"),
    Private("threading", "_limbo", "a thread that was started is no longer about to start"),
    Private("threading", "_counter", "threads have the same names in every schedule"),
    Private("threading", "Thread()._ident", "a thread of the program knows its number"),
    Private("threading", "Thread()._started._flag", "a thread of the program counts as started"),
    Private("threading", "Thread()._tstate_lock", "join() waits under control", ((3, 0), (3, 13))),
    Private("threading", "Thread()._handle", "join() waits under control", ((3, 13), (3, 14))),
    Private("threading", "Thread()._os_thread_handle", "join() waits under control", ((3, 14), (4, 0))),
    Private("threading", "Thread()._context", "a thread runs in its context", ((3, 14), (4, 0))),
    Private("threading", "RLock()._is_owned", "whether a reentrant lock can be taken"),
    Private("threading", "RLock()._release_save", "Condition.wait gives a reentrant lock back"),
    Private("threading", "RLock()._acquire_restore", "Condition.wait takes a reentrant lock again"),
    Private("threading", "RLock()._at_fork_reinit", "locks are free again after a run"),
    Private("_thread", "_ThreadHandle", "join() waits under control", ((3, 13), (4, 0))),
    Private("_thread", "start_joinable_thread", "a thread starts under control", ((3, 13), (4, 0))),
    Private("concurrent.futures.thread", "ThreadPoolExecutor._counter", "pools have the same names"),
    Private("concurrent.futures.thread", "_threads_queues", "a worker of a pool that waits for work is idle"),
    Private("concurrent.futures._base", "Future()._state", "whether a future has its result"),
    Private(
        "concurrent.futures._base", "Future()._condition._lock", "whether a future is being given its result"
    ),
    Private(
        "concurrent.futures._base", "Future()._invoke_callbacks", "that a future has been given its result"
    ),
    Private("asyncio.events", "_set_running_loop", "an event loop in a worker is refused"),
    Private("_frozen_importlib", "_find_and_load", "no thread is paused while it imports a module"),
    Private("os", "environ._data", "each run begins with the environment as it was"),
    Private("sys", "_current_frames", "where a thread waits"),
    Private("sys", "_getframe", "whose code calls"),
    Private("types", "CodeType._varname_from_oparg", "the name of a variable of a closure"),
    Private("opcode", "_inline_cache_entries", "the size of an instruction"),
)
"""Every private attribute that the instrument uses."""


def missing(*, loaded: bool = False) -> tuple[Private, ...]:
    """Return the private attributes that this Python should have and has not.

    Args:
        loaded: Look only into modules that are imported already.
    """
    return tuple(
        private
        for private in PRIVATE
        if private.versions[0] <= VERSION < private.versions[1]
        and not (loaded and private.module not in sys.modules)
        and not _is_there(private)
    )


def _is_there(private: Private) -> bool:
    first, _, rest = private.name.partition(".")
    try:
        module = sys.modules.get(private.module) or importlib.import_module(private.module)
        if first == "Thread()":
            attrgetter(rest)(threading.Thread(name="a probe"))  # so it takes no name from the counter
        elif first.endswith("()"):
            attrgetter(rest)(getattr(module, first.removesuffix("()"))())
        else:
            attrgetter(private.name)(module)
    except (ImportError, AttributeError):
        return False
    return True


def optional_module(name: str) -> Any:
    """Return a module in C that is not built on every platform, or None."""
    try:
        return importlib.import_module(name)
    except ImportError:
        return None


def free_threaded() -> bool:
    """Whether this is a free-threaded build, or one that runs without its lock."""
    locked = getattr(sys, "_is_gil_enabled", None)
    return bool(sysconfig.get_config_var("Py_GIL_DISABLED")) or (locked is not None and not locked())


def patched() -> bool:
    """Whether something has replaced the threads of the interpreter, as gevent and eventlet do."""
    lock: Any = threading.Lock
    return type(_thread.start_new_thread) is not BuiltinFunctionType or type(lock()) is not _thread.LockType


def tracer() -> str | None:
    """Return what measures or stops this process, with what that means for an exploration; None if nothing.

    It does not change a verdict.
    """
    monitoring: Any = getattr(sys, "monitoring", None)
    tools = [] if monitoring is None else [monitoring.get_tool(number) for number in range(_TOOLS)]
    names = [str(tool) for tool in tools if tool is not None]
    if sys.gettrace() is not None:
        names.append("a trace function")
    if not names:
        return None
    return (
        f"this process is watched by {' and '.join(names)} (a debugger, or coverage), in whose "
        "place explore comes while a program is under control: what it says of that program is incomplete; "
        "run without it"
    )


_TOOLS: Final = 3
"""The identifiers of debuggers, coverage and profilers in `sys.monitoring`."""


def refusal(*, loaded: bool = False) -> str | None:
    """Return why threads cannot be controlled on this Python, with the way out; None where they can.

    Args:
        loaded: Look only into modules that are imported already.
    """
    first, last = (".".join(map(str, version)) for version in (SUPPORTED[0], SUPPORTED[-1]))
    here = f"{sys.implementation.name} {VERSION[0]}.{VERSION[1]}"
    use = f"use an ordinary build of CPython {first} to {last}"
    if sys.implementation.name != "cpython" or VERSION not in SUPPORTED:
        return f"threads can be controlled on CPython {first} to {last}, not on {here}; {use}"
    if free_threaded():
        why = "where a verdict would not hold"
        return f"threads cannot be controlled on a free-threaded build ({here}), {why}; {use}"
    if patched():
        return (
            "threads cannot be controlled while others stand in for those of the interpreter, as after the "
            "monkey patching of gevent or eventlet; run without it"
        )
    absent = missing(loaded=loaded)
    if absent:
        names = ", ".join(f"{private} ({private.purpose})" for private in absent)
        return f"threads cannot be controlled on this {here}, whose standard library lacks {names}; {use}"
    return None
