"""Search, minimise, verify: from a scenario to a finding."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from time import perf_counter
from typing import TYPE_CHECKING, Any

from scenarios.lab import verify as verification
from scenarios.lab.catalogue import get
from scenarios.lab.covered import deviations, hidden
from scenarios.lab.doctor import fingerprint
from scenarios.lab.execution import in_words
from scenarios.lab.finding import Finding, encode_input
from scenarios.lab.finding_fields import MESSAGE_MAX, NAME_MAX, SEED_MAX, WORDS_MAX
from scenarios.lab.minimise import MINIMISING_BUDGET, Minimal, minimise
from scenarios.lab.progress import HuntProgress
from scenarios.lab.scenario import Exhausted, Finds, Scenario, Variant
from scenarios.lab.searchers import Phase, Search, Searcher, Tally, Target, exhaustive_search, searchers_of
from scenarios.lab.verdict import Coverage, Minimality, Verdict, nothing_found
from simulations.drawing.displayed import Displayed
from simulations.errors import LabError, NondeterminismError
from simulations.intervals import rate_below
from simulations.terminal_text import shortened, shown

if TYPE_CHECKING:
    from collections.abc import Callable

    from scenarios.lab.execution import Caught
    from simulations.drawing.sheet import Sheet

__all__ = ["Hunt", "HuntInterrupted", "finding_of", "hunt"]


@dataclass(frozen=True, kw_only=True)
class Hunt(Displayed):
    """The result of a hunt.

    Attributes:
        scenario: The name of the scenario.
        variant: The name of the variant.
        searcher: The name of the searcher.
        seed: The seed of the search.
        budget: How many runs the search could take.
        verdict: How it ended.
        coverage: What the search went through without a gap; with the verdict `exhausted`, what is proved.
        search_runs: Runs of the search.
        minimising_runs: Runs that minimising took.
        finding: The least failing case, verified, or None.
        rate_below: After a search of independent runs that gave up: the rate of failing runs lies below this,
            with 95 % confidence. Otherwise None.
        seconds: Wall time.
    """

    scenario: str
    variant: str
    searcher: str
    seed: int
    budget: int
    verdict: Verdict
    coverage: Coverage
    search_runs: int
    minimising_runs: int
    finding: Finding | None
    rate_below: float | None
    seconds: float

    @property
    def says(self) -> str:
        """The verdict in one sentence, with what it covers."""
        found = self.finding
        if found is None:
            return nothing_found(self.coverage, self.search_runs, self.rate_below)
        return f"{found.plan_in_words} ({found.by}: {found.message})"

    @property
    def covered_says(self) -> str:
        """The same without the plan and without what the world asks."""
        found = self.finding
        if found is not None:
            return f"{deviations(len(found.plan))} ({found.by}: {found.message})"
        return nothing_found(self.coverage, self.search_runs, self.rate_below, spoilers=False)

    @property
    def facts(self) -> tuple[tuple[str, str], ...]:
        """The result in names and values, as the command prints it."""
        return self._facts(self.says, self.finding.facts if self.finding else ())

    @property
    def covered_facts(self) -> tuple[tuple[str, str], ...]:
        """The same without the cause."""
        return self._facts(self.covered_says, self.finding.covered_facts if self.finding else ())

    def _facts(self, says: str, found: tuple[tuple[str, str], ...]) -> tuple[tuple[str, str], ...]:
        spent = f"{self.search_runs} to search ({self.searcher}, seed {self.seed})"
        time = ("time", f"{self.seconds:.2f} s")
        if not found:
            return (("verdict", says), ("runs", spent), time)
        said = dict(found)
        said["runs"] = f"{spent}, {self.minimising_runs} to minimise"
        return (*said.items(), time)

    @property
    def ended(self) -> str:
        """The verdict in two or three words."""
        found = self.finding
        interrupted = found is not None and Minimality.read(found.minimality) is Minimality.INTERRUPTED
        return f"{self.verdict}{', not minimised' if interrupted else ''}"

    def sheet(self) -> Sheet:
        """Return what is shown of it: what the command prints but the time: equal hunts look equal."""
        from simulations.drawing.sheet import Facts, Sheet  # noqa: PLC0415  (only what is shown is drawn)

        hide = hidden()
        facts = self.covered_facts if hide else self.facts
        return Sheet(
            title=f"{self.scenario} / {self.variant}: {self.ended}",
            blocks=(Facts(tuple(fact for fact in facts if fact[0] != "time")),),
            pictures=self.finding.pictures() if self.finding and not hide else (),
        )

    def __str__(self) -> str:
        return f"{self.scenario} / {self.variant}: {self.verdict}: {self.says}"

    def __repr__(self) -> str:
        says = self.covered_says if hidden() else self.says
        return shortened(f"<Hunt {self.scenario} / {self.variant}: {self.verdict}: {says}>")

    def to_json(self) -> dict[str, Any]:
        """Return the hunt as one flat JSON-able object; what only a finding has is None without one."""
        flat = {entry.name: getattr(self, entry.name) for entry in dataclasses.fields(self)}
        del flat["finding"], flat["coverage"]
        found = self.finding
        return {
            **flat,
            "verdict": self.verdict.value,
            "says": self.says,
            "minimality": found and found.minimality,
            "deviations": len(found.plan) if found else None,
            "plan": found.plan.to_json() if found else None,
            "plan_in_words": found and found.plan_in_words,
            "by": found and found.by,
            "message": found and found.message,
            "input": found and found.input,
            "digest": found and found.digest,
            "verified": found and found.verified,
        }


class HuntInterrupted(KeyboardInterrupt):
    """A hunt was interrupted after it had found a failing run.

    Attributes:
        hunt: Its result, with a finding that is not minimised (`Minimality.INTERRUPTED`) or not verified.
    """

    def __init__(self, hunt: Hunt) -> None:
        super().__init__(hunt)
        self.hunt = hunt

    def __str__(self) -> str:
        return str(self.hunt)


def hunt(
    scenario: Scenario | str,
    variant: str = "as-shipped",
    *,
    searcher: str = "hypothesis",
    seed: int = 0,
    budget: int | None = None,
    deviations: int | None = None,
    minimising_budget: int = MINIMISING_BUDGET,
    verify: bool = True,
    watch: Callable[[Tally], None] | None = None,
    progress: HuntProgress | None = None,
) -> Hunt:
    """Search for a failing run, minimise it to the least plan, verify it, and only then return it.

    Args:
        scenario: A scenario or the name of one.
        variant: The name of the variant.
        searcher: `hypothesis`, `random`, `plain`, `exhaustive`, or a driver of the scenario.
        seed: The seed of the search, from 0 to 2^64.
        budget: How many runs the search may take, from 1; None means what the searcher usually needs.
        deviations: How many a plan may have, from 0 (the ladder only); None: as scenario or variant say.
        minimising_budget: How many runs minimising may take, from 1.
        verify: Replay the finding twice in fresh interpreters (0.2 s); without it it says "not yet".
        watch: Called after each run with the running count.
        progress: What the same hunt did before it was interrupted, and where it is kept.

    Raises:
        LabError: an option makes no sense, or there is no such scenario or variant.
        NondeterminismError: a replay was not identical.
        HuntInterrupted: Ctrl-C after something had been found; it holds that.
        Exception: what the world's own code, Hypothesis, or a watchdog raised. It is never a verdict.
    """
    scenario = get(scenario) if isinstance(scenario, str) else scenario
    chosen, way = scenario.variant(variant), searcher_named(scenario, searcher)
    budget = at_least(1, "budget", way.budget if budget is None else budget)
    bound = deviations_of(scenario, chosen, way, deviations)
    at_least(0, "seed", seed, most=SEED_MAX)
    at_least(1, "minimising_budget", minimising_budget)
    began, tally = perf_counter(), Tally(watch=watch)
    target = Target(scenario, chosen, tally, progress=progress or HuntProgress())
    tally.start(Phase.SEARCH, budget)
    search = (way.search if bound else exhaustive_search)(target, seed, budget, bound)
    search_runs = tally.runs
    least, stopped = _least(target, way, search, minimising_budget)
    spent = {"search_runs": search_runs, "minimising_runs": tally.runs}
    finding = None
    if least is not None:
        finding = finding_of(
            scenario, chosen, least.caught, minimality=least.in_words, searcher=searcher, seed=seed, **spent
        )
    if finding and verify and stopped is None:
        finding, stopped = _verified(scenario, finding)
    result = Hunt(
        scenario=scenario.name,
        variant=variant,
        searcher=searcher,
        seed=seed,
        budget=budget,
        verdict=_verdict(search),
        coverage=search.coverage,
        search_runs=search_runs,
        minimising_runs=tally.runs if finding else 0,
        finding=finding,
        rate_below=rate_below(search_runs) if way.independent and finding is None else None,
        seconds=perf_counter() - began,
    )
    if stopped is not None:
        raise HuntInterrupted(result) from stopped
    return result


def searcher_named(scenario: Scenario, name: str) -> Searcher:
    """Return a searcher of a scenario.

    Raises:
        LabError: there is none of that name.
    """
    known = searchers_of(scenario)
    if name not in known:
        raise LabError(f"there is no searcher {name!r}; there are {', '.join(known)}")
    return known[name]


def at_least(least: int, name: str, value: int, *, most: int | None = None) -> int:
    """Return an option that is a whole number.

    Raises:
        LabError: it is less than `least`, more than `most`, or no whole number.
    """
    if type(value) is not int or value < least or (most is not None and value > most):
        to = "" if most is None else f" to {most}"
        raise LabError(f"{name} is a whole number from {least}{to}, not {shown(value)}")
    return value


def deviations_of(scenario: Scenario, variant: Variant, way: Searcher, said: int | None = None) -> int:
    """Return how many deviations a plan may have: what the caller said, or what scenario and variant say."""
    if said is not None:
        return at_least(0, "deviations", said)
    if not way.in_order:
        return scenario.deviations_max
    if isinstance(variant.expect, Exhausted):
        return variant.expect.deviations
    return len(variant.expect.least) if isinstance(variant.expect, Finds) else 1


def _verdict(search: Search) -> Verdict:
    if search.caught is not None:
        return Verdict.FOUND
    return Verdict.EXHAUSTED if search.coverage.complete else Verdict.GAVE_UP


def _least(
    target: Target, way: Searcher, search: Search, budget: int
) -> tuple[Minimal | None, KeyboardInterrupt | None]:
    """Return the least failing run; or, with what interrupted minimising, the one that was found."""
    if search.caught is None:
        return None, None
    target.tally.start(Phase.MINIMISE, budget)
    found = search.caught
    target.progress.begin_minimising(
        {"input": encode_input(found.given), "plan": found.outcome.chooser.plan.to_json()}
    )
    if way.in_order:
        return Minimal(search.caught, Minimality.LEAST), None
    try:
        return minimise(target, search.caught, budget=budget, shrink=search.shrink), None
    except KeyboardInterrupt as stopped:
        return Minimal(search.caught, Minimality.INTERRUPTED), stopped


def _verified(scenario: Scenario, finding: Finding) -> tuple[Finding, KeyboardInterrupt | None]:
    """Return the finding verified; or, with what interrupted that, as it was.

    Where no replay is possible, as for want of memory or processes, the finding is not lost: it says so.
    """
    try:
        said = verification.verify([(scenario, finding)])[0]
    except KeyboardInterrupt as stopped:
        return finding, stopped
    except NondeterminismError:
        raise
    except LabError as error:
        said = shortened(f"{verification.NOT_YET}: {error}", NAME_MAX)
    return dataclasses.replace(finding, verified=said), None


def finding_of(
    scenario: Scenario,
    variant: Variant,
    found: Caught,
    *,
    minimality: str,
    searcher: str,
    seed: int = 0,
    search_runs: int = 0,
    minimising_runs: int = 0,
) -> Finding:
    """Return a failing run as a finding that is not verified yet.

    Args:
        scenario: The scenario.
        variant: The variant that was run.
        found: The failing run.
        minimality: The text of a `scenarios.lab.verdict.Minimality`.
        searcher: What found it.
        seed: The seed of the search; any integer from 0.
        search_runs: Runs until it was found.
        minimising_runs: Runs until it was minimal.

    Raises:
        LabError: the input does not fit into JSON.
    """
    outcome, failure = found.outcome, found.failure
    return Finding(
        scenario=scenario.name,
        variant=variant.name,
        input=encode_input(found.given),
        plan=outcome.chooser.plan,
        plan_in_words=shortened(in_words(scenario, outcome.chooser), WORDS_MAX),
        by=failure.by,
        message=shortened(failure.message, MESSAGE_MAX),
        digest=outcome.run.trace.digest(),
        minimality=minimality,
        searcher=searcher,
        seed=seed,
        search_runs=search_runs,
        minimising_runs=minimising_runs,
        verified=verification.NOT_YET,
        fingerprint=fingerprint(),
    )
