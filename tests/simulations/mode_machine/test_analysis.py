"""The exact figures, and where they meet the simulated machine."""

from collections import Counter
from fractions import Fraction

import pytest

from simulations.choices import Deviation, drawn, exhaustive
from simulations.errors import LabError
from simulations.mode_machine.analysis import (
    MODE_CHANGES,
    Flips,
    flips,
    mean_clocks_to_hang,
    mean_clocks_to_wrong_mode,
    metastable_codes,
    metastable_unused,
    simulated_clocks_to_hang,
    uniform_flips,
)
from simulations.mode_machine.encodings import (
    DISTANCE_3_CORRECT,
    DISTANCE_3_DETECT,
    ENCODINGS,
    GRAY,
    NATURAL,
    ONE_HOT,
    PARITY,
    SPREAD,
    TRIPLE,
    Encoding,
    Mode,
    assignments,
    code_sets,
    decode,
)
from simulations.mode_machine.netlist import synthesise
from simulations.mode_machine.system import Processor, State, run, step
from simulations.mode_machine.variants import System
from simulations.mode_machine.workload import Command, Workload

P = Fraction(1, 1000)


def test_single_flips_over_all_56_code_sets():
    # 5 of 15 single flips lead to an unused code in 24 sets, 7 in 24, 9 in 8.
    found = [flips(encoding, 1) for encoding in code_sets()]
    assert Counter(found) == {Flips(5, 10, 0): 24, Flips(7, 8, 0): 24, Flips(9, 6, 0): 8}


def test_double_and_triple_flips_over_all_56_code_sets():
    assert Counter(flips(encoding, 2) for encoding in code_sets()) == {Flips(7, 8, 0): 48, Flips(3, 12, 0): 8}
    assert Counter(flips(encoding, 3) for encoding in code_sets()) == {Flips(3, 2, 0): 32, Flips(1, 4, 0): 24}


def test_a_uniform_mask_leads_to_an_unused_code_with_probability_three_sevenths_whatever_the_set():
    found = {uniform_flips(encoding) for encoding in code_sets()}
    assert found == {Flips(15, 20, 0)}
    assert {Fraction(one.unused, one.total) for one in found} == {Fraction(3, 7)}


def test_the_order_of_the_codes_does_not_matter_to_flips():
    for encoding in list(assignments())[::97]:
        assert flips(encoding, 1) == flips(Encoding("sorted", 3, tuple(sorted(encoding.words))), 1)


@pytest.mark.parametrize(
    ("encoding", "single", "double"),
    [
        (NATURAL, Flips(5, 10, 0), Flips(7, 8, 0)),
        (GRAY, Flips(5, 10, 0), Flips(7, 8, 0)),
        (SPREAD, Flips(9, 6, 0), Flips(3, 12, 0)),
        (ONE_HOT, Flips(25, 0, 0), Flips(30, 20, 0)),
        (PARITY, Flips(20, 0, 0), Flips(12, 18, 0)),
        (DISTANCE_3_DETECT, Flips(30, 0, 0), Flips(75, 0, 0)),
        (DISTANCE_3_CORRECT, Flips(0, 0, 30), Flips(51, 24, 0)),
        (TRIPLE, Flips(0, 0, 45), Flips(15, 30, 135)),
    ],
    ids=lambda value: getattr(value, "name", None),
)
def test_flips_of_each_encoding(encoding, single, double):
    assert (flips(encoding, 1), flips(encoding, 2)) == (single, double)


@pytest.mark.parametrize("encoding", ENCODINGS, ids=lambda encoding: encoding.name)
@pytest.mark.parametrize("bits", [1, 2])
def test_the_enumeration_of_flips_agrees_with_the_machine(encoding, bits):
    # Put a processor into each mode, let the environment upset so many bits, and see what it is read as.
    system = System(encoding=encoding, processors=1, noise=("upset",))
    found = Counter()
    for mode, word in zip(Mode, encoding.words, strict=True):
        state = State(0, (Processor(word, int(mode), 0, 0),), 0)

        def one_clock(chooser, state=state):
            return step(system, state, (Command.NONE,), chooser)

        for ran in exhaustive(one_clock, bits):
            if len(ran.chooser.plan) == bits:
                masks = [1 << int(deviation.label.removeprefix("cpu0.bit")) for deviation in ran.chooser.plan]
                read = decode(encoding, word ^ sum(masks))
                found["unused" if read is None else "right" if read is mode else "wrong"] += 1
                expected = (
                    word ^ sum(masks) if read is None else synthesise(system).next_code[0][word ^ sum(masks)]
                )
                assert ran.result.processors[0].code == expected
    assert Flips(found["unused"], found["wrong"], found["right"]) == flips(encoding, bits)


def test_there_are_13_mode_changes():
    assert len(MODE_CHANGES) == 13
    assert (Mode.INIT, Mode.HALT) not in MODE_CHANGES
    assert (Mode.STEP, Mode.HALT) in MODE_CHANGES


