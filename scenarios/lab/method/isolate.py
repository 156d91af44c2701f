"""One variable at a time: of all that differs between a failing and a passing run, what is the cause?

*Factors* are the differences. With all of them in place a job fails, with none of them it passes. A *cause*
is a set of factors that is sufficient, and of which each is necessary.

1. **Pilot.** Unless the rates are known, the two ends are run a few times: how often does it fail with all
   factors in place, how often with none?
2. **Leave one out.** Each factor is taken away on its own, with all others in place. If the failure is gone,
   the factor is necessary. A sequential test decides how many runs that takes.
3. **The named set alone.** If the factors that are necessary suffice, they are the cause, and there is no
   other: without one of them nothing failed, whatever else was in place.
4. **Look again.** If they do not suffice, there are several causes. Factors are then taken away for good, one
   after another, while it goes on failing: what is left is one cause. Each cause that was found is broken in
   each way, and as long as it still fails, there is one more.

Only a failure with the signature counts as one. Another failure says nothing about the factors, and is not
counted as a pass.

Where a run is dear, a search by information gain (`bayes`) takes the place of 1 and 2. It assumes a cause of
at most three factors, and would name some cause of that kind also where that is false. So the named set alone
is run there, too, and what was found is said only after that.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from itertools import product
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from scenarios.lab.method.bayes import most_likely_cause
from scenarios.lab.method.sequential import Rates, Tested, sequential_test
from simulations.drawing.marks import Cell, Table, Tone
from simulations.drawing.pictured import Pictured
from simulations.errors import LabError
from simulations.terminal_text import shortened

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

__all__ = ["Cause", "Experiment", "Isolation", "Outcome", "Run", "isolate"]

PILOT_RUNS: Final = 6
"""Runs of each of the two ends, where the rates are not known."""
PILOT_ROUNDS_MAX: Final = 4
"""How often the pilot is repeated until the rates at the two ends are clearly different."""
ERROR: Final = 0.003
"""The probability of a wrong answer of one test, by Wald's bound."""
_TRIES_MAX: Final = 50
"""How often it is run with all factors in place until it fails for the first time."""
CAUSES_MAX: Final = 4
"""How many causes are looked for: to break each in each way takes a test for each combination."""

Cause: TypeAlias = frozenset[str]
"""Factors that together make the job fail, each of which is necessary."""

Run: TypeAlias = "Callable[[frozenset[str]], str | None]"
"""Runs the job once with some of the factors in place, and without the others; returns the signature of the
failure, such as the name of the assertion or of the signal, or None where it passed."""


class Outcome(StrEnum):
    """What an experiment showed."""

    FAILS = "still fails"
    """It fails with the signature, at the rate of the cause."""
    PASSES = "failure is gone"
    """It passes, or fails in another way."""


@dataclass(frozen=True, kw_only=True)
class Experiment:
    """One change, tried.

    Attributes:
        hypothesis: What is taken to be true.
        change: What was changed, against the failing run.
        present: The factors that were in place.
        prediction: What the outcome is if the hypothesis is true.
        outcome: What it was.
        failed: How many runs failed with the signature.
        runs: How many runs there were.
        decided: Whether the outcome is known: not where it failed in another way, or where the test has spent
            its runs.
    """

    hypothesis: str
    change: str
    present: frozenset[str]
    prediction: Outcome
    outcome: Outcome
    failed: int
    runs: int
    decided: bool = True

    @property
    def confirmed(self) -> bool:
        """Whether the prediction came true."""
        return self.prediction is self.outcome


