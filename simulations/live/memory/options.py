"""How a command is run, and the exit statuses of one that could not be."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from simulations.live.memory.filling import RESERVE

REFUSED_STATUS: Final = 2
"""What this instrument returns for what it refuses."""

NOT_FOUND_STATUS: Final = 127
NOT_EXECUTABLE_STATUS: Final = 126
"""What a shell returns for a command that is not there, or that it may not run."""


@dataclass(frozen=True)
class Options:
    """How to run a command.

    Attributes:
        follow: Also fill programs that the command starts as children. A program that the command turns into
            by exec, as a wrapper script does, is filled in any case.
        detach: Let go after the fill: the command can then be debugged or traced, and no crash is explained.
        reserve: Mappings left to each program, of the `vm.max_map_count` that the kernel allows.
        python_lines: Set PYTHONFAULTHANDLER for the command, where it is not set, so that a crash in Python
            has a line.
    """

    follow: bool = False
    detach: bool = False
    reserve: int = RESERVE
    python_lines: bool = True
