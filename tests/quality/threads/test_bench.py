"""Every program of the bench is found and minimised; no repaired twin is ever called broken."""

import pytest

from simulations.live.threads import explore
from tests.quality.threads.atomicity_programs import input_and_schedule
from tests.quality.threads.thread_programs import PROGRAMS

BY_NAME = {program.name: program for program in PROGRAMS}
SLOW = {"two_stage_100", "dining_philosophers_6", "dining_philosophers_7"}
"""Programs whose least schedule takes thousands of runs to confirm; `thread_figures.py` does that."""
TWINS_MAX = {"two_stage_100": 10}
"""How many schedules of a twin are run here, where they are slow; `thread_figures.py` runs 3,000 of each."""


def test_the_bench_is_as_large_as_it_says():
    assert len(PROGRAMS) >= 25
    assert len(BY_NAME) == len(PROGRAMS)


@pytest.mark.parametrize("name", [name for name in BY_NAME if name not in SLOW])
def test_is_found_and_made_least(name):
    program = BY_NAME[name]
    made = program.make(False)
    result = explore(made.setup, made.workers, made.check)
    assert result.verdict == "found"
    assert result.schedules <= 1_000
    assert result.failure.kind == program.kind
    assert result.preemptions == program.preemptions
    assert result.minimality.startswith("least")


@pytest.mark.parametrize("name", sorted(SLOW))
def test_a_schedule_that_is_not_confirmed_is_not_called_least(name):
    made = BY_NAME[name].make(False)
    result = explore(made.setup, made.workers, made.check, minimise_max=20)
    assert result.verdict == "found"
    assert result.minimality.startswith("1-minimal")


@pytest.mark.parametrize("name", BY_NAME)
def test_the_repaired_twin_is_not_called_broken(name):
    made = BY_NAME[name].make(True)
    result = explore(made.setup, made.workers, made.check, max_schedules=TWINS_MAX.get(name, 120))
    assert result.verdict in ("exhausted", "gave up"), str(result)


def test_the_bug_that_needs_an_input_and_a_schedule_holds_for_other_inputs():
    made = input_and_schedule(fixed=False, first=1, second=2)
    assert explore(made.setup, made.workers, made.check).verdict == "exhausted"
