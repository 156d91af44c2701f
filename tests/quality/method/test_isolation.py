"""How often `isolate` is right, beside naive delta debugging in the same test.

The seeds are fixed. For each share the null hypothesis is that the method is right as often as is claimed; it
is rejected below the claim by three standard deviations: a false alarm once in 700 sets of seeds.
"""

import math

import pytest

from tests.quality.method.isolation_figures import ROWS, measure

TRIALS = 300


def figures(name):
    method, options = ROWS[name]
    return measure(method, TRIALS, **options)


def right_as_often_as(measured, claimed):
    return measured.right >= claimed - 3 * math.sqrt(claimed * (1 - claimed) / TRIALS)


@pytest.mark.parametrize(("name", "runs_max"), [("one run decides", 15), ("rates unknown", 45)])
def test_a_three_way_interaction_is_exact_in_at_most_45_runs(name, runs_max):
    exact = figures(f"isolate, {name}; exact")
    assert exact.right == 1
    assert exact.runs <= runs_max


def test_it_is_right_where_delta_debugging_is_not():
    unknown = figures("isolate, rates unknown; .9, .02")
    assert right_as_often_as(unknown, 0.97)
    assert unknown.runs <= 60
    known = figures("isolate, rates known; .9, .02")
    assert right_as_often_as(known, 0.97)
    assert known.runs < unknown.runs
    naive = [figures(f"ddmin{repeats}; .9, .02").right for repeats in ("", ", any of 3", ", any of 7")]
    assert naive[0] < 0.6
    assert naive[2] < naive[1] < naive[0]  # to repeat makes it worse
    assert figures("ddmin; exact").right == 1


def test_two_independent_causes_are_both_named():
    assert right_as_often_as(figures("isolate, two causes of 2; .9, .02"), 0.95)
