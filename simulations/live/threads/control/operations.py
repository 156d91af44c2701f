"""What a call of something that is not written in Python touches.

What is not known touches everything that it is given, and writes it. The tables say what is known, by the
identity of the function or of the type.
"""

from __future__ import annotations

import builtins
import copyreg
import functools
import heapq
import io
import itertools
import marshal
import math
import operator
import os
import pickle
import re
import struct
import sys
import threading
import time
import warnings
import weakref
from collections import OrderedDict, defaultdict, deque
from contextvars import Context
from types import (
    BuiltinFunctionType,
    FunctionType,
    GetSetDescriptorType,
    MemberDescriptorType,
    MethodDescriptorType,
    MethodType,
    MethodWrapperType,
    ModuleType,
    WrapperDescriptorType,
)
from typing import TYPE_CHECKING, Any, Final

from simulations.live.threads.control import accesses, back_end, classes
from simulations.live.threads.control.accesses import STATE, as_text, reach, state, whole
from simulations.live.threads.control.kinds import FIXED, HOLDING, PLAIN, VIEWS, solid
from simulations.live.threads.control.roots import calls_c
from simulations.live.threads.control.stamps import attributes_of
from simulations.live.threads.control.standard_library import optional_module

if TYPE_CHECKING:
    from collections.abc import Callable

    from simulations.live.threads.control.accesses import Touch
    from simulations.live.threads.control.stamps import Stamps

