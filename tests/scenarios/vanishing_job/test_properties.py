"""Each property passes where it should and catches its bug: a canary for each."""

import pytest

from scenarios.vanishing_job import HOUR_70, SCENARIO, under
from scenarios.vanishing_job.properties import is_over_by_monday, keeps_its_work, survives_hour_70
from simulations.batch_job.environment import LAUNCHES, LIFE
from simulations.batch_job.system import run
from simulations.batch_job.variants import ANOTHER_HOUR, AS_SHIPPED, BOTH, CHECKPOINT
from simulations.batch_job.workload import Job
from simulations.choices import Deviation, drawn, random, replay

CALENDAR, MARK, AGE = SCENARIO.ladder
PROPERTIES = (survives_hour_70, keeps_its_work, is_over_by_monday)


@pytest.mark.parametrize("check", PROPERTIES)
def test_a_quiet_week_is_in_order(check):
    check(run(AS_SHIPPED, CALENDAR, drawn([])))


@pytest.mark.parametrize("check", PROPERTIES)
def test_hour_70_is_caught(check):
    with pytest.raises(
        AssertionError, match=r"killed at hour 70 \(Monday 16:00\), unfinished: 87683 of 90000"
    ):
        check(run(AS_SHIPPED, CALENDAR, replay(HOUR_70["calendar"])))


def test_hour_55_is_another_story_and_loses_days_as_well():
    saturday = Deviation("launch", 0, LAUNCHES.index((5, 9)))
    ran = run(AS_SHIPPED, CALENDAR, drawn([*HOUR_70["calendar"].deviations[1:], saturday]))
    survives_hour_70(ran)
    with pytest.raises(AssertionError, match="killed at hour 55"):
        keeps_its_work(ran)


def test_a_death_that_costs_hours_is_not_held_against_a_job_that_checkpoints():
    ran = run(CHECKPOINT, CALENDAR, replay(HOUR_70["calendar"]))
    assert ran.attempts[0].cause == "sweep"
    keeps_its_work(ran)
    with pytest.raises(AssertionError):
        is_over_by_monday(ran)


def test_an_age_limit_is_no_matter_of_the_calendar():
    ran = run(ANOTHER_HOUR, AGE, drawn(HOUR_70["age"]))
    is_over_by_monday(ran)
    with pytest.raises(AssertionError):
        keeps_its_work(ran)


@pytest.mark.parametrize("job", SCENARIO.ladder, ids=lambda job: job.rule)
def test_with_both_fixes_every_week_of_life_is_survived_and_most_are_delivered(job):
    runs = [run(BOTH, job, random(LIFE, seed)) for seed in range(100)]
    for ran in runs:
        survives_hour_70(ran)
        keeps_its_work(ran)
    assert sum(ran.delivered for ran in runs) >= 98  # a time limit below 72 hours can end all three attempts


def test_every_deviation_is_said_in_words():
    for seed in range(60):
        chooser = random(LIFE, seed)
        run(BOTH if seed % 2 else AS_SHIPPED, SCENARIO.ladder[seed % 3], chooser)
        for point in chooser.points:
            if point.option:
                assert "option" not in SCENARIO.phrase(point)


def test_a_mechanism_that_is_asked_for_is_found_and_fails_in_the_whole_scenario_as_well():
    found = under("age").hunt(verify=False).finding
    assert found.plan == HOUR_70["age"]
    with pytest.raises(AssertionError, match="killed at hour 70"):
        survives_hour_70(SCENARIO.run(AS_SHIPPED, Job(**found.input), replay(found.plan)))


def test_a_platform_without_sweeps_ends_no_job_without_a_word():
    assert under("none").hunt(searcher="exhaustive", deviations=2).verdict == "exhausted"
    with pytest.raises(ValueError, match="no rule 'lunar'"):
        under("lunar")
