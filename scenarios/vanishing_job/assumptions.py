"""What the scenario takes for granted, how a run shows it, and a world in which each does not hold."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from scenarios.lab.scenario import Assumption, Scenario, Variant
from simulations.batch_job.rules import MECHANISMS
from simulations.batch_job.system import run
from simulations.batch_job.workload import HOUR_MS

if TYPE_CHECKING:
    from simulations.batch_job.system import Run
    from simulations.batch_job.variants import System
    from simulations.batch_job.workload import Job
    from simulations.choices import Chooser

WITHOUT_OWNERS: Final = "actions-72h"
"""A rule of a real platform that does not ask for an owner: it ends whatever is 72 hours old."""
STORY_SEED: Final = 5
STORY_TESTS: Final = 90_000
FEWER_TESTS: Final = 80_000
"""A job that is over after 64 hours."""


def one_of_the_three_rules(variant: Variant, run: Run, chooser: Chooser) -> None:
    """The platform has one of the rules of the story."""
    assert run.job.rule in MECHANISMS, f"the rule is {run.job.rule}"


def a_live_sweep_stays_live(variant: Variant, run: Run, chooser: Chooser) -> None:
    """Once a sweep has acted it is not asked again."""
    acted = [number for number, point in enumerate(_sweeps(chooser)) if point]
    assert not acted or acted[0] == len(_sweeps(chooser)) - 1, "a sweep was asked again after it had acted"


def _sweeps(chooser: Chooser) -> list[int]:
    return [point.option for point in chooser.points if point.label == "sweep"]


def chance_strikes_the_first_attempt(variant: Variant, run: Run, chooser: Chooser) -> None:
    """No later attempt ends by chance."""
    for attempt in run.attempts[1:]:
        assert attempt.cause in {"finished", "sweep", "memory", "deadline"}, (
            f"{attempt.cause} in a later attempt"
        )


def faults_strike_every_tenth_hour(variant: Variant, run: Run, chooser: Chooser) -> None:
    """Chance is asked at every tenth hour of the job."""
    start_ms = run.attempts[0].start_ms
    for point in chooser.points:
        if point.label == "trouble" and point.occurrence:
            hours = (point.time - run.attempts[0].shift_h * HOUR_MS - start_ms) / HOUR_MS
            late = hours % 10
            # The clocks may have been changed after this was asked.
            assert late in {0, 1, 9}, f"asked at hour {hours:g}"


def launched_at_a_full_hour(variant: Variant, run: Run, chooser: Chooser) -> None:
    """Every machine starts at a full hour, unless it is a rerun at once."""
    assert run.attempts[0].machine_ms % HOUR_MS == 0, "the first machine starts between two full hours"


def a_sweep_gives_no_notice(variant: Variant, run: Run, chooser: Chooser) -> None:
    """A sweep sends SIGKILL, and nothing before it."""
    notices = [event for event in run.trace if event.actor == "sweep" and event.action == "SIGTERM"]
    assert not notices, "the sweep sent SIGTERM first"


def the_durations_are_those_of_the_story(variant: Variant, run: Run, chooser: Chooser) -> None:
    """The job is the one that would end after 72.6 hours."""
    job = run.job
    assert (job.seed, job.tests) == (STORY_SEED, STORY_TESTS), f"seed {job.seed}, {job.tests} tests"


def _with_a_rule_without_owners(scenario: Scenario) -> Scenario:
    return replace(scenario, ladder=(replace(scenario.ladder[0], rule=WITHOUT_OWNERS), *scenario.ladder))


def _with_notice(scenario: Scenario) -> Scenario:
    """A sweep ends the job as the limit of a scheduler does: with a SIGTERM, and 30 seconds to write why."""

    def polite(system: System, job: Job, chooser: Chooser) -> Run:
        result = run(system, job, chooser)
        if any(attempt.cause == "sweep" for attempt in result.attempts):
            result.trace.record(result.attempts[-1].end_ms, "sweep", "SIGTERM")
        told = tuple(
            replace(attempt, cause="deadline") if attempt.cause == "sweep" else attempt
            for attempt in result.attempts
        )
        return replace(result, attempts=told)

    return replace(scenario, run=polite)


def _with_fewer_tests(scenario: Scenario) -> Scenario:
    return replace(scenario, ladder=tuple(replace(job, tests=FEWER_TESTS) for job in scenario.ladder))


_ANOTHER_ENVIRONMENT: Final = "an environment that asks at other times would be needed"

ASSUMPTIONS: Final = (
    Assumption(
        "one-rule",
        "One rule at a time; the three that give hour 70 are tried one by one.",
        one_of_the_three_rules,
        _with_a_rule_without_owners,
    ),
    Assumption(
        "live-rules",
        "A sweep that has acted once goes on acting: it is a script.",
        a_live_sweep_stays_live,
        why_not="a platform that forgets that its sweep has acted would be needed",
    ),
    Assumption(
        "first-attempt",
        "Chance strikes the first attempt only; later ones meet the rules alone.",
        chance_strikes_the_first_attempt,
        why_not=_ANOTHER_ENVIRONMENT,
    ),
    Assumption(
        "coarse-chance",
        "Faults strike at every tenth hour of the job, hour 70 among them.",
        faults_strike_every_tenth_hour,
        why_not=_ANOTHER_ENVIRONMENT,
    ),
    Assumption(
        "full-hours",
        "People launch, and sweeps run, at full hours.",
        launched_at_a_full_hour,
        why_not=_ANOTHER_ENVIRONMENT,
    ),
    Assumption(
        "sigkill",
        "A sweep sends SIGKILL to the job and leaves the machine as it is.",
        a_sweep_gives_no_notice,
        _with_notice,
    ),
    Assumption(
        "durations",
        "How long each test takes belongs to the input, and with it the end of the job.",
        the_durations_are_those_of_the_story,
        _with_fewer_tests,
    ),
)
