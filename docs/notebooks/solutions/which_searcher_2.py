"""Two unusual answers are needed, so three times each is about nine times both."""

import scenarios
from scenarios.lab.execution import execute
from simulations.choices import NoiseModel, random

bug = scenarios.get("truncated-pointer")
stormy = NoiseModel("stormy", {"path.document": 0.06, "land.*": 0.15})


def failing(noise, runs=6000):
    outcomes = (
        execute(bug, bug.variant(), bug.ladder[0], random(noise, number))
        for number in range(runs)
    )
    return sum(outcome.failure is not None for outcome in outcomes)


before, after = failing(bug.noise), failing(stormy)
print(f"{before} of 6000 runs, then {after}")
assert 4 * before < after < 20 * before
