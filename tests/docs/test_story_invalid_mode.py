"""The figures of the story are what the analysis gives."""

from fractions import Fraction
from pathlib import Path

from simulations.mode_machine import encodings, variants
from simulations.mode_machine.analysis import mean_clocks_to_hang, mean_clocks_to_wrong_mode
from simulations.mode_machine.model_check import BUS_IS_GRANTED, RESET_HELPS, model_check

PAGE = (Path(__file__).parents[2] / "docs/stories/invalid_mode.md").read_text()


def test_the_table_of_mean_clocks():
    p = Fraction(1, 1000)
    names = {
        "natural": encodings.NATURAL,
        "Gray": encodings.GRAY,
        "one-hot": encodings.ONE_HOT,
        "parity": encodings.PARITY,
        "distance 3, corrected": encodings.DISTANCE_3_CORRECT,
        "three copies and a vote": encodings.TRIPLE,
    }
    for name, encoding in names.items():
        hang = float(mean_clocks_to_hang(encoding, "hold", p))
        wrong = float(mean_clocks_to_wrong_mode(encoding, "recover", p))
        assert f"| {name} | {encoding.bits} | {hang:,.1f} | {wrong:,.1f} |" in PAGE


def test_the_size_of_the_model_check():
    for system in (variants.RECOVERY, variants.POWER_ON_WATCHDOG):
        assert model_check(system, claims=(RESET_HELPS, BUS_IS_GRANTED)).counterexample is None
    checked = model_check(variants.RECOVERY, claims=(RESET_HELPS,))
    assert f"{checked.states:,} states and {checked.transitions:,} transitions" in " ".join(PAGE.split())
