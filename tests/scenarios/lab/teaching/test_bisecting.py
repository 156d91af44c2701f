"""What plain halving names, and what a posterior names, over versions whose rates are known."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scenarios.lab.teaching.bisecting import flake_aware, plain
from simulations.drawing.text import lines
from simulations.errors import LabError


@settings(max_examples=30, deadline=None)
@given(st.integers(2, 40).flatmap(lambda n: st.tuples(st.just(n), st.integers(1, n - 1))))
def test_where_every_bad_run_fails_both_name_the_culprit(history):
    versions, culprit = history
    rates = [float(number >= culprit) for number in range(versions)]
    assert plain(rates, trials=5).shares[culprit] == 1
    aware = flake_aware(rates)
    assert aware.named == culprit
    assert aware.shares[culprit] >= 0.95


@pytest.mark.parametrize("seed", range(5))
def test_a_louder_innocent_commit_is_named_by_halving_and_not_by_the_posterior(seed):
    rates = [0.0] * 20 + [0.3] * 12 + [0.95] * 32
    assert plain(rates).shares[20] < 0.3
    assert flake_aware(rates, seed=seed).named == 20


def test_the_same_seed_gives_the_same_runs():
    rates = [0.0] * 5 + [0.5] * 11
    assert flake_aware(rates, seed=3) == flake_aware(rates, seed=3)


def test_a_version_that_cannot_be_judged_is_not_run():
    rates = [0.0] * 8 + [1.0] * 8
    rates[6] = None
    assert flake_aware(rates).named == 8
    with pytest.raises(LabError, match="no version"):
        flake_aware([None, None])


def test_it_is_drawn_as_bars():
    drawn = "\n".join(lines(plain([0.0, 0.0, 1.0, 1.0]).picture()))
    assert "version 2, 100.0%" in drawn
    assert repr(plain([0.0, 1.0])).endswith("version 1 at 100.0%, 1 runs")
