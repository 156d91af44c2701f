from dataclasses import replace

import pytest

from simulations.choices import exactly, nominal, replay
from simulations.errors import LabError
from simulations.mode_machine import variants
from simulations.mode_machine.encodings import NATURAL
from simulations.mode_machine.model_check import (
    BUS_IS_GRANTED,
    NO_SILENT_WRONG_MODE,
    RESET_HELPS,
    Claim,
    model_check,
)
from simulations.mode_machine.system import lost_processors, press_reset, run
from simulations.mode_machine.variants import System
from simulations.mode_machine.workload import LETTERS, Workload

UPSETS = System(noise=("upset",))
ALL = (RESET_HELPS, BUS_IS_GRANTED, NO_SILENT_WRONG_MODE)


def test_the_shipped_machine_has_a_counterexample_of_two_clocks_and_one_upset():
    checked = model_check(UPSETS)
    example = checked.counterexample
    assert (checked.clocks, example.workload.clocks) == (2, 2)
    assert [deviation.label.split(".")[1][:3] for deviation in example.plan] == ["bit"]
    assert example.claim is RESET_HELPS


BROKEN = {
    "as shipped": (variants.AS_SHIPPED, (RESET_HELPS,)),
    "one-hot": (variants.ONE_HOT_WITHOUT_RECOVERY, (RESET_HELPS,)),
    "gray": (variants.GRAY_WITHOUT_SYNCHRONISER, (RESET_HELPS,)),
    "optimised": (variants.RECOVERY_OPTIMISED_AWAY, (RESET_HELPS,)),
    "watchdog": (variants.RESET_WATCHDOG, (RESET_HELPS,)),
    "blind": (variants.BLIND_RECOVERY, (NO_SILENT_WRONG_MODE,)),
    "bus": (variants.AS_SHIPPED, (BUS_IS_GRANTED,)),
    "glitch": (System(unused="recover", noise=("glitch",)), (NO_SILENT_WRONG_MODE,)),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_counterexample_is_a_run_of_the_machine_itself(name):
    system, claims = BROKEN[name]
    example = model_check(system, claims=claims).counterexample
    chooser = replay(example.plan)
    final = run(system, example.workload, chooser).final
    chooser.finish()
    assert final == example.state
    assert not claims[0].holds(system, final)


@pytest.mark.parametrize("name", BROKEN)
def test_no_deviation_no_counterexample(name):
    system, claims = BROKEN[name]
    assert model_check(system, deviations=0, claims=claims).counterexample is None


def test_a_counterexample_is_shortest():
    # Every plan of one upset, on every workload of one clock: none breaks the reset.
    for letters in ((a, b, c) for a in LETTERS for b in LETTERS for c in LETTERS):
        for ran in exactly(lambda chooser, told=letters: run(UPSETS, Workload(told), chooser), 1):
            assert not lost_processors(UPSETS, press_reset(UPSETS, ran.result.final))


HOLDING = {
    "recovery": (variants.RECOVERY, (RESET_HELPS,), 1_425),
    "recovery, bus": (variants.RECOVERY, (RESET_HELPS, BUS_IS_GRANTED), 6_345),
    "watchdog": (variants.POWER_ON_WATCHDOG, (RESET_HELPS,), 3_450),
    "parity": (variants.PARITY_RECOVERY, ALL, 14_373),
    "distance 3": (variants.CORRECTING, (NO_SILENT_WRONG_MODE,), 6_735),
}


@pytest.mark.parametrize("name", HOLDING)
def test_the_fixes_hold_in_every_reachable_state(name):
    system, claims, states = HOLDING[name]
    checked = model_check(system, claims=claims)
    assert checked.counterexample is None
    assert checked.states == states


def test_recovery_holds_for_two_deviations_too():
    assert model_check(variants.RECOVERY, deviations=2).counterexample is None


@pytest.mark.parametrize(
    "system", [variants.PARITY_RECOVERY, variants.CORRECTING], ids=["parity", "distance 3"]
)
def test_two_upsets_in_one_clock_are_beyond_a_distance_of_two_or_three(system):
    checked = model_check(system, deviations=2, claims=(NO_SILENT_WRONG_MODE,))
    assert (checked.clocks, len(checked.counterexample.plan)) == (1, 2)


def test_every_state_of_every_run_is_among_those_reached():
    # Enumerating plans on all workloads of three clocks and searching the states are two ways to one set.
    system = System(processors=1, noise=("upset", "metastable"))
    workloads = [Workload((a + b + c,)) for a in LETTERS for b in LETTERS for c in LETTERS]
    walked = set()
    for workload in workloads:
        for k in (0, 1):
            for ran in exactly(lambda chooser, given=workload: run(system, given, chooser, trace=False), k):
                walked.add(ran.result.final.processors[0].code)
    reached = set()
    never = Claim(
        "note and go on", lambda _system, state: bool(reached.add(state.processors[0].code)) or True
    )
    model_check(system, claims=(never,))
    assert walked == reached == set(range(8))


def test_what_no_claim_looks_at_is_left_out_and_changes_no_verdict():
    two = replace(variants.PARITY_RECOVERY, processors=2)
    few, more, all_of_it = (model_check(two, claims=ALL[:count]) for count in (1, 2, 3))
    assert few.states < more.states < all_of_it.states
    assert few.counterexample is more.counterexample is all_of_it.counterexample is None


def test_the_report_says_what_was_covered():
    assert str(model_check(variants.RECOVERY)) == (
        "holds in every reachable state: 1,425 states, 156,927 transitions, at most 1 deviation, "
        "any commands, any number of clocks (nothing new after 5)"
    )
    assert str(model_check(UPSETS)) == (
        "broken after 2 clocks, not before: after the reset command has been held, every processor is in a "
        "mode; commands .. .. ..; bit 2 of cpu0 is upset at clock 1 "
        "(241 states, 390 transitions, at most 1 deviation)"
    )


def test_too_many_states_are_given_up_with_a_reason():
    with pytest.raises(LabError, match="more than 100 states after"):
        model_check(variants.RECOVERY, states_max=100)


def test_a_machine_of_one_processor_can_be_read_off():
    checked = model_check(System(processors=1, noise=()), deviations=0)
    assert checked.states == len(NATURAL.words)
    assert run(System(processors=1, noise=()), Workload((".",)), nominal()).incidents == ()
