"""Which layout finds the bug, how often, and in which way.

The figures are those of an independent sketch of the same model, 100 runs each: q = 0.002 for each pointer,
documents of 4 MiB in the mean, 500 of them opened after memory is full, unsigned cut.

Null hypothesis of the table: in each cell both programs have one and the same probability of the outcome. 51
comparisons at 1e-5 each: a false alarm once in 2000 sets of seeds. The seeds are fixed.
"""

from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from simulations.address_space.analysis import found_when_filled
from simulations.address_space.environment import old_path
from simulations.address_space.space import GIB, WINDOWS, Policy
from simulations.address_space.system import run
from simulations.address_space.variants import FILL_LIMIT, System
from simulations.address_space.workload import Session, long_session
from simulations.choices import exactly, random
from tests.quality.address_space.sampling import agrees, same_rate

Q = 0.002
RUNS = 100
PLAIN = System(cut="unsigned-32")
FILLED = replace(PLAIN, fill_below=4 * GIB)
TOP_DOWN = replace(PLAIN, layout=replace(WINDOWS, policy=Policy("top-down")))
RANDOM_33 = replace(PLAIN, layout=replace(WINDOWS, policy=Policy("random", 33)))

LAYOUTS = {"plain": PLAIN, "filled": FILLED, "top-down": TOP_DOWN, "random": RANDOM_33}

SKETCH = {
    0.25: ((0, 0, 100), (58, 3, 39), (61, 0, 39), (33, 0, 67)),
    4: ((1, 10, 89), (94, 0, 6), (94, 0, 6), (68, 14, 18)),
    6: ((0, 73, 27), (99, 0, 1), (99, 0, 1), (62, 25, 13)),
    8: ((1, 89, 10), (100, 0, 0), (100, 0, 0), (69, 28, 3)),
}
"""Crash, silent, right: by the bytes open at once, in GiB, and by layout."""

STORY = (Path(__file__).parents[3] / "docs/stories/truncated_pointer.md").read_text(encoding="utf-8")


def outcomes(system, live_gib, *, q=Q, runs=RUNS, churn=500):
    sessions = (long_session(int(live_gib * GIB), churn=churn, seed=seed) for seed in range(runs))
    found = Counter(run(system, session, random(old_path(q), session.seed)).outcome for session in sessions)
    return tuple(found[outcome] for outcome in ("crash", "silent", "right"))


@pytest.mark.parametrize("live_gib", SKETCH)
def test_the_outcomes_are_those_of_an_independent_sketch_and_of_the_story(live_gib):
    found = {name: outcomes(system, live_gib) for name, system in LAYOUTS.items()}
    for counts, sketch in zip(found.values(), SKETCH[live_gib], strict=True):
        assert all(same_rate(ours, theirs, RUNS) for ours, theirs in zip(counts, sketch, strict=True)), found
    cells = [" / ".join(map(str, counts)) for counts in found.values()]
    assert f"| {live_gib} GiB | {' | '.join(cells)} |" in STORY
    assert (
        found["plain"][0] <= 1
    )  # a plain layout all but never crashes, and a filled one is all but never silent
    assert found["filled"][1] <= 3


def test_the_sign_makes_the_same_bug_a_crash():
    crashed, silent, right = outcomes(System(cut="signed-32"), 8)
    for ours, sketch in zip((crashed, silent, right), (86, 12, 2), strict=True):
        assert same_rate(ours, sketch, RUNS)
    assert f"crashes first in {crashed} of 100 runs, the repaired one in 0." in " ".join(STORY.split())


@pytest.mark.parametrize("live_gib", [0.25, 1])
def test_filled_the_bug_is_found_as_often_as_the_path_is_taken(live_gib):
    # H0: the probability is 1-(1-q)^n. Two comparisons at 1e-5 each.
    filled = replace(PLAIN, fill_below=FILL_LIMIT)
    opened = len(long_session(int(live_gib * GIB)).documents)
    found = outcomes(filled, live_gib, runs=300)
    assert agrees(found[0], 300, found_when_filled(Q, opened))


def test_filled_memory_size_does_not_matter_only_the_number_of_pointers():
    filled = replace(PLAIN, fill_below=FILL_LIMIT)
    opened = 300
    for live_gib in (0.05, 1):
        churn = opened - len(long_session(int(live_gib * GIB), churn=0).documents)
        found = outcomes(filled, live_gib, runs=200, churn=churn)
        assert agrees(found[0], 200, found_when_filled(Q, opened))


def silent_at_first_use(limit):
    """Let each of 40 documents in turn be the one whose pointer is cut; return how many are silent."""
    filled, session = replace(PLAIN, fill_below=limit), Session((1024,) * 40)
    return sum(ran.result.outcome == "silent" for ran in exactly(lambda c: run(filled, session, c), 1))


def test_where_filling_stops_matters():
    # At 4 GiB the first pointers come down on the image at 4 MiB; at 6 GiB they come down on filler.
    assert silent_at_first_use(4 * GIB) > 0
    assert silent_at_first_use(FILL_LIMIT) == 0
