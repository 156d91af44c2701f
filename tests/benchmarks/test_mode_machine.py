"""Speed of the mode machine. It asserts what was run, never how long it took.

    pytest tests/benchmarks/test_mode_machine.py -o addopts=

The goals, for three processors: 200,000 clocks a second with every choice point asked, 500,000 where nothing
is asked and nothing is traced; the model check of the repaired machine in 1.5 seconds.
"""

import pytest

from simulations.choices import nominal
from simulations.mode_machine import variants
from simulations.mode_machine.model_check import model_check
from simulations.mode_machine.system import run
from simulations.mode_machine.variants import System
from simulations.mode_machine.workload import typical_workload

CLOCKS = 200_000


@pytest.fixture(scope="module")
def workload():
    return typical_workload(clocks=CLOCKS, seed=1)


def test_clocks_with_every_choice_point_asked(benchmark, workload):
    def asked():
        chooser = nominal()
        run(System(), workload, chooser, trace=False)
        return chooser.asked

    assert benchmark.pedantic(asked, rounds=3) > 12 * CLOCKS
    benchmark.extra_info["clocks per second"] = round(CLOCKS / benchmark.stats.stats.median)


def test_clocks_where_nothing_is_asked(benchmark, workload):
    ran = benchmark.pedantic(lambda: run(System(noise=()), workload, nominal(), trace=False), rounds=3)
    assert ran.final.clock == CLOCKS
    benchmark.extra_info["clocks per second"] = round(CLOCKS / benchmark.stats.stats.median)


def test_model_check_of_the_repaired_machine(benchmark):
    checked = benchmark.pedantic(lambda: model_check(variants.RECOVERY), rounds=3)
    assert checked.counterexample is None
    benchmark.extra_info["states"] = checked.states
