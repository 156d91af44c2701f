"""From a failing run to the least one with the same signature.

Plans are totally ordered (`simulations.choices.Chooser.rank`), and so are (deviations, input of the ladder,
plan). Minimising is enumerating from the bottom of that order until something fails in the same way: the
result is the least there is, whatever the search had come upon.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from scenarios.lab.execution import Caught, caught
from scenarios.lab.minimality import Minimality, Sense
from scenarios.lab.searchers import least_first
from simulations.choices import drawn, exactly

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from scenarios.lab.execution import Outcome
    from scenarios.lab.searchers import Target

MINIMISING_BUDGET: Final = 20_000
"""How many runs minimising may take when nobody says."""


@dataclass(frozen=True)
class Minimal:
    """A failing run and in what sense it is minimal.

    Attributes:
        caught: The run.
        minimality: The words of a `scenarios.lab.minimality.Minimality`, as findings hold them.
    """

    caught: Caught
    minimality: str


def minimise(
    target: Target,
    found: Caught,
    *,
    budget: int = MINIMISING_BUDGET,
    shrink: Callable[[], Caught] | None = None,
) -> Minimal:
    """Return the least failing run with the signature of the one that was found.

    Args:
        target: What to run; its tally must be in the phase of minimising.
        found: The failing run.
        budget: How many runs it may take, from 1: half for the ladder, a quarter for the input, a quarter for
            its labels. When they are spent the best so far is returned, and labelled as what it is.
        shrink: Makes the input smaller by other means, for where the failure does not show on the ladder.
    """
    best = _droppable(target, found)
    if least := _first(target, least_first(target, _reach(best)), best, budget // 2):
        return Minimal(least, str(Minimality(Sense.LEAST)))
    if best.given not in target.scenario.ladder:
        if shrink is not None:
            best = _droppable(target, shrink())
        if least := _first(target, _at_input(target, best), best, budget * 3 // 4):
            return Minimal(least, str(Minimality(Sense.LEAST_AT_INPUT)))
    labels = sorted({deviation.label for deviation in best.outcome.chooser.plan})
    if least := _first(target, _at_input(target, best, labels), best, budget):
        return Minimal(least, str(Minimality(Sense.LEAST_OVER_LABELS, ", ".join(labels))))
    return Minimal(best, str(Minimality(Sense.ONE_MINIMAL)))


def _droppable(target: Target, found: Caught) -> Caught:
    """Drop deviations, one at a time, while the run still fails in the same way."""
    plan = found.outcome.chooser.plan
    for deviation in plan:
        outcome = target(found.given, drawn(plan.without(deviation)))
        if fewer := caught(found.given, outcome, found.failure.by):
            return _droppable(target, fewer)
    return found


def _reach(found: Caught) -> int:
    return len(found.outcome.chooser.deviated)


def _at_input(
    target: Target, found: Caught, labels: Sequence[str] | None = None
) -> Iterator[tuple[Any, Outcome]]:
    """Run all plans that have at most as many deviations as the run that was found, at its input."""
    for k in range(_reach(found) + 1):
        for outcome, _ in exactly(partial(target, found.given), k, labels=labels):
            yield found.given, outcome


def _first(
    target: Target, outcomes: Iterable[tuple[Any, Outcome]], like: Caught, budget: int
) -> Caught | None:
    """Return the first that fails in the same way, or None when there is none or the budget is spent."""
    for given, outcome in outcomes:
        if found := caught(given, outcome, like.failure.by):
            return found
        if target.tally.runs >= budget:
            return None
    return None
