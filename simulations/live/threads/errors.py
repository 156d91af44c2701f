"""What the instrument raises on purpose."""

from __future__ import annotations

from simulations.errors import LabError


class ThreadsError(LabError):
    """The instrument was used in a way that cannot work; the message says which, and the way out."""


class StuckError(LabError):
    """A thread did not come back within the wall-clock limit, so nothing can be said about the run.

    Common causes: a C extension, a socket, a pipe or another process blocks; the thread waits for one that
    was started before the exploration and is not under control; a loop neither touches anything shared nor
    ends.
    """
