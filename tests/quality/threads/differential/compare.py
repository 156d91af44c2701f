"""Compares what the explorer says about a program with what the interpreter says."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any, Final, Protocol

from simulations.live.threads import ThreadsError, explore
from tests.quality.threads.differential.interpreter import Answer, End, answer
from tests.quality.threads.differential.running import run_source
from tests.quality.threads.differential.source import render

if TYPE_CHECKING:
    from collections.abc import Callable

    from simulations.live.threads import Exploration
    from tests.quality.threads.differential.source import Layout
    from tests.quality.threads.differential.syntax import Program

SCHEDULES_MAX: Final = 3_000
SECONDS_MAX: Final = 10.0


class Verdict(Enum):
    """How a comparison went. Only the last four are defects."""

    AGREED = "agreed"
    GAVE_UP = "gave up"
    REFUSED = "refused"
    MISSED_END = "called exhausted, although an end is missing"
    MISSED_DEADLOCK = "called exhausted, although it can deadlock"
    FALSE_ALARM = "found what cannot happen"
    ERROR = "ended in an error"

    @property
    def wrong(self) -> bool:
        """Whether the explorer said what is not so."""
        return self not in (Verdict.AGREED, Verdict.GAVE_UP, Verdict.REFUSED)


@dataclass(frozen=True)
class Outcome:
    """How a comparison went, and the figures: schedules run, and details in words for a person."""

    verdict: Verdict
    detail: str = ""
    schedules: int = 0


class Exploring(Protocol):
    """The explorer, as the comparison calls it; mutants of it have the same shape."""

    def __call__(
        self,
        setup: Callable[[], Any],
        workers: list[Callable[[Any], object]],
        check: Callable[[Any], object],
        *,
        searcher: Any,
        max_schedules: int,
        seconds: float,
    ) -> Exploration:
        """Explore a program."""


def compare(
    program: Program,
    layout: Layout,
    *,
    schedules_max: int = SCHEDULES_MAX,
    seconds_max: float = SECONDS_MAX,
    exploring: Exploring = explore,
) -> Outcome:
    """Explore a program once, collecting every end that is seen, and compare with the exact set.

    Raises:
        TooLarge: the program has too many worlds.
    """
    truth = answer(program)
    seen: set[End] = set()

    def collect(end: Callable[[Any], object]) -> Callable[[Any], bool]:
        def check(state: Any) -> bool:
            seen.add(end(state))  # type: ignore[arg-type]
            return True

        return check

    explored = _explored(program, layout, collect, schedules_max, seconds_max, exploring=exploring)
    if isinstance(explored, Outcome):
        return explored
    outcome = _judged(explored, truth, seen)
    return Outcome(outcome.verdict, outcome.detail, explored.schedules)


def _explored(
    program: Program,
    layout: Layout,
    checking: Callable[[Callable[[Any], object]], Callable[[Any], bool]],
    schedules_max: int,
    seconds_max: float,
    *,
    exploring: Exploring,
) -> Exploration | Outcome:
    results: list[Exploration] = []

    def run(setup: Any, workers: Any, end: Any) -> None:
        check = checking(end)
        found = exploring(
            setup, workers, check, searcher="exhaustive", max_schedules=schedules_max, seconds=seconds_max
        )
        results.append(found)

    try:
        run_source(render(program, layout), layout, run)
    except ThreadsError as error:
        return Outcome(Verdict.REFUSED, f"{type(error).__name__}: {error}")
    except Exception as error:  # noqa: BLE001  (whatever escapes from the explorer is what is looked for)
        return Outcome(Verdict.ERROR, f"{type(error).__name__}: {error}")
    return results[0]


def _judged(explored: Exploration, truth: Answer, seen: set[End]) -> Outcome:
    impossible = sorted(seen - truth.ends, key=repr)
    if impossible:
        return Outcome(Verdict.FALSE_ALARM, f"seen: {impossible}; possible: {sorted(truth.ends, key=repr)}")
    if explored.failure is not None:
        if explored.failure.kind == "deadlock" and truth.deadlock:
            return Outcome(Verdict.AGREED, "deadlock")
        return Outcome(Verdict.FALSE_ALARM, explored.failure.summary)
    if explored.verdict != "exhausted":
        return Outcome(Verdict.GAVE_UP, str(explored))
    if truth.deadlock:
        return Outcome(Verdict.MISSED_DEADLOCK, str(explored))
    missing = sorted(truth.ends - seen, key=repr)
    if missing:
        return Outcome(Verdict.MISSED_END, f"not seen: {missing}; {explored}")
    return Outcome(Verdict.AGREED)
