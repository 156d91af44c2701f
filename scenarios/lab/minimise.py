"""From a failing run to the least one with the same signature.

Plans are totally ordered (`simulations.choices.Chooser.rank`), and so are (deviations, input of the ladder,
plan). Minimising is enumerating from the bottom of that order until something fails in the same way: the
result is the least there is, whatever the search had come upon.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING, Any, Final

from scenarios.lab.searchers import least_first
from simulations.choices import drawn, exactly

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from scenarios.lab.execution import Outcome
    from scenarios.lab.searchers import Target

MINIMISING_BUDGET: Final = 20_000
"""How many runs minimising may take when nobody says."""


@dataclass(frozen=True)
class Minimal:
    """A failing run and in what sense it is minimal.

    Attributes:
        given: The input.
        outcome: The run.
        minimality: `least` (nothing below it fails in the same way, over the whole ladder of inputs), `least
            at this input` (the failure does not show on the ladder), `least over labels L` (only those labels
            were tried), or `1-minimal` (no single deviation can be dropped; the budget ran out).
    """

    given: Any
    outcome: Outcome
    minimality: str


def minimise(
    target: Target,
    given: Any,
    outcome: Outcome,
    *,
    budget: int = MINIMISING_BUDGET,
    shrink: Callable[[], tuple[Any, Outcome]] | None = None,
) -> Minimal:
    """Return the least failing run with the signature of `outcome`.

    Args:
        target: What to run; its tally must be in the phase of minimising.
        given: The input of the failing run.
        outcome: The failing run.
        budget: How many runs it may take, from 1: half for the ladder, a quarter for the input, a quarter for
            its labels. When they are spent the best so far is returned, and labelled as what it is.
        shrink: Makes the input smaller by other means, for where the failure does not show on the ladder.
    """
    if outcome.failure is None:
        raise ValueError("a run in which every property holds cannot be minimised")
    by = outcome.failure.by
    outcome = _droppable(target, given, outcome, by)
    reach = len(outcome.chooser.deviated)
    on_ladder = _first(target, least_first(target, reach), by, budget // 2)
    if on_ladder is not None:
        return Minimal(*on_ladder, "least")
    if given not in target.scenario.ladder:
        if shrink is not None:
            given, outcome = shrink()
            outcome = _droppable(target, given, outcome, by)
            reach = len(outcome.chooser.deviated)
        here = chain.from_iterable(exactly(partial(target, given), k) for k in range(reach + 1))
        at_input = _first(target, ((given, ran.result) for ran in here), by, budget * 3 // 4)
        if at_input is not None:
            return Minimal(*at_input, "least at this input")
    labels = sorted({deviation.label for deviation in outcome.chooser.plan})
    narrow = chain.from_iterable(exactly(partial(target, given), k, labels=labels) for k in range(reach + 1))
    over_labels = _first(target, ((given, ran.result) for ran in narrow), by, budget)
    if over_labels is not None:
        return Minimal(*over_labels, f"least over labels {', '.join(labels)}")
    return Minimal(given, outcome, "1-minimal")


def _droppable(target: Target, given: Any, outcome: Outcome, by: str) -> Outcome:
    """Drop deviations one at a time while the run still fails in the same way."""
    for deviation in outcome.chooser.plan:
        without = target(given, drawn(outcome.chooser.plan.without(deviation)))
        if without.fails_as(by):
            return _droppable(target, given, without, by)
    return outcome


def _first(
    target: Target, outcomes: Iterable[tuple[Any, Outcome]], by: str, budget: int
) -> tuple[Any, Outcome] | None:
    """Return the first that fails by that property, or None when there is none or the budget is spent."""
    for given, outcome in outcomes:
        if outcome.fails_as(by):
            return given, outcome
        if target.tally.runs >= budget:
            return None
    return None
