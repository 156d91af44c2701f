"""The figures of the story are what the world and the analysis give."""

from pathlib import Path

import pytest

from scenarios.vanishing_job import HOUR_70, SCENARIO
from scenarios.vanishing_job.covering import LEVELS, combinations_in, covering_array, hours
from simulations.batch_job.analysis import (
    checkpointed_wall,
    daly_interval,
    random_phase_sweep,
    restart_wall,
)
from simulations.batch_job.database import EXHAUSTIVE, GREEDY, pairs, planning_ms
from simulations.batch_job.environment import CLOCKS, LAUNCHES
from simulations.batch_job.investigation import (
    BASE,
    EXPERIMENTS,
    gain,
    investigate,
    likelihoods,
    outcome,
    priors,
    told,
)
from simulations.batch_job.observations import OBSERVATIONS, history_of
from simulations.batch_job.picture import draw
from simulations.batch_job.system import run
from simulations.choices import Deviation, drawn

PAGE = (Path(__file__).parents[2] / "docs/stories/vanishing_job.md").read_text()
PROSE = " ".join(PAGE.split())
CALENDAR = SCENARIO.ladder[0]
LEAST = HOUR_70["calendar"]


def ran(variant="as-shipped", plan=LEAST, job=CALENDAR):
    return run(SCENARIO.variant(variant).system, job, drawn(plan))


@pytest.fixture(scope="module")
def truth():
    launches = [[], [Deviation("launch", 0, LAUNCHES.index((5, 9)))]]
    reruns = tuple(ran(plan=[*launch, *list(LEAST)[1:]]) for launch in launches)
    return history_of(ran(), reruns, ran(plan=[LEAST.deviations[0], LEAST.deviations[2]]))


def test_the_death_and_its_picture():
    death = ran().attempts[0]
    assert f"killed at hour 70 (Monday 16:00), unfinished: {death.done} of 90000 tests done" in PAGE
    for line in draw(ran()).splitlines()[3:5]:
        assert line in PAGE.splitlines()


def test_the_table_of_experiments():
    for change in (BASE, *EXPERIMENTS):
        seen = " | ".join(told(outcome(rule, change)) for rule in ("calendar", "age", "mark"))
        assert f"{change.words}" in PAGE
        assert f"| {seen} |" in PAGE


@pytest.mark.parametrize(("change", "hour"), [("forward", 69), ("back", 71)])
def test_daylight_saving(change, hour):
    clock = Deviation("clock", 0, [clock.words for clock in CLOCKS].index(change))
    assert ran(plan=[*LEAST, clock]).attempts[0].job_hours == hour
    assert f"at hour {hour}" in PROSE


def test_the_table_of_the_investigation(truth):
    steps = investigate(truth, order="gain per day")
    rows = [
        f"| {step.observation.name} | {step.outcome} | {step.days:.0f} "
        f"| {max(step.belief, key=step.belief.__getitem__)} | {100 * step.belief['sweep']:.1f} % |"
        for step in steps
    ]
    assert [row for row in rows if row not in PAGE.splitlines()] == []
    assert sum(line.count("|") == 6 for line in PAGE.splitlines()) == len(rows) + 2


def test_what_the_canary_saves(truth):
    tables = likelihoods()
    bits = {each.name: gain(priors(), tables[each.name]) for each in OBSERVATIONS}
    assert f"{bits['canary']:.2f} bits, against {bits['exit status']:.2f} for the exit status" in PROSE
    assert sorted(bits, key=bits.__getitem__).index("canary") <= 2
    poor = [each for each in OBSERVATIONS if each.name != "canary"]
    last = investigate(truth, order="gain per day", observations=poor)[-1]
    assert f"and more runs: {last.days:.0f} days" in PROSE


def test_what_people_try():
    further = ran("faster-explain").attempts[0].done - ran().attempts[0].done
    assert f"{pairs('star', 20):,} pairs" in PROSE
    assert 15.5 < planning_ms(EXHAUSTIVE, 20) / 60_000 < 16
    assert (
        f"a bounded planner takes {planning_ms(GREEDY, 20)} ms. The job is {further} tests further" in PROSE
    )
    late = ran("another-hour", SCENARIO.variant("another-hour").expect.least).attempts[0]
    assert f"kills at hour {late.job_hours:g}, with {90_000 - late.done} tests to go" in PROSE


def test_what_checkpoints_save():
    interval = daly_interval(5 / 60, 72)
    first, second = ran("checkpoint").attempts
    assert f"every {interval:.2f} hours" in PROSE
    assert (
        f"costs {first.lost_ms / 3_600_000:.1f} hours; the job is delivered {second.job_hours:.1f}" in PROSE
    )
    scratch, saved = restart_wall(72, 72), checkpointed_wall(72, interval, 5 / 60, 72)
    assert f"from {scratch:.1f} hours, from scratch, to {saved:.1f}" in PROSE
    assert f"one kill a week would be {restart_wall(72, 168):.1f} hours by the formula" in PROSE
    assert f"a launch at a random hour takes {random_phase_sweep(72, 168).wall:.1f}" in PROSE


def test_how_much_smaller_the_job_can_be():
    two, three = covering_array(2), covering_array(3)
    assert f"in {len(two)} of them, which take {hours(CALENDAR, two):.1f} hours" in PROSE
    assert f"every triple in {len(three):,}, which take {hours(CALENDAR, three):.1f}" in PROSE
    assert f"of {combinations_in(LEVELS, 3):,} and does not say so" in PROSE
