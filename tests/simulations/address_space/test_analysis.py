from fractions import Fraction

import pytest

from simulations.address_space.analysis import (
    dangling_intact,
    found_when_filled,
    overflow_masked,
    overflow_missed,
    silent_at_first_use,
    uninitialised_detected,
)


def test_diehard_theorem_1_gives_the_published_figures():
    assert overflow_masked(Fraction(7, 8), 1) == Fraction(7, 8)
    assert overflow_masked(Fraction(7, 8), 1, 3) > Fraction(99, 100)
    assert float(overflow_masked(Fraction(1, 2), 2, 3)) == pytest.approx(0.5781, abs=5e-5)


def test_diehard_theorem_2_gives_the_published_figure():
    slots = 384 * 2**20 // 12 // 2 // 8  # 384 MB in 12 size classes, half of it usable, objects of 8 bytes
    assert float(dangling_intact(10_000, slots)) > 0.995
    assert dangling_intact(500, 1000, 3) == Fraction(7, 8)


def test_diehard_theorem_3_gives_the_published_figures():
    assert float(uninitialised_detected(4, 3)) == pytest.approx(0.8203, abs=5e-5)
    assert float(uninitialised_detected(4, 4)) == pytest.approx(0.6665, abs=5e-5)
    assert uninitialised_detected(1, 3) == 0


def test_exterminators_bound_gives_the_published_figure():
    assert float(overflow_missed(2, 3)) == pytest.approx(0.42, abs=0.005)
    assert overflow_missed(1, 5) == 1


def test_our_laws_at_their_ends():
    assert silent_at_first_use(0) == 0
    assert silent_at_first_use(1 << 32) == 1
    assert silent_at_first_use(1 << 30) == Fraction(1, 4)
    assert found_when_filled(0.002, 0) == 0
    assert found_when_filled(1.0, 1) == 1
    assert found_when_filled(0.002, 564) == pytest.approx(0.677, abs=5e-4)


@pytest.mark.parametrize(
    ("law", "arguments", "message"),
    [
        (silent_at_first_use, (-1,), "not -1"),
        (found_when_filled, (1.5, 3), "not 1.5"),
        (found_when_filled, (0.5, -3), "not -3"),
        (overflow_masked, (Fraction(1, 2), 1, 2), "not 2"),
        (dangling_intact, (11, 10), "0 to 10 allocations, not 11"),
        (uninitialised_detected, (4, 0), "not 0"),
        (overflow_missed, (0, 3), "not 0, 3"),
    ],
)
def test_what_makes_no_sense_is_refused(law, arguments, message):
    with pytest.raises(ValueError, match=message):
        law(*arguments)
