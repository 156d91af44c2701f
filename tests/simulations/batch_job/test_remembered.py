"""What is remembered of earlier runs changes nothing but the time that a run takes."""

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from simulations.batch_job import system as world
from simulations.batch_job.environment import LIFE
from simulations.batch_job.remembered import Remembered
from simulations.batch_job.system import run
from simulations.batch_job.variants import AS_SHIPPED, BOTH, CHECKPOINT, MORE_MEMORY, RETRY_AT_ONCE
from simulations.batch_job.workload import Job
from simulations.choices import Deviation, drawn, random

ROUGH = replace(LIFE, name="rough", rates={**LIFE.rates, "trouble": 0.2, "sweep": 0.8})


def errand(chooser):
    """Ask up to five questions; which they are depends on the answers."""
    way = []
    for clock in range(5):
        chooser.at(clock)
        way.append(chooser.pick("turn", ("left", "right", "stop"), forced=clock == 2))
        if way[-1] == "stop":
            break
        if way[-1] == "right":
            chooser.at(10 + clock)
            way.append(chooser.pick("toll", range(4)))
    return tuple(way)


plans = st.lists(
    st.builds(Deviation, st.sampled_from(["turn", "toll"]), st.integers(0, 4), st.integers(1, 3)), max_size=4
)


@given(st.lists(plans, min_size=1, max_size=12), st.integers(0, 6))
def test_the_same_questions_are_asked_and_the_same_comes_of_them(each_plan, runs_max):
    remembered = Remembered(runs_max)
    for plan in each_plan:
        anew, again = drawn(plan), drawn(plan)
        assert remembered.result(again, errand) == errand(anew)
        assert again.points == anew.points
        assert again.plan == anew.plan


def test_what_has_been_run_is_not_run_again_while_there_is_room():
    ran = []

    def counted(chooser):
        ran.append(errand(chooser))
        return ran[-1]

    straight, turning = [], [Deviation("turn", 1, 1)]
    roomy = Remembered(2)
    for plan in (straight, turning, straight, turning):
        roomy.result(drawn(plan), counted)
    assert len(ran) == 2
    ran.clear()
    full = Remembered(1)
    for plan in (straight, turning, straight, turning):
        full.result(drawn(plan), counted)
    assert len(ran) == 3


@settings(max_examples=40, deadline=None)
@given(
    st.sampled_from([AS_SHIPPED, MORE_MEMORY, RETRY_AT_ONCE, CHECKPOINT, BOTH]),
    st.sampled_from(["calendar", "mark", "age"]),
    st.integers(0, 2),
    st.lists(st.integers(0, 30), min_size=1, max_size=6),
)
def test_a_campaign_is_the_same_whatever_ran_before_it(system, rule, held_h, seeds):
    job = Job(rule=rule, held_h=held_h, tests=2_000, workers=1)
    for seed in seeds:
        warm, cold = random(ROUGH, seed), random(ROUGH, seed)
        remembering = run(system, job, warm)
        kept, world._remembered = world._remembered, lambda _: Remembered(0)
        try:
            anew = run(system, job, cold)
        finally:
            world._remembered = kept
        assert remembering == replace(anew, trace=remembering.trace)
        assert remembering.trace.events == anew.trace.events
        assert warm.points == cold.points
