"""A bad target is worse than none: it spends the examples on the wrong hill."""
from hypothesis import find, settings, strategies as st, target

ENDS = "reaper memory deadline spot node database app clock budget".split()
hour = st.integers(0, 1_000)  # at which each of them would end the job


def missing(week):  # hours between this week and a job that the reaper ends at 70
    others = [max(0, 72 - hour) for end, hour in week.items() if end != "reaper"]
    return abs(week["reaper"] - 70) + sum(others)
def died_at_70(week):
    first = min(week, key=week.get)
    target(week[first], label="hours survived")
    # fix: target(-missing(week), label="hours missing")
    return first == "reaper" and 69 <= week[first] <= 71


def test_the_death_at_hour_70_is_found():  # in 300 examples
    find(st.fixed_dictionaries({end: hour for end in ENDS}), died_at_70, settings=settings(max_examples=300))
