"""Which commit brought a failure that does not show in every run? The posterior, and what to run next.

Two models are common, and both go wrong on ordinary repositories. Plain bisection takes one passing run for a
good version. A posterior over "the commit at which the failure rate changes" names the largest change, which
may be an innocent commit that only made an old failure more frequent. This model is one-sided, and gives each
bad version a rate of its own:

* a good version never shows the failure, so one failing run is certain: the version is bad;
* a bad version shows it at a rate of its own, drawn independently of every other version, or at a rate that
  such versions share. Which share of them has the common rate is not known either: one of `SHARES`, and the
  rate one of `COMMON_RATES`. A rate of its own is uniform, or, with the prior probability `LOW_SHARE`, more
  often low: Beta(1/2, 1). So passing runs make a bad version less probable, and by less where failures are
  seen to be rare; they never make it impossible;
* the failure came with one of the commits, or is older than all of them, or is in none: each of these is a
  hypothesis with the same prior.

Nothing here knows git: versions are numbers, and the history says which of them contain which.
"""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from operator import add, mul, sub
from typing import TYPE_CHECKING, Final

from simulations.errors import LabError

if TYPE_CHECKING:
    from collections.abc import Sequence

SHARES: Final = (0.0, 0.5, 0.95)
"""Which share of the bad versions may have the common rate, each as probable as any other."""

COMMON_RATES: Final = (
    *(0.01, 0.02, 0.03, 0.05, 0.07, 0.1, 0.15, 0.2),
    *(0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.98),
)
"""What the common rate may be, each as probable as any other."""

LOW_SHARE: Final = 0.25
"""How probable it is, beforehand, that a rate of its own comes from Beta(1/2, 1) and not from Beta(1, 1)."""

RATES: Final = tuple((share, rate) for share in SHARES for rate in (COMMON_RATES if share else (0.0,)))
"""Every pair of a share and a common rate; without a share the rate means nothing."""

_PRIOR: Final = tuple(1 / len(SHARES) / (len(COMMON_RATES) if share else 1) for share, _ in RATES)
_LOG_PRIOR: Final = tuple(map(math.log, _PRIOR))
STAY_SHARE: Final = 0.8
"""Another version is checked out only where a run of the present one teaches less than this share."""

_NEGLIGIBLE: Final = 1e-12


@dataclass(frozen=True)
class Versions:
    """The versions between a good and a bad one, and which contain which.

    Attributes:
        parents: For each version its parents among the versions, all of which have lower numbers. Version 0
            is the good end, the last one the bad end.
    """

    parents: tuple[tuple[int, ...], ...]

    @classmethod
    def in_a_line(cls, count: int) -> Versions:
        """Return `count` versions, each the only parent of the next."""
        return cls(((), *((number,) for number in range(count - 1))))

    @cached_property
    def contained_in(self) -> tuple[int, ...]:
        """For each version, as bits, the versions that contain it; all of them for version 0."""
        contains = [0] * len(self.parents)
        for number in range(len(self.parents) - 1, -1, -1):
            contains[number] |= 1 << number
            for parent in self.parents[number]:
                contains[parent] |= contains[number]
        contains[0] = (1 << len(self.parents)) - 1
        return tuple(contains)

    @cached_property
    def is_line(self) -> bool:
        """Whether each version has the one before as its only parent."""
        return all(parents == (number,) for number, parents in enumerate(self.parents[1:]))


@dataclass
class Evidence:
    """What was seen at each version.

    Attributes:
        versions: The versions.
        failed: For each version that was run, how often it failed with the signature.
        passed: For each version that was run, how often it passed.
        skipped: The versions that cannot be judged.
    """

    versions: Versions
    failed: dict[int, int] = field(default_factory=dict)
    passed: dict[int, int] = field(default_factory=dict)
    skipped: set[int] = field(default_factory=set)

    def add(self, version: int, *, failed: int = 0, passed: int = 0) -> None:
        """Add runs of a version."""
        self.failed[version] = self.failed.get(version, 0) + failed
        self.passed[version] = self.passed.get(version, 0) + passed

    def runs(self, version: int) -> int:
        """Return how many runs of a version passed or failed."""
        return self.failed.get(version, 0) + self.passed.get(version, 0)

    @property
    def total(self) -> int:
        """How many runs passed or failed."""
        return sum(self.failed.values()) + sum(self.passed.values())


@dataclass(frozen=True)
class Suspects:
    """Hypotheses that no run of a version that can be judged tells apart.

    Attributes:
        versions: The numbers of the versions any of which may have brought the failure; 0 stands for "it is
            older than all of them". Empty for "no version has it".
        probability: The posterior of all of them together.
    """

    versions: tuple[int, ...]
    probability: float


@dataclass(frozen=True)
class Belief:
    """The posterior after some runs.

    Attributes:
        brought_by: For each version the probability that it brought the failure; that of version 0 that the
            failure is older.
        never: The probability that no version has it.
        rates: The posterior of the share and the common rate, in the order of `RATES`.
    """

    brought_by: tuple[float, ...]
    never: float
    rates: tuple[float, ...]

    def suspects(self, evidence: Evidence) -> Suspects:
        """Return the most probable set of hypotheses that cannot be told apart."""
        judged = ((1 << len(self.brought_by)) - 1) & ~sum(1 << number for number in evidence.skipped)
        together: defaultdict[int, list[int]] = defaultdict(list)
        for number, contained_in in enumerate(evidence.versions.contained_in):
            if self.brought_by[number] > 0:
                together[contained_in & judged].append(number)
        mass = {key: sum(self.brought_by[number] for number in group) for key, group in together.items()}
        best = max(mass, key=lambda key: (mass[key], -together[key][0]), default=0)
        if self.never >= mass.get(best, 0.0):
            return Suspects((), self.never)
        return Suspects(tuple(together[best]), mass[best])


