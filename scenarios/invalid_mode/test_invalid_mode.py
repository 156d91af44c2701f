"""The mode that does not exist, found in four ways: by chance, step by step, in order, and for ever."""

from typing import Any

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from scenarios.invalid_mode import (
    bus_is_granted_to_every_requester,
    everyone,
    no_silent_wrong_mode,
    reset_brings_every_processor_back,
    workloads,
)
from simulations.choices import Deviation, drawn, exhaustive, nominal
from simulations.mode_machine import variants
from simulations.mode_machine.analysis import Flips, flips
from simulations.mode_machine.encodings import NATURAL
from simulations.mode_machine.environment import upset_label
from simulations.mode_machine.model_check import BUS_IS_GRANTED, RESET_HELPS, model_check
from simulations.mode_machine.system import Run, power_cycle, power_on, run, step
from simulations.mode_machine.variants import System
from simulations.mode_machine.workload import Command, Workload
from simulations.trace import Trace

pytestmark = pytest.mark.bug("invalid-mode")


def test_each_variant_is_what_it_says(lab: Any, variant: Any) -> None:
    lab.check(variant)


EXAMPLES_MAX = 5_000
"""Hypothesis stops at the first failure, after some dozens of examples; how many depends on which other
modules are installed, from which it takes constants. So a demonstration gets many more than it needs."""

FAILS = settings(
    database=None,
    deadline=None,
    derandomize=True,
    max_examples=EXAMPLES_MAX,
    phases=(Phase.generate, Phase.shrink),
)
"""For a demonstration. Explaining a failure takes longer than finding it, and `lab.check` says what it is."""


# By chance. An ordinary test: any workload, and one flip-flop that is upset, anywhere, at any time. The time
# is counted from the end, so that Hypothesis can shorten the workload without moving the upset out of it.
# What it shrinks to is small, yet not always the same; the least plan of all is what `lab.check` looks for.

processors, bits, clocks_from_end = st.integers(0, 2), st.integers(0, 2), st.integers(0, 15)


def upset(workload: Workload, processor: int, bit: int, from_end: int) -> list[Deviation]:
    """Return the noise that upsets one flip-flop; none if the workload is too short."""
    clock = workload.clocks - 1 - from_end  # a flip-flop is asked about once a clock
    return [Deviation(upset_label(processor, bit), clock, 1)] if clock >= 0 else []


@pytest.mark.bug("invalid-mode", finds="reset_brings_every_processor_back")
@FAILS
@given(workloads(), processors, bits, clocks_from_end)
def test_the_reset_button_always_helps(workload: Workload, processor: int, bit: int, from_end: int) -> None:
    noise = drawn(upset(workload, processor, bit, from_end))
    reset_brings_every_processor_back(run(variants.AS_SHIPPED, workload, noise))


@settings(database=None, deadline=None, derandomize=True, max_examples=50)
@given(workloads(), processors, bits, clocks_from_end)
def test_it_does_once_every_code_has_a_way_out(
    workload: Workload, processor: int, bit: int, from_end: int
) -> None:
    noise = drawn(upset(workload, processor, bit, from_end))
    reset_brings_every_processor_back(run(variants.RECOVERY, workload, noise))


# Step by step. Hypothesis plays the environment. The reset is an invariant, pressed on a copy after every
# step: as a rule it would stand in the way of the next step, and be left over in the shortest example.


class Bench(RuleBasedStateMachine):
    """A machine on the bench, with somebody who gives commands and now and then upsets a flip-flop."""

    system = variants.AS_SHIPPED

    @initialize()
    def switch_on(self) -> None:
        """Switch the machine on."""
        self.state = power_on(self.system)

    @rule(command=st.sampled_from(Command))
    def tell_everyone(self, command: Command) -> None:
        """Let one clock pass in which every processor is told the same."""
        self.state = step(self.system, self.state, (command,) * 3, nominal())

    @rule(processor=processors, bit=bits)
    def upset(self, processor: int, bit: int) -> None:
        """Let one clock pass in which a flip-flop is upset."""
        noise = drawn([Deviation(upset_label(processor, bit), 0, 1)])
        self.state = step(self.system, self.state, (Command.NONE,) * 3, noise)

    @invariant()
    def reset_would_help(self) -> None:
        """Press the reset on a copy. A state is immutable, so whatever is done to it is done to a copy."""
        reset_brings_every_processor_back(Run(self.system, everyone("."), Trace(), self.state, ()))


