"""Which layout finds the bug, how often, and in which way.

The figures are those of an independent sketch of the same model, 100 runs each: q = 0.002 for each pointer,
documents of 4 MiB in the mean, 500 of them opened after memory is full, unsigned cut.

Null hypothesis of the table: in each cell both programs have one and the same probability of the outcome. 48
comparisons at 1e-5 each: a false alarm once in 2000 sets of seeds. The seeds are fixed.
"""

from collections import Counter
from dataclasses import replace
from functools import cache

import pytest

from simulations.address_space.analysis import found_when_filled
from simulations.address_space.environment import old_path
from simulations.address_space.process import FILL_LIMIT, Session, System, long_session, run
from simulations.address_space.space import GIB, WINDOWS, Policy
from simulations.choices import exactly, random
from tests.quality.address_space.sampling import agrees, same_rate

Q = 0.002
RUNS = 100
PLAIN = System(cut="unsigned-32")
FILLED = replace(PLAIN, fill_below=4 * GIB)
TOP_DOWN = replace(PLAIN, layout=replace(WINDOWS, policy=Policy("top-down")))
RANDOM_33 = replace(PLAIN, layout=replace(WINDOWS, policy=Policy("random", 33)))

TABLE = [
    (0.25, PLAIN, (0, 0, 100)),
    (0.25, FILLED, (58, 3, 39)),
    (0.25, TOP_DOWN, (61, 0, 39)),
    (0.25, RANDOM_33, (33, 0, 67)),
    (4, PLAIN, (1, 10, 89)),
    (4, FILLED, (94, 0, 6)),
    (4, TOP_DOWN, (94, 0, 6)),
    (4, RANDOM_33, (68, 14, 18)),
    (6, PLAIN, (0, 73, 27)),
    (6, FILLED, (99, 0, 1)),
    (6, TOP_DOWN, (99, 0, 1)),
    (6, RANDOM_33, (62, 25, 13)),
    (8, PLAIN, (1, 89, 10)),
    (8, FILLED, (100, 0, 0)),
    (8, TOP_DOWN, (100, 0, 0)),
    (8, RANDOM_33, (69, 28, 3)),
]
NAMES = {id(PLAIN): "plain", id(FILLED): "filled", id(TOP_DOWN): "top-down", id(RANDOM_33): "random"}


@cache
def outcomes(system, live_gib, *, q=Q, runs=RUNS, churn=500):
    sessions = (long_session(int(live_gib * GIB), churn=churn, seed=seed) for seed in range(runs))
    return Counter(run(system, session, random(old_path(q), session.seed)).outcome for session in sessions)


@pytest.mark.parametrize(
    ("live_gib", "system", "sketch"), TABLE, ids=[f"{live}-GiB-{NAMES[id(of)]}" for live, of, _ in TABLE]
)
def test_the_outcomes_are_those_of_an_independent_sketch(live_gib, system, sketch):
    found = outcomes(system, live_gib)
    for outcome, count in zip(("crash", "silent", "right"), sketch, strict=True):
        assert same_rate(found[outcome], count, RUNS), (outcome, found)


def test_a_plain_layout_corrupts_in_silence_and_filling_makes_that_a_crash():
    # Not a comparison of rates but of kinds: at 6 GiB each wrong run is silent here and a crash there.
    plain, filled = outcomes(PLAIN, 6), outcomes(replace(PLAIN, fill_below=FILL_LIMIT), 6)
    assert plain["crash"] <= 1
    assert plain["silent"] > 50
    assert filled["crash"] > 90
    assert filled["silent"] <= 2


def test_the_sign_makes_the_same_bug_a_crash():
    found = outcomes(System(cut="signed-32"), 3)
    assert found["silent"] == 0
    assert same_rate(found["crash"], 52, RUNS)


@pytest.mark.parametrize("live_gib", [0.25, 1])
def test_filled_the_bug_is_found_as_often_as_the_path_is_taken(live_gib):
    # H0: the probability is 1-(1-q)^n. Two comparisons at 1e-5 each.
    filled = replace(PLAIN, fill_below=FILL_LIMIT)
    opened = len(long_session(int(live_gib * GIB)).documents)
    found = outcomes(filled, live_gib, runs=300)
    assert agrees(found["crash"], 300, found_when_filled(Q, opened))


def test_filled_memory_size_does_not_matter_only_the_number_of_pointers():
    filled = replace(PLAIN, fill_below=FILL_LIMIT)
    opened = 300
    for live_gib in (0.05, 1):
        churn = opened - len(long_session(int(live_gib * GIB), churn=0).documents)
        found = outcomes(filled, live_gib, runs=200, churn=churn)
        assert agrees(found["crash"], 200, found_when_filled(Q, opened))


def silent_at_first_use(limit):
    """Let each of 40 documents in turn be the one whose pointer is cut; return how many are silent."""
    filled, session = replace(PLAIN, fill_below=limit), Session((1024,) * 40)
    return sum(ran.result.outcome == "silent" for ran in exactly(lambda c: run(filled, session, c), 1))


def test_where_filling_stops_matters():
    # At 4 GiB the first pointers come down on the image at 4 MiB; at 6 GiB they come down on filler.
    assert silent_at_first_use(4 * GIB) > 0
    assert silent_at_first_use(FILL_LIMIT) == 0
