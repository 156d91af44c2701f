"""The objects in C whose state an object in C works on, beside its own.

A file in text holds one of bytes, a writer of tables a file, an iterator what it draws from, a view the
memory: who works on one works on all of them. What they hold is what they say that the garbage collector is
to look at; of memory, the object that owns it is asked for.
"""

from __future__ import annotations

import functools
import gc
import io
import mmap
import operator
import os
import re
import sys
from types import (
    FunctionType,
    MethodDescriptorType,
    MethodType,
    ModuleType,
    NoneType,
    WrapperDescriptorType,
)
from typing import TYPE_CHECKING, Any, Final

from simulations.live.threads.control.kinds import (
    BOUND,
    CONTAINERS,
    FIXED,
    HEAP_TYPE,
    HOLDING,
    PLAIN,
    RUNNING,
    VIEWS,
    solid,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

ROOTS_MAX: Final = 200
"""How many objects that share their state are looked for."""
_IN_C: Final = (*BOUND, MethodDescriptorType, WrapperDescriptorType)
_CALLED: Final = frozenset(
    {*_IN_C, functools.partial, operator.attrgetter, operator.itemgetter, operator.methodcaller}
)
_FILES: Final = (mmap.mmap, io.FileIO, os.DirEntry)
"""What shows a file, whose contents are one thing in `outside.py` as well."""
_CACHE: Final = type(functools.lru_cache(int))


def roots(thing: object) -> list[object]:
    """Return an object of a type that is not known, and those whose state it shares."""
    found: dict[int, object] = {}
    left = [thing]
    while left and len(found) < ROOTS_MAX:
        one = left.pop()
        if id(one) not in found:
            found[id(one)] = one
            left += _shared(one)
    return list(found.values())


def is_memory(thing: object) -> bool:
    """Return whether an object is nothing but memory, so that to read it changes nothing."""
    return issubclass(type(thing), (memoryview, mmap.mmap, *_of_ctypes()))


def held(iterator: object) -> Iterator[object]:
    """Yield what an iterator holds: what it draws from, and a function that it calls."""
    for one in gc.get_referents(iterator):
        if hasattr(type(one), "__next__") or type(one) is tuple:
            yield from held(one)
        else:
            yield one


def calls_c(things: Iterable[Any]) -> bool:
    """Return whether one of some things is a function in C, which says nothing of what it touches."""
    return any(
        type(one) in _CALLED
        or type(one) is _CACHE
        or (issubclass(type(one), type) and not one.__flags__ & HEAP_TYPE)
        or (type(one) is MethodType and type(one.__func__) is not FunctionType)
        for one in things
    )


def _shared(thing: Any) -> list[object]:
    """Return what an object shares its state with at once."""
    kind = type(thing)
    if issubclass(kind, CONTAINERS) or kind in RUNNING or issubclass(kind, ModuleType):
        return []
    if issubclass(kind, memoryview):
        try:
            return [thing.obj]
        except ValueError:  # it has been released
            return []
    if kind is re.Match:
        return _counting([thing.string])
    if issubclass(kind, _FILES) or _is_database(kind):
        return [mmap]  # two may show one file
    memory = _of_ctypes()
    if issubclass(kind, memory):
        kept = memory[0].__dict__["_objects"].__get__(thing)
        inside = list(kept.values()) if isinstance(kept, dict) else [kept]
        return [sys.modules["_ctypes"], *(one for one in inside if _has_buffer(one))]
    base = _base_of_array(thing)
    return _counting([*gc.get_referents(thing), *([] if base is None else [base])])


def _base_of_array(thing: Any) -> object | None:
    """Return whose memory an object of numpy shows, without running code of the program."""
    arrays = sys.modules.get("numpy")
    kind = type(thing)
    if arrays is None:
        return None
    for known in (arrays.ndarray, arrays.void, arrays.flatiter):
        if issubclass(kind, known):
            base: object = known.base.__get__(thing)
            return getattr(base, "base", base) if base is not None and solid(type(base)) is object else base
    return None


def _is_database(kind: type) -> bool:
    ours = sys.modules.get("_sqlite3")
    return ours is not None and issubclass(kind, (ours.Connection, ours.Cursor))


def _of_ctypes() -> tuple[type, ...]:
    ours = sys.modules.get("_ctypes")
    return () if ours is None else (ours._SimpleCData.__mro__[-2],)  # noqa: SLF001  (nothing public is it)


def _counting(things: Iterable[Any]) -> list[object]:
    """Return those of some things that have state in C, or hold some."""
    found: list[object] = []
    for one in things:
        kind = type(one)
        base = solid(kind)
        if kind in BOUND:
            owner = one.__self__
            if not issubclass(type(owner), (type, ModuleType, NoneType)):
                found += _counting([owner])
        elif kind in VIEWS or base in HOLDING:
            found += _counting(gc.get_referents(one))
        elif issubclass(kind, CONTAINERS) or not (
            base in FIXED or base in PLAIN or issubclass(kind, (type, ModuleType, FunctionType))
        ):
            found.append(one)
    return found


def _has_buffer(thing: object) -> bool:
    return not (thing is None or type(thing) in FIXED or issubclass(type(thing), (dict, tuple)))
