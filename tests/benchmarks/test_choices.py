"""What a choice costs. The goal is 0.3 us per pick for the nominal and the replay driver.

Run with `pytest tests/benchmarks/test_choices.py`; each row is 10,000 picks. The floor is a bound method that
only returns its first option: what any chooser must cost.
"""

import pytest

from simulations import choices
from simulations.choices import Deviation, NoiseModel, Plan

PICKS = 10_000
OPTIONS = (False, True)
LABELS = [f"cpu{cpu}.bit{bit}" for cpu in range(3) for bit in range(3)]


class Floor:
    def pick(self, label, options, *, forced=False):
        return options[0]


PLAN = Plan([Deviation("cpu0.bit2", 1, 1), Deviation("cpu2.bit0", 700, 1)])
CHOOSERS = {
    "floor": Floor,
    "nominal": choices.nominal,
    "replay": lambda: choices.replay(PLAN),
    "drawn": lambda: choices.drawn(PLAN),
    "random": lambda: choices.random(NoiseModel("upsets", {}, otherwise=0.01), 1),
}


@pytest.mark.parametrize("driver", CHOOSERS)
def test_picks(benchmark, driver):
    def ask(chooser):
        pick = chooser.pick
        for _ in range(PICKS // len(LABELS)):
            for label in LABELS:
                pick(label, OPTIONS)

    benchmark.pedantic(ask, setup=lambda: ((CHOOSERS[driver](),), {}), rounds=50)


def test_exhaustive_plans(benchmark):
    """All 5,051 plans of at most two deviations over 100 points with one alternative each."""

    def world(chooser):
        for label in LABELS * 12:
            chooser.pick(label, OPTIONS)

    assert benchmark.pedantic(lambda: sum(1 for _ in choices.exhaustive(world, 2)), rounds=2) == 5887
