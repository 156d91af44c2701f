"""Replays a finding, and decides for `git bisect` whether a version has its bug."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from scenarios.lab.catalogue import get
from scenarios.lab.doctor import differences, fingerprint
from scenarios.lab.execution import QUESTIONS_MAX, caught, in_words
from scenarios.lab.finding import decode_input
from scenarios.lab.searchers import Target
from scenarios.lab.verify import replay_of
from simulations.choices import drawn, exhaustive

if TYPE_CHECKING:
    from scenarios.lab.execution import Outcome
    from scenarios.lab.finding import Finding
    from scenarios.lab.scenario import Scenario

__all__ = ["Replay", "bisect_verdict", "replay"]

BISECT_RUNS_MAX: Final = 2000
"""The number of runs that `bisect_verdict` spends around a plan before it calls a version clean."""


class Result(StrEnum):
    """How a run compares with the finding that it replays."""

    IDENTICAL = "identical"
    """The same failure and the same digest."""
    DIFFERS = "differs"
    """The property of the finding, or another one, fails, but the trace is another one."""
    HOLDS = "holds"
    """No property fails."""


@dataclass(frozen=True)
class Replay:
    """A finding that was run again.

    Attributes:
        result: How the run compares with the finding.
        outcome: The run.
        digest: The digest of its trace.
        plan_in_words: The plan of the run in the words of the world, which a file cannot change.
        changed: Where the result is not identical: what differs between then and now, one line each.
    """

    result: Result
    outcome: Outcome
    digest: str
    plan_in_words: str
    changed: list[str]

    def to_json(self) -> dict[str, Any]:
        """Return the replay as JSON-able data."""
        failure = self.outcome.failure
        return {
            "result": self.result.value,
            "by": failure and failure.by,
            "message": failure and failure.message,
            "digest": self.digest,
            "plan": self.outcome.chooser.plan.to_json(),
            "plan_in_words": self.plan_in_words,
            "changed": self.changed,
        }


def replay(
    finding: Finding, scenario: Scenario | None = None, *, questions_max: int | None = QUESTIONS_MAX
) -> Replay:
    """Run a finding again.

    Args:
        finding: The finding.
        scenario: The scenario, where the catalogue does not have it (one defined in a notebook).
        questions_max: How many questions the run may ask, from 1; None is no limit.

    Raises:
        PlanError: the plan does not fit the world any more; the message names the first key that does not.
        QuestionLimitError: the run asks more questions than it may.
        LabError: the scenario, the variant or the form of the input is gone.
    """
    scenario = scenario or get(finding.scenario)
    outcome = replay_of(scenario, finding, questions_max=questions_max)
    digest = outcome.run.trace.digest()
    words = in_words(scenario, outcome.chooser)
    failure = outcome.failure
    if failure is not None and failure.by == finding.by and digest == finding.digest:
        return Replay(Result.IDENTICAL, outcome, digest, words, [])
    changed = differences(finding.fingerprint, fingerprint())
    return Replay(Result.DIFFERS if failure else Result.HOLDS, outcome, digest, words, changed)


def bisect_verdict(
    finding: Finding, scenario: Scenario | None = None, *, questions_max: int | None = QUESTIONS_MAX
) -> tuple[bool, int]:
    """Return whether this version has the bug of a finding, and how many runs that took.

    Versions differ in what they ask, so the plan may no longer apply as it stands. Those of its deviations
    that still exist are tried first, then every plan of at most as many deviations at the finding's input, up
    to `BISECT_RUNS_MAX` runs, each of at most `questions_max` questions.

    Raises:
        Exception: no verdict about this version is possible.
    """
    scenario = scenario or get(finding.scenario)
    given = decode_input(scenario, finding.input)
    target = Target(scenario, scenario.variant(finding.variant), questions_max=questions_max)
    if caught(given, target(given, drawn(finding.plan)), finding.by):
        return True, target.tally.runs
    for outcome, _ in exhaustive(partial(target, given), len(finding.plan)):
        if caught(given, outcome, finding.by):
            return True, target.tally.runs
        if target.tally.runs >= BISECT_RUNS_MAX:
            return False, target.tally.runs
    return False, target.tally.runs
