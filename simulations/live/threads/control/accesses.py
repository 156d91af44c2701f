"""What an access touches, and which accesses conflict.

A location is an object and a part of it: an attribute, an index or a key; no part means all of it. Two
accesses conflict when they touch the same location, come from two threads, and one of them writes.
"""

from __future__ import annotations

import datetime as dt
import decimal
import gc
import re
import threading
import weakref
from collections import OrderedDict, deque
from types import (
    BuiltinMethodType,
    FunctionType,
    GeneratorType,
    GetSetDescriptorType,
    MemberDescriptorType,
    MethodDescriptorType,
    MethodType,
    MethodWrapperType,
    ModuleType,
    WrapperDescriptorType,
)
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from simulations.live.threads.control.sites import Site

Part = str | int | tuple[str, object] | None


Touch = tuple[int, Part, bool]
"""A location that is touched: the number of the object, the part (None: all), whether it is written."""

_CONTAINERS: Final = (dict, list, set, deque, bytearray, OrderedDict)
_IMMUTABLE: Final = frozenset(
    {
        int,
        float,
        complex,
        bool,
        str,
        bytes,
        tuple,
        frozenset,
        range,
        slice,
        type(None),
        type,
        FunctionType,
        MethodType,
    }
)
_LOOKED_THROUGH: Final[tuple[object, ...]] = (
    {}.keys(),
    {}.values(),
    {}.items(),
    iter({}),
    iter({}.values()),
    iter({}.items()),
    iter([]),
    reversed([]),
    iter(set()),
    iter(deque()),
    OrderedDict().keys(),
    OrderedDict().values(),
    OrderedDict().items(),
    iter(OrderedDict()),
)
_VIEWS: Final = tuple(type(view) for view in _LOOKED_THROUGH)
_PLAIN_KEYS: Final = frozenset({int, str, bytes, bool, float, type(None)})
READING_METHODS: Final = frozenset(
    {
        "get",
        "copy",
        "items",
        "keys",
        "values",
        "index",
        "count",
        "__contains__",
        "__getitem__",
        "__len__",
        "__iter__",
        "__eq__",
        "__ne__",
        "__lt__",
        "__repr__",
        "isdisjoint",
        "issubset",
        "issuperset",
        "union",
        "intersection",
        "difference",
        "symmetric_difference",
        "__reversed__",
        "__str__",
        "__hash__",
        "__getattribute__",
        "__format__",
        "__sizeof__",
        "__reduce__",
        "__reduce_ex__",
        "__dir__",
        "__class__",
        "__init_subclass__",
    }
)
_UNSHARED: Final = frozenset(
    {
        re.Pattern,
        re.Match,
        GeneratorType,
        dt.datetime,
        dt.date,
        dt.timedelta,
        dt.time,
        decimal.Decimal,
        property,
    }
)
TRIED: Final = ("tried", None)
"""The part of a lock that an operation touches which does not wait for it."""


class Stamps:
    """Numbers the objects of a run, in the order in which they are first touched.

    An address says nothing once its object has died. Objects that can be referred to weakly give their number
    back when they die; the others are kept until the run is over.
    """

    __slots__ = ("_by_address", "_kept", "_next")

    def __init__(self) -> None:
        self._by_address: dict[int, int] = {}
        self._kept: list[object] = []
        self._next = 0

    def of(self, thing: object) -> int:
        """Return the number of an object."""
        address = id(thing)
        stamp = self._by_address.get(address)
        if stamp is None:
            stamp = self._by_address[address] = self._next
            self._next += 1
            forget = self._by_address
            try:
                self._kept.append(weakref.ref(thing, lambda _: forget.pop(address, None)))
            except TypeError:
                self._kept.append(thing)
        return stamp


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
        return attribute(operands[0], site.name, stamps, writes=site.writes)
    if site.kind == "global":
        return [] if space is None else [(stamps.of(space), site.name, site.writes)]
    if site.kind == "cell":
        return [(stamps.of(operands[0]), None, site.writes)]
    if site.kind == "item":
        return item(operands[0], operands[1], stamps, writes=site.writes)
    if site.kind == "whole":
        return whole(operands[0], stamps, writes=site.writes)
    return []


