"""The explain phase: which values matter, and which lines only failures run."""
from hypothesis import given, strategies as st

MODES = 5  # 0 to 4, in three bits


def clock(mode, upset):
    if upset >= MODES:
        return upset  # a code that is no mode stays
        # fix: return 0
    return (mode + 1) % MODES


@given(processor=st.integers(0, 2), mode=st.integers(0, 4), bit=st.integers(0, 2))
def test_a_machine_stays_in_its_modes(processor, mode, bit):
    upset = mode ^ (1 << bit)
    after = [mode, mode, mode]
    after[processor] = clock(mode, upset)
    assert max(after) < MODES
