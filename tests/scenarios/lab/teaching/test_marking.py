"""A finding is marked by what its plan does, not by what its file says."""

import dataclasses

import pytest

from scenarios.lab.hunt import hunt
from scenarios.lab.teaching.marking import Least, mark
from simulations.choices import Deviation, Plan
from simulations.errors import PlanError


@pytest.fixture(scope="module")
def least():
    return hunt("invalid-mode", searcher="exhaustive", verify=False).finding


def changed(finding, **fields):
    return dataclasses.replace(finding, **fields)


def test_what_a_hunt_ends_in_is_least(least):
    marked = mark(least)
    assert (marked.replayed, marked.least, marked.full) == ("identical", Least.YES, True)
    assert marked.how == f"least: everything below it was run ({marked.runs} runs)"


@pytest.mark.parametrize("clock", [2, 3, 5])
def test_a_later_or_larger_plan_is_not_least_whatever_the_file_says(least, clock):
    """The same upset at a later clock, with a second one that does not matter, on a longer input."""
    longer = {"lanes": ["." * 8] * 3}
    plan = Plan([Deviation("cpu0.bit2", clock, 1), Deviation("cpu1.bit0", 0, 1)])
    marked = mark(changed(least, plan=plan, input=longer, minimality="least"))
    assert marked.least is Least.NO
    assert not marked.full
    assert marked.lesser.plan_in_words == least.plan_in_words
    assert marked.lesser.input == least.input


def test_a_plan_that_breaks_nothing_has_no_rank(least):
    marked = mark(changed(least, plan=Plan()))
    assert (marked.replayed, marked.least, marked.full) == ("holds", Least.NOT_ASKED, False)


def test_a_forged_digest_is_seen(least):
    marked = mark(changed(least, digest="0" * 64))
    assert (marked.replayed, marked.least, marked.full) == ("differs", Least.YES, False)


def test_where_the_budget_does_not_suffice_it_says_so(least):
    marked = mark(least, budget=1)
    assert (marked.least, marked.full) == (Least.UNDECIDED, False)
    assert "--budget" in marked.how


def test_a_plan_that_does_not_apply_is_an_error(least):
    with pytest.raises(PlanError):
        mark(changed(least, plan=Plan([Deviation("cpu7.bit0", 0, 1)])))
