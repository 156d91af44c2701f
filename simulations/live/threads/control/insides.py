"""What a program sees that looks into a primitive of the standard library, whose own code changes it unseen.

A queue counts its unfinished tasks, a semaphore its value: under a lock of theirs, which is what counts. Who
looks at them without a method of theirs sees more than that, so it forbids a proof.
"""

from __future__ import annotations

import dis
import gc
import queue
import threading
from collections import deque
from concurrent.futures import _base as futures
from concurrent.futures import thread as pools
from types import FunctionType
from typing import TYPE_CHECKING, Any, Final

from simulations.live.threads.control.provenance import of_primitives
from simulations.live.threads.control.stamps import attributes_of
from simulations.live.threads.control.standard_library import LOCK, RLOCK

if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import CodeType

    from simulations.live.threads.control.stamps import Stamps

_CONTAINERS: Final = (list, dict, set, deque)
_HOLDING: Final = (*_CONTAINERS, tuple, frozenset)
_DEPTH: Final = 3
"""How many levels of what is shown are looked at."""
_STORE_ATTR: Final = dis.opmap["STORE_ATTR"]


def looked_into(code: CodeType, thing: Any, name: str, stamps: Stamps) -> list[object]:
    """Return the locks of a primitive, if an attribute is looked at that its own code changes under them.

    Args:
        code: What looks.
        thing: What the attribute belongs to.
        name: Of the attribute.
        stamps: The numbers of the run's objects.
    """
    later = _is_changed(type(thing), name)
    if later is None or of_primitives(code):
        return []
    attributes: Any = attributes_of(thing)
    if not attributes or (not later and type(attributes.get(name)) not in _CONTAINERS):
        return []
    stamps.hinder(
        f"the program looks into a {type(thing).__qualname__} ({name}), which its own code changes unseen"
    )
    inner = [
        value._lock if type(value) is threading.Condition else value  # type: ignore[attr-defined]  # noqa: SLF001  (private)
        for value in attributes.values()
    ]
    return [lock for lock in inner if type(lock) in (LOCK, RLOCK)]


def shown(things: Iterable[Any], stamps: Stamps) -> list[object]:
    """Return the primitives whose state is seen where things are made a text of, and their locks.

    That another thread changes the state is not told for each of its parts, so it forbids a proof.

    Args:
        things: What is shown, with what it holds.
        stamps: The numbers of the run's objects.
    """
    found: list[object] = []
    level = list(things)
    for _ in range(_DEPTH):
        below: list[Any] = []
        for thing in level:
            kind = type(thing)
            if kind in (LOCK, RLOCK):
                inside = [thing]
            elif type(kind.__repr__) is FunctionType and of_primitives(kind.__repr__.__code__):
                attributes: Any = attributes_of(thing) or {}
                inside = [thing, *(one for one in attributes.values() if type(one) in (LOCK, RLOCK))]
            else:
                below += gc.get_referents(thing) if issubclass(kind, _HOLDING) else ()
                continue
            stamps.hinder(f"the program shows the state of a {kind.__qualname__} as text")
            found += inside
        level = below
    return found


def _is_changed(kind: type, name: str) -> bool | None:
    """Return whether the code of a primitive sets an attribute after its beginning, or None if it never does.

    It is asked in the middle of a run, and so uses nothing of the standard library that may be under control.
    """
    changed = None
    for owner in kind.__mro__:
        if owner is threading.Thread or owner is threading.Event:
            return None  # of these every change is told of by itself
        later = _OF_OWNERS.get(id(owner), _NOTHING).get(name)
        if later is not None:
            changed = later or changed or False
    return changed


def _set_by(owner: type) -> dict[str, bool]:
    found: dict[str, bool] = {}
    for function in vars(owner).values():
        if type(function) is not FunctionType or _STORE_ATTR not in function.__code__.co_code[::2]:
            continue  # the quick look spares most functions the slow one
        for instruction in dis.get_instructions(function):
            if instruction.opname == "STORE_ATTR":
                later = function.__name__ != "__init__"
                found[instruction.argval] = found.get(instruction.argval, False) or later
    for name, value in vars(owner).items():
        code = getattr(getattr(value, "fget", None), "__code__", None)
        if code is not None and any(found.get(one) for one in code.co_names):
            found[name] = True  # it shows what is changed, as whether a barrier is broken
    return found


_NOTHING: Final[dict[str, bool]] = {}
_OF_OWNERS: Final[dict[int, dict[str, bool]]] = {
    id(owner): _set_by(owner)
    for module in (threading, queue, futures, pools)
    for owner in vars(module).values()
    if isinstance(owner, type) and owner.__module__ == module.__name__
}
"""For each class of a primitive, which is there for ever, the attributes that its code sets: later, too?"""
