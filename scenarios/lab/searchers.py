"""What proposes inputs and plans: hypothesis, random, exhaustive.

Each searcher runs a variant until a property fails, everything up to a bound has been run, or the budget is
spent. None of them minimises; `scenarios.lab.minimise` does.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from scenarios.lab.execution import Caught, Outcome, caught, execute
from simulations.choices import Chooser, Deviation, drawn, exactly, nominal, random, substream

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from hypothesis.strategies import DrawFn, SearchStrategy

    from scenarios.lab.scenario import Scenario, Variant

BUDGETS: Final = {"hypothesis": 1000, "random": 1000, "exhaustive": 100_000}
"""How many runs a searcher may spend when nobody says."""


@dataclass
class Tally:
    """Counts the runs of a hunt as they happen, so that a hunt that is cut short can say how far it came.

    Attributes:
        phase: `search` or `minimise`.
        runs: The number of runs in the present phase.
        limit: How many the phase may take at most.
        watch: Called after each run, for a progress bar.
    """

    phase: str = "search"
    runs: int = 0
    limit: int = 0
    watch: Callable[[Tally], None] | None = None

    def start(self, phase: str, limit: int) -> None:
        """Begin a phase of at most `limit` runs."""
        self.phase, self.runs, self.limit = phase, 0, limit

    def count(self) -> None:
        """Count one run."""
        self.runs += 1
        if self.watch is not None:
            self.watch(self)


@dataclass
class Target:
    """What a hunt runs: one variant of one scenario, every run counted."""

    scenario: Scenario
    variant: Variant
    tally: Tally = field(default_factory=Tally)

    def __call__(self, given: Any, chooser: Chooser) -> Outcome:
        """Run the variant once at an input."""
        self.tally.count()
        return execute(self.scenario, self.variant, given, chooser)


@dataclass(frozen=True)
class Search:
    """What a searcher came to.

    Attributes:
        caught: The first run in which a property failed, or None.
        in_order: Whether the runs went up from the bottom of the order of "least", so that the first that
            failed is the least and, where none did, every plan up to the bound has been run.
        complete: Whether every plan up to the bound was run on every input of the ladder.
        labels: The labels of the choice points that a complete search covers.
        independent: Whether the runs were independent draws from one distribution.
        shrink: Where the input may lie outside the ladder: lets the searcher make it smaller.
    """

    caught: Caught | None
    in_order: bool = False
    complete: bool = False
    labels: tuple[str, ...] = ()
    independent: bool = False
    shrink: Callable[[], Caught] | None = None


Searcher: TypeAlias = "Callable[[Target, int, int, int], Search]"
"""Called with the target, a seed, the budget in runs, and the largest number of deviations of a plan."""


def exhaustive_search(target: Target, seed: int, budget: int, deviations: int) -> Search:  # noqa: ARG001
    """Run every plan of at most so many deviations on every input of the ladder, in the order of "least"."""
    labels: dict[str, None] = {}
    for given, outcome in least_first(target, deviations):
        labels.update(dict.fromkeys(outcome.chooser.labels))
        if found := caught(given, outcome):
            return Search(found, in_order=True)
        if target.tally.runs >= budget:
            return Search(None, in_order=True)
    return Search(None, in_order=True, complete=True, labels=tuple(labels))


def least_first(target: Target, deviations: int) -> Iterator[tuple[Any, Outcome]]:
    """Run all plans of at most so many deviations in the order (deviations, input of the ladder, plan)."""
    for k in range(deviations + 1):
        for given in target.scenario.ladder:
            for outcome, _ in exactly(partial(target, given), k):
                yield given, outcome


def random_search(target: Target, seed: int, budget: int, deviations: int) -> Search:  # noqa: ARG001
    """Draw an input of the ladder, and every answer by the scenario's noise model, anew for each run."""
    rng = substream(seed, "random search")
    for _ in range(budget):
        given = rng.choice(target.scenario.ladder)
        outcome = target(given, random(target.scenario.noise, rng.randrange(2**63)))
        if found := caught(given, outcome):
            return Search(found, independent=True)
    return Search(None, independent=True)


class _Leave(BaseException):
    """Carries what is no property failure through Hypothesis, which must not see it, to the outside.

    Hypothesis would take a world's `TypeError` or the exception with which pytest-timeout ends a test for a
    failing example, shrink it, and call it flaky.
    """

    def __init__(self, reason: BaseException) -> None:
        self.reason = reason


class _Found(BaseException):
    """Ends a search at its first failing run, since minimising is ours."""

    def __init__(self, caught: Caught) -> None:
        self.caught = caught


@dataclass(frozen=True)
class _Question:
    """What is known of a label: how often a run asked it at most, and with how many options."""

    asked: int
    options: int


_Table: TypeAlias = "dict[str, _Question]"

