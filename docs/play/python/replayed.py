"""The command that runs on a computer what was run in a page."""

from __future__ import annotations

import json
import shlex
from typing import TYPE_CHECKING, Any

from scenarios.lab.finding import encode_input

if TYPE_CHECKING:
    from scenarios.lab.scenario import Scenario, Variant
    from simulations.choices import Plan


def command(scenario: Scenario, variant: Variant, given: Any, plan: Plan) -> str:
    """Return the line for a shell that replays a plan of a scenario.

    Args:
        scenario: The scenario.
        variant: The variant.
        given: The input.
        plan: What is not nominal.
    """
    words = ["heisenlab", "replay", scenario.name, "--variant", variant.name]
    words += ["--input", json.dumps(encode_input(given)), "--plan", json.dumps(plan.to_json())]
    return shlex.join(words)
