"""Each searcher finds each bug about as soon as the guide says.

The figures of the guide are those of `heisenlab compare NAME` with 100 hunts and 4000 runs, seeds from 0.
Here are other seeds. Null hypothesis: a hunt finds the bug within the documented number of runs (the upper
end of the interval for 95 %) with a probability of 95 % or more. It is rejected where 4 or more of 12 hunts
do not: a false alarm once in 440 for each pair at worst; a probability of 50 % is noticed in 93 % of cases.
Of independent runs, the interval of the probability must reach 95 %: a false alarm once in 40 where it is
exactly that. The seeds are fixed, so a test that has passed fails only if something has changed.
"""

import re
from pathlib import Path

import pytest

import scenarios
from scenarios.lab.method.compare import Kind, compare

GUIDE = (Path(__file__).parents[3] / "docs/guide/method.md").read_text(encoding="utf-8")
HUNTS, MISSED_MAX, RUNS = 12, 3, 1000
FIRST_SEED = 50_000

DOCUMENTED = re.findall(
    r"^\| `([\w-]+)` \| (\w[\w-]*) \| [^|]+ \| [^|]+ \| (\d+)(?: \[\d+, (\d+)\])? \|", GUIDE, re.MULTILINE
)


def test_every_scenario_and_searcher_is_documented():
    assert {name for name, *_ in DOCUMENTED} == set(scenarios.catalogue())
    for name in scenarios.catalogue():
        searchers = {searcher for documented, searcher, *_ in DOCUMENTED if documented == name}
        assert searchers >= {"hypothesis", "random", "plain", "exhaustive"}


@pytest.mark.parametrize(("name", "searcher", "needed", "high"), DOCUMENTED)
def test_the_power_of_detection_is_what_the_guide_says(name, searcher, needed, high):
    budget = int(high or needed)
    comparison = compare(name, searchers=[searcher], hunts=HUNTS, runs=RUNS, budget=budget, seed=FIRST_SEED)
    (row,) = comparison.rows
    if row.kind is Kind.IN_ORDER:
        assert row.needed.value == int(needed)
    elif row.kind is Kind.HUNTS:
        assert row.hunts - row.found <= MISSED_MAX
    else:
        assert row.within.high >= 0.95
