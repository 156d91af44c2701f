"""What a real thread keeps for itself: the data of every `threading.local`."""

from __future__ import annotations

import ctypes
from typing import Any, Final

from simulations.live.threads.control.standard_library import VERSION

FORGETS: Final = VERSION < (3, 13)
"""Whether `forget` reaches the data. From 3.13 on the interpreter keeps them where nothing but the end of a
thread drops them, so each task has a real thread of its own."""

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