STEPS_MAX = 12
"""Two clocks are enough to die, see below; longer lives only take longer to shrink."""


class RepairedBench(Bench):
    """The same, with a way out of every code."""

    system = variants.RECOVERY


TestBench: Any = Bench.TestCase
TestBench.settings = settings(FAILS, stateful_step_count=STEPS_MAX)
TestBench.pytestmark = [pytest.mark.bug("invalid-mode", finds="reset_brings_every_processor_back")]

TestRepairedBench: Any = RepairedBench.TestCase
TestRepairedBench.settings = settings(
    database=None, deadline=None, derandomize=True, max_examples=100, stateful_step_count=STEPS_MAX
)


# In order. Every plan of one deviation, from the least upwards; no chance is involved.


def runs_with_one_upset(system: System, workload: Workload) -> list[Run]:
    return [
        ran.result
        for ran in exhaustive(lambda chooser: run(system, workload, chooser), 1)
        if not ran.chooser.plan.deviations or ".bit" in ran.chooser.plan.deviations[0].label
    ]


def test_a_third_of_all_upsets_in_idle_is_fatal_and_only_power_brings_the_machine_back() -> None:
    quiet = everyone("..")  # INIT in clock 0, IDLE in clock 1
    fatal = [ran for ran in runs_with_one_upset(variants.AS_SHIPPED, quiet) if ran.first("unused code")]
    assert len(fatal) == 3  # of 18: bit 2 of each processor in clock 1, none in clock 0
    for ran in fatal:
        with pytest.raises(AssertionError, match="which is no mode"):
            reset_brings_every_processor_back(ran)
        cleared = power_cycle(ran.system, ran.final)
        reset_brings_every_processor_back(Run(ran.system, quiet, Trace(), cleared, ()))


def test_one_bad_register_looks_like_a_dead_machine() -> None:
    # cpu0 is lost while it has the bus; cpu1 and cpu2, in perfect order, ask for it in vain.
    workload = everyone(".G............")
    dead = run(variants.AS_SHIPPED, workload, drawn([Deviation("cpu0.bit2", 2, 1)]))
    with pytest.raises(AssertionError, match="cpu1, in RUN, has waited for the bus too long; cpu0 has it"):
        bus_is_granted_to_every_requester(dead)
    bus_is_granted_to_every_requester(run(variants.AS_SHIPPED, workload, nominal()))


def test_ten_of_fifteen_upsets_are_not_seen_by_a_recovery() -> None:
    assert flips(NATURAL, 1) == Flips(unused=5, wrong=10, right=0)
    runs = runs_with_one_upset(variants.BLIND_RECOVERY, everyone(".GS.H."))
    silent = [ran for ran in runs if ran.first("wrong mode")]
    assert silent
    for ran in silent:
        reset_brings_every_processor_back(ran)
        with pytest.raises(AssertionError, match="nobody was told"):
            no_silent_wrong_mode(ran)


# For ever. Every state that the machine can reach, whatever it is told and for however long.


def test_the_shipped_machine_dies_within_two_clocks_and_not_sooner() -> None:
    checked = model_check(System(noise=("upset",)), claims=(RESET_HELPS,))
    assert checked.counterexample is not None, str(checked)
    assert checked.clocks == 2
    assert len(checked.counterexample.plan) == 1


@pytest.mark.parametrize(
    "system", [variants.RECOVERY, variants.POWER_ON_WATCHDOG], ids=["recovery", "watchdog"]
)
def test_the_repaired_machine_survives_any_one_deviation_for_ever(system: System) -> None:
    checked = model_check(system, claims=(RESET_HELPS, BUS_IS_GRANTED))
    assert checked.counterexample is None, str(checked)
