"""A prompt that reads one command a line, and says in one line what is wrong with it."""

from __future__ import annotations

import re
import sys
from abc import abstractmethod
from cmd import Cmd
from typing import TYPE_CHECKING, Final

from scenarios.lab.commands.command import DONE, USAGE
from scenarios.lab.interrupts import Terminated
from simulations.errors import LabError
from simulations.terminal_text import printable_lines

if TYPE_CHECKING:
    from collections.abc import Callable

_SHORT: Final = {"s": "step", "b": "back", "g": "goto", "q": "quit", "?": "help"}


class PromptError(LabError):
    """A command of the prompt was given other arguments than it takes."""


class Prompt(Cmd):
    """Reads commands, from a terminal or a pipe, and runs the methods `do_...`.

    The first line of such a method's docstring is its help: "What it does: usage.".
    """

    help_notes: tuple[str, ...] = ()
    """Lines that help prints below the list of commands."""

    def __init__(self) -> None:
        super().__init__()
        self._interactive = sys.stdin.isatty()
        self._failed = False

    @abstractmethod
    def place(self) -> tuple[str, int]:
        """Return where the run is: a unit, such as `clock`, and a number."""

    @abstractmethod
    def open(self) -> None:
        """Print the first lines."""

    def run(self) -> int:
        """Read commands until there are no more.

        Returns:
            0; or 2 if a command that came through a pipe was wrong.
        """
        self.open()
        if self._interactive:
            self.say("help lists the commands; Ctrl-D leaves")
        while True:
            try:
                self.cmdloop()
            except KeyboardInterrupt as error:
                self._leave_if_asked(error)
                self.say(f"\ninterrupted; still at {self._place()}, Ctrl-D leaves")
                continue
            return USAGE if self._failed and not self._interactive else DONE

    # What `Cmd` calls

    def preloop(self) -> None:
        """Set the prompt."""
        self._set_prompt()

    def postcmd(self, stop: bool, line: str) -> bool:  # noqa: FBT001  (the signature is that of `Cmd`)
        """Set the prompt after a command."""
        del line
        self._set_prompt()
        return stop

    def precmd(self, line: str) -> str:
        """Spell out the short names of commands."""
        name, space, rest = line.strip().partition(" ")
        return _SHORT.get(name, name) + space + rest

    def onecmd(self, line: str) -> bool:
        """Run one command; what is wrong with it is said in one line. Leave at the end of the input."""
        if line == "EOF":
            if self._interactive:
                self.say("")
            return True
        try:
            return bool(super().onecmd(line))
        except LabError as error:
            return self._complain(str(error))
        except KeyboardInterrupt as error:
            self._leave_if_asked(error)
            return self._complain(f"interrupted; still at {self._place()}")

    def _leave_if_asked(self, error: KeyboardInterrupt) -> None:
        """Stay where a person pressed Ctrl-C, who can leave; leave where that is no person, or no Ctrl-C."""
        if isinstance(error, Terminated) or not self._interactive:
            raise error

    def emptyline(self) -> bool:
        """Do nothing."""
        return False

    def default(self, line: str) -> None:
        """Refuse what is no command."""
        self._complain(f"there is no command {line.partition(' ')[0]!r}; help lists them")

    def completenames(self, text: str, *ignored: object) -> list[str]:
        """Return the commands that begin with a text."""
        del ignored
        return [name for name in self._commands() if name.startswith(text)]

    def do_help(self, arg: str) -> None:
        """List the commands, or say what one does: help [COMMAND]."""
        commands = self._commands()
        if arg and arg not in commands:
            raise PromptError(f"there is no command {arg!r}; help lists them")
        for name in [arg] if arg else commands:
            purpose, _, usage = (commands[name].__doc__ or "").rpartition(": ")
            self.say(f"{usage.rstrip('.'):<20} {purpose}")
        if not arg:
            for note in self.help_notes:
                self.say(note)
            self.say(f"short: {', '.join(f'{short} {name}' for short, name in _SHORT.items())}")

    def do_quit(self, arg: str) -> bool:
        """Leave: quit."""
        numbers("quit", arg, 0, 0)
        return True

    # What commands use

    def say(self, text: str) -> None:
        """Print a line."""
        self.stdout.write(f"{printable_lines(text)}\n")

    def _complain(self, message: str) -> bool:
        self._failed = True
        self.say(f"! {message}")
        return False

    def _place(self) -> str:
        unit, number = self.place()
        return f"{unit} {number}"

    def _set_prompt(self) -> None:
        self.prompt = f"({self.place()[1]}) " if self._interactive else ""

    def _commands(self) -> dict[str, Callable[[str], object]]:
        names = (name for name in dir(self) if name.startswith("do_"))
        return {name.removeprefix("do_"): getattr(self, name) for name in sorted(names)}


def numbers(usage: str, arg: str, least: int, most: int) -> list[int]:
    """Return the whole numbers of a command's arguments.

    Args:
        usage: What to type, for the error.
        arg: What was typed.
        least: How many numbers there must be at least.
        most: How many there may be at most.

    Raises:
        PromptError: there are more or fewer, or something that is no whole number.
    """
    words = arg.split()
    if not least <= len(words) <= most or not all(re.fullmatch(r"-?[0-9]{1,9}", word) for word in words):
        raise PromptError(f"say {usage}, not {arg!r}")
    return [int(word) for word in words]


def interval(usage: str, arg: str) -> list[int]:
    """Return no numbers or two.

    Raises:
        PromptError: as `numbers`.
    """
    return numbers(usage, arg, 2, 2) if arg else []
