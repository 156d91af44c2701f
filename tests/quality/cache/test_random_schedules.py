"""Random schedules are stale as often as the tree of all schedules says; every hunt ends in one place."""

from fractions import Fraction
from math import sqrt

import pytest

import scenarios
from simulations.cache import variants
from simulations.cache.system import run
from simulations.cache.workload import Workload
from simulations.choices import UNIFORM, NoiseModel, exactly, random

COIN = NoiseModel("coin", {}, otherwise=UNIFORM)
RUNS = 1_500
SIGMAS = 5
"""A false alarm has a chance below 1 in a million for each case; and the seeds are fixed."""


def stale(ran):
    return ran.cached not in {None, ran.stored}


def weighed(system, workload):
    """The chance of all schedules together, and that of the stale ones, if every answer is equally likely."""
    everything = bad = Fraction(0)
    deviations = 0
    while True:
        found = False
        for ran in exactly(lambda chooser: run(system, workload, chooser), deviations):
            found = True
            chance = Fraction(1)
            for point in ran.chooser.points:
                chance /= point.options
            everything += chance
            bad += chance * stale(ran.result)
        if not found:
            return everything, bad
        deviations += 1


@pytest.mark.parametrize(
    ("system", "text"),
    [
        (variants.AS_SHIPPED, "r w"),
        (variants.AS_SHIPPED, "r wr"),
        (variants.LOCK_AROUND_FILL, "r w"),
        (variants.DELETE_TWICE, "r w"),
        (variants.WRITE_THROUGH, "w w"),
        (variants.VERSIONS, "r w"),
    ],
    ids=lambda value: getattr(value, "design", value),
)
def test_random_schedules_are_stale_as_often_as_the_tree_says(system, text):
    workload = Workload(tuple(text.split()))
    everything, bad = weighed(system, workload)
    assert everything == 1  # the enumeration leaves nothing out and counts nothing twice
    seen = sum(stale(run(system, workload, random(COIN, seed))) for seed in range(RUNS))
    # Null hypothesis: the number of stale runs is binomial with the chance that the tree gives.
    assert abs(seen - RUNS * bad) <= SIGMAS * sqrt(RUNS * bad * (1 - bad))


def test_the_exact_chance_as_shipped():
    assert weighed(variants.AS_SHIPPED, Workload(("r", "w")))[1] == Fraction(3, 32)


@pytest.mark.parametrize("searcher", ["hypothesis", "random", "exhaustive"])
def test_every_hunt_ends_in_the_same_finding(searcher):
    bug = scenarios.get("stale-cache")
    least = bug.variant().expect.least
    hunts = [bug.hunt(searcher=searcher, seed=seed, verify=False) for seed in range(12)]
    assert {(hunt.finding.plan, hunt.finding.minimality, str(hunt.finding.input)) for hunt in hunts} == {
        (least, "least", "{'clients': ['r', 'w']}")
    }
    assert len({hunt.finding.digest for hunt in hunts}) == 1
