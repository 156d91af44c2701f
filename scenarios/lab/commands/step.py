"""The command `heisenlab step`: single-step through a run of the mode machine, forth and back."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import argparse

    from scenarios.lab.scenario import Scenario, Variant
    from simulations.mode_machine.debugger import Debugger

# Nothing of the engine is imported above, for the reason that `scenarios.lab.commands` gives.

_DESCRIPTION = (
    "Step through a run, forth and back, and meddle with it. Without FINDING it is the documented least run "
    "of the variant, or, where it has none, the last input of the ladder with no noise at all. Commands are "
    "read from the terminal or from a pipe; the first to try is help."
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.description = _DESCRIPTION
    parser.add_argument("name", metavar="NAME", help="invalid-mode, or another scenario of the mode machine")
    parser.add_argument("finding", metavar="FINDING", nargs="?", help="what hunt -o wrote")
    parser.add_argument("--variant", metavar="V", help="default: that of the finding, or as-shipped")
    parser.add_argument(
        "--json", action="store_true", help="print the whole run as one JSON value, and leave"
    )


def run(args: argparse.Namespace) -> int:
    """Run the command.

    Args:
        args: `name`, `finding`, `variant` and `json`.

    Returns:
        0; or 2 if a command that came through a pipe was wrong.

    Raises:
        LabError: there is no such scenario or variant, the file is no finding of it, or it has another world.
    """
    scenario, variant, debugger = start(args.name, args.finding, args.variant)
    if args.json:
        json.dump(whole_run(scenario, variant, debugger), sys.stdout, indent=2)
        sys.stdout.write("\n")
        return 0
    from scenarios.lab.commands.step_prompt import StepPrompt  # noqa: PLC0415  (see above)

    return StepPrompt(scenario, variant, debugger).run()


def start(
    name: str, path: str | None = None, variant_name: str | None = None
) -> tuple[Scenario, Variant, Debugger]:
    """Return a debugger at the beginning of a run.

    Args:
        name: The name of a scenario.
        path: The file of a finding, if any.
        variant_name: The variant to run; by default that of the finding, or as shipped.

    Raises:
        LabError: as `run`.
    """
    from scenarios.lab.catalogue import get  # noqa: PLC0415  (see above; so in every function)
    from scenarios.lab.finding import decode_input, load  # noqa: PLC0415
    from simulations.errors import LabError  # noqa: PLC0415
    from simulations.mode_machine.debugger import Debugger  # noqa: PLC0415
    from simulations.mode_machine.system import System, Workload  # noqa: PLC0415

    scenario = get(name)
    finding = load(path) if path is not None else None
    if finding is not None and finding.scenario != name:
        raise LabError(
            f"{path} is a finding of {finding.scenario}; say heisenlab step {finding.scenario} {path}"
        )
    variant = scenario.variant(variant_name or (finding.variant if finding else "as-shipped"))
    if finding is not None:
        given, plan = decode_input(scenario, finding.input), finding.plan
    else:
        given, plan = _documented(scenario, variant)
    if not (isinstance(variant.system, System) and isinstance(given, Workload)):
        raise LabError(
            f"{name} is no scenario of the mode machine, and the single-step debugger is for those only"
        )
    return scenario, variant, Debugger(variant.system, given, plan)


def _documented(scenario: Scenario, variant: Variant) -> tuple[Any, Any]:
    """Return the input and the plan that the scenario documents for a variant."""
    from scenarios.lab.execution import replayed  # noqa: PLC0415
    from scenarios.lab.scenario import Finds  # noqa: PLC0415
    from simulations.choices import Plan  # noqa: PLC0415
    from simulations.errors import PlanError  # noqa: PLC0415

    if isinstance(variant.expect, Finds):
        for given in scenario.ladder:
            try:
                outcome = replayed(scenario, variant, given, variant.expect.least)
            except PlanError:  # the input is too short for the plan
                continue
            if outcome.failure is not None and outcome.failure.by == variant.expect.by:
                return given, variant.expect.least
    return scenario.ladder[-1], Plan()


def whole_run(scenario: Scenario, variant: Variant, debugger: Debugger) -> dict[str, Any]:
    """Return every state and event of a timeline, up to the end of its workload, as JSON-able data."""
    from scenarios.lab.finding import encode_input  # noqa: PLC0415
    from simulations.mode_machine.registers import read, registers  # noqa: PLC0415

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
