"""What proposes inputs and plans: hypothesis, random, plain, exhaustive.

Each searcher runs a variant until a property fails, everything up to a bound has been run, or the budget is
spent. None of them minimises; `scenarios.lab.minimise` does.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum
from functools import partial
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from scenarios.lab.drawn_constants import only_its_own_constants
from scenarios.lab.execution import Caught, Outcome, caught, execute
from scenarios.lab.progress import HuntProgress
from scenarios.lab.verdict import NOTHING, Coverage
from simulations.choices import Chooser, Deviation, drawn, levels, nominal, random, substream

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from random import Random

    from hypothesis.strategies import DrawFn, SearchStrategy

    from scenarios.lab.scenario import Scenario, Variant
    from simulations.choices import Ran

__all__ = [
    "SEARCHERS",
    "Phase",
    "Search",
    "Searcher",
    "Tally",
    "Target",
    "on_the_ladder",
    "searchers_of",
]


class Phase(StrEnum):
    """What the runs of a hunt are for."""

    SEARCH = "search"
    """To find a failing run."""
    MINIMISE = "minimise"
    """To find the least run that fails in the same way."""


@dataclass
class Tally:
    """Counts the runs of a hunt as they happen, so that a hunt that is cut short can say how far it came.

    Attributes:
        phase: What the runs are for at present.
        runs: The number of runs in the present phase.
        limit: How many the phase may take at most.
        watch: Called after each run, for a progress bar.
    """

    phase: Phase = Phase.SEARCH
    runs: int = 0
    limit: int = 0
    watch: Callable[[Tally], None] | None = None

    def start(self, phase: Phase, limit: int) -> None:
        """Begin a phase of at most `limit` runs."""
        self.phase, self.runs, self.limit = phase, 0, limit

    def skip(self, runs: int = 1) -> None:
        """Count runs that were made before the hunt was interrupted."""
        self.runs += runs

    def count(self) -> None:
        """Count one run."""
        self.runs += 1
        if self.watch is not None:
            self.watch(self)


class Enumeration:
    """The runs of one enumeration of plans, in their order, of which the first may have been made before.

    Only those of the highest number of deviations are passed over.

    Args:
        progress: Of the hunt.
        part: The name of the enumeration.
        tally: Counts the runs, also those that are passed over.
    """

    def __init__(self, progress: HuntProgress, part: str, tally: Tally) -> None:
        self._progress, self._part, self._tally = progress, part, tally
        self._before = tally.runs
        self._left = self._done = progress.number(part, "done")

    @property
    def ended_before(self) -> bool:
        """Whether all of it was gone through before, and nothing was found; its runs are then counted."""
        if self._progress.noted(self._part).get("ended") is not True:
            return False
        self._tally.skip(self._progress.number(self._part, "runs"))
        return True

    def passes(self) -> bool:
        """Whether the next plan of the highest number of deviations was run before; then it is counted."""
        if not self._left:
            return False
        self._left -= 1
        self._tally.skip()
        return True

    def passed(self, **learned: Callable[[], Any]) -> None:
        """Note that a plan of the highest number of deviations was run and did not fail."""
        self._done += 1
        self._progress.note(
            self._part, lambda: {"done": self._done, **{name: value() for name, value in learned.items()}}
        )

    def ended(self) -> None:
        """Note that it was gone through, and nothing was found."""
        self._progress.settle(self._part, {"ended": True, "runs": self._tally.runs - self._before})


@dataclass
class Target:
    """What a hunt runs: one variant of one scenario, every run counted.

    Attributes:
        scenario: The scenario.
        variant: The variant.
        tally: Counts the runs.
        questions_max: How many questions a run may ask; None is no limit, for inputs that the scenario drew.
        progress: What was done before the hunt was interrupted.
    """

    scenario: Scenario
    variant: Variant
    tally: Tally = field(default_factory=Tally)
    questions_max: int | None = None
    progress: HuntProgress = field(default_factory=HuntProgress)

    def __call__(self, given: Any, chooser: Chooser) -> Outcome:
        """Run the variant once at an input."""
        self.tally.count()
        return execute(self.scenario, self.variant, given, chooser, questions_max=self.questions_max)


@dataclass(frozen=True)
class Search:
    """The result of a search.

    Attributes:
        caught: The first run in which a property failed, or None.
        coverage: What was gone through without a gap before that.
        shrink: Where the input may lie outside the ladder: lets the searcher make it smaller.
    """

    caught: Caught | None
    coverage: Coverage = NOTHING
    shrink: Callable[[], Caught] | None = None


@dataclass(frozen=True)
class Searcher:
    """A way of searching.

    Attributes:
        search: Called with the target, a seed, the budget in runs, and the largest number of deviations of a
            plan.
        budget: How many runs it may take unless the caller says otherwise.
        in_order: Whether its runs go up from the bottom of the order of "least", so that the first that fails
            is the least and, where none does, every plan up to the bound has been run.
        independent: Whether its runs are independent draws from one distribution.
    """

    search: Callable[[Target, int, int, int], Search]
    budget: int
    in_order: bool = False
    independent: bool = False


def exhaustive_search(
    target: Target,
    seed: int,  # noqa: ARG001  (every searcher takes the same arguments)
    budget: int,
    deviations: int,
) -> Search:
    """Run every plan of at most `deviations` deviations on the whole ladder, in the order of "least"."""
    labels: dict[str, None] = {}
    coverage = NOTHING
    before = Enumeration(target.progress, "search", target.tally)
    for k, level in enumerate(on_the_ladder(target, deviations, before)):
        if k == deviations:
            labels.update(dict.fromkeys(target.progress.noted("search").get("labels", ())))
        for given, outcome in level:
            labels.update(dict.fromkeys(outcome.chooser.labels))
            if found := caught(given, outcome):
                return Search(found, coverage)
            if target.tally.runs >= budget:
                return Search(None, coverage)
            if k == deviations:
                before.passed(labels=lambda: [*labels])
        coverage = Coverage(k, tuple(labels), target.scenario.ladder, complete=k == deviations)
    return Search(None, coverage)


def on_the_ladder(
    target: Target, deviations: int, before: Enumeration | None = None
) -> Iterator[Iterator[tuple[Any, Outcome]]]:
    """Run all plans of at most `deviations` deviations on every input of the ladder.

    Those that were run before are passed over.

    Yields, for 0 to `deviations` deviations, the runs of those plans, in the order (input, plan).
    """
    ladder = target.scenario.ladder
    passes = None if before is None else before.passes
    enumerations = [levels(partial(target, given), deviations, passes=passes) for given in ladder]
    for level_of_each in zip(*enumerations, strict=True):
        yield _in_order(ladder, level_of_each)


def _in_order(
    ladder: Sequence[Any], level_of_each: Sequence[Iterator[Ran[Outcome]]]
) -> Iterator[tuple[Any, Outcome]]:
    for given, level in zip(ladder, level_of_each, strict=True):
        for outcome, _ in level:
            yield given, outcome


def random_search(
    target: Target,
    seed: int,
    budget: int,
    deviations: int,  # noqa: ARG001  (the noise model decides how many there are)
) -> Search:
    """Draw an input of the ladder, and every answer by the scenario's noise model, anew for each run."""
    rng = substream(seed, "random search")
    return _independent(target, rng, budget, partial(random, target.scenario.noise))


