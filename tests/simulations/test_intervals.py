import math
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulations.intervals import coverage, detection_curve, rate_below, runs_needed, wilson


@pytest.mark.parametrize("runs", [1, 3, 10, 30, 1000])
def test_nothing_in_n_runs_excludes_the_rate_at_which_that_has_a_chance_of_5_percent(runs):
    assert (1 - rate_below(runs)) ** runs == pytest.approx(0.05)
    assert rate_below(runs) < 3 / runs


@pytest.mark.parametrize(("runs", "worst", "mean"), [(20, 0.852, 0.953), (60, 0.887, 0.952)])
def test_how_often_wilsons_interval_holds_the_true_rate(runs, worst, mean):
    held = [coverage(thousandth / 1000, runs) for thousandth in range(1, 1000)]
    assert (round(min(held), 3), round(sum(held) / len(held), 3)) == (worst, mean)


def test_the_exact_coverage_is_that_of_counting():
    # Three runs at one half: eight outcomes, alike; the interval of 0 and of 3 events does not hold one half.
    holds = [low <= 0.5 <= high for low, high in (wilson(events, 3) for events in range(4))]
    ways = [1, 3, 3, 1]
    exact = Fraction(sum(way for way, held in zip(ways, holds, strict=True) if held), 8)
    assert coverage(0.5, 3) == pytest.approx(float(exact))


def test_wilsons_interval_is_that_of_scipy():
    stats = pytest.importorskip("scipy.stats", reason="SciPy, an oracle of the test extra, is not installed")
    for runs in (1, 7, 60, 4000):
        for events in {0, 1, runs // 3, runs}:
            theirs = stats.binomtest(events, runs).proportion_ci(0.95, method="wilson")
            assert wilson(events, runs) == pytest.approx((theirs.low, theirs.high), abs=1e-7)


def test_the_detection_curve_is_that_of_scipy():
    stats = pytest.importorskip("scipy.stats", reason="SciPy, an oracle of the test extra, is not installed")
    found, censored = [3, 5, 5, 8, 13, 21], [4, 8, 8, 30]
    data = stats.CensoredData(uncensored=found, right=censored)
    theirs = stats.ecdf(data).cdf
    ours = {step.runs: step.share for step in detection_curve(found, censored=censored)}
    for runs, share in zip(theirs.quantiles, theirs.probabilities, strict=True):
        assert ours.get(int(runs), share) == pytest.approx(share)


@given(st.lists(st.integers(1, 50), min_size=1, max_size=40), st.integers(0, 10), st.integers(0, 10))
def test_with_one_budget_the_curve_is_the_plain_share(found, censored, never):
    total = len(found) + censored + never
    for step in detection_curve(found, censored=[50] * censored, never=never):
        events = sum(runs <= step.runs for runs in found)
        assert step.share == pytest.approx(events / total)
        assert (step.low, step.high) == pytest.approx(wilson(events, total), abs=1e-9)


def test_with_several_budgets_it_is_the_estimate_of_kaplan_and_meier():
    # By hand: 4 at risk at 1 (1 found), 2 at risk at 3, after one was stopped at 2 (1 found).
    first, second = detection_curve([1, 3], censored=[2, 9])
    assert (first.runs, second.runs) == (1, 3)
    assert first.share == pytest.approx(1 / 4)
    assert second.share == pytest.approx(1 - 3 / 4 * 1 / 2)


def test_a_search_that_never_finds_it_stays_in_the_denominator():
    (with_never,) = detection_curve([9], never=1)
    (stopped_early,) = detection_curve([9], censored=[3])
    assert (with_never.share, stopped_early.share) == (0.5, 1)


@pytest.mark.parametrize(("rate", "runs"), [(0, math.inf), (1, 1), (0.95, 1), (0.5, 5), (0.001, 2995)])
def test_the_runs_that_are_needed(rate, runs):
    assert runs_needed(rate) == runs
    if 0 < rate < 0.95:
        assert (1 - rate) ** runs <= 0.05 < (1 - rate) ** (runs - 1)
