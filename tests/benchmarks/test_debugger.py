"""How long a step back takes: the promise is under 0.1 ms (the figure is the report's, not asserted here)."""

import pytest

from simulations.choices import random
from simulations.mode_machine.debugger import SNAPSHOT_CLOCKS, Debugger
from simulations.mode_machine.environment import ROUGH
from simulations.mode_machine.system import run
from simulations.mode_machine.variants import System
from simulations.mode_machine.workload import typical_workload

CLOCKS = 10_000


@pytest.fixture(scope="module")
def debugger():
    workload = typical_workload(clocks=CLOCKS, seed=1)
    chooser = random(ROUGH, 1)
    run(System(), workload, chooser, trace=False)
    return Debugger(System(), workload, chooser.plan)


def test_a_step_back_on_average(benchmark, debugger):
    def begin():
        debugger.goto(CLOCKS)

    def back():
        for _ in range(1_000):
            debugger.back()

    benchmark.extra_info["steps"] = 1_000
    benchmark.pedantic(back, setup=begin, rounds=10)
    assert debugger.clock == CLOCKS - 1_000


def test_the_slowest_step_back_which_crosses_a_snapshot(benchmark, debugger):
    def begin():
        debugger.goto(CLOCKS // 2 // SNAPSHOT_CLOCKS * SNAPSHOT_CLOCKS)

    benchmark.pedantic(debugger.back, setup=begin, rounds=200)
    assert debugger.clock % SNAPSHOT_CLOCKS == SNAPSHOT_CLOCKS - 1


def test_running_to_a_breakpoint_five_thousand_clocks_away(benchmark, debugger):
    def stop():
        debugger.goto(0)
        debugger.run_until(lambda state: state.clock == 5_000)

    benchmark.pedantic(stop, rounds=5)
    assert debugger.clock == 5_000
