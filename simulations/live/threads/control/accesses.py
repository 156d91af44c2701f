"""What an access touches, and which accesses conflict.

A location is an object and a part of it: an attribute, an index or a key; no part means all of it. Two
accesses conflict when they touch the same location, come from two threads, and one of them writes.

An operation on an object whose type is not known touches all of it, and counts as a write.
"""

from __future__ import annotations

import builtins
import decimal
import functools
import gc
import io
import itertools
import re
import sys
import threading
import weakref
from collections import defaultdict, deque
from types import (
    BuiltinFunctionType,
    CellType,
    ClassMethodDescriptorType,
    FrameType,
    FunctionType,
    GetSetDescriptorType,
    MethodDescriptorType,
    MethodType,
    ModuleType,
    NoneType,
    SimpleNamespace,
    WrapperDescriptorType,
)
from typing import TYPE_CHECKING, Any, Final

from simulations.live.threads.control.insides import looked_into, shown
from simulations.live.threads.control.kinds import (
    BOUND,
    CONTAINERS,
    FIXED,
    HEAP_TYPE,
    HOLDING,
    PLAIN,
    PLAIN_KEYS,
    PROXIES,
    RUNNING,
    VIEWS,
    is_data_in_c,
    is_of_library,
    solid,
)
from simulations.live.threads.control.provenance import of_primitives
from simulations.live.threads.control.roots import calls_c, held, is_memory, roots
from simulations.live.threads.control.stamps import attributes_of, behind_reference, slots_of

if TYPE_CHECKING:
    from simulations.live.threads.control.sites import Site
    from simulations.live.threads.control.stamps import Stamps

Part = str | int | tuple[str, object] | None


Touch = tuple[int, Part, bool]
"""A location that is touched: the number of the object, the part (None: all), whether it is written."""

TRIED: Final = ("tried", None)
"""The part of a lock that an operation touches which does not wait for it."""
FRONT: Final = ("end", "front")
BACK: Final = ("end", "back")
"""The parts of a queue that those touch who take from it, and who put into it; its items are parts too."""
STATE: Final = ("state", None)
"""The part of a module in C, or of a class, that is the state which its functions may keep."""
DEPTH: Final = 12
"""How many levels of what C is given are looked at."""
THINGS_MAX: Final = 1000
"""How many objects of what C is given are looked at."""
LIBRARY_DEPTH: Final = 6
"""How many levels of what the standard library is given are looked at, with its own objects."""


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
        touches = item(operands[0], operands[1], stamps, writes=site.writes)
        stored = operands[2:]
        return [*touches, *put(operands[0], operands[1], stored[0], stamps)] if stored else touches
    if site.kind == "slice":
        return [*whole(operands[0], stamps, writes=True), *put(operands[0], _SLICE, operands[1], stamps)]
    if site.kind == "contains" and issubclass(type(operands[0]), (dict, set, frozenset, *VIEWS)):
        return whole(operands[0], stamps, writes=False)
    if site.kind == "super":
        start, thing = operands
        return above(thing if issubclass(type(thing), type) else type(thing), start, site.name, stamps)
    if site.kind == "match":
        subject, pattern, names = operands
        return _matched(subject, pattern, names, stamps)
    if site.kind == "import":
        return imported("" if operands[0] else site.name, stamps)
    if site.kind in {"whole", "contains"}:
        if site.shows:
            state_of = as_text(operands[-1:], stamps)
            return [*state_of, *reach(operands, stamps, writes=site.writes)]
        if len(operands) == 1:
            return whole(operands[0], stamps, writes=site.writes)
        first, *others = operands
        touches = reach((first,), stamps, writes=site.writes)
        return touches + [touch for touch in reach(others, stamps, writes=False) if touch not in touches]
    return []


def _matched(subject: Any, kind: Any, names: Any, stamps: Stamps) -> list[Touch]:
    """Return what it touches to match an object with the pattern of a class."""
    touches = of_kind(subject, stamps)
    if not issubclass(type(kind), type):
        return touches
    touches += attribute(kind, "__match_args__", stamps, writes=False)
    known = next((vars(one)["__match_args__"] for one in kind.__mro__ if "__match_args__" in vars(one)), ())
    for name in (*names, *known):
        touches += attribute(subject, str(name), stamps, writes=False)
    return touches