def driven_search(
    driver: Callable[[int], Chooser],
    target: Target,
    seed: int,
    budget: int,
    deviations: int,  # noqa: ARG001  (the driver decides how many there are)
) -> Search:
    """Draw an input of the ladder, and let a driver of the scenario answer, anew for each run."""
    return _independent(target, substream(seed, "driven search"), budget, driver)


def _independent(target: Target, rng: Random, budget: int, driver: Callable[[int], Chooser]) -> Search:
    before = target.progress.number("search", "runs")
    for number in range(budget):
        given, seed = rng.choice(target.scenario.ladder), rng.randrange(2**63)
        if number < before:
            target.tally.skip()
            continue
        if found := caught(given, target(given, driver(seed))):
            return Search(found)
        target.progress.note("search", lambda: {"runs": target.tally.runs})
    return Search(None)


class _Leave(BaseException):
    """Carries what is not a property's failure through Hypothesis, which must not see it, to the outside.

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
"""The number of runs after which the labels that have appeared meanwhile are drawn from, too."""


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


def plain_search(target: Target, seed: int, budget: int, deviations: int) -> Search:
    """Draw an input of the ladder and a short list of deviations, label first, and nothing cleverer.

    The plans are those that `hypothesis_search` draws: from none to `deviations` deviations, each number
    alike, of the labels that were seen so far, each alike.
    """
    rng = substream(seed, "plain search")
    seen: _Table = {}
    noted = target.progress.noted("search")
    before = target.progress.number("search", "runs") if {"rng", "seen"} <= noted.keys() else 0
    if before:
        version, words, spare = noted["rng"]
        rng.setstate((version, tuple(words), spare))
        seen.update({label: _Question(*question) for label, question in noted["seen"].items()})
        target.tally.skip(before)
    for number in range(before, budget):
        given, plan = (
            _drawn_plainly(rng, target, seen, deviations) if number else (target.scenario.ladder[-1], [])
        )
        outcome = target(given, drawn(plan))
        if found := caught(given, outcome):
            return Search(found)
        _learn(seen, outcome.chooser)
        target.progress.note(
            "search",
            lambda: {
                "runs": target.tally.runs,
                "rng": rng.getstate(),
                "seen": {label: (question.asked, question.options) for label, question in seen.items()},
            },
        )
    return Search(None)


def _drawn_plainly(rng: Random, target: Target, seen: _Table, deviations: int) -> tuple[Any, list[Deviation]]:
    labels = [label for label, question in seen.items() if question.options > 1]
    given = rng.choice(target.scenario.ladder)
    chosen = [rng.choice(labels) for _ in range(rng.randint(0, deviations))] if labels else []
    return given, [
        Deviation(label, rng.randrange(seen[label].asked), rng.randrange(1, seen[label].options))
        for label in chosen
    ]


def _learn(table: _Table, chooser: Chooser) -> _Table:
    for label, size in chooser.questions.items():
        known = table.get(label, _Question(0, 0))
        table[label] = _Question(max(size[0], known.asked), max(size[1], known.options))
    return table


@dataclass(frozen=True)
class _Round:
    """One `@given` test of `examples` examples, drawn from what was known of the labels when it began."""

    target: Target
    known: _Table
    deviations: int
    seed: int
    examples: int

    def run(self, judge: Callable[[Any, Outcome], None], *, shrink: bool = False) -> None:
        """Run the test; `judge` sees the input and the outcome of each example."""
        # Late, since a replay never needs it and importing it costs as much as ten hunts.
        import hypothesis  # noqa: PLC0415  (see above)
        from hypothesis import HealthCheck, Verbosity  # noqa: PLC0415  (see above)
        from hypothesis import strategies as st  # noqa: PLC0415  (see above)

        generate, shrinking = hypothesis.Phase.generate, hypothesis.Phase.shrink

        scenario = self.target.scenario
        inputs = st.sampled_from(scenario.ladder) if scenario.inputs is None else scenario.inputs()

        @hypothesis.seed(self.seed)
        @hypothesis.settings(
            max_examples=self.examples,
            phases=(generate, shrinking) if shrink else (generate,),
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
            with only_its_own_constants():
                example()
        except _Leave as left_by:
            raise left_by.reason from None

    def shrink(self, first: Caught) -> Caught:
        """Let Hypothesis shrink the input of the failure that it found, and the plan with it."""
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
    from hypothesis import strategies as st  # noqa: PLC0415  (a replay does without)

    # Made once: to make a strategy costs more than to draw from it.
    occurrences_and_options = {
        label: (st.integers(0, question.asked - 1), st.integers(1, question.options - 1))
        for label, question in known.items()
        if question.options > 1
    }
    if not occurrences_and_options:
        return st.just([])
    labels = st.sampled_from(list(occurrences_and_options))

    @st.composite
    def deviation(draw: DrawFn) -> Deviation:
        label = draw(labels)
        occurrences, options = occurrences_and_options[label]
        return Deviation(label, draw(occurrences), draw(options))

    return st.lists(deviation(), max_size=most)


class _Failing(Exception):  # noqa: N818  (never seen outside)
    """Tells Hypothesis that an example fails."""


SEARCHERS: Final[dict[str, Searcher]] = {
    "hypothesis": Searcher(hypothesis_search, budget=1000),
    "random": Searcher(random_search, budget=1000, independent=True),
    "plain": Searcher(plain_search, budget=1000),
    "exhaustive": Searcher(exhaustive_search, budget=100_000, in_order=True),
}
"""The searchers by name."""


def searchers_of(scenario: Scenario) -> dict[str, Searcher]:
    """Return the searchers by name, those of the scenario's own drivers last."""
    own = {
        name: Searcher(partial(driven_search, driver), budget=1000, independent=True)
        for name, driver in scenario.drivers.items()
    }
    return {**SEARCHERS, **own}
