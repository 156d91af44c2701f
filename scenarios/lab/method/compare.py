"""Searchers side by side: how likely each is to find a bug, after how many runs, and at what cost.

Three kinds of searchers, three statistics:

* A searcher that goes through plans in order finds the bug after a number of runs that is always the same:
  there is nothing to estimate.
* A searcher whose runs are independent draws is given one fixed number of runs. The share of those that fail
  has Wilson's interval, and everything else follows from it: 1-(1-p)^n is the probability of detection within
  n runs. To hunt again and again would cost many times as much and say less.
* Any other searcher hunts, with a seed for each hunt. The detection curve is the one of Kaplan and Meier: a
  hunt that has spent its budget is censored; one that ended since it had nothing more to propose will never
  find it.

The numbers of hunts and of runs are fixed beforehand. To stop when an interval looks narrow makes it wrong.

A probability of detection is a statement about how the environment is drawn. So what it is drawn by stands
beside it: the name of a noise model, or the way in which plans are drawn.
"""

from __future__ import annotations

import hashlib
import json
import math
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from time import process_time
from typing import TYPE_CHECKING, Any, Final

from scenarios.lab.catalogue import from_source, get, source_of
from scenarios.lab.hunt import at_least, deviations_of, searcher_named
from scenarios.lab.method.campaign import InProcess, campaign
from scenarios.lab.method.estimates import Estimate, jsonable
from scenarios.lab.minimise import minimise
from scenarios.lab.searchers import SEARCHERS, Phase, Tally, Target, searchers_of
from simulations.choices import substream
from simulations.drawing.marks import Axis, Chart, Point, Series, Shape, decades
from simulations.drawing.pictured import Pictured
from simulations.errors import LabError
from simulations.intervals import Step, detection_curve, rate_below, runs_needed, wilson
from simulations.terminal_text import shortened

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Sequence

    from scenarios.lab.execution import Caught
    from scenarios.lab.method.campaign import Pool
    from scenarios.lab.scenario import Scenario, Variant
    from scenarios.lab.searchers import Searcher

__all__ = ["Comparison", "Kind", "Row", "compare"]

STRESS: Final = "stress"
"""The name of the row of a scenario's stress test."""
HUNTS_A_CHUNK: Final = 5
RUNS_A_CHUNK: Final = 500
MINIMISED_A_CHUNK: Final = 1
CURVE_POINTS: Final = 60
"""How many points the picture of a smooth curve has."""
IN_ORDER_RUNS_MAX: Final = 10_000
"""How far a searcher that goes in order is followed beyond the budget, to see where it ends."""


class Kind(StrEnum):
    """How a row came about."""

    IN_ORDER = "in order"
    """Plans in a fixed order: certain, nothing is estimated."""
    INDEPENDENT = "independent"
    """One fixed number of independent runs."""
    HUNTS = "hunts"
    """One hunt for each seed."""
    UNCONTROLLED = "uncontrolled"
    """The real code under stress: another result each time."""