def attribute(thing: object, name: str, stamps: Stamps, *, writes: bool) -> list[Touch]:
    """Return what reading or writing an attribute touches: the object, or the class that has it."""
    kind = type(thing)
    if kind is ModuleType:
        return [(stamps.of(vars(thing)), name, writes)]
    if issubclass(kind, threading.local) or (kind in _IMMUTABLE and kind is not type):
        return []
    touches: list[Touch] = [(stamps.of(thing), name, writes)]
    if writes:
        return touches
    owners = thing.__mro__ if isinstance(thing, type) else kind.__mro__
    for owner in owners:
        if name in owner.__dict__:
            value = owner.__dict__[name]
            if owner is not thing and not isinstance(value, _DEFINED):
                touches.append((stamps.of(owner), name, False))
            break
    return touches


_DEFINED: Final = (
    FunctionType,
    property,
    staticmethod,
    classmethod,
    GetSetDescriptorType,
    MemberDescriptorType,
    MethodDescriptorType,
    WrapperDescriptorType,
)


def item(container: Any, key: object, stamps: Stamps, *, writes: bool) -> list[Touch]:
    """Return what reading or writing an item touches: it, or all where the container changes shape."""
    kind = type(container)
    if kind in _IMMUTABLE:
        return []
    if isinstance(container, dict):
        if isinstance(getattr(kind, "__setitem__" if writes else "__getitem__"), FunctionType):
            return []
        if type(key) not in _PLAIN_KEYS or (writes and not dict.__contains__(container, key)):
            return [(stamps.of(container), None, writes)]
        return [(stamps.of(container), ("key", key), writes)]
    if isinstance(container, (list, deque, bytearray)):
        if type(key) is not int:
            return [(stamps.of(container), None, writes)]
        return [(stamps.of(container), key if key >= 0 else len(container) + key, writes)]
    return whole(container, stamps, writes=writes)


def whole(thing: Any, stamps: Stamps, *, writes: bool) -> list[Touch]:
    """Return what an operation on a whole object touches; nothing if it is not a container."""
    kind = type(thing)
    if kind in _IMMUTABLE:
        return []
    if kind in _VIEWS:
        return [
            (stamps.of(referent), None, writes)
            for referent in gc.get_referents(thing)
            if isinstance(referent, _CONTAINERS)
        ]
    if isinstance(thing, _CONTAINERS):
        return [(stamps.of(thing), None, writes)]
    return []


def method(owner: Any, name: str, stamps: Stamps) -> list[Touch]:
    """Return what a call of a method that is not written in Python touches."""
    kind = type(owner)
    if kind in _IMMUTABLE or isinstance(owner, (ModuleType, type, BaseException)) or kind in _UNSHARED:
        return []
    if kind in _VIEWS:
        return whole(owner, stamps, writes=False)
    if isinstance(owner, super):
        return []
    if name in {"__setattr__", "__delattr__", "__init__", "__new__", "__exit__", "__enter__"}:
        return []
    return [(stamps.of(owner), None, name not in READING_METHODS)]


def owner_of(function: object) -> tuple[object, str] | None:
    """Return the object and the name of a bound method that is not written in Python."""
    if isinstance(function, (BuiltinMethodType, MethodWrapperType)):
        owner = function.__self__
        if owner is None or isinstance(owner, ModuleType):
            return None
        return owner, function.__name__
    return None


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
        rows = list(entries.items())
        for index, ((part, thread, writes), sites) in enumerate(rows):
            for (other_part, other_thread, other_writes), other_sites in rows[index + 1 :]:
                if thread == other_thread or not (writes or other_writes):
                    continue
                if part == other_part or part is None or other_part is None:
                    found |= sites
                    found |= other_sites
    return found
