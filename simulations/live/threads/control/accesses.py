"""What an access touches, and which accesses conflict.

A location is an object and a part of it: an attribute, an index or a key; no part means all of it. Two
accesses conflict when they touch the same location, come from two threads, and one of them writes.

An operation on an object whose type is not known touches all of it, and counts as a write.
"""

from __future__ import annotations

import array
import datetime as dt
import decimal
import fractions
import functools
import gc
import mmap
import re
import sys
import threading
import uuid
import weakref
from collections import OrderedDict, defaultdict, deque
from types import (
    AsyncGeneratorType,
    BuiltinFunctionType,
    CellType,
    ClassMethodDescriptorType,
    CodeType,
    CoroutineType,
    EllipsisType,
    FrameType,
    FunctionType,
    GeneratorType,
    GenericAlias,
    GetSetDescriptorType,
    MappingProxyType,
    MemberDescriptorType,
    MethodDescriptorType,
    MethodType,
    MethodWrapperType,
    ModuleType,
    NoneType,
    NotImplementedType,
    SimpleNamespace,
    TracebackType,
    UnionType,
    WrapperDescriptorType,
)
from typing import TYPE_CHECKING, Any, Final

from simulations.live.threads.control.insides import looked_into, shown
from simulations.live.threads.control.stamps import attributes_of, behind_reference

if TYPE_CHECKING:
    from collections.abc import Iterator

    from simulations.live.threads.control.sites import Site
    from simulations.live.threads.control.stamps import Stamps

Part = str | int | tuple[str, object] | None


Touch = tuple[int, Part, bool]
"""A location that is touched: the number of the object, the part (None: all), whether it is written."""

_CONTAINERS: Final = (dict, list, set, deque, bytearray, OrderedDict, array.array)
FIXED: Final[frozenset[type]] = frozenset(
    {
        int,
        float,
        complex,
        bool,
        str,
        bytes,
        range,
        slice,
        NoneType,
        EllipsisType,
        NotImplementedType,
        CodeType,
        FrameType,
        TracebackType,
        BuiltinFunctionType,
        MethodWrapperType,
        MethodDescriptorType,
        WrapperDescriptorType,
        ClassMethodDescriptorType,
        GetSetDescriptorType,
        MemberDescriptorType,
        GenericAlias,
        UnionType,
        re.Pattern,
        re.Match,
        dt.datetime,
        dt.date,
        dt.timedelta,
        dt.time,
        dt.timezone,
        decimal.Decimal,
        fractions.Fraction,
        uuid.UUID,
        weakref.ref,
        property,
        staticmethod,
        classmethod,
        super,
        type(threading.Lock()),
        type(threading.RLock()),
    }
)
"""Types whose objects do not change, or are under control in another way."""
HOLDING: Final[frozenset[type]] = frozenset({tuple, frozenset, MethodType})
"""Types whose objects do not change, but may hold some that do."""
PLAIN: Final[frozenset[type]] = frozenset(
    {object, BaseException, SimpleNamespace, ModuleType, FunctionType, type}
)
"""Types whose state is in attributes; what else is done with their objects does not depend on any."""
_LOOKED_THROUGH: Final[tuple[object, ...]] = (
    {}.keys(),
    {}.values(),
    {}.items(),
    OrderedDict().keys(),
    OrderedDict().values(),
    OrderedDict().items(),
    MappingProxyType({}),
)
VIEWS: Final = frozenset(type(view) for view in _LOOKED_THROUGH)
_PLAIN_KEYS: Final = frozenset({int, str, bytes, bool, float, type(None)})
_PROXIES: Final = (weakref.ProxyType, weakref.CallableProxyType)
_RUNNING: Final = frozenset({GeneratorType, CoroutineType, AsyncGeneratorType})
"""What runs code of Python, which says itself what it touches."""
_BOUND: Final = frozenset({BuiltinFunctionType, MethodWrapperType})
"""Methods in C that know the object which they belong to."""
_IMMUTABLE_TYPE: Final = 1 << 8
_HEAP_TYPE: Final = 1 << 9
TRIED: Final = ("tried", None)
"""The part of a lock that an operation touches which does not wait for it."""
FRONT: Final = ("end", "front")
BACK: Final = ("end", "back")
"""The parts of a queue that those touch who take from it, and who put into it; its items are parts too."""
DEPTH: Final = 3
"""How many levels of what C is given are looked at."""
THINGS_MAX: Final = 200
"""How many objects of what C is given are looked at."""
_POINTER: Final = 8


