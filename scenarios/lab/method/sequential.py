"""Does it still fail? Wald's sequential test of one configuration of a job that fails only at times.

A single run says little where a cause fails with a probability below 1 and other things fail, too. To repeat
a fixed number of times and count "fails if any run fails" makes it worse, since each further run is one more
chance for an unrelated failure. Wald's test asks after each run how much likelier what was seen is under one
rate than under the other, and stops when that is enough: Wald, Annals of Mathematical Statistics 1945.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

_RUNS_MAX: Final = 200
"""A test ends undecided after this number of runs; what it says then is the likelier of both."""
_UNTOLD_MAX: Final = 6
"""A test ends undecided after this number of runs if each of them failed in another way."""
_HIGHEST: Final = 0.93
_LOWEST: Final = 0.02
_DEVIATIONS_APART: Final = 2.6


@dataclass
class Rates:
    """How often a run fails with the cause in it, and without: counted so far.

    Half an event is added to each count, the prior of Jeffreys, and no rate is taken to be more extreme than
    93 % or 2 %: a count of a few runs cannot show that, and a single surprise would decide a test.

    Attributes:
        failed: Runs that failed: of those without the cause, and of those with it.
        runs: All runs: of those without the cause, and of those with it.
    """

    failed: list[float] = field(default_factory=lambda: [0.0, 0.0])
    runs: list[int] = field(default_factory=lambda: [0, 0])

    def count(self, *, with_cause: bool, failed: float, runs: int) -> None:
        """Add runs of a configuration of which it is known whether the cause is in it."""
        self.failed[with_cause] += failed
        self.runs[with_cause] += runs

    def rate(self, *, with_cause: bool) -> float:
        """Return the rate of failure with or without the cause."""
        counted = (self.failed[with_cause] + 0.5) / (self.runs[with_cause] + 1)
        return min(counted, _HIGHEST) if with_cause else max(counted, _LOWEST)

    @property
    def apart(self) -> bool:
        """Whether the counts show that a failure is likelier with the cause: by 2.6 standard deviations."""
        (without, with_it), (runs_without, runs_with) = self.failed, self.runs
        if not runs_without or not runs_with:
            return False
        share = (without + with_it) / (runs_without + runs_with)
        deviation = math.sqrt(share * (1 - share) * (1 / runs_without + 1 / runs_with))
        return with_it / runs_with - without / runs_without > _DEVIATIONS_APART * deviation


@dataclass(frozen=True)
class Tested:
    """The result of a test.

    Attributes:
        fails: Whether the configuration fails at the rate of the cause.
        failed: How many runs failed with the signature.
        runs: How many runs there were.
        decided: Whether the error was reached as asked for; if not, it is the likelier of both.
    """

    fails: bool
    failed: int
    runs: int
    decided: bool = True


def sequential_test(
    run: Callable[[], bool | None], rates: Rates, *, error: float, runs_max: int = _RUNS_MAX
) -> Tested:
    """Run a configuration until it is clear whether it fails at the rate of the cause.

    Args:
        run: Runs it once; whether it failed with the signature; None for another failure, which says nothing.
        rates: The two rates.
        error: The probability of either wrong answer, above 0 and below 0.5; by Wald's bound it is at most
            about this if the rates are right.
        runs_max: After how many runs to give up, from 1.
    """
    enough = math.log((1 - error) / error)
    with_it, without = rates.rate(with_cause=True), rates.rate(with_cause=False)
    weight = {
        True: math.log(with_it / without),
        False: math.log((1 - with_it) / (1 - without)),
        None: 0.0,
    }
    evidence, failed, told = 0.0, 0, 0
    for runs in range(1, runs_max + 1):
        seen = run()
        failed += seen is True
        evidence += weight[seen]
        if abs(evidence) >= enough:
            return Tested(evidence > 0, failed, runs)
        told += seen is not None
        if runs == _UNTOLD_MAX and not told:
            return Tested(fails=False, failed=0, runs=runs, decided=False)
    return Tested(evidence > 0, failed, runs_max, decided=False)
