"""What a program sees that looks into a primitive of the standard library, whose own code changes it unseen.

A queue counts its unfinished tasks, a semaphore its value: under a lock of theirs, which is what counts. Who
looks at them without a method of theirs sees more than that, so it forbids a proof.
"""

from __future__ import annotations

import dis
import threading
from collections import deque
from functools import lru_cache
from types import FunctionType
from typing import TYPE_CHECKING, Any, Final

from simulations.live.threads.control.provenance import Origin, of_primitives, origin
from simulations.live.threads.control.stamps import attributes_of
from simulations.live.threads.control.standard_library import LOCK, RLOCK

if TYPE_CHECKING:
    from types import CodeType

    from simulations.live.threads.control.stamps import Stamps

_TOLD: Final = (threading.Thread, threading.Event)
"""Of these every change is told of by itself."""
_CONTAINERS: Final = (list, dict, set, deque)


def looked_into(code: CodeType, thing: Any, name: str, stamps: Stamps) -> list[object]:
    """Return the locks of a primitive, if an attribute is looked at that its own code changes under them.

    Args:
        code: What looks.
        thing: What the attribute belongs to.
        name: Of the attribute.
        stamps: The numbers of the run's objects.
    """
    names = _changed(type(thing))  # type: ignore[arg-type]
    if name not in names or of_primitives(code):
        return []
    attributes: Any = attributes_of(thing)
    if not attributes or (not names[name] and type(attributes.get(name)) not in _CONTAINERS):
        return []
    stamps.hinder(
        f"the program looks into a {type(thing).__qualname__} ({name}), which its own code changes unseen"
    )
    inner = [
        value._lock if type(value) is threading.Condition else value  # type: ignore[attr-defined]  # noqa: SLF001  (nothing public does it)
        for value in attributes.values()
    ]
    return [lock for lock in inner if type(lock) in (LOCK, RLOCK)]


@lru_cache(maxsize=1024)
def _changed(kind: type) -> dict[str, bool]:
    """Return the attributes that the code of a primitive sets, and for each whether it does so later, too."""
    found: dict[str, bool] = {}
    if issubclass(kind, _TOLD):
        return found
    for owner in kind.__mro__:
        for function in vars(owner).values():
            if type(function) is not FunctionType or origin(function.__code__) is not Origin.PRIMITIVE:
                continue
            for instruction in dis.get_instructions(function.__code__):
                if instruction.opname == "STORE_ATTR":
                    later = function.__name__ != "__init__"
                    found[instruction.argval] = found.get(instruction.argval, False) or later
    return found