_SOLID: Final[dict[type, type]] = {}


def solid(kind: type) -> type:
    """Return the first base that has state of its own which is in no attribute: the part written in C."""
    found = _SOLID.get(kind)
    if found is None:
        found = _SOLID[kind] = next(base for base in kind.__mro__ if _has_state(base))
    return found


def forget_types() -> None:
    """Keep no type of the program alive."""
    _SOLID.clear()


def _has_state(kind: type) -> bool:
    base = kind.__base__
    if base is None or kind in PLAIN or not kind.__flags__ & _HEAP_TYPE or kind.__flags__ & _IMMUTABLE_TYPE:
        return True
    seen = sum(
        type(value) is MemberDescriptorType
        or (type(value) is GetSetDescriptorType and name in {"__dict__", "__weakref__"})
        for name, value in vars(kind).items()
    )
    return (
        kind.__basicsize__ - base.__basicsize__ > _POINTER * seen or kind.__itemsize__ != base.__itemsize__
    ) and not issubclass(kind, (int, tuple, bytes))


def touched(
    site: Site, operands: tuple[Any, ...], space: dict[str, Any] | None, stamps: Stamps
) -> list[Touch]:
    """Return the locations that an instruction touches.

    Args:
        site: The instruction.
        operands: Its operands.
        space: The globals of its function.
        stamps: The numbers of the run's objects.
    """
    if site.kind == "attribute":
        touches = attribute(operands[0], site.name, stamps, writes=site.writes)
        locks = looked_into(site.code, operands[0], site.name, stamps)
        return [*touches, *((stamps.of(lock), None, False) for lock in locks)] if locks else touches
    if site.kind in {"global", "name"}:
        return [] if space is None else [(stamps.of(space), site.name, site.writes)]
    if site.kind == "cell":
        return [(stamps.of(operands[0]), None, site.writes)]
    if site.kind == "item":
        if site.deletes and not issubclass(type(operands[0]), dict):
            return whole(operands[0], stamps, writes=True)
        return item(operands[0], operands[1], stamps, writes=site.writes)
    if site.kind == "whole":
        if site.shows and (state_of := as_text(operands[-1:], stamps)):
            return state_of
        if len(operands) == 1:
            return whole(operands[0], stamps, writes=site.writes)
        first, *others = operands
        touches = reach((first,), stamps, writes=site.writes)
        return touches + [touch for touch in reach(others, stamps, writes=False) if touch not in touches]
    return []


def as_text(things: Any, stamps: Stamps) -> list[Touch]:
    """Return what it touches, of the state of primitives, to make a text of things."""
    return [(stamps.of(one), None, False) for one in shown(things, stamps)]


def attribute(thing: Any, name: str, stamps: Stamps, *, writes: bool) -> list[Touch]:
    """Return what reading or writing an attribute touches: the object, or the class that has it."""
    kind = type(thing)
    if issubclass(kind, threading.local) or kind in FIXED or kind is tuple or kind is frozenset:
        return []
    if kind in _PROXIES:
        thing = _behind_proxy(thing)
        if type(thing) in _PROXIES:
            return life(None, stamps)
        return [*attribute(thing, name, stamps, writes=writes), *life(thing, stamps)]
    if kind is MethodType:
        return [] if writes else attribute(thing.__func__, name, stamps, writes=False)
    if kind is CellType:
        return [(stamps.of(thing), None, writes)]
    if writes:
        return _written(thing, name, stamps)
    has = value = None
    for owner in thing.__mro__ if issubclass(kind, type) else kind.__mro__:
        if name in owner.__dict__:
            has, value = owner, owner.__dict__[name]
            break
    if type(value) in _DATA:
        return whole(thing, stamps, writes=True)
    if type(value) in _IN_C and (issubclass(kind, type) or attributes_of(thing) is None):
        return []  # a method is loaded here, and touches what it touches where it is called
    touches: list[Touch] = [(stamps.of(thing), name, False)]
    if has is not None and has is not thing and has.__flags__ & _HEAP_TYPE:
        # A class is written for itself and for all that inherit from it.
        touches.append((stamps.of(thing if issubclass(kind, type) else kind), name, False))
    return touches


