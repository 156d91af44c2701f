"""What the instrument refuses to do."""

from __future__ import annotations

from simulations.errors import LabError


class RefusedError(LabError):
    """The instrument cannot, or should not, do this here. One line says why, and what to do.

    Common causes: another system than Linux on x86-64; a program that is 32-bit or set-user-id; `ulimit -v`;
    a kernel or a container that forbids ptrace; a limit that leaves the program no room.
    """
