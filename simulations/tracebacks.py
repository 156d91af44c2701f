"""Tracebacks without the frames that are of no use to the reader."""

from __future__ import annotations

from types import TracebackType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import CodeType


def only(traceback: TracebackType, wanted: Callable[[CodeType], bool]) -> TracebackType:
    """Return a traceback of the frames whose code is wanted; the whole one where none is.

    The one that is given stays as it is.

    Args:
        traceback: That of an error.
        wanted: Says of the code of a frame whether it is to be shown.
    """
    frames = [traceback]
    while frames[-1].tb_next is not None:
        frames.append(frames[-1].tb_next)
    kept: TracebackType | None = None
    for each in reversed(frames):
        if wanted(each.tb_frame.f_code):
            kept = TracebackType(kept, each.tb_frame, each.tb_lasti, each.tb_lineno)
    return kept or traceback