def _written(thing: Any, name: str, stamps: Stamps) -> list[Touch]:
    kind = type(thing)
    if issubclass(kind, type):
        return [(stamps.of(one), name, True) for one in _family(thing)]
    if kind is FunctionType and name in {"__defaults__", "__kwdefaults__", "__code__"}:
        stamps.hinder(f"a worker changes the {name} of {thing.__qualname__}")
    if name == "__dict__":
        stamps.hinder(f"a worker replaces the attributes of a {kind.__qualname__} as a whole")
    if name in {"__dict__", "__class__"}:
        return [(stamps.of(thing), None, True)]
    for owner in kind.__mro__:
        has = owner.__dict__.get(name)
        if type(has) is property and _in_python(has):
            return [(stamps.of(thing), name, False), (stamps.of(kind), name, False)]
        if type(has) in _DATA and solid(kind) not in PLAIN:
            return whole(thing, stamps, writes=True)
    return [(stamps.of(thing), name, True)]


def _in_python(computed: property) -> bool:
    """Whether what a property does when it is set is written in Python, which says itself what it touches."""
    return all(type(one) in (FunctionType, NoneType) for one in (computed.fset, computed.fdel))


def _family(kind: type) -> list[type]:
    """Return a class and all that inherit from it."""
    found: list[type] = [kind]
    for one in found:
        heirs: list[type] = type.__subclasses__(one)
        found += [heir for heir in heirs if heir not in found]
    return found


_DATA: Final = frozenset({GetSetDescriptorType})
_IN_C: Final = frozenset(
    {
        MethodDescriptorType,
        WrapperDescriptorType,
        ClassMethodDescriptorType,
        BuiltinFunctionType,
    }
)


class Lives:
    """The lives of all objects; each is a part of this. See `lifetimes.py`."""


LIVES: Final = Lives()


def life(thing: object, stamps: Stamps, *, writes: bool = False) -> list[Touch]:
    """Return what it touches to see whether an object is there still; None is one of which nobody knows."""
    stamps.ask()
    return [(stamps.of(LIVES), None if thing is None else ("life", stamps.watch(thing)), writes)]


def asked(reference: Any, stamps: Stamps) -> list[Touch]:
    """Return what it touches to ask a weak reference for its object."""
    return life(behind_reference(reference), stamps)


def ended(stamp: int, stamps: Stamps) -> list[Touch]:
    """Return what the end of an object touches, or of a weak reference to it."""
    return [(stamps.of(LIVES), ("life", stamp), True)]


def item(container: Any, key: object, stamps: Stamps, *, writes: bool) -> list[Touch]:
    """Return what reading or writing an item touches: it, or all where the container changes shape."""
    kind = type(container)
    if kind in FIXED or kind in HOLDING or issubclass(kind, type):
        return []
    if kind in VIEWS:
        return [
            touch for one in gc.get_referents(container) for touch in item(one, key, stamps, writes=writes)
        ]
    if issubclass(kind, dict):
        if isinstance(getattr(kind, "__setitem__" if writes else "__getitem__"), FunctionType):
            return []
        if type(key) not in _PLAIN_KEYS:
            return [(stamps.of(container), None, writes or issubclass(kind, defaultdict))]
        if not dict.__contains__(container, key):
            return [(stamps.of(container), None, writes or kind is not dict)]
        return [(stamps.of(container), key if type(key) is str else ("key", key), writes)]
    if issubclass(kind, (list, deque, bytearray)):
        if type(key) is not int:
            return [(stamps.of(container), None, writes)]
        return [(stamps.of(container), key if key >= 0 else len(container) + key, writes)]
    return whole(container, stamps, writes=writes)


