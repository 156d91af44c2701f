"""Standard streams that the caller has closed."""

import os
import sys
from contextlib import suppress

_CLOSED: list[int] = []


def occupy() -> None:
    """Put the null device where the caller has closed a standard stream.

    A file or a pipe that is opened later would take its place, and a program that is started would write
    into that. Where there is no room for it, they stay closed.
    """
    with suppress(OSError):
        _occupy()


def _occupy() -> None:
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)  # the lowest that is free: this one
            _CLOSED.append(descriptor)
    for descriptor, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is None:
            mode = "w" if descriptor else "r"
            stream = open(descriptor, mode, encoding="utf-8", closefd=False)  # noqa: SIM115  (until the end)
            setattr(sys, name, stream)


def leave_closed() -> None:
    """Let a program that this process becomes find them closed."""
    for descriptor in _CLOSED:
        os.set_inheritable(descriptor, False)