@dataclass(frozen=True, kw_only=True)
class Isolation(Pictured):
    """The result.

    Attributes:
        factors: All factors.
        signature: The signature of the failure.
        causes: Every cause that was found, each confirmed by a run of it alone.
        complete: Whether every way to break all of them was tried, nothing failed, and each experiment was
            decided: there is no other.
        experiments: What was tried, in order.
        runs: How many runs it took, the pilot included.
        with_cause: The rate of failure with a cause in place, as counted; None where one run decides.
        without: The rate without.
    """

    factors: tuple[str, ...]
    signature: str
    causes: tuple[Cause, ...]
    complete: bool
    experiments: tuple[Experiment, ...]
    runs: int
    with_cause: float | None
    without: float | None

    def __repr__(self) -> str:
        return shortened(f"<Isolation of {len(self.factors)} factors: {self.conclusions()[0]}>")

    def conclusions(self) -> list[str]:
        """Return what the experiments say, one line each."""
        said = []
        for number, cause in enumerate(self.causes, 1):
            which = "The cause" if len(self.causes) == 1 else f"Cause {number}"
            named = "; ".join(each for each in self.factors if each in cause)
            said.append(f"{which}: {named or 'none of these; it fails without any of them'}.")
        irrelevant = [each for each in self.factors if not any(each in cause for cause in self.causes)]
        if irrelevant:
            said.append(f"Not part of any: {'; '.join(irrelevant)}.")
        undecided = [f"{each.hypothesis} ({each.change})" for each in self.experiments if not each.decided]
        if undecided:
            said.append(
                f"Not decided, since it failed in another way or at a rate between: {'; '.join(undecided)}. "
                f"So a cause may be smaller than it is said to be, or there may be another."
            )
        elif self.complete:
            said.append(
                "There is no other cause among these: without it, or one factor of each, nothing failed."
            )
        else:
            said.append("There may be other causes: the search for them was cut short.")
        return said

    def picture(self) -> Table:
        """Return the experiments as a table."""
        counted = self.with_cause is not None
        return Table(
            title=f"{self.signature}: {self.runs} runs",
            header=("hypothesis", "change", "prediction", *(["failed"] if counted else []), "outcome"),
            rows=tuple(
                (
                    Cell(each.hypothesis),
                    Cell(each.change),
                    Cell(each.prediction.value),
                    *([Cell(f"{each.failed} of {each.runs}")] if counted else []),
                    Cell(each.outcome.value, Tone.GOOD if each.confirmed else Tone.BAD),
                )
                for each in self.experiments
            ),
            said=tuple(self.conclusions()),
        )

    def to_json(self) -> dict[str, Any]:
        """Return JSON-able data."""
        return {
            "signature": self.signature,
            "factors": list(self.factors),
            "causes": [sorted(cause, key=self.factors.index) for cause in self.causes],
            "complete": self.complete,
            "runs": self.runs,
            "rates": {"with_cause": self.with_cause, "without": self.without},
            "experiments": [
                {
                    "hypothesis": each.hypothesis,
                    "change": each.change,
                    "present": sorted(each.present, key=self.factors.index),
                    "prediction": each.prediction.value,
                    "outcome": each.outcome.value,
                    "confirmed": each.confirmed,
                    "failed": each.failed,
                    "runs": each.runs,
                    "decided": each.decided,
                }
                for each in self.experiments
            ],
        }


def isolate(
    factors: Sequence[str],
    run: Run,
    *,
    signature: str | None = None,
    deterministic: bool = False,
    rates: tuple[float, float] | None = None,
    expensive: bool = False,
    error: float = ERROR,
    runs_max: int = 10_000,
    watch: Callable[[int, int], None] | None = None,
    instead: Mapping[str, str] | None = None,
) -> Isolation:
    """Find the causes of a failure among factors.

    Args:
        factors: What differs between the failing and the passing run, at least one, each with its own name.
        run: Runs the job once with a set of factors in place.
        signature: The failure in question; None means the first that is seen with all factors in place.
        deterministic: Whether one run decides: the same factors always give the same result.
        rates: The rates of failure with the cause in place and without it, where they are known. None means
            that a pilot measures them.
        expensive: Whether a run is dear: fewer runs, assuming that a cause has three factors at most.
        error: The probability of a wrong answer of one test, above 0 and below 0.5.
        runs_max: When to give up, from 1.
        watch: Called after each run with the number of runs and the most that there can be.
        instead: What the change is called that takes a factor away; by default "without it".

    Raises:
        LabError: an argument makes no sense; the job does not fail with all factors in place, or fails as
            often without any; the runs were not enough.
    """
    if not factors or len(set(factors)) != len(factors):
        raise LabError(f"factors are one or more different names, not {list(factors)!r}")
    if not 0 < error < 0.5:
        raise LabError(f"error is above 0 and below 0.5, not {error!r}")
    if runs_max < 1:
        raise LabError(f"runs_max is from 1, not {runs_max!r}")
    if rates is not None and not 1 > rates[0] > rates[1] > 0:
        raise LabError(f"rates are two numbers between 0 and 1, the first the larger one, not {rates!r}")
    search = _Search(
        tuple(factors), run, signature, error=error, runs_max=runs_max, watch=watch, instead=instead or {}
    )
    if deterministic:
        search.try_the_ends()
    else:
        search.begin(rates, pilot=not expensive)
    causes, complete = search.causes(expensive=expensive)
    known = search.rates
    return Isolation(
        factors=search.factors,
        signature=search.signature,
        causes=tuple(causes),
        complete=complete and all(each.decided for each in search.experiments),
        experiments=tuple(search.experiments),
        runs=search.runs,
        with_cause=None if known is None else known.rate(with_cause=True),
        without=None if known is None else known.rate(with_cause=False),
    )


