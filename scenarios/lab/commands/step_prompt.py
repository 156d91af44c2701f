"""The prompt of `heisenlab step`: one command a line, one line for whatever is wrong with it."""

from __future__ import annotations

import re
import shlex
import sys
from cmd import Cmd
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from scenarios.lab.execution import caught, replayed
from scenarios.lab.finding import Finding, check_writable
from scenarios.lab.hunt import finding_of
from scenarios.lab.verdict import Minimality
from scenarios.lab.verify import verify
from simulations.errors import LabError
from simulations.mode_machine.debugger import said
from simulations.mode_machine.registers import read, registers

if TYPE_CHECKING:
    from collections.abc import Callable

    from scenarios.lab.scenario import Scenario, Variant
    from simulations.mode_machine.debugger import Debugger

_SHORT: Final = {"s": "step", "b": "back", "g": "goto", "q": "quit", "?": "help"}


class PromptError(LabError):
    """A command of the prompt was given other arguments than it takes."""


class StepPrompt(Cmd):
    """Reads commands and shows what they did.

    Args:
        scenario: The scenario.
        variant: The variant that is run.
        debugger: At the beginning of the run.
    """

    def __init__(self, scenario: Scenario, variant: Variant, debugger: Debugger) -> None:
        super().__init__()
        self._scenario = scenario
        self._variant = variant
        self._debugger = debugger
        self._interactive = sys.stdin.isatty()
        self._failed = False

    def run(self) -> int:
        """Read commands until there are no more.

        Returns:
            0; or 2 if a command that came through a pipe was wrong.
        """
        self._say(f"{self._scenario.name} / {self._variant.name}: {self._debugger.in_words}")
        self._show()
        if self._interactive:
            self._say("help lists the commands; Ctrl-D leaves")
        while True:
            try:
                self.cmdloop()
            except KeyboardInterrupt:
                self._say(f"\ninterrupted; still at clock {self._debugger.clock}, Ctrl-D leaves")
                continue
            return 2 if self._failed and not self._interactive else 0

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
                self._say("")
            return True
        try:
            return bool(super().onecmd(line))
        except LabError as error:
            return self._complain(str(error))
        except KeyboardInterrupt:
            return self._complain(f"interrupted; still at clock {self._debugger.clock}")

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

    # Commands; the first line of each docstring is what help prints

    def do_help(self, arg: str) -> None:
        """List the commands, or say what one does: help [COMMAND]."""
        commands = self._commands()
        if arg and arg not in commands:
            raise PromptError(f"there is no command {arg!r}; help lists them")
        for name in [arg] if arg else commands:
            purpose, _, usage = (commands[name].__doc__ or "").rpartition(": ")
            self._say(f"{usage.rstrip('.'):<20} {purpose}")
        if not arg:
            self._say("a CONDITION is unused, wrong, starved, or a comparison such as cpu1.mode == ?110")
            self._say(f"short: {', '.join(f'{short} {name}' for short, name in _SHORT.items())}")

    def do_step(self, arg: str) -> None:
        """Go forth by one clock, or by N: step [N]."""
        self._debugger.step(*_numbers("step [N]", arg, 0, 1))
        self._show()

    def do_back(self, arg: str) -> None:
        """Go back by one clock, or by N: back [N]."""
        self._debugger.back(*_numbers("back [N]", arg, 0, 1))
        self._show()

    def do_goto(self, arg: str) -> None:
        """Go to the beginning of a clock: goto CLOCK."""
        self._debugger.goto(*_numbers("goto CLOCK", arg, 1, 1))
        self._show()

    def do_until(self, arg: str) -> None:
        """Go forth to where a condition becomes true, or a watched register changes: until [CONDITION]."""
        self._say(str(self._debugger.run_until(arg or None)))
        self._show()

    def do_rewind(self, arg: str) -> None:
        """Go back to where a condition became true, or a watched register changed: rewind [CONDITION]."""
        self._say(str(self._debugger.back_until(arg or None)))
        self._show()

    def do_watch(self, arg: str) -> None:
        """Show a register after every move; without REGISTER list all registers: watch [REGISTER]."""
        if not arg:
            self._say("registers: " + " ".join(registers(self._debugger.system)))
            return
        self._say(f"{arg} is {self._debugger.watch(arg)}")

    def do_unwatch(self, arg: str) -> None:
        """Watch a register no longer: unwatch REGISTER."""
        self._debugger.unwatch(arg)

    def do_changed(self, arg: str) -> None:
        """Tell when a register last changed and who wrote it: changed REGISTER."""
        change = self._debugger.last_change(arg)
        self._say(str(change) if change else f"{arg} has not changed since power-on")

    def do_flip(self, arg: str) -> None:
        """Upset a bit in the clock that comes next; once more takes it back: flip CPU BIT."""
        processor, bit = _numbers("flip CPU BIT, as in flip cpu1 2", arg.replace("cpu", ""), 2, 2)
        self._say(str(self._debugger.flip(processor, bit)))

    def do_reset(self, arg: str) -> None:
        """Hold the reset command for 8 clocks, or N, from the one that comes next: reset [N]."""
        self._say(str(self._debugger.press_reset(*_numbers("reset [N]", arg, 0, 1))))

    def do_power(self, arg: str) -> None:
        """Switch the machine off and on at the present clock: power."""
        _numbers("power", arg, 0, 0)
        self._say(str(self._debugger.power_cycle()))
        self._show()

    def do_lanes(self, arg: str) -> None:
        """Show the modes as lanes: lanes [FIRST LAST]."""
        self._say(self._debugger.lanes(*_range("lanes [FIRST LAST]", arg)))

    def do_table(self, arg: str) -> None:
        """Show a row for each clock, with what happens in it: table [FIRST LAST]."""
        self._say(self._debugger.table(*_range("table [FIRST LAST]", arg)))

    def do_plan(self, arg: str) -> None:
        """Say what the environment does in the present timeline, and to which commands: plan."""
        _numbers("plan", arg, 0, 0)
        self._say(self._debugger.in_words)
        self._say(f"commands: {self._debugger.workload}")

    def do_save(self, arg: str) -> None:
        """Save this timeline as a finding for heisenlab replay, if a property fails on it: save FILE."""
        if not arg:
            raise PromptError("say save FILE")
        check_writable(arg)
        finding = self._finding()
        finding.save(arg)
        self._say(f"saved, since {finding.by} fails; run it again with: heisenlab replay {shlex.quote(arg)}")

    def do_quit(self, arg: str) -> bool:
        """Leave: quit."""
        _numbers("quit", arg, 0, 0)
        return True

    # What the commands share

    def _finding(self) -> Finding:
        """Return the present timeline as a finding, replayed in fresh interpreters."""
        debugger = self._debugger
        if debugger.timeline.power_cycles:
            raise PromptError(
                "a run in which the power was cut cannot be saved: a replay has noise and commands, no switch"
            )
        outcome = replayed(self._scenario, self._variant, debugger.workload, debugger.plan)
        found = caught(debugger.workload, outcome)
        if found is None:
            raise PromptError("no property fails on this timeline, so there is nothing to save as a finding")
        finding = finding_of(
            self._scenario,
            self._variant,
            found,
            minimality=Minimality.BY_HAND.in_words(),
            searcher="step",
        )
        return replace(finding, verified=verify([(self._scenario, finding)])[0])

    def _show(self) -> None:
        """Show where we are, what happened in the clock before, and what is watched."""
        debugger = self._debugger
        held = [
            f"{register.split('.')[0]} {read(debugger.system, debugger.state, register)}"
            for register in registers(debugger.system)
            if register.endswith((".mode", ".owner"))
        ]
        line = f"clock {debugger.clock}: {', '.join(held)}"
        happened = "; ".join(
            said(event) for event in debugger.events() if event.action not in ("mode", "grant")
        )
        watched = ", ".join(f"{register} = {value}" for register, value in debugger.watched.items())
        self._say("  | ".join(part for part in (line, happened, watched) if part))

    def _set_prompt(self) -> None:
        self.prompt = f"({self._debugger.clock}) " if self._interactive else ""

    def _commands(self) -> dict[str, Callable[[str], object]]:
        found = {
            name.removeprefix("do_"): getattr(self, name) for name in dir(self) if name.startswith("do_")
        }
        return dict(sorted(found.items()))

    def _say(self, text: str) -> None:
        self.stdout.write(f"{text}\n")

    def _complain(self, message: str) -> bool:
        self._failed = True
        self._say(f"! {message}")
        return False


def _numbers(usage: str, arg: str, least: int, most: int) -> list[int]:
    """Return the whole numbers of a command's arguments."""
    words = arg.split()
    if not least <= len(words) <= most or not all(re.fullmatch(r"-?[0-9]{1,9}", word) for word in words):
        raise PromptError(f"say {usage}, not {arg!r}")
    return [int(word) for word in words]


def _range(usage: str, arg: str) -> list[int]:
    """Return no numbers or two."""
    return _numbers(usage, arg, 2, 2) if arg else []
