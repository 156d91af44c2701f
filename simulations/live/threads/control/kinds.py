"""Which types are known, and what kind of state their objects have."""

from __future__ import annotations

import array
import datetime as dt
import decimal
import fractions
import re
import threading
import uuid
import weakref
from collections import OrderedDict, deque
from types import (
    AsyncGeneratorType,
    BuiltinFunctionType,
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
from typing import Any, Final

from simulations.live.threads.control.provenance import Origin, origin

CONTAINERS: Final = (dict, list, set, deque, bytearray, OrderedDict, array.array)
FIXED: Final[frozenset[type]] = frozenset(
    {
        int,
        float,
        complex,
        bool,
        str,
        bytes,
        range,
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
HOLDING: Final[frozenset[type]] = frozenset({tuple, frozenset, slice, MethodType})
"""Types whose objects do not change, but may hold some that do."""
PLAIN: Final[frozenset[type]] = frozenset({object, SimpleNamespace, ModuleType, FunctionType, type})
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
PLAIN_KEYS: Final = frozenset({int, str, bytes, bool, float, type(None)})
PROXIES: Final = (weakref.ProxyType, weakref.CallableProxyType)
RUNNING: Final = frozenset({GeneratorType, CoroutineType, AsyncGeneratorType})
"""What runs code of Python, which says itself what it touches."""
BOUND: Final = frozenset({BuiltinFunctionType, MethodWrapperType})
"""Methods in C that know the object which they belong to."""
_IMMUTABLE_TYPE: Final = 1 << 8
HEAP_TYPE: Final = 1 << 9
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
    _LIBRARY.clear()


def _has_state(kind: type) -> bool:
    base = kind.__base__
    if base is None or kind in PLAIN or not kind.__flags__ & HEAP_TYPE or kind.__flags__ & _IMMUTABLE_TYPE:
        return True
    seen = sum(
        type(value) is MemberDescriptorType
        or (type(value) is GetSetDescriptorType and name in {"__dict__", "__weakref__"})
        for name, value in vars(kind).items()
    )
    return (
        kind.__basicsize__ - base.__basicsize__ > _POINTER * seen or kind.__itemsize__ != base.__itemsize__
    ) and not issubclass(kind, (int, tuple, bytes))


_LIBRARY: Final[dict[type, bool]] = {}


def is_of_library(kind: type) -> bool:
    """Return whether methods of a class are of those functions of the standard library that are one step."""
    found = _LIBRARY.get(kind)
    if found is None:
        found = _LIBRARY[kind] = any(
            type(value) is FunctionType and origin(value.__code__) is Origin.STEP
            for base in kind.__mro__
            for value in vars(base).values()
        )
    return found


def is_data_in_c(descriptor: Any) -> bool:
    """Return whether a descriptor reads and writes state of an object that is in none of its attributes."""
    kind = type(descriptor)
    if kind is GetSetDescriptorType:
        return True
    setter = getattr(kind, "__set__", None)
    return type(setter) is WrapperDescriptorType and kind not in {property, MemberDescriptorType}