ON_FRAMES: Final[frozenset[object]] = frozenset(
    {
        super,
        globals,
        locals,
        vars,
        exec,
        eval,
        compile,
        breakpoint,
        __import__,
        builtins.__build_class__,
        sys._getframe,  # noqa: SLF001  (it is compared, not used)
        sys.exc_info,
        sys.settrace,
        sys.setprofile,
        threading.Lock,
        threading.RLock,
        back_end.thread_ident,
        warnings.warn,
    }
)
"""What looks at the frame that calls it, or touches nothing that a thread could share: called as it is."""
_INNOCENT: Final[frozenset[object]] = frozenset(
    {
        id,
        callable,
        object,
        property,
        staticmethod,
        classmethod,
        memoryview,
        functools.partial,
        operator.attrgetter,
        operator.itemgetter,
        operator.methodcaller,
        operator.is_,
        operator.is_not,
        itertools.count,
        itertools.repeat,
        slice,
        range,
        *(value for value in vars(math).values() if callable(value)),
        *(value for value in vars(time).values() if callable(value)),
    }
    - {math.fsum, math.prod, math.dist, getattr(math, "sumprod", None), time.struct_time}
    - {getattr(time, "tzset", None)}
)
"""What touches none of its arguments, or keeps them for later."""
_SHALLOW: Final[frozenset[object]] = frozenset(
    {len, iter, list, tuple, enumerate, zip, map, filter, reversed, deque, itertools.chain, itertools.islice}
)
_READERS: Final[frozenset[object]] = frozenset(
    {
        sorted,
        sum,
        min,
        max,
        any,
        all,
        dict,
        set,
        frozenset,
        OrderedDict,
        repr,
        str,
        ascii,
        format,
        print,
        hash,
        abs,
        int,
        float,
        complex,
        bool,
        bytes,
        bytearray,
        round,
        divmod,
        pow,
        bin,
        math.fsum,
        math.prod,
        math.dist,
        time.struct_time,
        functools.reduce,
        struct.pack,
        struct.unpack,
        struct.unpack_from,
        struct.iter_unpack,
        operator.length_hint,
        *(
            getattr(operator, name)
            for name in (
                *("lt", "le", "eq", "ne", "ge", "gt", "not_", "truth", "add", "sub", "mul", "and_", "or_"),
                *("xor", "concat", "contains", "countOf", "indexOf", "index", "neg", "mod", "matmul"),
            )
        ),
        *(
            getattr(heapq, name)
            for name in ("nsmallest", "nlargest")
            if not isinstance(getattr(heapq, name), FunctionType)
        ),
    }
)
"""What reads its arguments, and what they hold."""
_SHOWING: Final[frozenset[object]] = frozenset({repr, ascii, format, print, operator.mod})
"""What makes a text of its arguments."""
_WRITERS_OF_STATE: Final[frozenset[object]] = frozenset(
    {pickle.dump, pickle.dumps, marshal.dump, marshal.dumps}
)
"""What reads objects as a whole, with their attributes."""
_STATELESS: Final = frozenset(
    {
        *("builtins", "math", "cmath", "operator", "_operator", "_struct", "_heapq", "_bisect", "itertools"),
        *("_functools", "_collections", "_collections_abc", "zlib", "binascii", "_json", "_pickle", "array"),
        *("unicodedata", "_random", "_statistics", "_datetime", "_sre", "_string", "_hashlib", "_sha1"),
        *("_sha2", "_sha256", "_sha512", "_sha3", "_md5", "_blake2", "_io", "_weakref", "_abc", "_ctypes"),
        *("_stat", "_opcode", "marshal", "_thread", "_contextvars", "_ast", "_typing"),
        *("_queue", "_uuid", "_bz2", "_lzma", "_elementtree", "pyexpat", "_decimal", "_zoneinfo"),
    }
)
"""Modules in C of the standard library whose functions depend on nothing but their arguments."""
_KEEPING_STATE: Final[dict[str, tuple[frozenset[str], frozenset[str]]]] = {
    "_csv": (
        frozenset({"reader", "writer", "Dialect", "get_dialect", "list_dialects"}),
        frozenset({"register_dialect", "unregister_dialect", "field_size_limit"}),
    ),
    "_codecs": (
        frozenset({"lookup", "lookup_error", "encode", "decode"}),
        frozenset({"register", "unregister", "register_error"}),
    ),
    "_sqlite3": (frozenset(), frozenset({"register_adapter", "register_converter"})),
}
"""Modules in C of which some functions read a state that others write; the rest depends on none."""
_HARMLESS: Final[frozenset[object]] = frozenset(
    function
    for module, names in (
        (sys, ("getsizeof", "intern", "exception", "getdefaultencoding", "is_finalizing")),
        (sys, ("getfilesystemencoding", "exit", "audit", "call_tracing", "getallocatedblocks")),
        (os, ("fspath", "getpid", "getppid", "cpu_count", "urandom", "strerror", "getuid", "geteuid")),
        (os, ("isatty", "_exit", "getgid", "sched_getaffinity", "uname", "get_terminal_size")),
    )
    for name in names
    if (function := getattr(module, name, None)) is not None
)
"""What depends on nothing that a thread could change."""
SEEN_BY_ALL: Final[frozenset[object]] = frozenset(
    function
    for module, name in (
        (time, "tzset"),
        (sys, "set_int_max_str_digits"),
        (optional_module("_locale"), "setlocale"),
    )
    if (function := getattr(module, name, None)) is not None
)
"""What changes how other functions in C work, which say nothing of it."""
_COUNTING: Final[frozenset[object]] = frozenset(
    {sys.getrefcount, weakref.getweakrefcount, weakref.getweakrefs}
)
_KNOWN: Final = (_HARMLESS, ON_FRAMES, _INNOCENT, _COUNTING)
CALLING: Final[frozenset[object]] = frozenset(
    {
        *(iter, map, filter, sorted, min, max, functools.reduce),
        *(itertools.starmap, itertools.takewhile, itertools.dropwhile, itertools.filterfalse),
        *(itertools.groupby, itertools.accumulate, operator.call),
    }
)
"""What calls, in C, what it is given."""
_HASHED: Final = frozenset({BuiltinFunctionType, FunctionType, MethodDescriptorType, type})
_ASKING: Final[frozenset[object]] = frozenset({isinstance, issubclass})
_GETTERS: Final[frozenset[object]] = frozenset({getattr, hasattr})
_SETTERS: Final[frozenset[object]] = frozenset({setattr, delattr})
_PUT: Final = 3
"""With how many arguments a container is given something: itself, the key, the value."""
_ITEMS: Final[dict[object, bool]] = {operator.getitem: False, operator.setitem: True}
_GENERAL: Final = ("__setattr__", "__getattribute__", "__delattr__")
_READING: Final[frozenset[str]] = frozenset(
    [
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
        "__le__",
        "__gt__",
        "__ge__",
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
        "__add__",
        "__mul__",
        "__rmul__",
        "__or__",
        "__and__",
        "__sub__",
        "__xor__",
        "decode",
        "hex",
        "find",
        "rfind",
        "startswith",
        "endswith",
        "split",
        "rsplit",
        "strip",
        "lstrip",
        "rstrip",
        "join",
        "tolist",
        "tobytes",
        "__bool__",
        "__length_hint__",
        "fromkeys",
    ]
)
"""Methods of the containers that read, by name: the type is known, so the name says what is called."""
_COMPARING: Final = frozenset({"remove", "index", "count", "__contains__"})
"""Methods of a sequence that compare what it holds."""
_KEEPING: Final[frozenset[str]] = frozenset(
    [
        "append",
        "appendleft",
        "add",
        "insert",
        "setdefault",
        "__setitem__",
        "pop",
        "popleft",
        "popitem",
        "get",
        "remove",
        "discard",
        "clear",
        "move_to_end",
        "__contains__",
        "__getitem__",
        "__delitem__",
        "index",
        "count",
    ]
)
"""Methods of the containers that look into none of their arguments."""
_CONTAINERS: Final = frozenset({dict, list, set, deque, bytearray, OrderedDict})
_LAZY: Final = frozenset({"finditer", "scanner"})
_FORMATTING: Final = frozenset({"format", "format_map"})
_SAYING: Final = frozenset({"__repr__", "__str__", "__format__"})
_BUILDERS: Final = frozenset(
    {"__init__", "__new__", "__init_subclass__", "__subclasshook__", "__class_getitem__"}
)