def imported(name: str, stamps: Stamps) -> list[Touch]:
    """Return what it touches to import a module: the table of all of them, which a new one changes.

    Args:
        name: The name of the module, empty where only the package says which it is.
        stamps: The numbers of the run's objects.
    """
    if not name or name not in sys.modules:
        return [(stamps.of(sys.modules), None, bool(name))]
    return [(stamps.of(sys.modules), name, False)]


def of_kind(thing: Any, stamps: Stamps) -> list[Touch]:
    """Return what it touches to ask for the class of an object, which may be changed."""
    kind = type(thing)
    if not kind.__flags__ & HEAP_TYPE or kind in FIXED:
        return []
    return [(stamps.of(thing), "__class__", False), *of_bases(kind, stamps)]


def of_bases(kind: type, stamps: Stamps) -> list[Touch]:
    """Return what it touches to ask which classes a class inherits from."""
    return [(stamps.of(kind), "__bases__", False)] if kind.__flags__ & HEAP_TYPE else []


def listed(thing: Any, stamps: Stamps) -> list[Touch]:
    """Return what it touches to ask which attributes an object has."""
    kinds = thing.__mro__ if issubclass(type(thing), type) else (thing, *type(thing).__mro__)
    return [
        (stamps.of(one), None, False)
        for one in kinds
        if not issubclass(type(one), type) or one.__flags__ & HEAP_TYPE
    ]


def as_text(things: Any, stamps: Stamps) -> list[Touch]:
    """Return what it touches, of the state of primitives, to make a text of things."""
    return [(stamps.of(one), None, False) for one in shown(things, stamps)]


def attribute(thing: Any, name: str, stamps: Stamps, *, writes: bool) -> list[Touch]:
    """Return what reading or writing an attribute touches: the object, or the class that has it."""
    kind = type(thing)
    if kind is super and not writes:
        return _above(thing, name, stamps)
    if kind is FrameType and name == "f_locals":
        look_at_cells(thing, stamps)
    if issubclass(kind, threading.local) or kind in FIXED or kind is tuple or kind is frozenset:
        return []
    if kind in PROXIES:
        thing = _behind_proxy(thing)
        if type(thing) in PROXIES:
            return life(None, stamps)
        return [*attribute(thing, name, stamps, writes=writes), *life(thing, stamps)]
    if kind is MethodType:
        return [] if writes else attribute(thing.__func__, name, stamps, writes=False)
    if kind is CellType:
        return [(stamps.of(thing), None, writes)]
    if kind is FunctionType and name == "__kwdefaults__":
        stamps.hinder(f"a worker looks at the {name} of {thing.__qualname__}, which may be changed unseen")
    if writes:
        return _written(thing, name, stamps)
    of_class = issubclass(kind, type)
    if name == "__class__" and not of_class:
        return of_kind(thing, stamps)
    has = value = None
    for owner in thing.__mro__ if of_class else kind.__mro__:
        if name in owner.__dict__:
            has, value = owner, owner.__dict__[name]
            break
    if has is not None and not of_class:
        if name in _SPACES and type(value) is GetSetDescriptorType:
            return []
        if is_data_in_c(value) and solid(kind) not in PLAIN:
            return whole(thing, stamps, writes=True)
        if type(value) is property and not _in_python(value.fget):
            return state([thing], stamps)
    if type(value) in _IN_C and (of_class or attributes_of(thing) is None):
        return []  # a method is loaded here, and touches what it touches where it is called
    if (
        issubclass(kind, ModuleType)
        and name not in vars(thing)
        and not _in_python(vars(thing).get("__getattr__"))
    ):
        stamps.hinder(f"the attributes of {thing.__name__} are computed in C")
    touches: list[Touch] = [(stamps.of(thing), name, False)]
    # A class is written for itself and for all that inherit from it.
    touches += [
        (stamps.of(one), name, False) for one in _asked(thing, name, has) if one.__flags__ & HEAP_TYPE
    ]
    return touches


def look_at_cells(frame: FrameType | None, stamps: Stamps) -> None:
    """Note that all variables of a frame are read; those that it shares with other functions stand alone."""
    code = frame.f_code if frame is not None else None
    if code is not None and {*code.co_freevars, *code.co_cellvars} - {"__class__"}:
        stamps.hinder(f"all variables of {code.co_qualname} were read, which shares some with others")


def _above(proxy: Any, name: str, stamps: Stamps) -> list[Touch]:
    """Return what it touches to read an attribute above a class."""
    kind, start = _OBJECTS_CLASS.__get__(proxy), _START.__get__(proxy)
    return above(kind, start, name, stamps)


