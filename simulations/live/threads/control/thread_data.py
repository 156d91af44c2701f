"""What a real thread keeps for itself: the data of every `threading.local`."""

from __future__ import annotations

import ctypes
import functools
import gc
import sys
import threading
from typing import Any, Final

from simulations.live.threads.control.standard_library import VERSION

FORGETS: Final = VERSION < (3, 13)
"""Whether `forget` reaches the data. From 3.13 on the interpreter keeps them where nothing but the end of a
thread drops them."""
_PROBE: Final = threading.local()

_OF_THREAD: Final = ctypes.pythonapi.PyThreadState_GetDict
_OF_THREAD.restype = ctypes.c_void_p


def _mine() -> dict[Any, Any]:
    """Return where the calling thread keeps it; the interpreter drops it when the thread ends."""
    address = _OF_THREAD()
    # The function lends its result, and this makes a reference of its own.
    return ctypes.cast(address, ctypes.py_object).value if address else {}


def known() -> frozenset[Any]:
    """Return what the calling thread keeps data for."""
    return frozenset(_mine())


def forget(*, but: frozenset[Any] = frozenset()) -> None:
    """Drop the data of the calling thread, as its end would, so that the next task finds none.

    Args:
        but: What is kept.
    """
    mine = _mine()
    for key in [key for key in mine if key not in but]:
        mine.pop(key, None)


class Untouched:
    """Tells whether the thread that made it keeps data that `forget` does not reach; then it must end.

    From 3.13 on each `threading.local` that has data of a thread refers to one object that stands for that
    thread, so that a new reference to it shows another one.
    """

    __slots__ = ("_before", "_stand_in")

    def __init__(self) -> None:
        self._stand_in: object = None if FORGETS or not _shows() else _stand_in()
        self._before = self._references()

    def __bool__(self) -> bool:
        return FORGETS or (self._stand_in is not None and self._references() == self._before)

    def _references(self) -> int:
        return sys.getrefcount(self._stand_in)


def _stand_in() -> object:
    """Return what stands for the calling thread in each `threading.local`; None where that is not found."""
    mine = vars(_PROBE)
    for table in gc.get_referents(_PROBE):
        for key, data in table.items() if type(table) is dict else ():
            if data is mine:
                return key
    return None


@functools.cache
def _shows() -> bool:
    """Return whether a new reference shows that a thread has begun to keep data, on this interpreter."""
    stand_in = _stand_in()
    before = sys.getrefcount(stand_in)
    another = threading.local()
    another.data = None
    return sys.getrefcount(stand_in) > before
