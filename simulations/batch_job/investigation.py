"""Who did it: suspects with priors, observations by what they tell, and what the answer costs in days.

The priors are assumptions (`simulations.suspects`). The likelihoods are not judged but estimated:
the world is run with each suspect as the culprit, and what an observation shows is counted.
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Final, Literal

from simulations.batch_job.environment import LAUNCHES, SETUPS_H
from simulations.batch_job.observations import OBSERVATIONS, History, history
from simulations.batch_job.system import FINISHED, run
from simulations.batch_job.variants import AS_SHIPPED
from simulations.batch_job.workload import Job
from simulations.choices import Deviation, drawn, substream
from simulations.errors import LabError
from simulations.suspects import SUSPECTS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from random import Random

    from simulations.batch_job.observations import Observation
    from simulations.batch_job.system import Attempt

__all__ = [
    "BASE",
    "EXPERIMENTS",
    "SURE",
    "Change",
    "Step",
    "gain",
    "investigate",
    "likelihoods",
    "outcome",
    "priors",
    "told",
]

SURE: Final = 0.95
"""The posterior at which an investigation ends."""

GLANCE_DAYS: Final = 0.25
"""What an observation costs that one need not wait for."""

Belief = dict[str, float]
Order = Literal["gain", "gain per day"]


@dataclass(frozen=True)
class Step:
    """One observation of an investigation.

    Attributes:
        observation: What was looked at.
        outcome: What it showed.
        gain: What it was expected to tell, in bits.
        belief: The posterior of each suspect.
        days: The days of waiting up to and with this one.
    """

    observation: Observation
    outcome: str
    gain: float
    belief: Belief
    days: float


def priors() -> Belief:
    """Return the prior of each suspect."""
    return {suspect.name: suspect.prior for suspect in SUSPECTS}


def entropy(belief: Mapping[str, float]) -> float:
    """Return the entropy of a belief, in bits."""
    return -math.fsum(p * math.log2(p) for p in belief.values() if p > 0)


@lru_cache(maxsize=4)
def likelihoods(histories: int = 200, seed: int = 0) -> dict[str, dict[str, dict[str, float]]]:
    """Estimate what each observation shows if a suspect is the culprit.

    Args:
        histories: How many histories are run for each suspect, from 1.
        seed: The seed of the histories.

    Returns:
        The probability of an outcome, by observation, suspect and outcome. Half a count is added to each
        outcome that any suspect shows (Jeffreys), so that nothing is ever ruled out by a finite sample.

    Raises:
        LabError: there is nothing to count.
    """
    if histories < 1:
        raise LabError(f"likelihoods need at least one history for each suspect, not {histories}")
    counts: dict[str, dict[str, Counter[str]]] = {
        observation.name: {suspect.name: Counter() for suspect in SUSPECTS} for observation in OBSERVATIONS
    }
    for suspect in SUSPECTS:
        draw = substream(seed, f"histories of {suspect.name}")
        for _ in range(histories):
            past = history(suspect.name, draw)
            for observation in OBSERVATIONS:
                counts[observation.name][suspect.name][observation.look(past, _errs(draw))] += 1
    return {name: _smoothed(table, histories) for name, table in counts.items()}


def _errs(draw: Random) -> Callable[[float], bool]:
    return lambda chance: draw.random() < chance


def _smoothed(table: dict[str, Counter[str]], histories: int) -> dict[str, dict[str, float]]:
    outcomes = sorted({outcome for counter in table.values() for outcome in counter})
    total = histories + len(outcomes) / 2
    return {
        suspect: {outcome: (counter[outcome] + 0.5) / total for outcome in outcomes}
        for suspect, counter in table.items()
    }


def update(belief: Mapping[str, float], table: Mapping[str, Mapping[str, float]], outcome: str) -> Belief:
    """Return the posterior after an outcome, by Bayes' rule.

    Raises:
        LabError: no suspect ever shows this outcome.
    """
    if any(outcome not in row for row in table.values()):
        raise LabError(f"no history shows the outcome {outcome!r}; it has no likelihood")
    joint = {suspect: p * table[suspect][outcome] for suspect, p in belief.items()}
    total = math.fsum(joint.values())
    return {suspect: p / total for suspect, p in joint.items()}


def gain(belief: Mapping[str, float], table: Mapping[str, Mapping[str, float]]) -> float:
    """Return the expected information of an observation, in bits: entropy now, less the mean of it after."""
    outcomes = next(iter(table.values()))
    after = 0.0
    for outcome in outcomes:
        chance = math.fsum(p * table[suspect][outcome] for suspect, p in belief.items())
        after += chance * entropy(update(belief, table, outcome))
    return entropy(belief) - after


def investigate(
    truth: History,
    *,
    order: Order = "gain",
    observations: Sequence[Observation] = OBSERVATIONS,
    tables: Mapping[str, Mapping[str, Mapping[str, float]]] | None = None,
) -> list[Step]:
    """Look at a death, one observation after the other, until one suspect is all but certain.

    Args:
        truth: What happened, as the observations see it; nothing is misreported.
        order: Choose what tells most, or what tells most for a day of waiting.
        observations: What may be looked at; leave out what no one thinks of, or may read.
        tables: The likelihoods; None means `likelihoods()`.

    Returns:
        The steps; the last one's belief has a suspect of at least `SURE`, or nothing was left to look at.
    """
    tables = tables or likelihoods()
    worth: Callable[[float, float], float] = (
        (lambda bits, _: bits) if order == "gain" else (lambda bits, days: bits / (days + GLANCE_DAYS))
    )
    belief, days, left = priors(), 0.0, list(observations)
    steps: list[Step] = []
    while left and max(belief.values()) < SURE:
        worths = [(worth(gain(belief, tables[each.name]), each.days), each) for each in left]
        best = max(worths, key=lambda pair: pair[0])[1]
        left.remove(best)
        bits = gain(belief, tables[best.name])
        outcome = best.look(truth, lambda chance: chance >= 0.5)
        belief = update(belief, tables[best.name], outcome)
        days += best.days
        steps.append(Step(best, outcome, bits, belief, days))
    return steps


@dataclass(frozen=True)
class Change:
    """One variable that an experiment changes against the base: launched Friday 18:00, two hours of setup.

    Attributes:
        words: What is changed.
        held_h: By how many hours the launch is held back.
        setup: Which of `SETUPS_H` the machine takes.
        tagged: Whether it carries an owner tag.
    """

    words: str
    held_h: int = 0
    setup: int = SETUPS_H.index(2)
    tagged: bool = False


BASE: Final = Change("nothing")
"""The run that the experiments are compared with."""

EXPERIMENTS: Final = (
    Change("launched six hours later", held_h=6),
    Change("one more hour of setup", setup=SETUPS_H.index(3)),
    Change("an owner tag", tagged=True),
)
"""The first two tell the three mechanisms apart; the third shows that it is a rule about owners at all."""


def outcome(rule: str, change: Change, seed: int = 0) -> Attempt:
    """Run one experiment, on a platform whose sweeps act.

    Args:
        rule: The rule of the platform.
        change: What is changed.
        seed: The seed of the durations.
    """
    plan = [Deviation("launch", 0, LAUNCHES.index((4, 18))), Deviation("setup", 0, change.setup)]
    plan += [] if change.tagged else [Deviation("owner_tag", 0, 1)]
    plan.append(Deviation("sweep", 0, 1))
    return run(AS_SHIPPED, Job(rule=rule, seed=seed, held_h=change.held_h), drawn(plan)).attempts[0]


def told(attempt: Attempt) -> str:
    """Say the outcome of an experiment."""
    return "finishes" if attempt.cause == FINISHED else f"dies at hour {attempt.job_hours:g}"
