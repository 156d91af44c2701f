"""@reproduce_failure: a blob is for one version of Hypothesis, a plan for all."""
import pytest
from hypothesis import given, reproduce_failure, strategies as st
from simulations.choices import Deviation, Plan, replay
def clock(chooser):  # it asks about each bit; the answer 0 is the nominal one
    mode = 0b001 ^ sum(chooser.pick(f"bit{n}", (0, 1 << n)) for n in range(3))
    assert mode < 5, f"{mode} is no mode"

@reproduce_failure("6.149.0", b"AEEC")  # printed by that version
@given(st.integers(0, 2))
def by_the_blob(n):
    clock(replay(Plan([Deviation(f"bit{n}", 0, 1)])))
def by_the_plan():
    clock(replay(Plan([Deviation("bit2", 0, 1)])))

def test_the_failure_comes_back():
    with pytest.raises(AssertionError, match="5 is no mode"):
        by_the_blob()
        # fix: by_the_plan()
