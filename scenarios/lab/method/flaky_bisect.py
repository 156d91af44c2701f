"""Which commit brought a failure that does not show in every run? The posterior, and what to run next.

Two models are common, and both go wrong on ordinary repositories. Plain bisection takes one passing run for a
good version. A posterior over "the commit at which the failure rate changes" names the largest change, which
may be an innocent commit that only made an old failure more frequent. This model is one-sided, and gives each
bad version a rate of its own:

* a good version never shows the failure, so one failing run is certain: the version is bad;
* a bad version shows it with a probability of its own, drawn from Beta(1, 1) independently of every other
  version; or, with the prior probability `COMMON_SHARE`, with a rate that such versions have in common, one
  of `COMMON_RATES`. So n passing runs make a bad version less probable by about 1 / (n + 1), and by less
  where failures turn out to be rare; they never make it impossible;
* the failure came with one of the commits, or is older than all of them, or is in none: each of these is a
  hypothesis with the same prior.

Nothing here knows git: versions are numbers, and the history says which of them contain which.
"""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Final

from simulations.errors import LabError

if TYPE_CHECKING:
    from collections.abc import Sequence

COMMON_SHARE: Final = 1 / 3
"""How probable it is, beforehand, that a bad version has the common rate and none of its own."""

COMMON_RATES: Final = (0.02, 0.05, 0.1, 0.2, 0.35, 0.5, 0.65, 0.8, 0.9, 0.98)
"""What the common rate may be, each as probable as any other."""

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
        common: The posterior of the common rate, in the order of `COMMON_RATES`.
    """

    brought_by: tuple[float, ...]
    never: float
    common: tuple[float, ...]

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
    """Return the posterior; exact, by enumeration of every hypothesis and every common rate.

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
    terms = [
        (
            1 << each,
            [_log_marginal(rate, evidence.failed[each], evidence.passed[each]) for rate in COMMON_RATES],
        )
        for each in run
    ]
    weights = {
        bad: [math.fsum(column) for column in zip(*(term for bit, term in terms if bit & bad), strict=True)]
        or [0.0] * len(COMMON_RATES)
        for bad in alike
    }
    top = max(map(max, weights.values()))
    hypotheses, common = [0.0] * (len(evidence.versions.parents) + 1), [0.0] * len(COMMON_RATES)
    for bad, numbers in alike.items():
        shares = [math.exp(weight - top) for weight in weights[bad]]
        for number in numbers:
            hypotheses[number] = sum(shares)
        common = [known + len(numbers) * share for known, share in zip(common, shares, strict=True)]
    total = math.fsum(hypotheses)
    return Belief(
        tuple(each / total for each in hypotheses[:-1]),
        hypotheses[-1] / total,
        tuple(share / total for share in common),
    )


@lru_cache(maxsize=100_000)
def _log_marginal(common: float, failed: int, passed: int) -> float:
    """Return log P(runs | the version is bad, and the common rate is this)."""
    own = math.exp(math.lgamma(1 + failed) + math.lgamma(1 + passed) - math.lgamma(2 + failed + passed))
    return math.log((1 - COMMON_SHARE) * own + COMMON_SHARE * common**failed * (1 - common) ** passed)


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
    return sum(
        share * math.exp(_log_marginal(rate, failed + 1, passed) - _log_marginal(rate, failed, passed))
        for rate, share in zip(COMMON_RATES, belief.common, strict=True)
    )


def _gain(bad: float, rate: float) -> float:
    """Return the mutual information, in bits, of the outcome of a run and whether its version is bad."""
    return _entropy(bad * rate) - bad * _entropy(rate)


def _entropy(probability: float) -> float:
    if probability <= 0 or probability >= 1:
        return 0.0
    rest = 1 - probability
    return -probability * math.log2(probability) - rest * math.log2(rest)
