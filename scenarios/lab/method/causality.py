"""When was the bug baked in? The probability that the run fails, along the run.

A failing run is rewound to each of its choices, and everything behind is left to chance: P(k) is the
probability that a run fails which begins with the first k answers of the failing run. It starts at the rate
of the bug and ends at 1. A choice that multiplies it by m has contributed log2(m) *bits*. Bits
add up: all of them together are log2(1/P(0)), which is how unlikely the bug was. A choice contributes at most
its surprisal, log2(1/p) for an answer of probability p, so an answer that nobody would wonder about cannot be
the cause.

Differences of P would name the last deviation only: with two that are needed, the first leads from one
small probability to another, and is no less needed for that.

Where it fits, P is not sampled but enumerated, with certified bounds: see `weighted`. Otherwise it is sampled
with common random numbers: sample i draws the same for the same question at every k, so that two points of
the curve differ by the choices between them, and hardly by luck.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final

from scenarios.lab.catalogue import get
from scenarios.lab.execution import execute, replayed
from scenarios.lab.finding import decode_input
from scenarios.lab.hunt import at_least
from scenarios.lab.method.estimates import Estimate, finite, jsonable, percent
from scenarios.lab.method.weighted import Tree
from simulations.choices import prefix, substream
from simulations.drawing.marks import Axis, Chart, Note, Point, Series, decades
from simulations.drawing.pictured import Pictured
from simulations.errors import LabError
from simulations.intervals import wilson
from simulations.terminal_text import shortened

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from scenarios.lab.finding import Finding
    from scenarios.lab.method.weighted import Bounds
    from scenarios.lab.scenario import Scenario
    from simulations.choices import ChoicePoint, Chooser, NoiseModel, Plan

__all__ = ["Curve", "Moment", "causality", "failing_run"]

IRRELEVANT_BITS: Final = 0.1
"""A choice that contributes less is not worth a line, unless it is a deviation."""
SURPRISAL_MIN_BITS: Final = 0.2
"""Where it is sampled: an answer of less surprisal is not looked at, since it cannot contribute more."""


@dataclass(frozen=True, kw_only=True)
class Moment:
    """A choice of the failing run.

    Attributes:
        k: Its position among the choices.
        label: Its label.
        phrase: Its answer in words.
        deviation: Whether its answer was not nominal.
        forced: Whether somebody had to be picked.
        surprisal: log2(1/p) of its answer under the noise model, in bits.
        before: P(k), the probability that a run with the first k answers fails.
        after: The same with this answer, or where it was sampled, with the answers up to the next moment.
        certified: Whether both were enumerated and not sampled: the interval is then certain.
        limits: What enumeration has shown `after` to lie between, also where it was sampled.
        bits: log2(after/before); infinite where nothing failed before.
    """

    k: int
    label: str
    phrase: str
    deviation: bool
    forced: bool
    surprisal: float
    before: Estimate
    after: Estimate
    certified: bool
    limits: tuple[float, float]
    bits: float

    @property
    def gain(self) -> str:
        """Its bits in words; a bound where no sample failed before it, or none after it."""
        if math.isfinite(self.bits):
            return f"{self.bits:+.2f}"
        if self.bits > 0:
            return f"at least {math.log2(self.after.value / self.before.high):+.2f}"
        return f"at most {math.log2(self.after.high / self.before.value):+.2f}"


@dataclass(frozen=True, kw_only=True)
class Curve(Pictured):
    """The probability of the bug along a failing run.

    Attributes:
        scenario: The name of the scenario.
        variant: The name of the variant.
        by: The property that fails.
        noise: The name of the noise model.
        resamples: How many runs each sampled probability comes from; 0 where all were enumerated.
        runs: How many runs it took.
        start: P(0): the rate of the bug at this input.
        choices: How many choices the failing run has.
        points: The choices, in order: all of them where P was enumerated, else those that could matter.
    """

    scenario: str
    variant: str
    by: str
    noise: str
    resamples: int
    runs: int
    start: Estimate
    choices: int
    points: tuple[Moment, ...]

    def __repr__(self) -> str:
        return shortened(f"<Curve of {self.scenario} / {self.variant}: {self.by}, {self.choices} choices>")

    @property
    def named(self) -> tuple[Moment, ...]:
        """Every deviation, and what else contributes more than 0.1 bit."""
        return tuple(each for each in self.points if each.deviation or each.bits > IRRELEVANT_BITS)

    @property
    def how(self) -> str:
        """How the probabilities came about, in words."""
        return f"sampled, {self.resamples} runs each" if self.resamples else "certified by enumeration"

    def conclusions(self) -> list[str]:
        """Return what the curve says, one line each."""
        start = self.start
        total = -math.log2(start.value) if start.value else math.inf
        said = [
            f"All choices together: {total:.2f} bits, log2(1/P) of the start."
            if math.isfinite(total)
            else f"Nothing failed in {self.resamples} runs from the start: the bits there are lower bounds."
        ]
        ties = [each for each in self.named if each.forced and not each.deviation]
        if ties:
            said.append(
                "Somebody had to be picked at "
                + " and ".join(repr(each.label) for each in ties)
                + ": a tie that nobody caused can carry bits as well."
            )
        deviations = [each for each in self.points if each.deviation]
        if deviations:
            last = deviations[-1]
            after = probability(last.after, certified=last.certified)
            said.append(f"After the last deviation ({last.phrase}), P(bug) is {after}.")
        return said

    def picture(self) -> Chart:
        """Return the curve as a picture, in which a bit is as high everywhere; what matters has a mark."""
        moments = [self.start, *(each.after for each in self.points)]
        places = [0, *(each.k + 1 for each in self.points)]
        positive = [each.value for each in moments if each.value] + [each.low for each in moments if each.low]
        shares = list(decades(min(0.1, *positive), 1))
        zero = [] if all(each.value for each in moments) else ["0 stands at the foot of the picture."]
        return Chart(
            title=f"{self.scenario} / {self.variant}: when was the bug baked in?",
            x=Axis(
                label="choices of the failing run",
                low=0,
                high=max(1, self.choices),
                ticks=tuple((place, str(place)) for place in _round_steps(self.choices)),
            ),
            y=Axis(
                label="P(bug), logarithmic",
                low=shares[0],
                high=1,
                ticks=tuple((share, percent(share)) for share in shares),
                log=True,
            ),
            series=(
                Series(
                    name=self.by,
                    detail=f"noise model {self.noise!r}, {self.how}",
                    points=tuple(
                        Point(place, each.value, each.low, each.high)
                        for place, each in zip(places, moments, strict=True)
                    ),
                ),
            ),
            notes=tuple(Note(each.k + 1, f"{each.phrase}: {each.gain} bits") for each in self.named),
            said=(*self.conclusions(), *zero),
        )

    def to_json(self) -> dict[str, Any]:
        """Return JSON-able data; None stands for infinitely many bits."""
        points = [jsonable(asdict(each)) | {"bits": finite(each.bits)} for each in self.points]
        for data, each in zip(points, self.points, strict=True):
            data["before"], data["after"] = each.before.to_json(), each.after.to_json()
        return {**asdict(self), "start": self.start.to_json(), "points": points}


def causality(
    finding: Finding,
    scenario: Scenario | None = None,
    *,
    noise: NoiseModel | None = None,
    resamples: int = 100,
    exact_runs: int = 5000,
    seed: int = 0,
    watch: Callable[[int, int], None] | None = None,
) -> Curve:
    """Return the probability that the run of a finding fails, along the run.

    Args:
        finding: The finding.
        scenario: Its scenario, where the catalogue does not have it (one defined in a notebook).
        noise: The noise model that answers by chance; None means that of the scenario. With another one it is
            another question.
        resamples: How many runs each probability is sampled from where it cannot be enumerated, from 1.
        exact_runs: How many runs the enumeration may take, from 0.
        seed: The seed of the samples, from 0.
        watch: Called with the numbers of runs done and of all that there can be.

    Raises:
        LabError: an option makes no sense; the finding is of another scenario, or does not fail any more; the
            noise model never gives an answer that the run needs.
    """
    at_least(1, "resamples", resamples)
    at_least(0, "exact_runs", exact_runs)
    at_least(0, "seed", seed)
    scenario, points, plan, fails = failing_run(finding, scenario)
    noise = noise or scenario.noise
    count = 0

    def counted(chooser: Chooser) -> bool:
        nonlocal count
        count += 1
        if watch is not None:
            watch(count, max(count, exact_runs + resamples * (len(points) + 1)))
        return fails(chooser)

    tree = Tree(counted, points, noise)
    complete = tree.explore(exact_runs)
    bounds = tree.bounds()
    looked_at = list(range(len(points)))
    samples: dict[int, Estimate] = {}
    if not complete:
        looked_at = [
            k for k in looked_at if points[k].option or _surprisal(points[k], noise) > SURPRISAL_MIN_BITS
        ]
        rng = substream(seed, "causality")
        seeds = [rng.randrange(2**63) for _ in range(resamples)]
        for k in sorted({0, *looked_at, *(k + 1 for k in looked_at)}):
            if not bounds[k].narrow:
                failed = sum(counted(prefix(plan, k, noise, each)) for each in seeds)
                samples[k] = Estimate(failed / resamples, *wilson(failed, resamples))
    moments = tuple(_moment(scenario, points[k], noise, bounds, samples) for k in looked_at)
    return Curve(
        scenario=scenario.name,
        variant=finding.variant,
        by=finding.by,
        noise=noise.name,
        resamples=resamples if samples else 0,
        runs=count,
        start=samples.get(0, _exactly(bounds[0])),
        choices=len(points),
        points=moments,
    )


def probability(estimate: Estimate, *, certified: bool) -> str:
    """Return a probability in words: between certified bounds, or as an estimate with its interval."""
    low, high = percent(estimate.low), percent(estimate.high)
    if certified:
        return low if low == high else f"{low} .. {high}"
    return f"{percent(estimate.value)} [{low}, {high}]"


def _round_steps(most: int) -> range:
    """Return 0, and at most ten further places to `most`, at a step that is 1, 2 or 5 and zeros."""
    step = next(
        factor * 10**zeros for zeros in range(20) for factor in (1, 2, 5) if factor * 10**zeros * 10 >= most
    )
    return range(0, most + 1, step)


def failing_run(
    finding: Finding, scenario: Scenario | None
) -> tuple[Scenario, Sequence[ChoicePoint], Plan, Callable[[Chooser], bool]]:
    """Return the scenario of a finding, the questions and plan of its run, and what says if a run fails.

    Raises:
        LabError: the finding is of another scenario, or its run does not fail any more.
    """
    if scenario is None:
        scenario = get(finding.scenario)
    elif scenario.name != finding.scenario:
        raise LabError(f"the finding is of the scenario {finding.scenario}, not of {scenario.name}")
    variant, given = scenario.variant(finding.variant), decode_input(scenario, finding.input)
    outcome = replayed(scenario, variant, given, finding.plan)
    if outcome.failure is None or outcome.failure.by != finding.by:
        raise LabError(
            f"{finding.by} does not fail at the plan of the finding any more; replay it to see what changed"
        )

    def fails(chooser: Chooser) -> bool:
        failure = execute(scenario, variant, given, chooser).failure
        return failure is not None and failure.by == finding.by

    return scenario, outcome.chooser.points, finding.plan, fails


def _surprisal(point: ChoicePoint, noise: NoiseModel) -> float:
    chance = noise.probabilities(point.label, point.options)[point.option]
    return -math.log2(chance) if chance else math.inf


def _exactly(bounds: Bounds) -> Estimate:
    return Estimate(bounds.low, bounds.low, bounds.high)


def _moment(
    scenario: Scenario,
    point: ChoicePoint,
    noise: NoiseModel,
    bounds: Sequence[Bounds],
    samples: dict[int, Estimate],
) -> Moment:
    k = point.position
    before, after = (samples.get(at, _exactly(bounds[at])) for at in (k, k + 1))
    return Moment(
        k=k,
        label=point.label,
        phrase=_phrase(scenario, point),
        deviation=point.option > 0,
        forced=point.forced,
        surprisal=_surprisal(point, noise),
        before=before,
        after=after,
        certified=k not in samples and k + 1 not in samples,
        limits=(bounds[k + 1].low, bounds[k + 1].high),
        bits=_bits(before.value, after.value),
    )


def _bits(before: float, after: float) -> float:
    if before == after:
        return 0.0
    if not before:
        return math.inf
    return math.log2(after / before) if after else -math.inf


def _phrase(scenario: Scenario, point: ChoicePoint) -> str:
    if point.option:
        return scenario.phrase(point)
    why = ", where somebody had to be picked" if point.forced else ""
    return f"the nominal answer at {point.label!r}{why}"
