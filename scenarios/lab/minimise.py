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
from scenarios.lab.searchers import on_the_ladder
from scenarios.lab.verdict import Minimality
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
        minimality: The sense.
        labels: The labels that were tried, where it is least over labels only.
    """

    caught: Caught
    minimality: Minimality
    labels: tuple[str, ...] = ()

    @property
    def in_words(self) -> str:
        """The sense in words, as a finding holds it."""
        return self.minimality.in_words(self.labels)


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
    if least := _first(target, _on_the_ladder(target, best), best, budget // 2):
        return Minimal(least, Minimality.LEAST)
    if best.given not in target.scenario.ladder:
        if shrink is not None:
            best = _droppable(target, shrink())
        if least := _first(target, _at_input(target, best), best, budget * 3 // 4):
            return Minimal(least, Minimality.LEAST_AT_INPUT)
    labels = tuple(sorted({deviation.label for deviation in best.outcome.chooser.plan}))
    if least := _first(target, _at_input(target, best, labels), best, budget):
        return Minimal(least, Minimality.LEAST_OVER_LABELS, labels)
    return Minimal(best, Minimality.ONE_MINIMAL)


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


def _on_the_ladder(target: Target, found: Caught) -> Iterator[tuple[Any, Outcome]]:
    """Run all plans that have at most as many deviations as the run that was found, on the whole ladder."""
    for k in range(_reach(found) + 1):
        yield from on_the_ladder(target, k)


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