class _Search:
    """The state of a search for causes: the rates, and what was tried."""

    def __init__(
        self,
        factors: tuple[str, ...],
        run: Run,
        signature: str | None,
        *,
        error: float,
        runs_max: int,
        watch: Callable[[int, int], None] | None,
        instead: Mapping[str, str],
    ) -> None:
        self.factors = factors
        self.everything = frozenset(factors)
        self.signature = signature or ""
        self.rates: Rates | None = None
        self.experiments: list[Experiment] = []
        self.runs = 0
        self._run = run
        self._error = error
        self._runs_max = runs_max
        self._watch = watch
        self._instead = dict(instead)

    def once(self, present: frozenset[str]) -> bool | None:
        """Run once: whether it failed with the signature; None for another failure."""
        if self.runs == self._runs_max:
            raise LabError(f"{self._runs_max} runs were not enough; raise runs_max, or leave factors out")
        self.runs += 1
        try:
            seen = self._run(present)
        except Exception as error:
            error.add_note(
                f"raised with {len(present)} of {len(self.factors)} factors in place, without: "
                f"{'; '.join(self._in_order(self.everything - present)) or 'none'}; if the job fails like "
                f"that, return a signature for it"
            )
            raise
        if self._watch is not None:
            self._watch(self.runs, self._runs_max)
        if seen is None:
            return False
        if not self.signature and present == self.everything:
            self.signature = seen
        return True if seen == self.signature else None

    def try_the_ends(self) -> None:
        """Check with one run each that it fails with all factors in place, and not with none."""
        failed, without = (self.once(end) is True for end in (self.everything, frozenset[str]()))
        if not failed or without:
            self._refuse(int(failed), int(without), 1)

    def begin(self, rates: tuple[float, float] | None, *, pilot: bool) -> None:
        """Take over the rates, or measure them at the two ends; find the signature."""
        self.rates = Rates()
        if rates is not None:
            for with_cause, rate in ((True, rates[0]), (False, rates[1])):
                self.rates.count(with_cause=with_cause, failed=1e6 * rate, runs=1_000_000)
        elif pilot:
            self._pilot(self.rates)
        for _ in range(_TRIES_MAX):
            if self.signature:
                return
            self.once(self.everything)
        self._refuse(0, 0, _TRIES_MAX)

    def _pilot(self, rates: Rates) -> None:
        for _ in range(PILOT_ROUNDS_MAX):
            for with_cause, end in ((True, self.everything), (False, frozenset[str]())):
                seen = [self.once(end) for _ in range(PILOT_RUNS)]
                told = len(seen) - seen.count(None)
                rates.count(with_cause=with_cause, failed=seen.count(True), runs=told)
            if rates.apart:
                return
        if not rates.runs[False]:
            raise LabError(
                "with no factor in place it failed each time, and never with the signature, so it cannot be "
                "said how often it passes: leave out the factors without which it cannot run at all"
            )
        without, failed = map(int, rates.failed)
        self._refuse(failed, without, PILOT_RUNS * PILOT_ROUNDS_MAX)

    def _refuse(self, failed: int, without: int, runs: int) -> None:
        raise LabError(
            f"there is no difference to look for: {failed} of {runs} runs failed with all factors in place, "
            f"{without} of {runs} with none"
        )

    def test(self, present: frozenset[str], hypothesis: str, change: str, prediction: Outcome) -> bool:
        """Say whether the job fails with these factors in place, and note the experiment."""
        tested = self._tested(present)
        self.experiments.append(
            Experiment(
                hypothesis=hypothesis,
                change=change,
                present=present,
                prediction=prediction,
                outcome=Outcome.FAILS if tested.fails else Outcome.PASSES,
                failed=tested.failed,
                runs=tested.runs,
                decided=tested.decided,
            )
        )
        return tested.fails

    def _tested(self, present: frozenset[str]) -> Tested:
        rates = self.rates
        if rates is None:
            seen = self.once(present)
            return Tested(seen is True, int(seen is True), 1, decided=seen is not None)
        tested = sequential_test(lambda: self.once(present), rates, error=self._error)
        if tested.decided:
            rates.count(with_cause=tested.fails, failed=tested.failed, runs=tested.runs)
        return tested

    def causes(self, *, expensive: bool) -> tuple[list[Cause], bool]:
        """Return every cause, and whether there is certainly no other."""
        found: list[Cause] = []
        if expensive:
            first = self._by_information(self.everything)
            if first is not None:
                found.append(first)
            elif self.rates is not None:
                self.rates = Rates()
                self._pilot(self.rates)
        if not found:
            necessary = frozenset(each for each in self.factors if not self._without(each))
            if self._suffices(necessary):
                return [necessary], True
            found.append(self._reduced(self.everything, necessary))
        while len(found) <= CAUSES_MAX:
            more = self._another(found, expensive=expensive)
            if more is None:
                return found, True
            found = [each for each in found if not more < each]  # a test may have erred before
            found.append(more)
        return found, False

    def _without(self, factor: str) -> bool:
        gone = frozenset({factor})
        return self.test(self.everything - gone, f"needed: {factor}", self._change(gone), Outcome.PASSES)

    def _change(self, gone: frozenset[str]) -> str:
        named = self._in_order(gone)
        if len(named) == 1:
            return self._instead.get(named[0], "without it")
        return "; ".join(self._instead.get(each, f"without: {each}") for each in named)

    def _suffices(self, cause: Cause) -> bool:
        hypothesis = f"enough: {len(cause)} of the {len(self.factors)}"
        return self.test(cause, hypothesis, "all others away", Outcome.FAILS)

    def _in_order(self, some: frozenset[str]) -> list[str]:
        return [each for each in self.factors if each in some]

    def _reduced(self, start: frozenset[str], necessary: frozenset[str]) -> Cause:
        """Take factors away while it goes on failing; what is left is one cause."""
        left = start
        for factor in self._in_order(start - necessary):
            fewer = left - {factor}
            change = self._change(self.everything - fewer)
            if self.test(fewer, f"needed: {factor}", change, Outcome.PASSES):
                left = fewer
        return left

    def _another(self, found: Sequence[Cause], *, expensive: bool) -> Cause | None:
        """Break every cause that was found, in every way; return another one if it still fails."""
        for broken in self._breaks(found):
            rest = self.everything - broken
            change = self._change(broken)
            if self.test(rest, "no other cause", change, Outcome.PASSES):
                cause = self._by_information(rest) if expensive else None
                return self._reduced(rest, frozenset()) if cause is None else cause
        return None

    def _breaks(self, found: Sequence[Cause]) -> Iterator[frozenset[str]]:
        """Yield the sets that take a factor from each cause, the smallest first, none that holds another."""
        chosen: list[frozenset[str]] = []
        ways = {frozenset(way) for way in product(*found)}
        for way in sorted(
            ways, key=lambda way: (len(way), [self.factors.index(each) for each in self._in_order(way)])
        ):
            if not any(smaller <= way for smaller in chosen):
                chosen.append(way)
                yield way

    def _by_information(self, among: frozenset[str]) -> Cause | None:
        """Return the likeliest cause once it was confirmed; None if the assumption does not fit."""
        history: list[tuple[frozenset[str], bool | None]] = []

        def noted(present: frozenset[str]) -> bool | None:
            seen = self.once(present)
            history.append((present, seen))
            return seen

        cause = most_likely_cause(self._in_order(among), noted, certain=self.rates is None)
        if cause is None:
            return None
        if self.rates is not None:
            for present, seen in history:
                if seen is not None:
                    self.rates.count(with_cause=cause <= present, failed=seen, runs=1)
            if not self.rates.apart:
                return None
        return cause if self._suffices(cause) else None
