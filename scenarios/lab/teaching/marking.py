"""Marks findings by running them: whether they reproduce, and whether they are least.

Nothing is believed that a file says of itself. Its plan is run; then everything below it is run, up to a
budget, in the order in which plans are least (`scenarios.lab.minimise`).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from scenarios.lab.catalogue import get
from scenarios.lab.execution import Caught, in_words
from scenarios.lab.finding import decode_input, encode_input
from scenarios.lab.minimise import MINIMISING_BUDGET, minimise
from scenarios.lab.replay import replay
from scenarios.lab.searchers import Phase, Tally, Target

if TYPE_CHECKING:
    from collections.abc import Callable

    from scenarios.lab.finding import Finding
    from scenarios.lab.minimise import Minimal

__all__ = ["Least", "Lesser", "Mark", "mark"]


class Least(StrEnum):
    """Whether a finding is the least run that fails in its way."""

    YES = "yes"
    """Everything below it was run, and nothing of that fails in the same way."""
    NO = "no"
    """A lesser run fails in the same way."""
    UNDECIDED = "undecided"
    """None of its deviations can be left out; the budget did not suffice to run everything below it."""
    NOT_ASKED = "-"
    """It does not fail, so there is nothing to be least."""


@dataclass(frozen=True)
class Lesser:
    """A run that fails in the same way as a finding, and is less.

    Attributes:
        deviations: How many its plan has.
        plan_in_words: Its plan in the words of the world.
        input: Its input as JSON-able data.
    """

    deviations: int
    plan_in_words: str
    input: Any


@dataclass(frozen=True)
class Mark:
    """What a finding is worth.

    Attributes:
        replayed: `identical`, `differs` (something fails, but the run is another one) or `holds`.
        least: Whether it is the least run that fails in its way.
        how: How that is known, in one sentence.
        runs: How many runs that took.
        lesser: The least run that was found, where the finding is not least.
    """

    replayed: str
    least: Least
    how: str
    runs: int
    lesser: Lesser | None = None

    @property
    def full(self) -> bool:
        """Whether nothing is to be said against it."""
        return self.replayed == "identical" and self.least is Least.YES


def mark(
    finding: Finding, *, budget: int = MINIMISING_BUDGET, watch: Callable[[Tally], None] | None = None
) -> Mark:
    """Run a finding, then everything below it.

    Args:
        finding: The finding.
        budget: How many runs that may take, from 1.
        watch: Called after each run with the running count.

    Raises:
        PlanError: the plan does not fit the world any more.
        LabError: the scenario, the variant or the form of the input is gone, or a run asks without end.
    """
    scenario = get(finding.scenario)
    seen = replay(finding, scenario)
    failure = seen.outcome.failure
    if failure is None:
        return Mark(seen.result.value, Least.NOT_ASKED, "no property fails", 1)
    target = Target(scenario, scenario.variant(finding.variant), Tally(watch=watch))
    target.tally.start(Phase.MINIMISE, budget)
    caught = Caught(decode_input(scenario, finding.input), seen.outcome, failure)
    found = minimise(target, caught, budget=budget)
    runs = target.tally.runs
    best = found.caught
    if best.given == caught.given and best.outcome.chooser.plan == finding.plan:
        least, how = _standing(found, runs)
        return Mark(seen.result.value, least, how, runs)
    plan = best.outcome.chooser.plan
    lesser = Lesser(len(plan), in_words(scenario, best.outcome.chooser), encode_input(best.given))
    how = f"a lesser run fails in the same way, with {_deviations(len(plan))}"
    return Mark(seen.result.value, Least.NO, how, runs, lesser)


def _standing(found: Minimal, runs: int) -> tuple[Least, str]:
    """Return whether a run is least below which nothing was found, and how that is known."""
    if found.minimality.is_least:
        return Least.YES, f"{found.minimality.value}: everything below it was run ({runs} runs)"
    return Least.UNDECIDED, f"{found.minimality.value} after {runs} runs; try a larger --budget"


def _deviations(number: int) -> str:
    return f"{number} deviation{'s'[: number != 1]}"