def called(function: Any, args: tuple[Any, ...], kwargs: dict[str, Any], stamps: Stamps) -> list[Touch]:
    """Return what a call touches, besides what the Python code that it leads to does.

    Args:
        function: What is called.
        args: Its arguments.
        kwargs: Its arguments by name.
        stamps: The numbers of the run's objects.
    """
    kind = type(function)
    if kind is FunctionType:
        return []
    if kind is functools.partial:
        own = [(stamps.of(one), None, False) for one in (function, function.keywords)]
        given = (*function.args, *args)
        return [*own, *called(function.func, given, {**function.keywords, **kwargs}, stamps)]
    if kind is MethodType:
        return called(function.__func__, (function.__self__, *args), kwargs, stamps)
    given = (*args, *kwargs.values())
    if issubclass(kind, type):
        return _made(function, given, stamps)
    if function is type.__subclasses__:
        return classes.below(stamps)
    if kind is MethodWrapperType and function.__name__ == "__call__":
        return called(function.__self__, args, kwargs, stamps)
    if kind is WrapperDescriptorType and function.__name__ == "__call__":
        return called(args[0], args[1:], kwargs, stamps) if args else []
    if kind in (MethodDescriptorType, WrapperDescriptorType):
        return _method(args[0], function.__name__, args[1:], given[1:], stamps) if args else []
    if kind is MethodWrapperType:
        return _method(function.__self__, function.__name__, args, given, stamps)
    if issubclass(kind, BuiltinFunctionType):
        owner = function.__self__
        if owner is None or issubclass(type(owner), ModuleType):
            return _function(function, args, given, stamps)
        if issubclass(type(owner), type):
            if function.__name__ == "__subclasses__":
                return classes.below(stamps)
            if function.__name__ == "__new__" and issubclass(owner, type):
                return classes.made(given[1:], stamps)
            known = owner in _READERS or owner in _CONTAINERS or function.__name__ in _BUILDERS
            return reach(given[1:] if function.__name__ == "__new__" else given, stamps, writes=not known)
        return _method(owner, function.__name__, args, given, stamps)
    if issubclass(kind, weakref.ref) and not isinstance(getattr(kind, "__call__", None), FunctionType):  # noqa: B004  (the call of the type is what runs)
        return accesses.asked(function, stamps)
    if kind is operator.attrgetter or kind is operator.itemgetter:
        return _got(function, args, stamps)
    if isinstance(getattr(kind, "__call__", None), FunctionType):  # noqa: B004  (the call of the type is what runs)
        return []
    # Of an object that holds the function, as a cache does, all counts.
    return [*whole(function, stamps, writes=True), *reach(given, stamps, writes=True)]


def calls_given(function: Any) -> bool:
    """Return whether a function in C calls what it is given, which may be a primitive."""
    if type(function) is BuiltinFunctionType and type(function.__self__) is Context:
        return True
    return type(function) is operator.methodcaller or is_one_of(function, CALLING)


def is_one_of(function: Any, table: frozenset[object]) -> bool:
    """Return whether a function is in a table, and run no code of the program for it."""
    return type(function) in _HASHED and function in table


def on_frames(function: Any, stamps: Stamps) -> list[Touch]:
    """What a call touches in place of which nothing can stand, since it looks at its caller."""
    if function is builtins.__build_class__:
        return classes.made((), stamps)
    return [(stamps.of(warnings.filters), None, True)] if function is warnings.warn else []


def _got(function: Any, args: tuple[Any, ...], stamps: Stamps) -> list[Touch]:
    """What `attrgetter` and `itemgetter` read: as much as one attribute after another holds."""
    names = function.__reduce__()[1]
    touches: list[Touch] = []
    for name in names:
        thing: Any = args[0] if args else None
        if type(function) is operator.itemgetter:
            touches += accesses.item(thing, name, stamps, writes=False)
            continue
        *first, last = str(name).split(".")
        for part in first:
            touches += accesses.attribute(thing, part, stamps, writes=False)
            thing = _attribute(thing, part)
            if thing is _UNKNOWN:
                stamps.hinder(f"an attribute that is computed stands in the middle of {name}")
                break
        else:
            touches += accesses.attribute(thing, last, stamps, writes=False)
    return touches


