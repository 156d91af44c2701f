"""Your own state machine: a reset from "*" is a reset from known states only."""
import pytest
from hypothesis import given, strategies as st
transitions = pytest.importorskip("transitions")

STATES = ["shut", "opening", "open"]  # 00, 01, 10
# fix: STATES = ["shut", "opening", "open", "unused code 11"]
RESET = {"trigger": "reset", "source": "*", "dest": "shut"}

@given(st.integers(0, 2), st.integers(0, 1))
def test_reset_helps_in_every_code(code, bit):
    valve = transitions.Machine(states=STATES, transitions=[RESET], initial="shut")
    upset = code ^ (1 << bit)
    valve.state = STATES[upset] if upset < 3 else "unused code 11"  # noise
    valve.reset()
    assert valve.state == "shut"
