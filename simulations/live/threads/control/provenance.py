"""Where code comes from: the program, the standard library, a tool of tests, the instrument.

The file that code was compiled from decides, or the code object itself, never the name of a module or of a
function, since a program may call its own as it likes.
"""

from __future__ import annotations

import os
import sysconfig
import threading
from concurrent.futures import _base as futures
from concurrent.futures import thread as pools
from enum import Enum
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from simulations.live.threads.control.frames import OURS

if TYPE_CHECKING:
    from types import CodeType


class Origin(Enum):
    """Where code comes from, and so what of it counts."""

    PROGRAM = "the program, with the libraries that it uses: every access counts"
    PRIMITIVE = "modules out of which primitives are made: operations on primitives count"
    STEP = "the rest of the standard library: a call is one step, which touches what it is given"
    TOOL = "tools of tests, which are not put under control: a call is one step as well"
    NOBODY = "the instrument and the import system: nothing counts"


_OURS: Final = OURS + os.sep
_STANDARD: Final = tuple(
    folder + os.sep for folder in (sysconfig.get_paths()["stdlib"], str(Path(threading.__file__).parent))
)
"""Where the standard library is; in a browser it is an archive, of which the configuration knows nothing."""
_FROZEN: Final = "<frozen "
_SITE_PACKAGES: Final = ("site-packages", "dist-packages")
_PRIMITIVES: Final = frozenset(
    {"threading", "queue", "concurrent.futures._base", "concurrent.futures.thread"}
)
_OBSERVED: Final = frozenset(
    {
        *("functools", "collections", "contextlib", "sched", "copy", "copyreg", "json", "random", "types"),
        *("dataclasses", "heapq", "bisect", "operator", "shelve", "configparser", "graphlib", "statistics"),
        *("reprlib", "_collections_abc"),
    }
)
"""Modules of the standard library whose accesses count like those of the program."""
_COUNTED: Final = {
    "unittest.mock": frozenset({"_patch.__enter__", "_patch.__exit__"}),
    "weakref": frozenset({"WeakValueDictionary.setdefault"}),
}
"""Functions of other modules whose accesses count: they set attributes of a class, or check and then act."""
_IMPORTING: Final = frozenset({"importlib", "zipimport", "runpy"})
_TOOLS: Final = frozenset(
    {"hypothesis", "pytest", "_pytest", "pluggy", "coverage", "_pydevd_bundle", "pydevd", "debugpy"}
)
"""Packages whose functions may run at any moment, as those of a tracer do."""
_FUTURE: Final[Any] = futures.Future
_WORK_ITEM: Final[Any] = pools._WorkItem  # noqa: SLF001  (it calls what was submitted)
_CALLING: Final = frozenset(
    function.__code__
    for function in (
        threading.Thread.run,
        threading.Timer.run,
        _WORK_ITEM.run,
        _FUTURE._invoke_callbacks,  # noqa: SLF001  (see above)
    )
)
"""What calls what it was given by the program, which may be written in C."""
_PRIVATE: Final = (
    (threading, "Condition._is_owned"),
    (threading, "Thread._set_tstate_lock"),
    (threading, "Thread.__repr__"),
    (threading, "Thread._after_fork"),
    (threading, "_shutdown"),
    (threading, "_after_fork"),
    (pools, "_python_exit"),
    (futures, "Future.__repr__"),
)
"""What a primitive does in one step, or the interpreter when it forks or ends."""


def _codes_of(names: tuple[tuple[Any, str], ...]) -> frozenset[CodeType]:
    codes = set()
    for module, name in names:
        thing: Any = module
        for part in name.split("."):
            thing = getattr(thing, part, None)
        if thing is not None:
            codes.add(thing.__code__)
    return frozenset(codes)


_LEFT_ALONE: Final = _codes_of(_PRIVATE)


def origin(code: CodeType) -> Origin:
    """Return where code comes from.

    It is asked in the middle of a run, and so uses nothing of the standard library that may be under control.
    """
    if code.co_filename.startswith(_OURS):
        return Origin.NOBODY  # asked first: to look code up, all of its instructions are hashed
    if code in _CALLING:
        return Origin.PROGRAM
    if code in _LEFT_ALONE:
        return Origin.NOBODY
    found = _origin_of(code.co_filename)
    if found is Origin.STEP and code.co_qualname in _COUNTED.get(library(code.co_filename) or "", ()):
        return Origin.PROGRAM
    return found


def is_untouched(code: CodeType, space: dict[str, Any]) -> bool:
    """Return whether a function is never put under control.

    Args:
        code: The function.
        space: Its globals; methods of data classes and named tuples are compiled from no file.
    """
    here = origin(code)
    if here is Origin.TOOL or here is Origin.NOBODY or str(space.get("__file__", "")).startswith(_OURS):
        return True
    # What makes a named tuple calls `tuple.__new__` and no more. The code of all that have as many fields is
    # equal, also of those that the instrument itself makes.
    names = code.co_names
    return len(names) == 1 and space.get(names[0]) is tuple.__new__ and code.co_filename == "<string>"


def of_primitives(code: CodeType) -> bool:
    """Return whether code is of a module out of which primitives are made, also what calls others."""
    return _origin_of(code.co_filename) is Origin.PRIMITIVE


@lru_cache(maxsize=4096)
def _origin_of(path: str) -> Origin:
    module = library(path)
    if module is None:
        return Origin.TOOL if _package(path) in _TOOLS else Origin.PROGRAM
    package = module.partition(".")[0]
    if package in _IMPORTING and path.startswith(_FROZEN):
        return Origin.NOBODY
    if module in _PRIMITIVES:
        return Origin.PRIMITIVE
    return Origin.PROGRAM if package in _OBSERVED else Origin.STEP


def library(path: str) -> str | None:
    """Return the module of the standard library that a file is, or None where it is none of them."""
    if path.startswith(_FROZEN):
        return path[len(_FROZEN) : -1]
    folder = next((folder for folder in _STANDARD if path.startswith(folder)), None)
    if folder is None:
        return None
    parts = path[len(folder) :].removesuffix(".py").split(os.sep)  # noqa: PTH206  (see `origin`)
    if parts[0] in _SITE_PACKAGES:
        return None
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _package(path: str) -> str:
    """Return the package of an installed file: what follows the folder of all packages."""
    parts = path.split(os.sep)  # noqa: PTH206  (see `origin`)
    for index, part in enumerate(parts[:-1]):
        if part in _SITE_PACKAGES:
            return parts[index + 1].removesuffix(".py")
    return ""
