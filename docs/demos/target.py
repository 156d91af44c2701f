"""target: say how near an example came, and Hypothesis climbs from there."""
from hypothesis import given, settings, strategies as st, target

ENDS = "reaper memory deadline spot node database".split()
hour = st.integers(0, 1_000)  # at which each of them would end the job


def missing(week):  # hours between this week and a job that the reaper ends at 70
    others = [max(0, 72 - hour) for end, hour in week.items() if end != "reaper"]
    return abs(week["reaper"] - 70) + sum(others)


@settings(max_examples=2_000, deadline=None, report_multiple_bugs=False)
@given(st.fixed_dictionaries({end: hour for end in ENDS}))
def test_the_job_gets_past_hour_70(week):
    target(-missing(week))
    first = min(week, key=week.get)
    # fix: first = min(ENDS[1:], key=week.get)  # an owner's tag: the reaper lets it be
    assert first != "reaper" or not 69 <= week[first] <= 71