def test_a_metastable_change_latches_any_mixture():
    assert metastable_codes(NATURAL, Mode.IDLE, Mode.RUN) == {0b000: 1, 0b001: 1, 0b010: 1, 0b011: 1}
    assert set(metastable_codes(NATURAL, Mode.STEP, Mode.HALT)) == set(range(8))
    assert set(metastable_codes(GRAY, Mode.INIT, Mode.IDLE)) == {0b000, 0b001}


def test_no_assignment_of_three_bits_is_free_of_metastable_unused_codes():
    found = {encoding.words: metastable_unused(encoding) for encoding in assignments()}
    assert len(found) == 6_720
    assert sum(probability == 0 for probability in found.values()) == 0
    assert (min(found.values()), max(found.values())) == (Fraction(7, 104), Fraction(15, 52))
    assert found[NATURAL.words] == Fraction(3, 26)
    assert found[GRAY.words] == Fraction(9, 104)


def test_the_metastable_codes_agree_with_the_machine():
    # Every way of latching, of every mode change that a command can bring about, played on the machine.
    system = System(processors=1, noise=("metastable",))
    for before, after in MODE_CHANGES:
        command = next(c for c in Command if synthesise(system).next_mode[c][before] == after)
        state = State(0, (Processor(NATURAL.words[before], int(before), 0, 0),), 0)

        def one_clock(chooser, state=state, command=command):
            return step(system, state, (command,), chooser)

        ends = Counter(ran.result.processors[0].code for ran in exhaustive(one_clock, 3))
        assert ends == metastable_codes(NATURAL, before, after)


def test_mean_clocks_to_hang_is_an_exact_fraction():
    assert mean_clocks_to_hang(NATURAL, "hold", Fraction(1, 10)) == Fraction(1_421_056, 146_821)


def test_mean_clocks_to_hang_of_a_case_that_can_be_done_by_hand():
    # Where every single flip is fatal, the processor lives while no bit flips; with a small p that is all
    # that matters, and the mean is close to 1 / (5 p).
    mean = mean_clocks_to_hang(ONE_HOT, "hold", Fraction(1, 10**9))
    assert abs(mean * 5 * Fraction(1, 10**9) - 1) < Fraction(1, 10**8)


@pytest.mark.parametrize("encoding", ENCODINGS, ids=lambda encoding: encoding.name)
def test_recovery_never_hangs_and_hold_and_raise_hang_alike(encoding):
    assert mean_clocks_to_hang(encoding, "recover", P) is None
    assert mean_clocks_to_hang(encoding, "hold", P) == mean_clocks_to_hang(encoding, "raise", P)


def test_do_not_care_hangs_in_exactly_the_21_code_sets_that_do_not_use_000():
    hanging = [e for e in code_sets() if mean_clocks_to_hang(e, "dont_care", P) is not None]
    assert len(hanging) == 21
    assert all(0 not in encoding.words for encoding in hanging)


def test_uncovered_one_hot_hangs_sooner_than_natural():
    natural, one_hot = (mean_clocks_to_hang(encoding, "hold", P) for encoding in (NATURAL, ONE_HOT))
    assert 3 * one_hot < natural


def test_covered_one_hot_makes_fewer_silent_errors_by_orders_of_magnitude():
    natural, one_hot = (mean_clocks_to_wrong_mode(encoding, "recover", P) for encoding in (NATURAL, ONE_HOT))
    assert one_hot > 500 * natural


def test_where_a_processor_can_hang_first_there_is_no_mean_to_a_wrong_mode():
    assert mean_clocks_to_wrong_mode(NATURAL, "hold", P) is None
    assert mean_clocks_to_wrong_mode(NATURAL, "recover", P) is not None


@pytest.mark.parametrize("p", [0, 1, -1, Fraction(3, 2)])
def test_a_probability_outside_is_refused(p):
    with pytest.raises(LabError, match=f"above 0 and below 1, not {p}"):
        mean_clocks_to_hang(NATURAL, "hold", p)


@pytest.mark.parametrize("bits", [0, 4])
def test_flipping_bits_that_are_not_there_is_refused(bits):
    with pytest.raises(LabError, match=f"natural has 3 bits; {bits} cannot be flipped"):
        flips(NATURAL, bits)


def test_a_simulation_that_does_not_come_to_an_end_says_so():
    with pytest.raises(LabError, match="did not hang within 50 clocks"):
        simulated_clocks_to_hang(NATURAL, "recover", Fraction(1, 10), runs=1, seed=0, clocks_max=50)


def test_simulated_lives_depend_on_the_seed_alone():
    lives = [simulated_clocks_to_hang(NATURAL, "hold", Fraction(1, 5), runs=20, seed=s) for s in (4, 4, 5)]
    assert lives[0] == lives[1] != lives[2]


def test_a_hang_is_the_same_thing_in_a_run():
    ran = run(System(processors=1), Workload(("...",)), drawn([Deviation("cpu0.bit2", 1, 1)]))
    assert ran.first("unused code").clock == 1
