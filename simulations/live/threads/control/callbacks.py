"""Operations in C that call code of Python before they are done, such as a sort with a key, or a cache.

What such an operation touches is told as it begins, and then the code that it calls tells its own steps. But
the operation goes on in between, and it may touch the same again until it returns: a cache stores what was
computed, a loop in C reads the next item. So as long as it goes on, what it touches is touched by each of
these steps, too.

It goes on while the frame that began it has come to nothing else, and is below the frame that calls.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from simulations.live.threads.control.frames import is_ours

if TYPE_CHECKING:
    from types import FrameType

    from simulations.live.threads.control.accesses import Touch


class Unfinished:
    """The operations of each thread that may not be done yet, the outermost first.

    A frame is known by its address, so that it is not kept; where another gets it, a step depends on more
    than it has to.

    Attributes:
        begun: Whether there has been any in the run.
    """

    def __init__(self) -> None:
        self.begun = False
        self._of: dict[int, list[tuple[int, list[Touch]]]] = {}

    def begins(self, thread: int, touches: list[Touch]) -> None:
        """Note an operation that the calling frame of the program begins."""
        frame = _frame()
        if frame is not None:
            self.begun = True
            self._of.setdefault(thread, []).append((id(frame), touches))

    def comes_to(self, thread: int) -> None:
        """Note that the calling frame of the program has come to something else."""
        left = self._of.get(thread)
        frame = _frame() if left else None
        while left and frame is not None and left[-1][0] == id(frame):
            left.pop()

    def around(self, thread: int, touches: list[Touch]) -> list[Touch]:
        """Return what a step touches, with what the operations touch that it is done for."""
        left = self._of.get(thread)
        if not left:
            return touches
        known = {frame for frame, _ in left}
        calling = _frame()
        above = calling.f_back if calling is not None else None
        while above is not None and id(above) not in known:
            above = above.f_back
        while left and left[-1][0] != id(above):
            left.pop()
        for _, others in left:
            touches = [*touches, *(touch for touch in others if touch not in touches)]
        return touches


def _frame() -> FrameType | None:
    """Return the innermost frame of the program."""
    frame: FrameType | None = sys._getframe(2)  # noqa: SLF001  (the one way to it)
    while frame is not None and is_ours(frame):
        frame = frame.f_back
    return frame
