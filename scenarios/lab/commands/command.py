"""What a command of `heisenlab` is, and the exit codes that commands share."""

from __future__ import annotations

import argparse
import signal
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Final, Protocol

DONE: Final = 0
"""Done, or the property holds."""
FOUND: Final = 1
"""Found, reproduced, or a problem of the installation."""
USAGE: Final = 2
"""Wrong usage, or a file that cannot be used."""
GAVE_UP: Final = 3
"""The budget is spent."""
CANNOT_JUDGE: Final = 125
"""For `git bisect run`: skip this version."""
INTERNAL: Final = 128
"""An error in the laboratory or in a world; no verdict."""


class Spoilers(Enum):
    """How much of what a command prints gives causes and fixes of a scenario away."""

    NOTHING = "none of it"
    SOME = "some of it: the module looks at `no_spoilers` and hides that"
    ALL = "that is what it is for: with `--no-spoilers` it is refused"
    PASSED_ON = "it passes `--no-spoilers` on, with other arguments"


@dataclass(frozen=True)
class Command:
    """A row in the table of commands.

    Attributes:
        name: What the user types.
        help: One line for `heisenlab --help`: lower case, imperative, no full stop.
        module: The module in this folder that carries it out; imported only when the command is chosen.
        spoilers: How much of what it prints gives causes and fixes away.
        treats_signals: Whether it does with SIGTERM and SIGHUP what is right for the program that it runs.
    """

    name: str
    help: str
    module: str
    spoilers: Spoilers = Spoilers.NOTHING
    treats_signals: bool = False


class CommandModule(Protocol):
    """What the module of a command offers.

    A module whose command passes arguments on to another program sets a default for `remaining`; arguments
    that its parser does not know then arrive there.
    """

    @staticmethod
    def add_arguments(parser: argparse.ArgumentParser) -> None:
        """Add the arguments to the parser; set a longer description, an epilog or a usage where needed."""

    @staticmethod
    def run(args: argparse.Namespace) -> int:
        """Run the command and return its exit code.

        Raises:
            UsageError: the arguments do not go together.
            LabError: something that the user can mend; `main` prints it in one line and returns 2.
        """


def interrupted_status(error: KeyboardInterrupt) -> int:
    """Return the exit status of a command that a signal ended, as a shell gives it: 130 after Ctrl-C."""
    return 128 + int(getattr(error, "number", signal.SIGINT))


def interrupted_by(error: KeyboardInterrupt) -> str:
    """Say what ended a command: the signal, where it was not Ctrl-C."""
    return f"ended by {error}" if hasattr(error, "number") else "interrupted"


def file_name(text: str) -> str:
    """Take a name of a file or a folder from the command line; none is what an unset variable leaves of it.

    Raises:
        argparse.ArgumentTypeError: it is empty.
    """
    if not text:
        raise argparse.ArgumentTypeError("an empty text names no file")
    return text


def file_path(text: str) -> Path:
    """Take a name from the command line, as `file_name` does, as a path."""
    return Path(file_name(text))


class UsageError(Exception):
    """Arguments that the parser accepts one by one, but that make no sense; the usage is printed with it."""
