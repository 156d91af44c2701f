"""Does the search find the story, whatever its seed, and does it always end in the same plan?"""

from statistics import median

import pytest

from scenarios.lab.minimise import MINIMISING_BUDGET
from scenarios.vanishing_job import HOUR_70, SCENARIO, under

SEEDS = range(20)


def test_hour_70_is_found_in_20_of_20_seeds_with_one_least_plan():
    # If a seed missed with probability 0.2, all 20 would be found in 1 of 87 tries.
    hunts = [SCENARIO.hunt(seed=seed, verify=False) for seed in SEEDS]
    assert [hunt.verdict for hunt in hunts] == ["found"] * len(SEEDS)
    assert median(hunt.search_runs for hunt in hunts) <= 200
    plans = {(hunt.finding.plan, hunt.finding.minimality, hunt.finding.digest) for hunt in hunts}
    assert [plan for plan, _, _ in plans] == [HOUR_70["calendar"]]
    assert [minimality for _, minimality, _ in plans] == ["least"]


@pytest.mark.parametrize("mechanism", list(HOUR_70))
def test_each_mechanism_can_be_asked_for_and_is_found(mechanism):
    plans = set()
    for seed in range(3):
        hunt = under(mechanism).hunt(
            seed=seed, verify=False, budget=3_000, minimising_budget=2 * MINIMISING_BUDGET
        )
        assert hunt.verdict == "found"
        assert hunt.finding.minimality == "least"
        plans.add(hunt.finding.plan)
    assert plans == {HOUR_70[mechanism]}


def test_a_random_search_finds_it_as_well():
    hunts = [SCENARIO.hunt(searcher="random", seed=seed, verify=False) for seed in range(5)]
    assert {hunt.finding.plan for hunt in hunts} == {HOUR_70["calendar"]}