_UNKNOWN: Final = object()


def _attribute(thing: Any, name: str) -> Any:
    """Return an attribute, or that it is not known without running code of the program."""
    space: Any = attributes_of(thing)
    if space is not None and name in space:
        return space[name]
    for owner in type(thing).__mro__:
        value = vars(owner).get(name, _UNKNOWN)
        if type(value) is MemberDescriptorType:
            try:
                return value.__get__(thing)
            except AttributeError:
                return None
        if value is not _UNKNOWN:
            return _UNKNOWN if hasattr(type(value), "__get__") else value
    return _UNKNOWN


def _made(kind: type, given: tuple[Any, ...], stamps: Stamps) -> list[Touch]:
    """What the constructor of a class touches."""
    base = solid(kind)
    if issubclass(kind, weakref.ref) and given:
        if any(classes.calls_unseen_at_end(one) for one in given[1:]):
            stamps.hinder(_AT_END)
        return accesses.life(given[0], stamps, writes=len(given) > 1)
    if issubclass(kind, type):
        if kind is type and len(given) == 1:
            return accesses.of_kind(given[0], stamps)
        return [] if isinstance(kind.__new__, FunctionType) else classes.made(given, stamps)
    if kind in _INNOCENT or issubclass(kind, BaseException) or base in PLAIN:
        return []
    if isinstance(kind.__new__, FunctionType):
        return []  # it says itself what it does with its arguments
    if isinstance(kind.__init__, FunctionType) and base in _LEFT_TO_INIT:
        return []
    if base in _SHALLOW:
        return _drawn(given, stamps, deep=False)
    known = base in _READERS or base in FIXED
    state_of = as_text(given, stamps) if base is str else []
    return [*state_of, *(_drawn(given, stamps) if known else reach(given, stamps, writes=True))]


_LEFT_TO_INIT: Final = frozenset({dict, list, set, deque, bytearray, OrderedDict, defaultdict})
"""Types in C that look at their arguments only where they are initialised."""
_AT_END: Final = "what a weak reference calls at the end of its object is in C"


def _drawn(given: tuple[Any, ...], stamps: Stamps, *, deep: bool = True) -> list[Touch]:
    return reach(given, stamps, writes=False, deep=deep)


def _function(function: Any, args: tuple[Any, ...], given: tuple[Any, ...], stamps: Stamps) -> list[Touch]:
    if function in _INNOCENT or function in ON_FRAMES:
        return []
    if function in _ASKING and args:
        return classes.asked(function, args, stamps)
    if function is dir and args:
        return accesses.listed(args[0], stamps)
    if function in _COUNTING:
        stamps.hinder("a worker counts the references to an object")
    if function in CALLING and calls_c(given):
        # What it calls reads the attributes of what it is given, or works on an object that it belongs to.
        return [*state(given, stamps), *reach(given, stamps, writes=True)]
    if function in _SHALLOW:
        return _drawn(given, stamps, deep=False)
    if function in _READERS:
        if function is print and len(args) == len(given):
            given = (*given, sys.stdout) if type(sys.stdout) is io.StringIO else given
            return [(stamps.of(sys), "stdout", False), *_drawn(given, stamps), *as_text(given, stamps)]
        state_of = as_text(given, stamps) if function in _SHOWING else []
        return [*_drawn(given, stamps), *state_of]
    if (function in _GETTERS or function in _SETTERS) and len(args) > 1:
        return accesses.attribute(args[0], str(args[1]), stamps, writes=function in _SETTERS)
    if function in _ITEMS and len(args) > 1:
        read = accesses.put(args[0], args[1], args[2], stamps) if len(args) == _PUT else []
        return [*accesses.item(args[0], args[1], stamps, writes=_ITEMS[function]), *read]
    if function in _WRITERS_OF_STATE:
        return [*reach(given[1:], stamps, writes=True), *_pickled(given, stamps)]
    if function in SEEN_BY_ALL:
        see_everywhere(function, stamps)
    return [*reach(given, stamps, writes=True), *_state_of(function, stamps)]


def see_everywhere(function: Any, stamps: Stamps) -> None:
    """Note a call that changes what others see without asking for it."""
    stamps.hinder(f"a worker calls {function.__name__}, which others see without asking for it")