@dataclass(frozen=True, kw_only=True)
class Row:
    """One searcher.

    Attributes:
        searcher: Its name.
        kind: How the row came about.
        drawn_by: What the environment is drawn by: the name of a noise model, or how plans are drawn.
        hunts: How many hunts there were; 0 where there are only runs.
        runs: How many runs there were in all.
        found: How many of the hunts, or of the runs, failed.
        exhausted: Whether every plan up to the bound was run and none failed.
        within: The probability of detection within the budget.
        median: After how many runs half of the hunts have found it; infinite where that is beyond what was
            seen, as are the ends of the interval.
        needed: After how many runs 95 % of the hunts have found it.
        curve: The share of hunts that have found it, by the number of runs; rises at each entry. Empty for
            independent runs, whose curve is 1-(1-p)^n.
        rate: The probability that a run fails, for independent runs.
        deviations: Deviations in the failing runs, in the mean, before minimising.
        least: The same after minimising.
        minimising_runs: Runs that minimising took, in the mean.
        cpu_s: CPU seconds of a run, in the mean.
        minimising_cpu_s: CPU seconds of minimising once, in the mean.
    """

    searcher: str
    kind: Kind
    drawn_by: str
    hunts: int = 0
    runs: int = 0
    found: int = 0
    exhausted: bool = False
    within: Estimate
    median: Estimate
    needed: Estimate
    curve: tuple[Step, ...] = ()
    rate: Estimate | None = None
    deviations: float | None = None
    least: float | None = None
    minimising_runs: float | None = None
    cpu_s: float | None = None
    minimising_cpu_s: float | None = None

    def share_by(self, runs: int) -> float:
        """Return the share of hunts that have found it after that many runs."""
        if self.rate is not None:
            return _within(runs)(self.rate.value)
        return max((step.share for step in self.curve if step.runs <= runs), default=0.0)

    def series(self, last: int) -> Series:
        """Return the detection curve up to a number of runs as a part of a picture."""
        if self.rate is not None:
            ends = [last ** (cell / CURVE_POINTS) for cell in range(CURVE_POINTS + 1)]
            heights = [self.rate.through(_within(end)) for end in ends]
            return Series(
                name=self.searcher,
                detail=f"{self.found} of {self.runs} runs fail; {self.drawn_by}",
                shape=Shape.LINE,
                points=tuple(
                    Point(end, height.value, height.low, height.high)
                    for end, height in zip(ends, heights, strict=True)
                ),
            )
        certain = self.kind is Kind.IN_ORDER
        steps = [each for each in self.curve if each.runs <= last]
        nothing = Point(1, 0) if certain else Point(1, 0, 0, 0)
        points = [Point(each.runs, each.share, *(() if certain else each[2:])) for each in steps]
        end = replace(points[-1] if points else nothing, x=last)
        tried = "certain" if certain else f"{self.found} of {self.hunts} hunts find it"
        return Series(
            name=self.searcher,
            detail=f"{tried}; {self.drawn_by}",
            points=(*([] if points and points[0].x <= 1 else [nothing]), *points, end),
            censored=end.y < 1 and not self.exhausted,
        )


