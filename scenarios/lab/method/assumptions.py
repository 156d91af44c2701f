"""The ledger of a scenario's assumptions: checked while it runs, broken on purpose, and what falls with each.

A conclusion is the result that a hunt of a variant must have, as `Variant.expect` states it. It stands on all
assumptions. Breaking one means running the same hunts in a world in which it does not hold; the conclusions
that are other ones there fall with it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from itertools import chain, islice
from typing import TYPE_CHECKING, Any, Final

from scenarios.lab.execution import execute
from scenarios.lab.hunt import hunt
from scenarios.lab.scenario import Exhausted, Finds
from scenarios.lab.searchers import Target, on_the_ladder
from scenarios.lab.verdict import Verdict
from simulations.choices import random
from simulations.errors import LabError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from scenarios.lab.hunt import Hunt
    from scenarios.lab.scenario import Assumption, Scenario, Variant
    from simulations.choices import Chooser

RUNS_MAX: Final = 300
"""How many runs of each variant an assumption is checked in: the nominal ones, those of one deviation, and as
many more by the noise model."""


class Standing(StrEnum):
    """What was seen of an assumption."""

    KEPT = "kept"
    """Every run that was checked keeps it."""
    VIOLATED = "violated"
    """A run does not."""
    UNCHECKED = "not checked"
    """A run cannot show it."""


@dataclass(frozen=True)
class Row:
    """One assumption in the ledger.

    Attributes:
        assumption: The assumption.
        standing: What was seen.
        runs: In how many runs it was checked.
        seen: Where it is violated: what the first such run showed.
    """

    assumption: Assumption
    standing: Standing
    runs: int
    seen: str = ""


class Fate(StrEnum):
    """What becomes of a conclusion when an assumption is broken."""

    STANDS = "stands"
    """The same result."""
    CHANGES = "changes"
    """The same property fails, by another plan."""
    FALLS = "falls"
    """Another result."""


@dataclass(frozen=True)
class Conclusion:
    """A variant's result as stated, and in the world in which an assumption is broken.

    Attributes:
        variant: The name of the variant.
        stated: What its scenario says.
        broken: What a hunt finds in the other world.
        fate: What becomes of it.
    """

    variant: str
    stated: str
    broken: str
    fate: Fate


@dataclass(frozen=True)
class Broken:
    """An assumption, broken.

    Attributes:
        row: What its check says in the world in which it does not hold.
        conclusions: Each variant.
    """

    row: Row
    conclusions: tuple[Conclusion, ...]


def ledger(scenario: Scenario, *, watch: Callable[[int, int], None] | None = None) -> list[Row]:
    """Check every assumption of a scenario in runs of all its variants.

    Args:
        scenario: The scenario.
        watch: Called with the number of variants done and that of all.

    Raises:
        Exception: what a check raises other than an `AssertionError`.
    """
    rows = {each.name: Row(each, _unseen(each), 0) for each in scenario.assumptions}
    for number, variant in enumerate(scenario.variants):
        for run, chooser in _runs(scenario, variant):
            for name, row in rows.items():
                rows[name] = _seen(row, variant, run, chooser)
        if watch is not None:
            watch(number + 1, len(scenario.variants))
    return [*rows.values()]


def _unseen(assumption: Assumption) -> Standing:
    return Standing.UNCHECKED if assumption.check is None else Standing.KEPT


def _seen(row: Row, variant: Variant, run: Any, chooser: Chooser) -> Row:
    check = row.assumption.check
    if check is None or row.standing is Standing.VIOLATED:
        return row
    try:
        check(variant, run, chooser)
    except AssertionError as error:
        says = (str(error) or "it does not hold").splitlines()[0]
        return Row(row.assumption, Standing.VIOLATED, row.runs + 1, f"{variant.name}: {says}")
    return Row(row.assumption, row.standing, row.runs + 1)


def _runs(scenario: Scenario, variant: Variant) -> Iterator[tuple[Any, Chooser]]:
    target = Target(scenario, variant)
    in_order = chain.from_iterable(on_the_ladder(target, 1))
    for _, outcome in islice(in_order, RUNS_MAX):
        yield outcome.run, outcome.chooser
    for seed in range(RUNS_MAX):
        given = scenario.ladder[seed % len(scenario.ladder)]
        outcome = execute(scenario, variant, given, random(scenario.noise, seed))
        yield outcome.run, outcome.chooser


def assumption_named(scenario: Scenario, name: str) -> Assumption:
    """Return an assumption by name.

    Raises:
        LabError: there is none of that name.
    """
    for each in scenario.assumptions:
        if each.name == name:
            return each
    names = ", ".join(each.name for each in scenario.assumptions)
    raise LabError(f"{scenario.name} has no assumption {name!r}; it has {names or 'none'}")


def break_one(scenario: Scenario, name: str, *, watch: Callable[[int, int], None] | None = None) -> Broken:
    """Break an assumption, and say which conclusions fall with it.

    Args:
        scenario: The scenario.
        name: The name of the assumption.
        watch: Called with the number of variants done and that of all.

    Raises:
        LabError: there is no such assumption, or it cannot be broken here.
    """
    assumption = assumption_named(scenario, name)
    if assumption.broken is None:
        raise LabError(
            f"{name} cannot be broken here: {assumption.why_not or 'the scenario does not say how'}"
        )
    other = assumption.broken(scenario)
    row = Row(assumption, _unseen(assumption), 0)
    for variant in other.variants:
        for run, chooser in _runs(other, variant):
            row = _seen(row, variant, run, chooser)
        if row.standing is Standing.VIOLATED:
            break
    conclusions = []
    for number, variant in enumerate(scenario.variants):
        conclusions.append(_conclusion(variant, other))
        if watch is not None:
            watch(number + 1, len(scenario.variants))
    return Broken(row, tuple(conclusions))


def _conclusion(variant: Variant, other: Scenario) -> Conclusion:
    expect = variant.expect
    if isinstance(expect, Finds | Exhausted):
        result = hunt(other, variant.name, searcher="exhaustive", verify=False)
    else:
        result = hunt(other, variant.name, searcher="random", budget=expect.runs, verify=False)
    found = result.finding
    match expect:
        case Finds(by, least):
            kept = found is not None and found.by == by
            fate = Fate.CHANGES if found is not None and found.plan != least else Fate.STANDS
        case Exhausted():
            kept, fate = result.verdict is Verdict.EXHAUSTED, Fate.STANDS
        case _:
            kept, fate = found is None, Fate.STANDS
    return Conclusion(variant.name, stated(variant), _said(result), fate if kept else Fate.FALLS)


def stated(variant: Variant) -> str:
    """Return the result that a variant is said to have, in words."""
    match variant.expect:
        case Finds(by, least):
            return f"{by} fails at {_count(len(least))}"
        case Exhausted(deviations):
            return f"holds up to {_count(deviations)}"
        case other:
            return f"not found in {other.runs} runs"


def _said(result: Hunt) -> str:
    found = result.finding
    if found is not None:
        return f"{found.by} fails at {_count(len(found.plan))}: {found.plan_in_words}"
    if result.coverage.complete and result.coverage.deviations is not None:
        return f"holds up to {_count(result.coverage.deviations)}"
    return f"not found in {result.search_runs} runs"


def _count(deviations: int) -> str:
    return f"{deviations} deviation{'' if deviations == 1 else 's'}"