def above(kind: Any, start: Any, name: str, stamps: Stamps) -> list[Touch]:
    """Return what it touches to look an attribute up in what a class inherits from after another class."""
    touches: list[Touch] = []
    order = kind.__mro__ if issubclass(type(kind), type) else ()
    for owner in order[order.index(start) + 1 :] if start in order else ():
        if owner.__flags__ & HEAP_TYPE:
            touches.append((stamps.of(owner), name, False))
        if name in vars(owner):
            break
    return touches


_OBJECTS_CLASS: Final[Any] = vars(super)["__self_class__"]
_START: Final[Any] = vars(super)["__thisclass__"]


def _asked(thing: Any, name: str, has: type | None) -> list[type]:
    """Return the classes that decide, beside an object, what an attribute of it is."""
    kind = type(thing)
    if issubclass(kind, type):
        return [kind] if has is None else [] if has is thing else [has]
    if has is None:
        space: Any = attributes_of(thing)
        return [] if space is not None and name in space else [kind]
    return [kind] if has is kind else [kind, has]


def _written(thing: Any, name: str, stamps: Stamps) -> list[Touch]:
    kind = type(thing)
    if issubclass(kind, type):
        part = None if name == "__bases__" else name
        return [(stamps.of(one), part, True) for one in _family(thing)]
    if kind is FunctionType and name in {"__defaults__", "__kwdefaults__", "__code__"}:
        stamps.hinder(f"a worker changes the {name} of {thing.__qualname__}")
    if thing is builtins or thing is decimal.DefaultContext:
        stamps.hinder(f"a worker changes {name}, which others see without asking for it by name")
    if name == "__dict__":
        stamps.hinder(f"a worker replaces the attributes of a {kind.__qualname__} as a whole")
    if name in {"__dict__", "__class__"}:
        return [(stamps.of(thing), None, True)]
    for owner in kind.__mro__:
        has = owner.__dict__.get(name)
        if type(has) is property and _is_unseen(has.fset):
            return [(stamps.of(thing), name, True)]
        if type(has) is property and _in_python(has.fset) and _in_python(has.fdel):
            return [(stamps.of(thing), name, False), (stamps.of(kind), name, False)]
        if type(has) is property:
            return [(stamps.of(thing), None, True)]
        if has is not None and is_data_in_c(has) and solid(kind) not in PLAIN:
            return whole(thing, stamps, writes=True)
    return [(stamps.of(thing), name, True)]


def _in_python(function: Any) -> bool:
    """Return whether a function, if there is one, is written in Python, and says itself what it touches."""
    return type(function) in (FunctionType, NoneType)


def _is_unseen(function: Any) -> bool:
    """Return whether a function is one of those out of which primitives are made."""
    return type(function) is FunctionType and of_primitives(function.__code__)


def _family(kind: type) -> list[type]:
    """Return a class and all that inherit from it."""
    found: list[type] = [kind]
    for one in found:
        heirs: list[type] = type.__subclasses__(one)
        found += [heir for heir in heirs if heir not in found]
    return found


_SPACES: Final = frozenset({"__dict__", "__weakref__"})
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
        if type(key) not in PLAIN_KEYS:
            return [(stamps.of(container), None, writes or issubclass(kind, defaultdict))]
        if not dict.__contains__(container, key):
            return [(stamps.of(container), None, writes or kind is not dict)]
        return [(stamps.of(container), key if type(key) is str else ("key", key), writes)]
    if issubclass(kind, (list, deque, bytearray)):
        if type(key) is not int:
            return [(stamps.of(container), None, writes)]
        return [(stamps.of(container), key if key >= 0 else len(container) + key, writes)]
    return whole(container, stamps, writes=writes)


def put(container: Any, key: object, value: object, stamps: Stamps) -> list[Touch]:
    """Return what it touches to read a value, of which the parts are put into a container in C."""
    kind = type(container)
    if issubclass(kind, (dict, deque)) or (issubclass(kind, list) and type(key) is not slice):
        return []
    in_python = isinstance(getattr(kind, "__setitem__", None), FunctionType)
    return [] if in_python else reach((value,), stamps, writes=False, deep=False)


_SLICE: Final = slice(None)


def is_quick(site: Site, operands: tuple[Any, ...]) -> bool:
    """Return whether an instruction is done without calling code of the program."""
    return site.kind == "item" and type(operands[0]) in _QUICK_CONTAINERS and type(operands[1]) in PLAIN_KEYS


