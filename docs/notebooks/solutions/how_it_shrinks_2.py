"""With one strike at most, all ends have one strike, and they still differ."""

from hypothesis import Phase, given, seed, settings, strategies

import scenarios
from scenarios.lab.execution import execute
from simulations.choices import Deviation, drawn, nominal

bug = scenarios.get("invalid-mode")
longest = execute(bug, bug.variant(), bug.ladder[-1], nominal())
strike = strategies.builds(
    Deviation,
    strategies.sampled_from([*longest.chooser.questions]),
    strategies.integers(0, 3),
    strategies.just(1),
)
phases = (Phase.generate, Phase.shrink)


def end_of(start):
    failing = []

    @seed(start)
    @settings(phases=phases, max_examples=1000, database=None, deadline=None)
    @given(strategies.sampled_from(bug.ladder), strategies.lists(strike, max_size=1))
    def reset_brings_it_back(workload, strikes):
        outcome = execute(bug, bug.variant(), workload, drawn(strikes))
        if outcome.failure:
            failing.append((str(workload), outcome.chooser.plan))
        assert outcome.failure is None

    try:
        reset_brings_it_back()
    except AssertionError:
        return failing[-1]


ends = {end_of(start) for start in range(12)}
assert all(len(plan) == 1 for _, plan in ends)
assert len(ends) > 1  # another processor, another bit, another input
print(f"{len(ends)} ends; each has one strike, none of them is wrong")
