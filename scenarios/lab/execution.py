"""One run of a variant, judged by its properties."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from simulations.choices import Plan, replay
from simulations.errors import LabError

if TYPE_CHECKING:
    from scenarios.lab.scenario import Run, Scenario, Variant
    from simulations.choices import Chooser

__all__ = ["QUESTIONS_MAX", "Caught", "Failure", "Outcome", "caught", "execute", "in_words", "replayed"]

QUESTIONS_MAX: Final = 1_000_000
"""How many questions a run may ask unless the caller says otherwise: a few seconds in our worlds."""


@dataclass(frozen=True, slots=True)
class Failure:
    """A property that did not hold.

    Attributes:
        by: The name of the property: the signature of the failure.
        message: What the property saw, in one line.
        error: What it raised.
    """

    by: str
    message: str
    error: AssertionError


@dataclass(frozen=True, slots=True)
class Outcome:
    """One run, judged.

    Attributes:
        run: What the world returned.
        chooser: What answered at the choice points.
        failure: The first property that failed, or None where every property holds.
    """

    run: Run
    chooser: Chooser
    failure: Failure | None


@dataclass(frozen=True, slots=True)
class Caught:
    """A run in which a property failed.

    Attributes:
        given: The input.
        outcome: The run.
        failure: The property that failed in it.
    """

    given: Any
    outcome: Outcome
    failure: Failure


def caught(given: Any, outcome: Outcome, by: str | None = None) -> Caught | None:
    """Return the failing run, or None where every property holds (or, given `by`, another one failed)."""
    failure = outcome.failure
    if failure is None or by not in {None, failure.by}:
        return None
    return Caught(given, outcome, failure)


def execute(
    scenario: Scenario,
    variant: Variant,
    given: Any,
    chooser: Chooser,
    *,
    questions_max: int | None = QUESTIONS_MAX,
) -> Outcome:
    """Run a variant once and judge it. The first property that fails, in the scenario's order, counts.

    Only an `AssertionError` raised by a property itself is a failure. Everything else passes through this
    function unchanged, with a note that says which run it came from.

    Args:
        scenario: The scenario.
        variant: One of its variants.
        given: The input.
        chooser: What answers at the choice points.
        questions_max: How many questions the run may ask, since an input or a plan may come from a stranger;
            None is no limit, for those of one's own.

    Raises:
        QuestionLimitError: the run asks more questions than it may.
        LabError: Python runs with `-O`, which removes the asserts that properties consist of.
        PlanError: the chooser was given an answer that does not apply.
        Exception: what the world's own code raised.
    """
    if not __debug__:
        raise LabError(
            "python -O (PYTHONOPTIMIZE) removes asserts, so no property could fail; run without it"
        )
    if questions_max is not None:
        chooser.allow(questions_max)
    try:
        run = scenario.run(variant.system, given, chooser)
        chooser.finish()
    except LabError:
        raise
    except Exception as error:
        error.add_note(
            f"raised by the world of {scenario.name} itself, not by a property: "
            f"variant {variant.name}, input {given!r}, {chooser.plan}"
        )
        raise
    for check in scenario.judged_by(variant):
        try:
            check(run)
        except AssertionError as error:
            return Outcome(run, chooser, Failure(check.__name__, _first_line(error), error))
        except Exception as error:
            error.add_note(f"raised by the property {check.__name__} itself, which may only assert")
            raise
    return Outcome(run, chooser, None)


def _first_line(error: AssertionError) -> str:
    return (str(error) or "the property does not hold").splitlines()[0]


def replayed(
    scenario: Scenario,
    variant: Variant,
    given: Any,
    plan: Plan,
    *,
    questions_max: int | None = QUESTIONS_MAX,
) -> Outcome:
    """Run a plan at an input; raises `PlanError` where the plan does not apply. See `execute`."""
    return execute(scenario, variant, given, replay(plan), questions_max=questions_max)


def in_words(scenario: Scenario, chooser: Chooser) -> str:
    """Say the plan of a run that is over in the words of its world."""
    points = {(point.label, point.occurrence): point for point in chooser.points if point.option}
    return chooser.plan.in_words(
        lambda deviation: scenario.phrase(points[deviation.label, deviation.occurrence])
    )
