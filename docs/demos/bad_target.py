"""A bad target is worse than none: it spends the examples on the wrong hill."""
from random import Random
from hypothesis import find, settings, strategies as st, target

ENDS = "reaper memory deadline spot node database app clock budget".split()
budget = settings(max_examples=900, deadline=None)
weeks = st.fixed_dictionaries({end: st.integers(0, 1_000) for end in ENDS})

def missing(week):  # hours between this week and a job that the reaper ends at 70
    others = [max(0, 72 - hour) for end, hour in week.items() if end != "reaper"]
    return abs(week["reaper"] - 70) + sum(others)
def died_at_70(week):
    first = min(week, key=week.get)
    target(week[first], label="hours survived")
    # fix: target(-missing(week), label="hours missing")
    return first == "reaper" and 69 <= week[first] <= 71


def test_the_death_at_hour_70_is_found():
    find(weeks, died_at_70, random=Random(0), settings=budget)
