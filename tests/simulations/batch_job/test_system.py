from dataclasses import replace

import pytest
import simpy
from hypothesis import given, settings
from hypothesis import strategies as st

from simulations.batch_job.environment import AILMENTS, CHANCES, CLOCKS, LAUNCHES, LIFE, when
from simulations.batch_job.kernel import Checkpoints
from simulations.batch_job.observations import died_silently, hour_of_week, signs
from simulations.batch_job.rules import RULES
from simulations.batch_job.system import _Scene, run
from simulations.batch_job.variants import (
    ANOTHER_HOUR,
    AS_SHIPPED,
    BOTH,
    CHECKPOINT,
    FASTER_EXPLAIN,
    MORE_MEMORY,
    OWNER_TAG,
    RERUN_NEXT_WEEK,
    RETRY_AT_ONCE,
    System,
)
from simulations.batch_job.workload import HOUR_MS, Job
from simulations.choices import Deviation, Plan, drawn, nominal, random, replay
from simulations.errors import LabError
from simulations.suspects import SUSPECTS

FRIDAY = Deviation("launch", 0, LAUNCHES.index((4, 18)))
UNTAGGED = Deviation("owner_tag", 0, 1)
SETUP = Deviation("setup", 0, 1)
SWEEP = Deviation("sweep", 0, 1)
PRACTICES = (AS_SHIPPED, RERUN_NEXT_WEEK, RETRY_AT_ONCE, MORE_MEMORY, ANOTHER_HOUR, CHECKPOINT, BOTH)


def _run(*deviations, system=AS_SHIPPED, engine="kernel", **job):
    chooser = replay(Plan(deviations))
    ran = run(system, Job(**job), chooser, engine=engine)
    chooser.finish()
    return ran


def _trouble(cause, occurrence=1):
    return Deviation("trouble", occurrence, CHANCES.index(cause))


def _ailment(words):
    return Deviation("trouble", 0, next(place for place, each in enumerate(AILMENTS) if words in each.words))


def test_when_nothing_happens_the_job_is_delivered_after_72_hours():
    ran = run(AS_SHIPPED, Job(), nominal())
    assert ran.delivered
    assert 72 < ran.attempts[0].job_hours < 74
    assert ran.attempts[0].done == 90_000


@pytest.mark.parametrize(
    ("rule", "plan"),
    [
        ("calendar", (FRIDAY, UNTAGGED, SWEEP)),
        ("age", (UNTAGGED, SETUP, SWEEP)),
        ("mark", (FRIDAY, UNTAGGED, SETUP, SWEEP)),
    ],
)
def test_three_mechanisms_give_hour_70_to_the_millisecond(rule, plan):
    attempt = _run(*plan, rule=rule).attempts[0]
    assert (attempt.cause, attempt.end_ms - attempt.start_ms) == ("sweep", 70 * HOUR_MS)
    assert died_silently(attempt)
    assert attempt.lost_ms == 70 * HOUR_MS
    assert 85_000 < attempt.done < 90_000


@pytest.mark.parametrize("plan", [(FRIDAY, SWEEP), (FRIDAY, UNTAGGED)])
def test_it_takes_both_a_missing_tag_and_a_sweep_that_acts(plan):
    assert _run(*plan).delivered


def test_a_sweep_that_acts_and_finds_an_owner_leaves_a_note_and_the_machine():
    ran = _run(FRIDAY, SWEEP)
    assert ("sweep", "spares") in {(event.actor, event.action) for event in ran.trace}


def test_rules_that_spare_no_owner_end_tagged_machines_too():
    ran = _run(SWEEP, rule="preemptible")
    assert (ran.attempts[0].cause, ran.attempts[0].job_hours) == ("sweep", 24)
    assert _run(SWEEP, system=OWNER_TAG, rule="preemptible").delivered  # the list of exemptions does


@pytest.mark.parametrize("rule", sorted(set(RULES) - {"none"}))
def test_every_preset_of_a_real_tool_can_be_run(rule):
    ran = run(AS_SHIPPED, Job(rule=rule), drawn([UNTAGGED, SWEEP]))
    assert ran.attempts[-1].cause in {"sweep", "finished"}


