import os
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulations.trace import Event, Trace, first_difference, followed

scalars = (
    st.none() | st.booleans() | st.integers() | st.text() | st.floats(allow_nan=False, allow_infinity=False)
)
events = st.tuples(st.integers(), st.text(), st.text(), scalars | st.lists(scalars).map(tuple))


def trace_of(events):
    trace = Trace()
    for event in events:
        trace.record(*event)
    return trace


@given(st.lists(events), st.lists(events))
def test_digests_are_equal_exactly_when_nothing_differs(left, right):
    one, other = trace_of(left), trace_of(right)
    assert (one.digest() == other.digest()) == (first_difference(one, other) is None)


@given(st.lists(events), events, st.lists(events), events)
def test_traces_part_at_the_first_event_that_differs(start, left, rest, right):
    one, other = trace_of([*start, left, *rest]), trace_of([*start, right])
    parting = first_difference(one, other)
    if parting is not None:
        at = parting.position
        assert at >= len(start)
        assert trace_of(one.events[:at]).digest() == trace_of(other.events[:at]).digest()
        for side, trace in ((parting.left, one), (parting.right, other)):
            assert side == (trace.events[at] if at < len(trace) else None)


def test_one_true_and_1_0_are_three_different_details():
    digests = {trace_of([(0, "a", "b", detail)]).digest() for detail in (1, True, 1.0, "1")}
    assert len(digests) == 4


def test_a_trace_that_ended_is_named_so():
    parting = first_difference(trace_of([(0, "a", "b")]), trace_of([(0, "a", "b"), (1, "a", "c", ("x", 2))]))
    assert str(parting) == "the traces part at event 1: (the trace has ended) | 1  a  c  x 2"
    assert first_difference(Trace(), Trace()) is None


@pytest.mark.parametrize("detail", [float("nan"), float("inf")])
def test_a_float_that_is_not_finite_is_refused(detail):
    with pytest.raises(ValueError, match="JSON compliant"):
        trace_of([(0, "a", "b", detail)]).digest()


def test_an_object_is_refused():
    with pytest.raises(TypeError):
        trace_of([(0, "a", "b", object())]).digest()


def test_events_read_as_lines():
    assert str(Event(3, "cpu1", "mode", ("IDLE", "RUN"))).split() == ["3", "cpu1", "mode", "IDLE", "RUN"]
    assert str(Event(3, "cpu1", "halt")).split() == ["3", "cpu1", "halt"]


_PRINT_DIGEST = """
from simulations.trace import Trace
trace = Trace()
for time in range(100):
    trace.record(time, "cpu" + str(time % 3), "möde", (0.1 * time, 1 / (time + 1), None, True, "\\U0001f600"))
print(trace.digest())
"""
_DIGEST = "3ac930ba63d5a579bfcfa66361cd3e5ead5f7165eb6eaa5c93d9b4b898e95add"


def test_the_digest_is_the_same_in_other_processes():
    seen = set()
    for seed, zone in (("0", "UTC"), ("1", "Asia/Kathmandu"), ("77", "America/St_Johns")):
        environment = {
            **os.environ,
            "PYTHONHASHSEED": seed,
            "TZ": zone,
            "PYTHONPATH": os.pathsep.join(sys.path),
        }
        command = [sys.executable, "-c", _PRINT_DIGEST]
        seen.add(subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout)
    assert seen == {_DIGEST + "\n"}


def test_a_trace_can_be_followed_while_it_is_recorded():
    with followed() as events:
        trace, other = Trace(), Trace()
        trace.record(1, "a", "goes")
        assert list(events) == [Event(1, "a", "goes")]
        other.record(2, "b", "goes")
    assert list(events) == list(trace)
    assert list(other) == [Event(2, "b", "goes")]
    after = Trace()
    after.record(3, "c", "goes")
    assert len(events) == 1


def test_a_trace_is_its_own_where_none_was_made_while_following():
    with followed() as events:
        pass
    Trace().record(1, "a", "goes")
    assert not events