_QUICK_CONTAINERS: Final = frozenset({dict, list, tuple, deque, bytearray, str, bytes})


def whole(thing: Any, stamps: Stamps, *, writes: bool) -> list[Touch]:
    """Return what an operation on a whole object touches; nothing if it does not depend on any state."""
    kind = type(thing)
    if kind in FIXED or kind in HOLDING:
        return []
    if issubclass(kind, CONTAINERS):
        return [(stamps.of(thing), None, writes)]
    if kind in VIEWS:
        return [touch for one in gc.get_referents(thing) for touch in whole(one, stamps, writes=writes)]
    if kind in PROXIES:
        thing = _behind_proxy(thing)
        if type(thing) in PROXIES:
            return life(None, stamps)
        return [*whole(thing, stamps, writes=writes), *life(thing, stamps)]
    if solid(kind) in PLAIN or issubclass(kind, (threading.local, int, tuple, str, bytes, float)):
        return []
    if kind is re.Match:
        return whole(thing.string, stamps, writes=False)
    writes = writes or not is_memory(thing)
    touches: list[Touch] = [(stamps.of(one), None, writes) for one in roots(thing)]
    if hasattr(kind, "__next__") and kind not in RUNNING:
        inside = list(held(thing))
        if kind is itertools.chain:
            return [*touches, *reach(inside, stamps, writes=False)]
        if calls_c(inside):
            return [*touches, *reach(inside, stamps, writes=True)]
    return touches


def _behind_proxy(proxy: Any) -> object:
    """Return what a weak proxy stands for; the proxy itself where it is dead."""
    try:
        return proxy.__reduce_ex__.__self__
    except (ReferenceError, AttributeError):
        return proxy


def reach(
    things: Any, stamps: Stamps, *, writes: bool, deep: bool = True, library: bool = False
) -> list[Touch]:
    """Return what an operation touches that may look into what it is given, and into what that holds.

    Args:
        things: What it is given.
        stamps: The numbers of the run's objects.
        writes: Whether it may change it.
        deep: Whether it looks into what containers hold.
        library: Whether it is of the standard library, which looks into objects of its own.
    """
    touches: dict[Touch, None] = {}
    seen: set[int] = set()
    level = list(things)
    for depth in range(DEPTH + 1):
        below: list[object] = []
        for thing in level:
            kind = type(thing)
            if kind in BOUND and not issubclass(type(thing.__self__), (type, ModuleType, NoneType)):
                below.append(thing.__self__)
            if kind in FIXED or id(thing) in seen or kind is FunctionType:
                continue
            if issubclass(kind, (type, ModuleType)):
                if library and (kind is ModuleType or thing.__flags__ & HEAP_TYPE):
                    touches[stamps.of(thing), None, False] = None
                continue
            if depth == (LIBRARY_DEPTH if library else DEPTH) or len(seen) > THINGS_MAX:
                stamps.cut()
                return list(touches)
            seen.add(id(thing))
            if kind is not tuple and kind is not frozenset:
                new = whole(thing, stamps, writes=writes)
                if kind is SimpleNamespace:
                    new = [(stamps.of(thing), None, writes)]
                if not new and writes and kind is not MethodType and not issubclass(kind, threading.local):
                    new = [(stamps.of(thing), None, True)]
                touches |= dict.fromkeys(new)
            if deep and issubclass(kind, _LOOKED_INTO):
                below += gc.get_referents(thing)
            if library:
                below += _of_library(thing)
        if not below:
            break
        level = below
    return list(touches)


_LOOKED_INTO: Final = (*CONTAINERS, *(HOLDING - {MethodType}), *VIEWS, functools.partial, SimpleNamespace)


def _of_library(thing: Any) -> list[object]:
    """Return what an object of the standard library holds, beside the streams that messages go to."""
    kind = type(thing)
    if kind is weakref.finalize:
        return list(thing.peek() or ())
    if kind is MethodType:
        return [thing.__self__] if is_of_library(type(thing.__self__)) else []
    if not is_of_library(kind):
        return []
    space: Any = attributes_of(thing) or {}
    return [one for one in (*space.values(), *slots_of(thing)) if not is_stream(one)]


def is_stream(thing: object) -> bool:
    """Return whether a thing is where messages go to, whose order is not part of the program."""
    standard = (sys.stdout, sys.stderr, sys.__stdout__, sys.__stderr__)
    return type(thing) is not io.StringIO and any(thing is each for each in standard)


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
