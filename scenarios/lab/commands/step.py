"""`heisenlab step`: back and forth through a run."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from scenarios.lab.catalogue import get
from scenarios.lab.commands.command import DONE, UsageError, file_name
from scenarios.lab.commands.step_prompt import StepPrompt
from scenarios.lab.commands.step_trace import TracePrompt, timeline
from scenarios.lab.execution import replayed
from scenarios.lab.finding import decode_input, encode_input, load
from scenarios.lab.scenario import Finds
from simulations.choices import Plan
from simulations.errors import LabError, PlanError
from simulations.mode_machine.debugger import Debugger
from simulations.mode_machine.registers import read, registers
from simulations.mode_machine.variants import System
from simulations.mode_machine.workload import Workload

if TYPE_CHECKING:
    import argparse

    from scenarios.lab.scenario import Scenario, Variant

_DESCRIPTION: Final = (
    "Step back and forth through a run: through its events and the choices between them, or, in the mode "
    "machine, through its clocks, with upsets, resets and power cycles of your own. Without FINDING, that is "
    "the documented minimal run of the variant; where it has none, the last input of the ladder with every "
    "choice nominal. Commands are read from the terminal or from a pipe; the first to try is help."
)


@dataclass(frozen=True)
class Chosen:
    """The run to step through."""

    scenario: Scenario
    variant: Variant
    given: Any
    plan: Plan


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.description = _DESCRIPTION
    parser.add_argument("name", metavar="NAME", help="a scenario, such as invalid-mode")
    parser.add_argument(
        "finding", type=file_name, metavar="FINDING", nargs="?", help="a finding, as written by hunt -o"
    )
    parser.add_argument(
        "--variant", metavar="V", help="a variant; default: that of the finding, or as-shipped"
    )
    parser.add_argument(
        "--nominal", action="store_true", help="step the nominal run, in which nothing deviates"
    )
    parser.add_argument("--json", action="store_true", help="print the whole run as one JSON value and exit")


def run(args: argparse.Namespace) -> int:
    """Open the prompt, or print the run.

    Returns:
        0; or 2 if a command that came through a pipe was wrong.

    Raises:
        UsageError: a finding and the nominal run are asked for.
        LabError: there is no such scenario or variant, or the file is no finding of it.
    """
    if args.finding and args.nominal:
        raise UsageError("a finding is not the nominal run: leave out FINDING or --nominal")
    chosen = choose(args.name, args.finding, args.variant, nominal=args.nominal)
    scenario, variant = chosen.scenario, chosen.variant
    if isinstance(variant.system, System) and isinstance(chosen.given, Workload):
        debugger = Debugger(variant.system, chosen.given, chosen.plan)
        if not args.json:
            return StepPrompt(scenario, variant, debugger).run()
        data = _machine_run(scenario, variant, debugger)
    else:
        stepped = timeline(scenario, variant, chosen.given, chosen.plan)
        if not args.json:
            return TracePrompt(stepped).run()
        data = stepped.to_json()
    print(json.dumps(data, indent=2))
    return DONE


def choose(
    name: str, path: str | None = None, variant_name: str | None = None, *, nominal: bool = False
) -> Chosen:
    """Return the run to step through.

    Args:
        name: The name of a scenario.
        path: The file of a finding, if any.
        variant_name: The variant to run; by default that of the finding, or as shipped.
        nominal: Without a finding: the nominal run instead of the documented minimal one.

    Raises:
        LabError: as `run`.
    """
    scenario = get(name)
    finding = load(path) if path is not None else None
    if finding is not None and finding.scenario != name:
        raise LabError(
            f"{path} is a finding of {finding.scenario}; say heisenlab step {finding.scenario} {path}"
        )
    variant = scenario.variant(variant_name or (finding.variant if finding else "as-shipped"))
    if finding is not None:
        return Chosen(scenario, variant, decode_input(scenario, finding.input), finding.plan)
    given, plan = _documented(scenario, variant)
    return Chosen(scenario, variant, given, Plan() if nominal else plan)


def _documented(scenario: Scenario, variant: Variant) -> tuple[Any, Plan]:
    """Return the input and the plan that the scenario documents for a variant."""
    if isinstance(variant.expect, Finds):
        for given in scenario.ladder:
            try:
                outcome = replayed(scenario, variant, given, variant.expect.least)
            except PlanError:  # the input is too short for the plan
                continue
            if outcome.failure is not None and outcome.failure.by == variant.expect.by:
                return given, variant.expect.least
    return scenario.ladder[-1], Plan()


def _machine_run(scenario: Scenario, variant: Variant, debugger: Debugger) -> dict[str, Any]:
    """Return every state and event of a timeline, up to the end of its workload, as JSON-able data."""
    end = debugger.workload.clocks
    states = [debugger.goto(clock) for clock in range(end + 1)]
    lanes = {
        name: [read(debugger.system, state, name) for state in states] for name in registers(debugger.system)
    }
    return {
        "scenario": scenario.name,
        "variant": variant.name,
        "input": encode_input(debugger.workload),
        "plan": debugger.plan.to_json(),
        "plan_in_words": debugger.in_words,
        "clocks": end,
        "lanes": lanes,
        "events": [list(event) for clock in range(end) for event in debugger.events(clock)],
    }
