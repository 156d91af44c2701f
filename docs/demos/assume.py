"""assume: it throws examples away. Build what you need; do not filter for it."""
from hypothesis import assume, given, strategies as st

hours = st.integers(0, 71)
moments = st.lists(hours, min_size=4, max_size=4)
# fix: moments = st.lists(hours, min_size=4, max_size=4, unique=True).map(sorted)


@given(moments)
def test_a_checkpoint_is_never_older_than_the_longest_gap(saved):
    assume(all(a < b for a, b in zip(saved, saved[1:])))  # 1 list in 26 passes
    gaps = [b - a for a, b in zip([0, *saved], [*saved, 72])]
    for hour in range(72):
        last = max([0, *(moment for moment in saved if moment <= hour)])
        assert hour - last < max(gaps)
