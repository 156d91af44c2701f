"""Numbers the objects of a run, so that two accesses can be told to touch the same one."""

from __future__ import annotations

import gc
import itertools
import sys
import weakref
from contextlib import suppress
from types import GetSetDescriptorType, MappingProxyType, MemberDescriptorType, ModuleType
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_ALONE: Final = 3
"""How many references there are to an object that only a list holds: the list, a variable, an argument."""
_DEPTH: Final = 3
"""How many levels of what an object holds are looked at for what would have died with it."""
_HEAP_TYPE: Final = 1 << 9
_WIDTH: Final = 50
"""How many of the objects that an object holds are looked at."""


def _ignored(stamp: int) -> None:
    """Take note of nothing."""


def notifies(thing: object) -> bool:
    """Return whether a thing is a weak reference that calls something at the end of its object."""
    return issubclass(type(thing), weakref.ref) and _CALLBACK.__get__(thing) is not None


def behind_reference(reference: Any) -> object:
    """Return the object of a weak reference, None if it has ended, without running code of the program."""
    return _CALL(reference)


_CALLBACK: Final[Any] = weakref.ref.__dict__["__callback__"]
_CALL: Final[Any] = weakref.ref.__call__


class Stamps:
    """Numbers the objects of a run, in the order in which they are first touched.

    An address says nothing once its object has died. Objects that can be referred to weakly give their number
    back when they die; the others are kept until the run is over. Where that keeps something alive whose end
    can be noticed, they must not be kept; an object may then count as the same as one that lay where it lies.
    An object and the dictionary of its
    attributes have one number, so that it does not matter through which of the two an attribute is reached.

    Args:
        keeping: Whether objects are kept that cannot be referred to weakly.
        on_end: Called with the number of an object that can be referred to weakly and has ended.

    Attributes:
        asks: Whether the program asked a weak reference for its object.
        watched: The objects that weak references of the program know, by their number.
        hindrances: What was seen that no touch can stand for.
        deeper: Whether something that C was given held more than was looked at.
    """

    __slots__ = (
        "_by_address",
        "_held",
        "_keeping",
        "_kept",
        "_next",
        "_on_end",
        "asks",
        "deeper",
        "hindrances",
        "watched",
    )

    def __init__(self, *, keeping: bool = True, on_end: Callable[[int], None] = _ignored) -> None:
        self._keeping = keeping
        self._on_end = on_end
        self._by_address: dict[int, int] = {}
        self._kept: list[object] = []
        self._held: list[object] = []
        self._next = 0
        self.hindrances: set[str] = set()
        self.watched: dict[int, weakref.ref[Any]] = {}
        self.deeper = self.asks = False

    def of(self, thing: object) -> int:
        """Return the number of an object."""
        stamp = self._by_address.get(id(thing))
        return self._number(thing) if stamp is None else stamp

    def _number(self, thing: object) -> int:
        addresses = [id(thing)]
        space = None if type(thing) is dict else attributes_of(thing)
        stamp = None
        if space is not None:
            addresses.append(id(space))
            stamp = self._by_address.get(id(space))
        if stamp is None:
            stamp = self._next
            self._next += 1
        known, on_end = self._by_address, self._on_end

        def forget(_: object) -> None:
            for address in addresses:
                known.pop(address, None)
            on_end(stamp)

        try:
            # An array that a weak reference knows cannot be resized.
            reference = None if _is_array(thing) else weakref.ref(thing, forget)
        except TypeError:
            reference = None
        if reference is not None:
            self._kept.append(reference)
        elif self._keeping:
            self._held.append(thing)
        for address in addresses:
            known[address] = stamp
        return stamp

    def keep_too_long(self) -> bool:
        """Return whether something is still there, and its end could be noticed, only since it is kept."""
        return any(sys.getrefcount(thing) <= _ALONE and self._noticed(thing, _DEPTH) for thing in self._held)

    def _noticed(self, thing: object, depth: int) -> bool:
        """Return whether the end of an object, or of what only it holds, can be noticed."""
        if hasattr(type(thing), "__del__"):
            return True
        if weakref.getweakrefcount(thing) > (id(thing) in self._by_address) or notifies(thing):
            return True
        return depth > 0 and any(
            self._noticed(held, depth - 1)
            for held in itertools.islice(gc.get_referents(thing), _WIDTH)
            if not issubclass(type(held), (type, ModuleType))
            and sys.getrefcount(held) <= _ALONE + 1 + (id(held) in self._by_address)
        )

    def renumber(self, thing: object) -> None:
        """Number an object anew when it is next touched, since its attributes move to another dictionary."""
        self._by_address.pop(id(thing), None)
        space = attributes_of(thing)
        if space is not None:
            self._by_address.pop(id(space), None)

    def hinder(self, what: str) -> None:
        """Note something that no touch can stand for."""
        self.hindrances.add(what)

    def ask(self) -> None:
        """Note that the program asked a weak reference for its object."""
        self.asks = True

    def watch(self, thing: object) -> int:
        """Number an object that a weak reference of the program knows."""
        stamp = self.of(thing)
        if stamp not in self.watched:
            self.watched[stamp] = weakref.ref(thing)
        return stamp

    def cut(self) -> None:
        """Note that something that C was given held more than was looked at."""
        self.deeper = True


def _is_array(thing: object) -> bool:
    arrays = sys.modules.get("numpy")
    return arrays is not None and issubclass(type(thing), arrays.ndarray)


def attributes_of(thing: object) -> object | None:
    """Return the dictionary of an object's attributes, or None, without running code of the program."""
    if issubclass(type(thing), ModuleType):
        return vars(thing)
    if issubclass(type(thing), type):
        return behind(type.__dict__["__dict__"].__get__(thing))
    for kind in type(thing).__mro__:
        descriptor = kind.__dict__.get("__dict__")
        if descriptor is not None:
            if type(descriptor) in (GetSetDescriptorType, MemberDescriptorType):
                space: object = descriptor.__get__(thing, type(thing))
                return space
            return None
    return None


def slots_of(thing: object) -> Iterator[object]:
    """Yield what the slots of an object hold, without running code of the program."""
    for kind in type(thing).__mro__:
        for value in vars(kind).values() if kind.__flags__ & _HEAP_TYPE else ():
            if type(value) is MemberDescriptorType:
                with suppress(AttributeError):
                    yield value.__get__(thing)


def behind(proxy: MappingProxyType[Any, Any]) -> object | None:
    """Return the mapping that a read-only view shows."""
    return next(iter(gc.get_referents(proxy)), None)