def is_quick(site: Site, operands: tuple[Any, ...]) -> bool:
    """Return whether an instruction is done without calling code of the program."""
    return site.kind == "item" and type(operands[0]) in _QUICK_CONTAINERS and type(operands[1]) in _PLAIN_KEYS


_QUICK_CONTAINERS: Final = frozenset({dict, list, tuple, deque, bytearray, str, bytes})


def whole(thing: Any, stamps: Stamps, *, writes: bool) -> list[Touch]:
    """Return what an operation on a whole object touches; nothing if it does not depend on any state."""
    kind = type(thing)
    if kind in FIXED or kind in HOLDING:
        return []
    if issubclass(kind, _CONTAINERS):
        return [(stamps.of(thing), None, writes)]
    if kind in VIEWS:
        return [touch for one in gc.get_referents(thing) for touch in whole(one, stamps, writes=writes)]
    if kind in _PROXIES:
        thing = _behind_proxy(thing)
        if type(thing) in _PROXIES:
            return life(None, stamps)
        return [*whole(thing, stamps, writes=writes), *life(thing, stamps)]
    if solid(kind) in PLAIN or issubclass(kind, (threading.local, int, tuple, str, bytes, float)):
        return []
    writes = writes or not _is_memory(thing)
    touches: list[Touch] = [(stamps.of(one), None, writes) for one in _reached(thing)]
    if hasattr(kind, "__next__") and kind not in _RUNNING:
        held = list(_held(thing))
        if any(type(one) in _CALLED for one in held):
            return [*touches, *reach(held, stamps, writes=True)]
    return touches


def _held(iterator: object) -> Iterator[object]:
    """Yield what an iterator holds: what it draws from, and a function that it calls."""
    for one in gc.get_referents(iterator):
        if hasattr(type(one), "__next__") or type(one) is tuple:
            yield from _held(one)
        else:
            yield one


_CALLED: Final = frozenset(
    {BuiltinFunctionType, MethodWrapperType, MethodDescriptorType, WrapperDescriptorType}
)


def _is_memory(thing: object) -> bool:
    """Whether an object is nothing but memory, so that to read it changes nothing."""
    if issubclass(type(thing), (memoryview, mmap.mmap)):
        return True
    ours = sys.modules.get("_ctypes")
    return ours is not None and issubclass(type(thing), ours._SimpleCData.__mro__[-2])  # noqa: SLF001  (nothing public is it)


def _behind_proxy(proxy: Any) -> object:
    """Return what a weak proxy stands for; the proxy itself where it is dead."""
    try:
        return proxy.__reduce_ex__.__self__
    except (ReferenceError, AttributeError):
        return proxy


def _reached(thing: Any) -> list[object]:
    """Return an object of a type that is not known, and those whose state it shares."""
    if issubclass(type(thing), memoryview):
        try:
            return _reached(thing.obj)
        except ValueError:
            return []
    arrays = sys.modules.get("numpy")
    if arrays is not None and issubclass(type(thing), arrays.ndarray):
        return [thing] if thing.base is None else _reached(thing.base)
    memory = sys.modules.get("_ctypes")
    if memory is not None and issubclass(type(thing), memory._SimpleCData.__mro__[-2]):  # noqa: SLF001  (nothing public is it)
        kept = getattr(thing, "_objects", None)
        inside = list(kept.values()) if isinstance(kept, dict) else [kept]
        return [memory, *(root for one in inside if _has_buffer(one) for root in _reached(one))]
    if hasattr(type(thing), "__next__") and type(thing) not in _RUNNING:
        return [thing, *(root for one in gc.get_referents(thing) for root in _below(one))]
    return [thing]