@pytest.mark.parametrize("suspect", [suspect.name for suspect in SUSPECTS])
def test_each_suspect_can_be_the_culprit(suspect):
    plans = {
        "sweep": (FRIDAY, UNTAGGED, SWEEP),
        "memory": (_ailment("1024"),),
        "deadline": (_ailment("48 hours"),),
        "clock": (FRIDAY, Deviation("clock", 0, len(CLOCKS) - 1)),
    }
    plan = plans[suspect] if suspect in plans else (_trouble(suspect, 3),)
    attempt = _run(*plan).attempts[0]
    assert attempt.cause == suspect
    assert died_silently(attempt) == (suspect == "sweep")


def test_who_is_told_gets_a_signal_and_dies_after_the_notice():
    ran = _run(_trouble("spot", 2))
    assert ran.attempts[0].end_ms - ran.attempts[0].start_ms == 20 * HOUR_MS + 120_000
    assert signs(ran.attempts[0]).sigterm
    assert [event.action for event in ran.trace if event.actor == "spot"] == ["SIGTERM", "ends"]


def test_a_time_limit_counts_from_the_launch_of_the_machine():
    limit = _ailment("48 hours")
    assert int(_run(limit).attempts[0].job_hours) == 48
    assert int(_run(SETUP, limit).attempts[0].job_hours) == 46


def test_memory_lasts_four_times_as_long_when_there_is_four_times_as_much():
    leak = _ailment("1024")
    assert 50 < _run(leak).attempts[0].job_hours < 56
    assert _run(leak, system=MORE_MEMORY).delivered


def test_a_job_is_rerun_in_its_slot_or_at_once():
    weekly = _run(FRIDAY, UNTAGGED, SWEEP, system=RERUN_NEXT_WEEK)
    assert [attempt.job_hours for attempt in weekly.attempts] == [70, 70, 70]
    assert {hour_of_week(attempt) for attempt in weekly.attempts} == {16}
    at_once = _run(FRIDAY, UNTAGGED, SWEEP, system=RETRY_AT_ONCE)
    assert [attempt.cause for attempt in at_once.attempts] == ["sweep", "finished"]


def test_the_slot_is_an_hour_on_the_clock_also_after_the_clocks_have_changed():
    forward = Deviation("clock", 0, [clock.words for clock in CLOCKS].index("forward"))
    ran = _run(FRIDAY, UNTAGGED, forward, SWEEP, system=RERUN_NEXT_WEEK)
    assert [attempt.job_hours for attempt in ran.attempts] == [69, 70, 70]
    assert {hour_of_week(attempt) for attempt in ran.attempts} == {16}


def test_what_makes_no_sense_is_refused():
    with pytest.raises(LabError, match="no engine 'ray'; there are kernel, simpy"):
        run(AS_SHIPPED, Job(), nominal(), engine="ray")
    with pytest.raises(ValueError, match="attempts_max is a whole number from 1, not 0"):
        System(attempts_max=0)
    with pytest.raises(ValueError, match="times are 0 or more, not -1 and 0"):
        Checkpoints(every_ms=-1)


def test_a_job_that_checkpoints_is_delivered_hours_after_the_kill():
    ran = _run(FRIDAY, UNTAGGED, SWEEP, system=CHECKPOINT)
    first, second = ran.attempts
    assert ran.delivered
    assert first.lost_ms <= CHECKPOINT.checkpoints.every_ms + CHECKPOINT.checkpoints.cost_ms
    assert first.saved <= first.done
    assert second.job_hours < 8
    assert second.done == 90_000


def test_what_was_saved_is_not_run_again():
    ran = _run(FRIDAY, UNTAGGED, SWEEP, system=CHECKPOINT)
    resumed = set(ran.schedules[1].order)
    kept = ran.schedules[0].order[: ran.attempts[0].saved]
    assert len(resumed) == 90_000 - len(kept)
    assert not resumed & set(kept)


def test_another_hour_ends_before_monday_afternoon_until_the_clocks_go_forward():
    forward = Deviation("clock", 0, [clock.words for clock in CLOCKS].index("forward"))
    assert _run(UNTAGGED, system=ANOTHER_HOUR, seed=5).delivered
    broken = _run(UNTAGGED, forward, SWEEP, system=ANOTHER_HOUR, seed=5).attempts[0]
    assert (broken.cause, broken.job_hours, hour_of_week(broken)) == ("sweep", 72, 16)