def believe(evidence: Evidence) -> Belief:
    """Return the posterior; exact, by enumeration of every hypothesis, share and common rate.

    Raises:
        LabError: no hypothesis explains the failures: they are in versions that have no commit in common.
    """
    run = sorted(evidence.failed.keys() | evidence.passed.keys())
    mask, failing = (
        sum(1 << number for number in run),
        sum(1 << each for each in run if evidence.failed[each]),
    )
    alike: defaultdict[int, list[int]] = defaultdict(list)
    for number, contained_in in enumerate((*evidence.versions.contained_in, 0)):
        # Where the good end cannot be judged it is taken to be good, or nothing could be concluded.
        if failing & ~contained_in == 0 and not (number == 0 and 0 in evidence.skipped):
            alike[contained_in & mask].append(number)
    if not alike:
        raise LabError(
            "no single commit explains these failures: versions failed that have none of the commits in "
            "common; name a --signature that only this failure shows"
        )
    weights = _weights(evidence, sorted(alike, key=int.bit_count))
    top = max(map(max, weights.values()))
    hypotheses, rates = [0.0] * (len(evidence.versions.parents) + 1), [0.0] * len(RATES)
    for bad, numbers in alike.items():
        shares = [math.exp(weight - top) for weight in weights[bad]]
        for number in numbers:
            hypotheses[number] = sum(shares)
        rates = [known + len(numbers) * share for known, share in zip(rates, shares, strict=True)]
    total = math.fsum(hypotheses)
    return Belief(
        tuple(each / total for each in hypotheses[:-1]),
        hypotheses[-1] / total,
        tuple(share / total for share in rates),
    )


def _weights(evidence: Evidence, bads: Sequence[int]) -> dict[int, tuple[float, ...]]:
    """Return, for each set of bad versions, log P(share, rate, runs | these are bad), as `RATES` lists them.

    Args:
        evidence: What was seen.
        bads: The sets as bits; one that contains the set before it costs only the difference.
    """
    weights, before, sums = {}, 0, _LOG_PRIOR
    for bad in bads:
        if before & ~bad:
            before, sums = 0, _LOG_PRIOR
        more = bad & ~before
        while more:
            number = more.bit_length() - 1
            more ^= 1 << number
            seen = _log_marginals(evidence.failed[number], evidence.passed[number])
            sums = tuple(map(add, sums, seen))
        weights[bad], before = sums, bad
    return weights


@lru_cache(maxsize=100_000)
def _log_marginals(failed: int, passed: int) -> tuple[float, ...]:
    """Return log P(runs | the version is bad, share and common rate), in the order of `RATES`."""
    own = (1 - LOW_SHARE) * math.exp(_log_beta(1 + failed, 1 + passed))
    own += LOW_SHARE * math.exp(_log_beta(0.5 + failed, 1 + passed) - _log_beta(0.5, 1))
    return tuple(
        math.log((1 - share) * own + share * rate**failed * (1 - rate) ** passed) for share, rate in RATES
    )


def _log_beta(a: float, b: float) -> float:
    return math.lgamma(a) + math.lgamma(b) - math.lgamma(a + b)


@lru_cache(maxsize=100_000)
def _fails_next(failed: int, passed: int) -> tuple[float, ...]:
    """Return P(the next run fails | the runs, the version is bad, share and rate), as `RATES` lists them."""
    then, now = _log_marginals(failed + 1, passed), _log_marginals(failed, passed)
    return tuple(map(math.exp, map(sub, then, now)))


def next_version(evidence: Evidence, belief: Belief, present: int | None = None) -> int | None:
    """Return the version whose next run is expected to teach most about which commit it was.

    Args:
        evidence: What was seen.
        belief: The posterior after it.
        present: The version that is checked out; it is kept where another one would teach little more.

    Returns:
        None where no version that can be judged teaches anything.
    """
    rates: dict[tuple[int, int], float] = {}
    gains = {}
    for number, probability in enumerate(_bad(evidence.versions, belief)):
        if number not in evidence.skipped:
            counts = evidence.failed.get(number, 0), evidence.passed.get(number, 0)
            if counts not in rates:
                rates[counts] = _rate(belief, *counts)
            gains[number] = _gain(probability, rates[counts])
    best = max(gains, key=lambda number: (gains[number], -number), default=None)
    if best is None or gains[best] < _NEGLIGIBLE:
        return None
    if present in gains and gains[present] >= STAY_SHARE * gains[best]:
        return present
    return best


def _bad(versions: Versions, belief: Belief) -> Sequence[float]:
    """Return, for each version, the probability that it has the failure."""
    probabilities = []
    if versions.is_line:
        so_far = 0.0
        for share in belief.brought_by:
            so_far += share
            probabilities.append(so_far)
        return probabilities
    alive = [
        (contained_in, share)
        for contained_in, share in zip(versions.contained_in, belief.brought_by, strict=True)
        if share > _NEGLIGIBLE
    ]
    for number in range(len(versions.parents)):
        bit = 1 << number
        probabilities.append(sum(share for contained_in, share in alive if contained_in & bit))
    return probabilities


def _rate(belief: Belief, failed: int, passed: int) -> float:
    """Return the probability that the next run of a version with these runs fails, if it is bad."""
    return math.fsum(map(mul, belief.rates, _fails_next(failed, passed)))


def _gain(bad: float, rate: float) -> float:
    """Return the mutual information, in bits, of the outcome of a run and whether its version is bad."""
    return _entropy(bad * rate) - bad * _entropy(rate)


def _entropy(probability: float) -> float:
    if probability <= 0 or probability >= 1:
        return 0.0
    rest = 1 - probability
    return -probability * math.log2(probability) - rest * math.log2(rest)
