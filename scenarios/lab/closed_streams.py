"""Standard streams that the caller has closed."""

import os
import sys
from contextlib import suppress

from simulations import standard_descriptors

_CLOSED: list[int] = []


def occupy() -> None:
    """Let the null device stand where the caller has closed a standard stream, if there is room for it."""
    with suppress(OSError):
        _CLOSED.extend(standard_descriptors.occupy())
        for descriptor, name in enumerate(("stdin", "stdout", "stderr")):
            if getattr(sys, name) is None:
                mode = "w" if descriptor else "r"
                stream = open(descriptor, mode, encoding="utf-8", closefd=False)  # noqa: SIM115  (until the end)
                setattr(sys, name, stream)


def leave_closed() -> None:
    """Let a program that this process becomes find them closed."""
    for descriptor in _CLOSED:
        os.set_inheritable(descriptor, False)