def _below(thing: object) -> list[object]:
    """Return what an iterator draws from."""
    kind = type(thing)
    if kind in _RUNNING:
        return [thing]
    if kind is tuple:
        return [root for one in gc.get_referents(thing) for root in _below(one)]
    if kind in VIEWS or hasattr(kind, "__next__"):
        return [root for one in gc.get_referents(thing) for root in _below(one)] + (
            [thing] if kind not in VIEWS else []
        )
    return [thing] if issubclass(kind, _CONTAINERS) else []


def _has_buffer(thing: object) -> bool:
    return issubclass(type(thing), (memoryview, bytearray, array.array)) or not (
        thing is None or type(thing) in FIXED or issubclass(type(thing), (dict, tuple))
    )


def reach(things: Any, stamps: Stamps, *, writes: bool, deep: bool = True) -> list[Touch]:
    """Return what an operation touches that may look into what it is given, and into what that holds.

    Args:
        things: What it is given.
        stamps: The numbers of the run's objects.
        writes: Whether it may change it.
        deep: Whether it looks into what containers hold.
    """
    touches: list[Touch] = []
    seen: set[int] = set()
    level = list(things)
    for depth in range(DEPTH + 1):
        below: list[object] = []
        for thing in level:
            kind = type(thing)
            if kind in _BOUND and not issubclass(type(thing.__self__), (type, ModuleType, NoneType)):
                below.append(thing.__self__)
            if kind in FIXED or id(thing) in seen or issubclass(kind, (type, ModuleType, FunctionType)):
                continue
            if depth == DEPTH or len(seen) > THINGS_MAX:
                stamps.cut()
                return touches
            seen.add(id(thing))
            if kind is not tuple and kind is not frozenset:
                new = whole(thing, stamps, writes=writes)
                if not new and writes and kind is not MethodType and not issubclass(kind, threading.local):
                    new = [(stamps.of(thing), None, True)]
                touches += [touch for touch in new if touch not in touches]
            if deep and issubclass(kind, (*_CONTAINERS, tuple, frozenset, *VIEWS, functools.partial)):
                below += gc.get_referents(thing)
        if not below:
            break
        level = below
    return touches


def state(thing: Any, stamps: Stamps) -> list[Touch]:
    """Return what is touched by C code that reads an object with its attributes, and what they hold."""
    touches: list[Touch] = []
    seen: set[int] = set()
    left: list[Any] = [thing]
    while left:
        one = left.pop()
        kind = type(one)
        if kind in FIXED or id(one) in seen or issubclass(kind, (type, ModuleType, FunctionType)):
            continue
        if len(seen) > THINGS_MAX:
            stamps.cut()
            break
        seen.add(id(one))
        if kind not in HOLDING:
            touches.append((stamps.of(one), None, False))
        left += gc.get_referents(one)
    return touches


Shares = dict[int, dict[tuple[Part, int, bool], set[Any]]]


def conflicting(shares: Shares) -> set[Any]:
    """Return the sites whose accesses conflict with one of another thread.

    Args:
        shares: For each object, from (part, thread, writes) to the sites that touched it so.
    """
    found: set[Any] = set()
    for entries in shares.values():
        if len({thread for _, thread, _ in entries}) < 2 or not any(writes for _, _, writes in entries):
            continue
        # For each part, and for all: the threads that touched it, and those that wrote it.
        touched: dict[Part, tuple[set[int], set[int]]] = {None: (set(), set())}
        whole: tuple[set[int], set[int]] = (set(), set())
        for part, thread, writes in entries:
            for threads in (
                touched[None],
                whole if part is None else touched.setdefault(part, (set(), set())),
            ):
                threads[0].add(thread)
                if writes:
                    threads[1].add(thread)
        for (part, thread, writes), sites in entries.items():
            kind = 0 if writes else 1
            others = touched[part][kind] | (whole[kind] if part is not None else set())
            if others - {thread}:
                found |= sites
    return found
