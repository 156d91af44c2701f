"""The prompt of `heisenlab step` for the mode machine: a debugger that also changes the run."""

from __future__ import annotations

import shlex
from dataclasses import replace
from typing import TYPE_CHECKING

from scenarios.lab.commands.prompt import Prompt, PromptError, interval, numbers
from scenarios.lab.execution import caught, replayed
from scenarios.lab.finding import Finding, check_writable
from scenarios.lab.hunt import finding_of
from scenarios.lab.verdict import Minimality
from scenarios.lab.verify import verify
from simulations.mode_machine.debugger import said
from simulations.mode_machine.registers import read, registers

if TYPE_CHECKING:
    from scenarios.lab.scenario import Scenario, Variant
    from simulations.mode_machine.debugger import Debugger


class StepPrompt(Prompt):
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

    help_notes = ("a CONDITION is unused, wrong, starved, or a comparison such as cpu1.mode == ?110",)

    def place(self) -> tuple[str, int]:
        """Return the present clock."""
        return "clock", self._debugger.clock

    def open(self) -> None:
        """Print the plan, and where the run begins."""
        self.say(f"{self._scenario.name} / {self._variant.name}: {self._debugger.in_words}")
        self._show()

    # Commands; the first line of each docstring is what help prints

    def do_step(self, arg: str) -> None:
        """Go forward by one clock, or by N: step [N]."""
        self._debugger.step(*numbers("step [N]", arg, 0, 1))
        self._show()

    def do_back(self, arg: str) -> None:
        """Go back by one clock, or by N: back [N]."""
        self._debugger.back(*numbers("back [N]", arg, 0, 1))
        self._show()

    def do_goto(self, arg: str) -> None:
        """Go to the beginning of a clock: goto CLOCK."""
        self._debugger.goto(*numbers("goto CLOCK", arg, 1, 1))
        self._show()

    def do_until(self, arg: str) -> None:
        """Go forward to where a condition becomes true, or a watched register changes: until [CONDITION]."""
        self.say(str(self._debugger.run_until(arg or None)))
        self._show()

    def do_rewind(self, arg: str) -> None:
        """Go back to where a condition became true, or a watched register changed: rewind [CONDITION]."""
        self.say(str(self._debugger.back_until(arg or None)))
        self._show()

    def do_watch(self, arg: str) -> None:
        """Show a register after every move; without REGISTER list all registers: watch [REGISTER]."""
        if not arg:
            self.say("registers: " + " ".join(registers(self._debugger.system)))
            return
        self.say(f"{arg} is {self._debugger.watch(arg)}")

    def do_unwatch(self, arg: str) -> None:
        """Watch a register no longer: unwatch REGISTER."""
        self._debugger.unwatch(arg)

    def do_changed(self, arg: str) -> None:
        """Say when a register last changed and who wrote it: changed REGISTER."""
        change = self._debugger.last_change(arg)
        self.say(str(change) if change else f"{arg} has not changed since power-on")

    def do_flip(self, arg: str) -> None:
        """Upset a bit in the clock that comes next; once more takes it back: flip CPU BIT."""
        processor, bit = numbers("flip CPU BIT, as in flip cpu1 2", arg.replace("cpu", ""), 2, 2)
        self.say(str(self._debugger.flip(processor, bit)))

    def do_reset(self, arg: str) -> None:
        """Hold the reset command for 8 clocks, or N, from the one that comes next: reset [N]."""
        self.say(str(self._debugger.press_reset(*numbers("reset [N]", arg, 0, 1))))

    def do_power(self, arg: str) -> None:
        """Switch the machine off and on at the present clock: power."""
        numbers("power", arg, 0, 0)
        self.say(str(self._debugger.power_cycle()))
        self._show()

    def do_lanes(self, arg: str) -> None:
        """Show the modes as lanes: lanes [FIRST LAST]."""
        self.say(self._debugger.lanes(*interval("lanes [FIRST LAST]", arg)))

    def do_table(self, arg: str) -> None:
        """Show a row for each clock, with what happens in it: table [FIRST LAST]."""
        self.say(self._debugger.table(*interval("table [FIRST LAST]", arg)))

    def do_plan(self, arg: str) -> None:
        """Say what the environment does in the present timeline, and to which commands: plan."""
        numbers("plan", arg, 0, 0)
        self.say(self._debugger.in_words)
        self.say(f"commands: {self._debugger.workload}")

    def do_save(self, arg: str) -> None:
        """Save this timeline as a finding for heisenlab replay, if a property fails on it: save FILE."""
        if not arg:
            raise PromptError("say save FILE")
        check_writable(arg)
        finding = self._finding()
        finding.save(arg)
        self.say(f"saved, since {finding.by} fails; run it again with: heisenlab replay {shlex.quote(arg)}")

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
        self.say("  | ".join(part for part in (line, happened, watched) if part))
