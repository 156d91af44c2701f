"""Functions of the standard library that are taken for one step each.

What such a function touches is told as it begins, or goes on: all of what it is given, and the objects of its
module that it names, each as a write. That counts for whatever calls it: the program, an operator, a function
in C. It is told of the place in the program that led to it; what it calls in its turn belongs to the step.
"""

from __future__ import annotations

import abc
import dis
import importlib
import itertools
import re
import weakref
from types import BuiltinFunctionType, CodeType, FunctionType, ModuleType
from typing import TYPE_CHECKING, Any, Final

from simulations.live.threads.control.accesses import STATE, imported, is_stream, reach
from simulations.live.threads.control.frames import is_ours
from simulations.live.threads.control.kinds import FIXED
from simulations.live.threads.control.operations import SEEN_BY_ALL, is_one_of, keeps_state, see_everywhere
from simulations.live.threads.control.provenance import Origin, library, origin
from simulations.live.threads.control.rewrite import Instruction
from simulations.live.threads.control.sites import Site
from simulations.live.threads.control.touching import Touching

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

    from simulations.live.threads.control.accesses import Part, Touch
    from simulations.live.threads.control.stamps import Stamps

_CACHES: Final = frozenset({id(vars(re).get(name)) for name in ("_cache", "_cache2")})
"""What holds only what could be computed again."""
_VARIADIC: Final = (0x04, 0x08)


class Steps:
    """Knows from where in the program a step was taken, and what it touches.

    Attributes:
        sites: The places in the program from which steps were taken.
        taken: The modules of the standard library whose functions were taken for one step.
        standing_in: What calls in place of the program; what else the instrument calls is its own affair.
    """

    def __init__(self) -> None:
        self.sites: dict[tuple[Any, ...], Site] = {}
        self.taken: dict[str, None] = {}
        self.standing_in: set[CodeType] = set()
        self._named: dict[CodeType, list[_Named]] = {}

    def begins(self, frame: FrameType, code: CodeType) -> Site | None:
        """Return from where in the program a step begins; None where one goes on already.

        Args:
            frame: Where the function runs.
            code: The function, as it was written.
        """
        caller, ours = frame.f_back, False
        while caller is not None and is_ours(caller):
            ours = ours or caller.f_code not in self.standing_in
            caller = caller.f_back
        if caller is not None and (ours or origin(caller.f_code) is not Origin.PROGRAM):
            return None
        self.taken[library(code.co_filename) or ""] = None
        return self._site(caller or frame)

    def _site(self, frame: FrameType) -> Site:
        code = frame.f_code
        line = frame.f_lineno
        here = itertools.islice(code.co_positions(), frame.f_lasti // 2, None)
        position = next(here, (line, line, None, None))
        key = (code.co_filename, code.co_qualname, code.co_firstlineno, position)
        site = self.sites.get(key)
        if site is None:
            site = Site(code, Instruction(0, 0, position), "call", verb=Touching.CALLS, writes=True)
            self.sites[key] = site
        return site

    @staticmethod
    def arguments(frame: FrameType, code: CodeType) -> tuple[Any, ...]:
        """Return what a function was given or has from around it; of a weak reference the object."""
        variadic = sum(bool(code.co_flags & flag) for flag in _VARIADIC)
        names = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount + variadic]
        space = frame.f_locals
        given = [space[name] for name in (*names, *code.co_freevars) if name in space]
        return tuple(one() if issubclass(type(one), weakref.ref) else one for one in given)

    def touches(
        self, given: tuple[Any, ...], space: dict[str, Any], code: CodeType, stamps: Stamps
    ) -> list[Touch]:
        """Return what a function touches that begins, or goes on.

        Args:
            given: Its arguments.
            space: Its globals.
            code: The function, as it was written.
            stamps: The numbers of the run's objects.
        """
        if code not in self._named:
            self._named[code] = list(_named(code, space, set()))
        found = dict.fromkeys(reach(given, stamps, writes=True, library=True))
        if code is _IMPORTING:
            found |= dict.fromkeys(imported(str(given[0]) if given else "", stamps))
        if code in _OF_CLASSES and given:
            found |= dict.fromkeys(
                (stamps.of(kind), STATE, code is _REGISTERING)
                for kind in given[0].__mro__
                if kind is not object
            )
        for thing, part, writes in self._named[code]:
            if is_one_of(thing, SEEN_BY_ALL):
                see_everywhere(thing, stamps)
            found[stamps.of(thing), part, writes] = None
        return list(found)


_IMPORTING: Final = importlib.import_module.__code__
_REGISTERING: Final = abc.ABCMeta.register.__code__
_OF_CLASSES: Final = frozenset(
    {_REGISTERING, abc.ABCMeta.__instancecheck__.__code__, abc.ABCMeta.__subclasscheck__.__code__}
)
"""The code of what a class remembers of others that are registered with it."""


_Named = tuple[Any, "Part", bool]
"""An object that a function names, which part of it, and whether it may be written."""


def _named(code: CodeType, space: dict[str, Any], seen: set[CodeType]) -> Iterator[_Named]:
    """Yield what a function names, or one that it names of its module, and which may change."""
    seen.add(code)
    stored = _stored(code)
    for name in code.co_names:
        thing: Any = space.get(name)
        kind = type(thing)
        if kind is FunctionType:
            inner = thing.__code__
            if thing.__globals__ is space and inner not in seen:
                yield from _named(inner, space, seen)
        elif kind is ModuleType:
            yield from _of_module(thing, code.co_names)
        elif kind is BuiltinFunctionType:
            yield from _of_function(thing)
        elif kind in FIXED or kind in {tuple, frozenset}:
            if name in space:
                yield space, name, name in stored
        elif _may_change(thing):
            yield thing, None, True
    for constant in code.co_consts:
        if isinstance(constant, CodeType) and constant not in seen:
            yield from _named(constant, space, seen)


def _stored(code: CodeType) -> set[str]:
    """Return the names of its module that a function binds."""
    if _STORE_GLOBAL not in code.co_code[::2]:
        return set()  # the quick look spares most functions the slow one
    return {one.argval for one in dis.get_instructions(code) if one.opname == "STORE_GLOBAL"}


_STORE_GLOBAL: Final = dis.opmap["STORE_GLOBAL"]


def _of_module(module: ModuleType, names: tuple[str, ...]) -> Iterator[_Named]:
    """Yield what a function names that also names the module: its state, and what others change by it."""
    space = vars(module)
    for name in names:
        thing = space.get(name)
        if type(thing) is BuiltinFunctionType:
            yield from _of_function(thing)
        elif _may_change(thing) and type(thing) not in FIXED and not is_stream(thing):
            yield thing, None, True


def _of_function(function: Any) -> Iterator[_Named]:
    """Yield what a function in C touches of its module, and itself where others see what it changes."""
    if function in SEEN_BY_ALL:
        yield function, None, True
    if keeps_state(function):
        yield function.__self__, STATE, True


def _may_change(thing: Any) -> bool:
    kind = type(thing)
    return not (
        kind in FIXED
        or kind in {ModuleType, FunctionType, BuiltinFunctionType, tuple, frozenset}
        or issubclass(kind, type)
        or id(thing) in _CACHES
        or hasattr(thing, "cache_clear")
    )
