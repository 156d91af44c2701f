"""Whose code a frame runs: that of the user, the instrument, or the modules that make up primitives."""

from __future__ import annotations

import os
import sys
import threading
from enum import Enum
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

from simulations.live.threads.control.standard_library import VERSION

if TYPE_CHECKING:
    from types import FrameType

OURS: Final = str(Path(__file__).parents[1])
"""The folder of the instrument."""
_OURS: Final = OURS + os.sep
_STANDARD: Final = Path(threading.Thread.start.__code__.co_filename).parent
_IMPORTER: Final = "<frozen importlib._bootstrap>"
_PRIMITIVE_FILES: Final = frozenset(
    str(_STANDARD / name)
    for name in (
        "threading.py",
        "queue.py",
        "contextlib.py",
        "concurrent/futures/_base.py",
        "concurrent/futures/thread.py",
    )
)
"""Where primitives are made out of locks; the file counts, since a user's module may have any name."""


def place(frame: FrameType | None) -> str:
    """Return where a thread is, in the code of the user: `file:line in function`."""
    user = user_frame(frame)
    if user is None:
        return "an unknown place"
    return f"{user.f_code.co_filename}:{user.f_lineno} in {user.f_code.co_qualname}"


def user_frame(frame: FrameType | None) -> FrameType | None:
    """Return the innermost frame that belongs neither to the instrument nor to the modules it controls.

    Where there is none, as in the thread of an executor that waits for work, it is the outermost of the
    latter.
    """
    user, primitive = way_out(frame)
    return user or primitive


def way_out(frame: FrameType | None) -> tuple[FrameType | None, FrameType | None]:
    """Return the innermost frame of the user, and the outermost inside it that makes primitives."""
    primitive = None
    while frame is not None:
        owner = _owner(frame.f_code.co_filename)
        if owner is None:
            break
        if owner is _Owner.PRIMITIVES:
            primitive = frame
        frame = frame.f_back
    return frame, primitive


class _Owner(Enum):
    """Whose code a file holds, if it is not the program's."""

    INSTRUMENT = "the instrument"
    PRIMITIVES = "a module out of which it makes primitives"


@lru_cache(maxsize=4096)
def _owner(file: str) -> _Owner | None:
    if file.startswith(_OURS):
        return _Owner.INSTRUMENT
    return _Owner.PRIMITIVES if file in _PRIMITIVE_FILES else None


def is_ours(frame: FrameType) -> bool:
    """Return whether a frame belongs to the instrument."""
    return _owner(frame.f_code.co_filename) is _Owner.INSTRUMENT


def internal(frame: FrameType) -> bool:
    """Return whether a frame belongs to the instrument, or to a module out of which it makes primitives."""
    return _owner(frame.f_code.co_filename) is not None


def imports(frame: FrameType | None) -> bool:
    """Return whether a thread is importing a module, and so holds the lock of the module."""
    while frame is not None:
        if frame.f_code.co_filename == _IMPORTER:
            return True
        frame = frame.f_back
    return False


def need_room(frames: int) -> None:
    """Use so many frames of the stack, and give them back.

    Far from the limit they need not be used. Up to Python 3.11 calls of C count too, and are no frames.

    Raises:
        RecursionError: there is no room. It is the program's, and it comes before anything has been done.
    """
    if VERSION >= (3, 12):
        try:
            sys._getframe(sys.getrecursionlimit() // 8)  # noqa: SLF001  (nothing public says how deep it is)
        except ValueError:
            return
    _use(frames)


def _use(frames: int) -> None:
    if frames:
        _use(frames - 1)
