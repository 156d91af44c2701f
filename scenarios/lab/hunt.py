"""Search, minimise, verify: from a scenario to a finding."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from time import perf_counter
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

from scenarios.lab import verify as verification
from scenarios.lab.catalogue import get
from scenarios.lab.doctor import fingerprint
from scenarios.lab.execution import in_words
from scenarios.lab.finding import Finding, encode_input
from scenarios.lab.minimality import Minimality, Sense
from scenarios.lab.minimise import MINIMISING_BUDGET, Minimal, minimise
from scenarios.lab.scenario import Exhausted, Finds, Scenario, Variant
from scenarios.lab.searchers import BUDGETS, SEARCHERS, Search, Tally, Target
from simulations.errors import LabError

if TYPE_CHECKING:
    from collections.abc import Callable

Verdict: TypeAlias = Literal["found", "exhausted", "gave up"]

_RULE_OF_THREE: Final = 3
"""0 events in n independent runs exclude, with 95 % confidence, a rate of 3/n and more (Hanley and
Lippman-Hand, JAMA 1983)."""


@dataclass(frozen=True, kw_only=True)
class Hunt:
    """What a hunt came to.

    Attributes:
        scenario: The name of the scenario.
        variant: The name of the variant.
        searcher: Who searched.
        seed: The seed of the search.
        budget: How many runs the search could take.
        verdict: `found`, `exhausted` (every plan up to the bound was run: a proof of what `says` states) or
            `gave up` (the budget is spent, or the searcher had nothing more to propose).
        search_runs: Runs of the search.
        minimising_runs: Runs that minimising took.
        finding: The least failing case, verified, or None.
        says: The verdict in one sentence, with what it covers.
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
    search_runs: int
    minimising_runs: int
    finding: Finding | None
    says: str
    rate_below: float | None
    seconds: float

    def __str__(self) -> str:
        return f"{self.scenario} / {self.variant}: {self.verdict}: {self.says}"

    def to_json(self) -> dict[str, Any]:
        """Return the hunt as one flat JSON-able object; what only a finding has is None without one."""
        flat = {entry.name: getattr(self, entry.name) for entry in dataclasses.fields(self)}
        del flat["finding"]
        found = self.finding
        return {
            **flat,
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
) -> Hunt:
    """Search for a failing run, minimise it to the least plan, verify it, and only then return it.

    Args:
        scenario: A scenario or the name of one.
        variant: The name of the variant.
        searcher: `hypothesis`, `random` or `exhaustive`.
        seed: The seed of the search; any integer from 0.
        budget: How many runs the search may take, from 1; None means what the searcher usually needs.
        deviations: How many deviations a plan may have, from 0. None means: for the exhaustive searcher what
            the variant is expected to be exhausted at, or found with, else 1; for the others what the
            scenario says.
        minimising_budget: How many runs minimising may take, from 1.
        verify: Replay the finding twice in fresh interpreters with different hash seeds (0.2 s). Without it
            the finding says "not yet".
        watch: Called after each run with the running count.

    Raises:
        LabError: an option makes no sense, or there is no such scenario or variant.
        NondeterminismError: a replay was not identical.
        Exception: what the world's own code, Hypothesis, or a watchdog raised. It is never a verdict.
    """
    if isinstance(scenario, str):
        scenario = get(scenario)
    chosen = scenario.variant(variant)
    if searcher not in SEARCHERS:
        raise LabError(f"there is no searcher {searcher!r}; there are {', '.join(SEARCHERS)}")
    budget = _at_least(1, "budget", BUDGETS[searcher] if budget is None else budget)
    bound = _bound(scenario, chosen, searcher) if deviations is None else deviations
    _at_least(0, "deviations", bound)
    _at_least(0, "seed", seed)
    _at_least(1, "minimising_budget", minimising_budget)

    began = perf_counter()
    tally = Tally(watch=watch)
    target = Target(scenario, chosen, tally)
    tally.start("search", budget)
    search = SEARCHERS[searcher](target, seed, budget, bound)
    search_runs = tally.runs
    least = _least(target, search, minimising_budget)
    finding = _finding(target, least, searcher, seed, search_runs) if least else None
    if finding and verify:
        finding = dataclasses.replace(finding, verified=verification.verify([(scenario, finding)])[0])
    return Hunt(
        scenario=scenario.name,
        variant=variant,
        searcher=searcher,
        seed=seed,
        budget=budget,
        verdict="found" if finding else "exhausted" if search.complete else "gave up",
        search_runs=search_runs,
        minimising_runs=tally.runs if finding else 0,
        finding=finding,
        says=_found(finding) if finding else _not_found(target, search, search_runs, bound),
        rate_below=_rate_below(search, search_runs),
        seconds=perf_counter() - began,
    )


def _at_least(least: int, name: str, value: int) -> int:
    if type(value) is not int or value < least:
        raise LabError(f"{name} is a whole number from {least}, not {value!r}")
    return value


def _bound(scenario: Scenario, variant: Variant, searcher: str) -> int:
    if searcher != "exhaustive":
        return scenario.deviations_max
    if isinstance(variant.expect, Exhausted):
        return variant.expect.deviations
    return len(variant.expect.least) if isinstance(variant.expect, Finds) else 1


def _least(target: Target, search: Search, budget: int) -> Minimal | None:
    if search.caught is None:
        return None
    target.tally.start("minimise", budget)
    if search.in_order:
        return Minimal(search.caught, str(Minimality(Sense.LEAST)))
    return minimise(target, search.caught, budget=budget, shrink=search.shrink)


def _finding(target: Target, least: Minimal, searcher: str, seed: int, search_runs: int) -> Finding:
    outcome, failure = least.caught.outcome, least.caught.failure
    return Finding(
        scenario=target.scenario.name,
        variant=target.variant.name,
        input=encode_input(least.caught.given),
        plan=outcome.chooser.plan,
        plan_in_words=in_words(target.scenario, outcome.chooser),
        by=failure.by,
        message=failure.message,
        digest=outcome.run.trace.digest(),
        minimality=least.minimality,
        searcher=searcher,
        seed=seed,
        search_runs=search_runs,
        minimising_runs=target.tally.runs,
        verified=verification.NOT_YET,
        fingerprint=fingerprint(),
    )


def _found(finding: Finding) -> str:
    return f"{finding.plan_in_words} ({finding.by}: {finding.message})"


def _rate_below(search: Search, runs: int) -> float | None:
    if search.caught is not None or not search.independent:
        return None
    return min(1.0, _RULE_OF_THREE / runs)


def _not_found(target: Target, search: Search, runs: int, deviations: int) -> str:
    ladder = target.scenario.ladder
    if search.complete:
        inputs = repr(ladder[0]) if len(ladder) == 1 else f"all {len(ladder)} inputs up to {ladder[-1]!r}"
        plural = "" if deviations == 1 else "s"
        return (
            f"every plan of at most {deviations} deviation{plural} holds ({runs} runs), "
            f"at {len(search.labels)} labels ({_shortened(search.labels)}), on {inputs}"
        )
    rate = _rate_below(search, runs)
    bound = f"; so the rate of failing runs is below {rate:.2g} with 95 % confidence" if rate else ""
    return f"nothing found in {runs} runs{bound}"


def _shortened(labels: tuple[str, ...]) -> str:
    most = 4
    more = f", ... {labels[-1]}" if len(labels) > most else ""
    return ", ".join(labels[:most]) + more
