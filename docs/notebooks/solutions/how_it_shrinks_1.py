"""Ann's strikes become one only if the input gets longer in the same step."""

import scenarios
from scenarios.lab.execution import execute
from simulations.choices import Deviation, drawn

bug = scenarios.get("invalid-mode")
one_clock, two_clocks = bug.ladder[:2]


def fails(workload, *strikes):
    return execute(bug, bug.variant(), workload, drawn(strikes)).failure is not None


bit0, bit2 = Deviation("cpu0.bit0", 0, 1), Deviation("cpu0.bit2", 0, 1)
later = Deviation("cpu0.bit2", 1, 1)

assert fails(one_clock, bit0, bit2)  # where Ann is
assert not fails(one_clock, bit0)  # a strike less
assert not fails(one_clock, bit2)
assert not fails(one_clock)
assert fails(two_clocks, later)  # the least: a strike less, on a longer input
assert not fails(
    two_clocks, bit0
)  # the longer input, and a strike less, but not a later one
assert not fails(two_clocks, bit2)
print("a strike less, a later clock and a longer input, all at once")
