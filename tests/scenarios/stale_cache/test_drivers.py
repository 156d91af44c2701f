from collections import Counter
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

import scenarios
from scenarios.lab.execution import execute
from scenarios.lab.hunt import hunt
from scenarios.stale_cache.drivers import Priorities, stress
from simulations.cache.workload import Workload
from simulations.choices import replay


@dataclass(frozen=True)
class Thread:
    name: str


THREADS = [Thread(name) for name in "abc"]


@given(st.integers(0, 10**6))
def test_without_a_change_the_thread_with_the_highest_priority_always_goes_on(seed):
    driver = Priorities(1, seed)
    first = driver.pick("start", THREADS, forced=True)
    for _ in range(20):
        others = [each for each in THREADS if each != first]
        assert driver.pick(f"{first.name} after something", [first, *others]) == first
    rest = [each for each in THREADS if each != first]
    assert driver.pick(f"{first.name} ends", rest, forced=True) in rest


def test_the_first_thread_is_each_of_them_alike():
    # H0: each with a third. 4 sigma of 900: a false alarm once in 5,000 for three counts.
    counts = Counter(Priorities(1, seed).pick("start", THREADS, forced=True).name for seed in range(900))
    assert all(abs(counts[each.name] - 300) < 4 * 14.2 for each in THREADS)


@given(st.integers(0, 10**6))
def test_a_priority_changes_at_one_question_at_most_for_a_depth_of_two(seed):
    driver = Priorities(2, seed)
    running, switches = driver.pick("start", THREADS, forced=True), 0
    for _ in range(30):
        others = [each for each in THREADS if each != running]
        following = driver.pick(f"{running.name} after something", [running, *others])
        switches += following != running
        running = following
    assert switches <= 1


@pytest.mark.parametrize("seed", range(5))
def test_what_it_finds_is_a_plan_like_any_other(seed):
    scenario = scenarios.get("stale-cache")
    driver = Priorities(2, seed)
    outcome = execute(scenario, scenario.variant(), Workload(("r", "w")), driver)
    again = execute(scenario, scenario.variant(), Workload(("r", "w")), replay(driver.plan))
    assert again.run.trace.digest() == outcome.run.trace.digest()


def test_a_hunt_takes_the_driver_as_a_searcher():
    result = hunt("stale-cache", searcher="pct-2", verify=False)
    assert (result.verdict, result.finding.minimality) == ("found", "least")
    assert result.finding.plan == scenarios.get("stale-cache").variant().expect.least


def test_stress_counts_its_runs():
    stale, runs = stress(20)
    assert 0 <= stale <= runs == 20