@pytest.mark.parametrize(("change", "hours"), [("no change", 70), ("forward", 69), ("back", 71)])
def test_a_calendar_follows_the_wall_clock(change, hours):
    option = [clock.words for clock in CLOCKS].index(change)
    clock = [Deviation("clock", 0, option)] if option else []
    attempt = _run(FRIDAY, UNTAGGED, *clock, SWEEP).attempts[0]
    assert (attempt.job_hours, hour_of_week(attempt)) == (hours, 16)


def test_a_faster_planner_makes_the_job_shorter_and_saves_nothing():
    slow, fast = _run(FRIDAY, UNTAGGED, SWEEP), _run(FRIDAY, UNTAGGED, SWEEP, system=FASTER_EXPLAIN)
    assert fast.attempts[0].done > slow.attempts[0].done
    assert fast.attempts[0].cause == "sweep"


def test_whoever_comes_first_in_the_same_millisecond_is_a_choice():
    # Launched at 10:00, so that the tenth hour of the job is an hour of the sweep.
    job = {"rule": "test-infra", "held_h": 1}
    plan = (_trouble("node"), Deviation("sweep", 1, 1))
    first = _run(*plan, **job).attempts[0]
    other = _run(*plan, Deviation("tie", 0, 1), **job).attempts[0]
    assert (first.cause, other.cause) == ("node", "sweep")
    assert first.end_ms == other.end_ms


@pytest.mark.parametrize("claims", [("sweep", "finished", "node"), ("finished", "node", "sweep")])
def test_where_nothing_deviates_a_job_that_ends_in_the_millisecond_of_its_kill_is_finished(claims):
    def first(option):
        env = simpy.Environment()
        chooser = drawn([Deviation("tie", 0, option)] if option else [])
        scene = _Scene(env, chooser, env.event(), [], [])
        for cause in claims:
            scene.end(cause)
        return env.run(until=scene.over)

    assert [first(option) for option in range(3)] == ["finished", "node", "sweep"]


def test_two_engines_give_the_same_trace_of_all_90_000_tests():
    for rule, plan in (("calendar", (FRIDAY, UNTAGGED, SWEEP)), ("none", (_ailment("1024"),))):
        traces = [_run(*plan, rule=rule, engine=engine).trace for engine in ("kernel", "simpy")]
        assert traces[0].digest() == traces[1].digest()


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(PRACTICES),
    st.builds(
        Job,
        rule=st.sampled_from(["calendar", "mark", "age"]),
        seed=st.integers(0, 3),
        tests=st.integers(1, 2_500),
        workers=st.integers(1, 3),
        versions=st.integers(1, 120),
        connections=st.integers(1, 3),
        held_h=st.integers(0, 167),
    ),
    st.integers(0, 10_000),
)
def test_two_engines_give_the_same_trace_whatever_happens(system, job, seed):
    noise = replace(LIFE, name="rough", rates={**LIFE.rates, "trouble": 0.2, "sweep": 0.8})
    choosers = [random(noise, seed), random(noise, seed)]
    runs = [
        run(system, job, chooser, engine=engine)
        for chooser, engine in zip(choosers, ("kernel", "simpy"), strict=True)
    ]
    assert choosers[0].points == choosers[1].points
    assert runs[0].attempts == runs[1].attempts
    assert runs[0].trace.digest() == runs[1].trace.digest()
    for attempt, whole, seen in zip(runs[0].attempts, runs[0].schedules, runs[1].schedules, strict=True):
        until = (
            len(whole.order) if attempt.cause == "finished" else whole.done(attempt.end_ms - attempt.start_ms)
        )
        assert list(seen.order)[:until] == list(whole.order)[:until]


def test_an_attempt_never_saves_more_than_it_has_done():
    for seed in range(200):
        for attempt in run(CHECKPOINT, Job(rule="age"), random(LIFE, seed)).attempts:
            assert 0 <= attempt.saved <= attempt.done <= 90_000
            assert attempt.lost_ms >= 0


def test_times_are_said_as_weekday_and_hour():
    assert when(0) == "Monday 00:00"
    assert when(162 * HOUR_MS + 90_000) == "Sunday 18:01"
    assert when(184 * HOUR_MS) == "Monday 16:00"
