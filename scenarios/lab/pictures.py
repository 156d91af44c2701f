"""The pictures of a failing run, beside the nearest run that passes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from scenarios.lab.execution import replayed
from simulations.choices import Plan
from simulations.drawing.displayed import DisplayedByWorld
from simulations.drawing.marks import FAILS, NEAREST, Lanes, Tone, lanes_beside
from simulations.drawing.traces import trace_sequence
from simulations.errors import LabError

if TYPE_CHECKING:
    from scenarios.lab.execution import Outcome
    from scenarios.lab.scenario import Run, Scenario, Variant
    from simulations.drawing.marks import Picture


def nearest_passing(scenario: Scenario, variant: Variant, given: Any, plan: Plan) -> Run | None:
    """Return a run that passes and differs from a failing one in as little as possible.

    That is a run with one deviation fewer, else the nominal one.

    Args:
        scenario: The scenario.
        variant: The variant that fails.
        given: The input.
        plan: The plan under which it fails.

    Returns:
        None where all of these fail, too, or do not apply.
    """
    fewer = [plan.without(deviation) for deviation in reversed(plan.deviations)]
    for rest in [*fewer, Plan()]:
        try:
            outcome = replayed(scenario, variant, given, rest)
        except LabError:
            continue
        if outcome.failure is None:
            return outcome.run
    return None


def pictures_of(
    scenario: Scenario, variant: Variant, given: Any, plan: Plan, outcome: Outcome
) -> tuple[Picture, ...]:
    """Return the pictures of a failing run beside the nearest one that passes.

    Args:
        scenario: The scenario.
        variant: The variant that fails.
        given: The input.
        plan: The plan under which it fails.
        outcome: The failing run.
    """
    passing = nearest_passing(scenario, variant, given, plan)
    if isinstance(outcome.run, DisplayedByWorld):
        return outcome.run.pictures(passing)
    title = f"{scenario.title}: what happened"
    failing = trace_sequence(outcome.run.trace, FAILS, tone=Tone.BAD, moment=scenario.moment)
    if passing is None:
        return (Lanes(title=title, runs=(failing,)),)
    beside = trace_sequence(passing.trace, NEAREST, tone=Tone.GOOD, moment=scenario.moment)
    return (lanes_beside(title, failing, beside),)