@dataclass(frozen=True, kw_only=True)
class Comparison(Pictured):
    """The searchers of a scenario, side by side.

    Attributes:
        scenario: Its name.
        variant: The name of the variant.
        budget: How many runs a hunt could take.
        seed: The seed of the first hunt; the next has the next.
        rows: One for each searcher.
    """

    scenario: str
    variant: str
    budget: int
    seed: int
    rows: tuple[Row, ...]

    def __repr__(self) -> str:
        return shortened(f"<Comparison of {len(self.rows)} searchers on {self.scenario} / {self.variant}>")

    def picture(self) -> Chart:
        """Return the detection curves as a picture."""
        shares = (0, 0.25, 0.5, 0.75, 1)
        last = max(2, self.budget)
        return Chart(
            title=f"{self.scenario} / {self.variant}: found after how many runs?",
            x=Axis(
                label="runs, logarithmic",
                low=1,
                high=last,
                ticks=tuple((runs, f"{runs:.0f}") for runs in decades(1, last) if runs <= last),
                log=True,
            ),
            y=Axis(
                label="share that has found it",
                low=0,
                high=1,
                ticks=tuple((share, f"{share:.0%}") for share in shares),
            ),
            series=tuple(row.series(last) for row in self.rows),
            said=(f"Seeds from {self.seed}, digest {self.digest}. A band is an interval of 95 %.",),
        )

    @property
    def digest(self) -> str:
        """A digest of the figures that a repetition must give again: not of times, nor of a stress test."""
        figures = [
            {key: value for key, value in asdict(row).items() if not key.endswith("cpu_s")}
            for row in self.rows
            if row.kind is not Kind.UNCONTROLLED
        ]
        text = json.dumps(jsonable(figures), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def to_json(self) -> dict[str, Any]:
        """Return JSON-able data; None stands for what was not seen or is infinite."""
        rows = [jsonable(asdict(row)) for row in self.rows]
        return {**asdict(self), "rows": rows, "digest": self.digest}


def compare(
    scenario: Scenario | str,
    variant: str = "as-shipped",
    *,
    searchers: Sequence[str] | None = None,
    hunts: int = 100,
    runs: int = 4000,
    budget: int = 1000,
    seed: int = 0,
    deviations: int | None = None,
    pool: Pool | None = None,
    state: str | os.PathLike[str] | None = None,
    watch: Callable[[int, int], None] | None = None,
) -> Comparison:
    """Compare searchers on a variant of a scenario.

    Args:
        scenario: A scenario or the name of one.
        variant: The name of the variant.
        searchers: Their names; None means all that the scenario has, its drivers and a stress test included.
        hunts: How many hunts a searcher of the kind `hunts` does, from 1. From 73 hunts on, the interval of
            the runs that are needed for 95 % can have an upper end.
        runs: How many runs a searcher of the kind `independent` does, from 1; the stress test, too.
        budget: How many runs a hunt may take, from 1.
        seed: The seed of the first hunt, from 0. With one and the same seed, all see the same unlucky hunts.
        deviations: How many deviations a plan may have; None means as a hunt has it.
        pool: Where it is done; the figures are the same everywhere. None means in this process.
        state: A file that keeps what was done, to go on after an interruption; see `campaign`.
        watch: Called with the numbers of chunks done and of all.

    Raises:
        LabError: an option makes no sense; there is no such scenario, variant or searcher; or a pool was
            given for a scenario that other processes cannot import.
        Exception: what a hunt raised.
    """
    scenario = get(scenario) if isinstance(scenario, str) else scenario
    chosen = scenario.variant(variant)
    for least, name, value in (
        (1, "hunts", hunts),
        (1, "runs", runs),
        (1, "budget", budget),
        (0, "seed", seed),
    ):
        at_least(least, name, value)
    names = _names(scenario, chosen, searchers)
    source = source_of(scenario)
    if source is None and not isinstance(pool, InProcess | None):
        raise LabError(
            f"{scenario.name} cannot be imported by other processes; put it into a module, or use no pool"
        )

    def on_this(chunk: Any) -> Any:
        return _work(scenario, chunk)

    common = {"scenario": source, "variant": variant, "budget": budget, "deviations": deviations}
    chunks = [
        {**common, "searcher": name, **part}
        for name in names
        for part in _parts(scenario, name, hunts=hunts, runs=runs, seed=seed)
    ]
    results = campaign(work if source else on_this, chunks, pool=pool, state=state, watch=watch)
    by_name: dict[str, list[Any]] = {name: [] for name in names}
    for chunk, result in zip(chunks, results, strict=True):
        by_name[chunk["searcher"]].extend(result)
    make = _RowMaker(scenario, chosen, budget, deviations)
    rows = tuple(make.row(name, parts) for name, parts in by_name.items())
    return Comparison(scenario=scenario.name, variant=variant, budget=budget, seed=seed, rows=rows)


def _names(scenario: Scenario, variant: Variant, asked: Sequence[str] | None) -> list[str]:
    stress = [STRESS] if scenario.stress is not None and variant is scenario.variants[0] else []
    if asked is None:
        return [*searchers_of(scenario), *stress]
    if not asked:
        raise LabError(f"no searcher to compare; there are {', '.join(searchers_of(scenario))}")
    for name in asked:
        if name == STRESS and not stress:
            raise LabError(f"there is no stress test of {scenario.name} / {variant.name}")
        if name != STRESS:
            searcher_named(scenario, name)
    return list(dict.fromkeys(asked))


def _parts(scenario: Scenario, name: str, *, hunts: int, runs: int, seed: int) -> list[dict[str, Any]]:
    """Return what is left to say in the chunks of a searcher: the seeds, and how many runs in all."""
    if name == STRESS:
        return [{"seeds": [], "runs": runs}]
    way = searcher_named(scenario, name)
    if way.in_order:
        return [{"seeds": [seed], "runs": None}]
    if way.independent:
        sizes = [min(RUNS_A_CHUNK, runs - start) for start in range(0, runs, RUNS_A_CHUNK)]
        return [{"seeds": [seed + number], "runs": size} for number, size in enumerate(sizes)]
    seeds = range(seed, seed + hunts)
    return [
        {"seeds": list(seeds[start : start + HUNTS_A_CHUNK]), "runs": None}
        for start in range(0, hunts, HUNTS_A_CHUNK)
    ]


def work(chunk: Any) -> list[dict[str, Any]]:
    """Do a chunk of a comparison: some hunts, or some independent runs, of one searcher."""
    return _work(from_source(chunk["scenario"]), chunk)


def _work(scenario: Scenario, chunk: Any) -> list[dict[str, Any]]:
    if chunk["searcher"] == STRESS:
        if scenario.stress is None:
            raise LabError(f"{scenario.name} has no stress test any more")
        began = process_time()
        failed, runs = scenario.stress(chunk["runs"])
        return [{"runs": runs, "failed": failed, "cpu_s": process_time() - began}]
    variant = scenario.variant(chunk["variant"])
    way = searcher_named(scenario, chunk["searcher"])
    bound = chunk["deviations"]
    hunter = _Hunter(
        scenario, variant, way, deviations_of(scenario, variant, way) if bound is None else bound
    )
    if chunk["runs"] is not None:
        return hunter.independent_runs(chunk["seeds"][0], chunk["runs"])
    budget = max(chunk["budget"], IN_ORDER_RUNS_MAX) if way.in_order else chunk["budget"]
    return [
        hunter.hunt(seed, budget, minimised=number < MINIMISED_A_CHUNK)
        for number, seed in enumerate(chunk["seeds"])
    ]


@dataclass(frozen=True)
class _Hunter:
    """Hunts with one searcher, and returns each hunt as JSON-able data."""

    scenario: Scenario
    variant: Variant
    way: Searcher
    deviations: int

    def hunt(self, seed: int, budget: int, *, minimised: bool) -> dict[str, Any]:
        target = Target(self.scenario, self.variant, Tally())
        target.tally.start(Phase.SEARCH, budget)
        began = process_time()
        search = self.way.search(target, seed, budget, self.deviations)
        runs = target.tally.runs
        hunted = {"runs": runs, "cpu_s": process_time() - began, "end": "stopped"}
        if search.caught is not None:
            hunted |= {"end": "found", "deviations": len(search.caught.outcome.chooser.plan)}
            if minimised:
                hunted |= self._minimised(target, search.caught)
        elif search.coverage.complete:
            hunted["end"] = "exhausted"
        elif runs < budget:
            hunted["end"] = "never"
        return hunted

    def _minimised(self, target: Target, found: Caught) -> dict[str, Any]:
        began = process_time()
        target.tally.start(Phase.MINIMISE, 0)
        least = found if self.way.in_order else minimise(target, found).caught
        return {
            "least": len(least.outcome.chooser.plan),
            "minimising_runs": target.tally.runs,
            "minimising_cpu_s": process_time() - began,
        }

    def independent_runs(self, seed: int, runs: int) -> list[dict[str, Any]]:
        """Do a fixed number of runs, as hunts one after another of which the last is cut short."""
        seeds, left = substream(seed, "independent runs"), runs
        hunted: list[dict[str, Any]] = []
        while left:
            hunted.append(self.hunt(seeds.randrange(2**63), left, minimised=not hunted))
            left -= hunted[-1]["runs"]
        return hunted


@dataclass(frozen=True)
class _RowMaker:
    """Turns what the chunks of a searcher brought into its row."""

    scenario: Scenario
    variant: Variant
    budget: int
    deviations: int | None

    def row(self, name: str, hunted: list[dict[str, Any]]) -> Row:
        runs = sum(each["runs"] for each in hunted)
        cpu_s = sum(each["cpu_s"] for each in hunted) / runs
        if name == STRESS:
            failed = sum(each["failed"] for each in hunted)
            return Row(
                searcher=name,
                kind=Kind.UNCONTROLLED,
                drawn_by="the scheduler of this machine",
                runs=runs,
                found=failed,
                cpu_s=cpu_s,
                **_from_rate(_rate(failed, runs), self.budget),
            )
        way = searcher_named(self.scenario, name)
        found = [each for each in hunted if each["end"] == "found"]
        common: dict[str, Any] = {
            "searcher": name,
            "drawn_by": self._drawn_by(name, way),
            "runs": runs,
            "found": len(found),
            "cpu_s": cpu_s,
            **{
                mean: _mean([each[mean] for each in found if mean in each])
                for mean in ("deviations", "least", "minimising_runs", "minimising_cpu_s")
            },
        }
        if way.in_order:
            return Row(kind=Kind.IN_ORDER, hunts=1, **common, **_certain(hunted[0], self.budget))
        if way.independent:
            rate = _rate(len(found), runs)
            return Row(kind=Kind.INDEPENDENT, **common, **_from_rate(rate, self.budget))
        return Row(kind=Kind.HUNTS, hunts=len(hunted), **common, **_from_hunts(hunted))

    def _drawn_by(self, name: str, way: Searcher) -> str:
        bound = self.deviations
        if bound is None:
            bound = deviations_of(self.scenario, self.variant, way)
        plans = f"plans of at most {bound} deviation{'s'[: bound != 1]}"
        if way.in_order:
            return f"all {plans}"
        if way.independent:
            return f"noise model {self.scenario.noise.name!r}" if name in SEARCHERS else f"driver {name!r}"
        return f"{plans}, drawn {'by Hypothesis' if name == 'hypothesis' else 'label first'}"


def _mean(values: list[float]) -> float | None:
    return sum(values) / len(values) if values else None


def _rate(failed: int, runs: int) -> Estimate:
    low, high = wilson(failed, runs) if failed else (0.0, rate_below(runs))
    return Estimate(failed / runs, low, high)


def _within(runs: int) -> Callable[[float], float]:
    return lambda rate: -math.expm1(runs * math.log1p(-rate)) if rate < 1 else 1.0


def _from_rate(rate: Estimate, budget: int) -> dict[str, Any]:
    return {
        "rate": rate,
        "within": rate.through(_within(budget)),
        "median": rate.through(lambda each: runs_needed(each, 0.5)),
        "needed": rate.through(runs_needed),
    }


def _certain(hunted: dict[str, Any], budget: int) -> dict[str, Any]:
    found = hunted["end"] == "found"
    runs = Estimate.exactly(hunted["runs"] if found else math.inf)
    return {
        "within": Estimate.exactly(float(runs.value <= budget)),
        "median": runs,
        "needed": runs,
        "curve": (Step(hunted["runs"], 1.0, 1.0, 1.0),) if found else (),
        "exhausted": hunted["end"] == "exhausted",
    }


def _from_hunts(hunted: list[dict[str, Any]]) -> dict[str, Any]:
    runs = {
        end: [each["runs"] for each in hunted if each["end"] == end] for end in ("found", "stopped", "never")
    }
    curve = detection_curve(runs["found"], censored=runs["stopped"], never=len(runs["never"]))
    if curve:
        _, *last = curve[-1]
    else:
        last = [0.0, 0.0, rate_below(len(hunted))]
    return {
        "within": Estimate(*last),
        "median": _quantile(curve, 0.5),
        "needed": _quantile(curve, 0.95),
        "curve": tuple(curve),
    }


def _quantile(curve: Sequence[Step], share: float) -> Estimate:
    """Return after how many runs a share of hunts has found it: where curve and interval reach it."""

    def first(reached: Callable[[Step], float]) -> float:
        return next((step.runs for step in curve if reached(step) >= share), math.inf)

    return Estimate(
        first(lambda step: step.share), first(lambda step: step.high), first(lambda step: step.low)
    )
