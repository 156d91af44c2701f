import sys

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from hypothesis.internal.scrutineer import Tracer

from scenarios.lab.adaptors.threads import holds_in_schedules, run_schedule, schedules

SETTINGS = settings(database=None, derandomize=True, max_examples=60, deadline=None)
SLOTS = 7


class Slots:
    def __init__(self):
        self.counts = [0] * SLOTS


def adding(key):
    def add(slots):
        slot = key % SLOTS
        count = slots.counts[slot]
        slots.counts[slot] = count + 1

    return add


def both_counted(slots):
    return sum(slots.counts) == 2


def test_finds_what_needs_an_input_and_a_schedule():
    @SETTINGS
    @given(st.integers(0, 20), st.integers(0, 20))
    def never_loses_a_count(first, second):
        holds_in_schedules(Slots, {"first": adding(first), "second": adding(second)}, both_counted)

    with pytest.raises(AssertionError, match="check"):
        never_loses_a_count()


def test_passes_where_no_schedule_fails():
    @settings(SETTINGS, max_examples=5)
    @given(st.integers(0, 3))
    def holds(key):
        holds_in_schedules(Slots, [adding(key), adding(key + 1)], both_counted)

    holds()


def test_hypothesis_can_draw_the_schedule():
    @settings(SETTINGS, max_examples=40, phases=[Phase.generate])
    @given(schedules(threads=2, points=6, switches=2))
    def never_loses_a_count(schedule):
        run_schedule(Slots, [adding(1), adding(1)], schedule, both_counted)

    with pytest.raises(AssertionError, match="returned False"):
        never_loses_a_count()


def test_hypothesis_does_not_trace_the_explorer_and_whoever_else_traces_still_does():
    traced = []

    def setup():
        traced.append(sys.gettrace())
        return []

    def other(frame, event, arg):
        return None

    with Tracer(should_trace=True):
        theirs = sys.gettrace()
        holds_in_schedules(setup, [len], schedules=1)
        run_schedule(setup, [len], ())
        assert sys.gettrace() == theirs
    assert theirs not in traced or theirs is None
    before = sys.gettrace()
    sys.settrace(other)
    try:
        run_schedule(setup, [len], ())
        assert sys.gettrace() is other
    finally:
        sys.settrace(before)
