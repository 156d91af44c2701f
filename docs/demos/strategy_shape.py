"""The shape of a strategy beats any target: draw what a platform really does."""
from hypothesis import find, settings, strategies as st, target

ENDS = "reaper memory deadline spot node database app clock budget".split()
flat = st.fixed_dictionaries({end: st.integers(0, 1_000) for end in ENDS})
limits = st.sampled_from([24, 48, 72, 96, 168])  # hours from the start of the machine
setups = st.integers(0, 6)  # hours until it starts the job
healthy = dict.fromkeys(ENDS, 1_000)
shaped = st.builds(lambda age, job: healthy | {"reaper": age - job}, limits, setups)
budget = settings(max_examples=100, deadline=None, derandomize=True)
weeks = flat
# fix: weeks = shaped
def died_at_70(week):
    first = min(week, key=week.get)
    others = sum(max(0, 72 - week[end]) for end in ENDS[1:])
    target(-abs(week["reaper"] - 70) - others, label="hours missing")
    return first == "reaper" and 69 <= week[first] <= 71

def test_the_death_at_hour_70_is_found():
    find(weeks, died_at_70, settings=budget)
