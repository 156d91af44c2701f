"""event: say what the examples were, before you trust a green test."""
from collections import Counter
from hypothesis import event, given, strategies as st

seen = Counter()
age_limits = st.integers(100, 1_000)  # hours
# fix: age_limits = st.integers(24, 168)


@given(age_limits)
def test_a_job_of_72_hours_finishes_or_is_killed(age_limit):
    end = "finished" if age_limit > 72 else "killed"
    event(end)
    seen[end] += 1


def test_both_ends_were_tried():
    assert set(seen) == {"finished", "killed"}
