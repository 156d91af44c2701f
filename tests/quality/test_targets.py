"""The shape of a strategy finds the death at hour 70 where drawing nine numbers does not.

H0: a search finds it as often with either strategy. That all ten of the one succeed and at most two of the
other ten then has a probability below 0.1 % (Fisher). The seeds are fixed.
"""

from tests.quality.targets import SEARCHES, examples_until_found

SEEDS = range(10)
EXAMPLES = 100


def found(name):
    ran = [examples_until_found(SEARCHES[name], examples=EXAMPLES, seed=seed) for seed in SEEDS]
    return sum(number is not None for number in ran)


def test_the_shape_of_a_strategy_beats_a_flat_one():
    assert found("shape, no target") == len(SEEDS)
    assert found("no target") <= 2