def _pickled(given: tuple[Any, ...], stamps: Stamps) -> list[Touch]:
    """What it touches to write objects with all that they hold, each as its class says or `copyreg` knows."""
    return [(stamps.of(copyreg.dispatch_table), None, False), *state(given, stamps)]


def keeps_state(function: Any) -> bool:
    """Return whether what a function in C does may depend on a state that its module keeps."""
    module = function.__self__
    if not issubclass(type(module), ModuleType) or any(function in one for one in _KNOWN):
        return False
    return not any(sys.modules.get(name) is module for name in (*_STATELESS, *_KEEPING_STATE))


def _state_of(function: Any, stamps: Stamps) -> list[Touch]:
    """What a function may keep in its module, such as the current folder, is unknown: shared and written."""
    module = function.__self__
    if module is None or function in _HARMLESS:
        return []
    for name, (reading, writing) in _KEEPING_STATE.items():
        if sys.modules.get(name) is module:
            if function.__name__ in writing:
                stamps.hinder(
                    f"a worker calls {function.__name__} of {name}, which others see without asking"
                )
                return [(stamps.of(module), STATE, True)]
            return [(stamps.of(module), STATE, False)] if function.__name__ in reading else []
    return [(stamps.of(module), STATE, True)] if keeps_state(function) else []


def _method(
    owner: Any, name: str, args: tuple[Any, ...], given: tuple[Any, ...], stamps: Stamps
) -> list[Touch]:
    """What a method that is not written in Python touches."""
    if name in _GENERAL and args:
        return accesses.attribute(owner, str(args[0]), stamps, writes=name != "__getattribute__")
    if type(owner) in _DESCRIPTORS and name in _DESCRIBING and args:
        return accesses.attribute(args[0], owner.__name__, stamps, writes=name != "__get__")
    base = solid(type(owner))
    if issubclass(type(owner), type) or base in PLAIN:
        return _plain(owner, base, name, stamps)
    if type(owner) is re.Pattern and name in _LAZY and any(type(one) not in FIXED for one in given):
        stamps.hinder("an iterator over what a regular expression finds in memory that may change")
    if base in FIXED or base in HOLDING:
        if base is str and name in _FORMATTING and ("." in owner or "[" in owner):
            return [*state(given, stamps), *as_text(given, stamps)]
        things = given if base is str else (owner,) if name in _SAYING else ()
        return [*_drawn(given, stamps), *(as_text(things, stamps) if things else ())]
    if type(owner) in VIEWS:
        return [*whole(owner, stamps, writes=False), *_drawn(given, stamps)]
    if base is pickle.Pickler and name == "dump":
        return [*whole(owner, stamps, writes=True), *_pickled(given, stamps)]
    if base not in _CONTAINERS:
        return [*whole(owner, stamps, writes=True), *reach(given, stamps, writes=True)]
    if name in {"__getitem__", "__setitem__"} and args:
        read = accesses.put(owner, args[0], args[1], stamps) if len(args) == _PUT - 1 else []
        return [*accesses.item(owner, args[0], stamps, writes=name == "__setitem__"), *read]
    reading = name in _READING
    if name in _KEEPING and not (name in _COMPARING and base in {list, deque}):
        return whole(owner, stamps, writes=not reading)
    # A sort compares what the list holds; a comparison, a search and a representation look into it.
    touches = reach((owner,), stamps, writes=False) if reading or name == "sort" else []
    if not reading:
        touches = [*whole(owner, stamps, writes=True), *touches]
    return [*touches, *(touch for touch in _drawn(given, stamps) if touch not in touches)]


def _plain(owner: Any, base: type, name: str, stamps: Stamps) -> list[Touch]:
    """What a method of `object`, of an exception, a class or a module touches, beside one attribute."""
    if name.startswith(_COPYING):
        return state(owner, stamps)
    if name == "__dir__":
        return accesses.listed(owner, stamps)
    if issubclass(type(owner), type) or base in {object, FunctionType} or name in _BUILDERS - {"__init__"}:
        return []
    return [(stamps.of(owner), None, name not in _READING)]


_COPYING: Final = ("__reduce", "__getstate__")
_DESCRIPTORS: Final = frozenset({MemberDescriptorType, GetSetDescriptorType})
_DESCRIBING: Final = frozenset({"__get__", "__set__", "__delete__"})


def calls_back(args: tuple[Any, ...], kwargs: dict[str, Any]) -> list[Callable[..., Any]]:
    """Return the arguments of a call that it may call in its turn."""
    return [arg for arg in (*args, *kwargs.values()) if callable(arg)]
