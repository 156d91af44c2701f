"""Bisecting a test that fails now and then: two ways, over versions whose rates of failure are known.

`history` and `make` are those of `scenarios.lab.method.story_repository`: 128 versions of a scenario, and a
git repository of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from scenarios.lab.method.flaky_bisect import Evidence, Versions, believe, next_version
from scenarios.lab.method.plain_bisect import named_by_plain
from scenarios.lab.method.story_repository import history, make
from simulations.choices import substream
from simulations.drawing.marks import Axis, Chart, Note, Point, Series, Shape
from simulations.drawing.pictured import Pictured
from simulations.errors import LabError

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Suspicion", "flake_aware", "history", "make", "plain"]

_STEP: Final = 16


@dataclass(frozen=True, repr=False)
class Suspicion(Pictured):
    """How much each version is suspected of having brought a failure.

    Attributes:
        title: What was done.
        shares: For each version a share from 0 to 1.
        runs: How many runs of the test it took.
    """

    title: str
    shares: tuple[float, ...]
    runs: float

    @property
    def named(self) -> int:
        """The version that is suspected most."""
        return max(range(len(self.shares)), key=lambda number: (self.shares[number], -number))

    def __repr__(self) -> str:
        return f"{self.title}: version {self.named} at {self.shares[self.named]:.1%}, {self.runs:.0f} runs"

    def picture(self) -> Chart:
        """Return a bar for each version."""
        last = len(self.shares)
        top = max(self.shares)
        return Chart(
            title=self.title,
            x=Axis(
                label="version",
                low=-1,
                high=last,
                ticks=tuple((number, str(number)) for number in range(0, last, _STEP)),
            ),
            y=Axis(label="suspicion", low=0, high=top, ticks=((0, "0%"), (top, f"{top:.0%}"))),
            series=(
                Series(
                    name="named",
                    shape=Shape.BARS,
                    points=tuple(Point(number, share) for number, share in enumerate(self.shares) if share),
                    detail=f"{self.runs:.0f} runs of the test",
                ),
            ),
            notes=(Note(self.named, f"version {self.named}, {self.shares[self.named]:.1%}"),),
        )


def plain(rates: Sequence[float | None], trials: int = 1000) -> Suspicion:
    """Return which versions halving the range names, one run a version, in independent trials.

    Args:
        rates: For each version the probability that its test fails; None where it cannot be judged.
        trials: How many, from 1.
    """
    named = named_by_plain(rates, trials)
    shares = tuple(named[number] / trials for number in range(len(rates)))
    return Suspicion("plain bisection, each passing run taken for good", shares, len(rates).bit_length() - 1)


def flake_aware(rates: Sequence[float | None], *, seed: int = 0, confidence: float = 0.95) -> Suspicion:
    """Return the posterior of `scenarios.lab.method.flaky_bisect` when one version reaches the confidence.

    Args:
        rates: As in `plain`. What runs there are is drawn from them.
        seed: Of the runs; any integer from 0.
        confidence: Where it ends, above 0 and below 1.

    Raises:
        LabError: no version can be judged.
    """
    rng, evidence = substream(seed, "flake-aware bisection"), Evidence(Versions.in_a_line(len(rates)))
    evidence.skipped.update(number for number, rate in enumerate(rates) if rate is None)
    present = next((number for number in reversed(range(len(rates))) if rates[number] is not None), None)
    belief = believe(evidence)
    while present is not None:
        fails = rng.random() < (rates[present] or 0.0)
        evidence.add(present, failed=fails, passed=not fails)
        belief = believe(evidence)
        if belief.suspects(evidence).probability >= confidence:
            break
        present = next_version(evidence, belief, present)
    if not evidence.total:
        raise LabError("no version can be judged")
    return Suspicion("flake-aware bisection: the posterior", belief.brought_by, evidence.total)
