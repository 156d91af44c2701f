"""What it touches to make a class, and to ask for classes: of an object, above a class, below one."""

from __future__ import annotations

import abc
import weakref
from functools import partial
from operator import attrgetter, itemgetter, methodcaller
from types import BuiltinFunctionType, MethodWrapperType, ModuleType, NoneType
from typing import TYPE_CHECKING, Any, Final

from simulations.live.threads.control.accesses import STATE, of_bases, of_kind, reach
from simulations.live.threads.control.kinds import HEAP_TYPE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from simulations.live.threads.control.accesses import Touch
    from simulations.live.threads.control.stamps import Stamps

_BELOW: Final = ("below", None)
"""The part of `type` that stands for which classes inherit from which; it is one for all classes."""
_KEPT: Final = (BuiltinFunctionType, MethodWrapperType, partial, attrgetter, itemgetter, methodcaller)


def made(given: tuple[Any, ...], stamps: Stamps) -> list[Touch]:
    """Return what it touches to make a class of its name, its bases and its attributes."""
    return [(stamps.of(type), _BELOW, True), *reach(given[2:], stamps, writes=False)]


def below(stamps: Stamps) -> list[Touch]:
    """Return what it touches to ask which classes inherit from one."""
    return [(stamps.of(type), _BELOW, False)]


def asked(function: Any, args: tuple[Any, ...], stamps: Stamps) -> list[Touch]:
    """Return what `isinstance` and `issubclass` touch: an abstract class remembers what was registered."""
    thing, *kinds = args
    touches = of_bases(thing, stamps) if function is issubclass else of_kind(thing, stamps)
    abstract = [kind for kind in _classes(kinds) if issubclass(type(kind), abc.ABCMeta)]
    return touches + [(stamps.of(kind), STATE, False) for kind in abstract]


def _classes(things: Any) -> Iterator[type]:
    for one in things:
        if type(one) is tuple:
            yield from _classes(one)
        elif issubclass(type(one), type):
            yield one


def calls_unseen(kind: type) -> bool:
    """Return whether operators on the objects of a class call something in C that works on something else.

    A method in C of a type works on the object that it is called for; one that belongs to another object
    works on that.
    """
    return any(
        name.startswith("__") and _works_on_another(value)
        for base in kind.__mro__
        if base.__flags__ & HEAP_TYPE
        for name, value in vars(base).items()
    )


def _works_on_another(value: Any) -> bool:
    while type(value) in (staticmethod, classmethod):
        value = value.__func__
    kind = type(value)
    if kind in (BuiltinFunctionType, MethodWrapperType):
        return not issubclass(type(value.__self__), (type, ModuleType, NoneType))
    return kind in _KEPT


def calls_unseen_at_end(callback: Any) -> bool:
    """Return whether what a weak reference calls is in C, and works on something else."""
    if type(callback) is weakref.finalize:
        callback = (callback.peek() or (None, None))[1]
    return _works_on_another(callback)
