"""The standard descriptors of the process: input, output and errors."""

import os


def occupy() -> list[int]:
    """Put the null device where a standard descriptor is closed; return where it was.

    A file or a pipe that is opened later would take its place, and a program that is started would write
    into that.

    Raises:
        OSError: the process may have no more descriptors.
    """
    closed = []
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)  # the lowest that is free: this one
            closed.append(descriptor)
    return closed