_ROUND: Final = 250
"""After so many runs the labels that have appeared meanwhile are drawn from, too."""


def hypothesis_search(target: Target, seed: int, budget: int, deviations: int) -> Search:
    """Let Hypothesis draw the input and a short list of deviations, label first, up front.

    The labels are those of the nominal run. Where a deviation makes new ones appear they are drawn from after
    the present round, so that what an example means never changes while Hypothesis works on it.

    Raises:
        hypothesis.errors.HypothesisException: a health check failed, or the strategy is unusable.
    """
    seeds = substream(seed, "hypothesis search")
    largest = target.scenario.ladder[-1]
    first = target(largest, nominal())
    if found := caught(largest, first):
        return Search(found)
    seen = _learn({}, first.chooser)

    def judge(given: Any, outcome: Outcome) -> None:
        _learn(seen, outcome.chooser)
        if found := caught(given, outcome):
            raise _Found(found)

    while (left := budget - target.tally.runs) > 0:
        before = target.tally.runs
        this = _Round(target, dict(seen), deviations, seeds.randrange(2**32), min(left, _ROUND))
        try:
            this.run(judge)
        except _Found as found_by:
            return Search(found_by.caught, shrink=partial(this.shrink, found_by.caught))
        if target.tally.runs - before < this.examples and seen == this.known:
            break  # the strategy has no more to offer
    return Search(None)


def _learn(table: _Table, chooser: Chooser) -> _Table:
    for label, size in chooser.questions.items():
        known = table.get(label, _Question(0, 0))
        table[label] = _Question(max(size[0], known.asked), max(size[1], known.options))
    return table


@dataclass(frozen=True)
class _Round:
    """So many examples of one `@given` test, drawn from what was known of the labels when it began."""

    target: Target
    known: _Table
    deviations: int
    seed: int
    examples: int

    def run(self, judge: Callable[[Any, Outcome], None], *, shrink: bool = False) -> None:
        """Run the test; `judge` sees the input and the outcome of each example."""
        import hypothesis  # noqa: PLC0415  (a replay never needs it, and it costs as much as ten hunts)
        from hypothesis import HealthCheck, Phase, Verbosity  # noqa: PLC0415
        from hypothesis import strategies as st  # noqa: PLC0415

        scenario = self.target.scenario
        inputs = st.sampled_from(scenario.ladder) if scenario.inputs is None else scenario.inputs()

        @hypothesis.seed(self.seed)
        @hypothesis.settings(
            max_examples=self.examples,
            phases=(Phase.generate, Phase.shrink) if shrink else (Phase.generate,),
            database=None,
            deadline=None,
            derandomize=False,
            report_multiple_bugs=False,
            verbosity=Verbosity.quiet,
            # How slow a world is says nothing about the bug, and a hunt inside a test is what notebooks do.
            suppress_health_check=(HealthCheck.too_slow, HealthCheck.nested_given),
        )
        @hypothesis.given(inputs, _deviations(self.known, self.deviations))
        def example(given: Any, deviations: list[Deviation]) -> None:
            try:
                outcome = self.target(given, drawn(deviations))
            except BaseException as reason:  # noqa: BLE001  (handed on as it is, outside Hypothesis)
                raise _Leave(reason) from None
            judge(given, outcome)

        try:
            example()
        except _Leave as left_by:
            raise left_by.reason from None

    def shrink(self, first: Caught) -> Caught:
        """Let Hypothesis shrink the input, and the plan with it, of the failure that it came upon."""
        least = first

        def judge(given: Any, outcome: Outcome) -> None:
            nonlocal least
            if found := caught(given, outcome, first.failure.by):
                least = found
                raise _Failing

        with suppress(_Failing):  # Hypothesis runs the least example last
            self.run(judge, shrink=True)
        return least


def _deviations(known: _Table, most: int) -> SearchStrategy[list[Deviation]]:
    """Return the strategy of plans: few deviations, of the labels asked first, early, with a low option."""
    from hypothesis import strategies as st  # noqa: PLC0415

    labels = [label for label, question in known.items() if question.options > 1]
    if not labels:
        return st.just([])

    @st.composite
    def deviation(draw: DrawFn) -> Deviation:
        label = draw(st.sampled_from(labels))
        question = known[label]
        occurrence = draw(st.integers(0, question.asked - 1))
        return Deviation(label, occurrence, draw(st.integers(1, question.options - 1)))

    return st.lists(deviation(), max_size=most)


class _Failing(Exception):  # noqa: N818  (never seen outside)
    """Tells Hypothesis that an example fails."""


SEARCHERS: Final[dict[str, Searcher]] = {
    "hypothesis": hypothesis_search,
    "random": random_search,
    "exhaustive": exhaustive_search,
}
"""The searchers by name."""
