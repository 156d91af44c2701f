"""The published bound of probabilistic concurrency testing: at least 1/(n k^(d-1)) for each run.

Null hypothesis: a run finds the bug with probability p = 1/(n k^(d-1)) or more. Of N independent runs with
fixed seeds the number of hits is then at least binomial; the test fails where so few or fewer would come up
with probability below 1e-4, which is its false-alarm rate.
"""

from math import comb

import pytest

from simulations.live.threads import Program
from simulations.live.threads.search.session import Session
from simulations.live.threads.search.strategies import Pct
from tests.quality.threads.thread_programs import PROGRAMS

BY_NAME = {program.name: program for program in PROGRAMS}
RUNS = 400
FALSE_ALARM = 1e-4


def at_most(hits, runs, chance):
    return sum(
        comb(runs, count) * chance**count * (1 - chance) ** (runs - count) for count in range(hits + 1)
    )


def hits_of(name, depth):
    made = BY_NAME[name].make(False)
    workers = list(made.workers.items())
    with Session(Program(made.setup, tuple(workers), made.check, wall_limit=10)) as session:
        session.observe(0, 12)
        session.single_deviations()
        points = session.points
        hits = sum(session.fast(Pct(seed, depth, points)) is not None for seed in range(RUNS))
    return hits, len(workers), points


@pytest.mark.parametrize(
    ("name", "depth"),
    [
        ("use_before_initialisation", 1),
        ("account_transfer", 2),
        ("lock_order", 2),
        ("aba_on_a_linked_stack", 2),
        ("reorder_5", 2),
        ("stack", 2),
    ],
)
def test_finds_a_bug_of_its_depth_as_often_as_published(name, depth):
    hits, threads, points = hits_of(name, depth)
    chance = 1 / (threads * points ** (depth - 1))
    assert at_most(hits, RUNS, chance) > FALSE_ALARM, f"{hits} of {RUNS}, at least {chance:.4f} was promised"


def test_the_test_can_fail():
    hits, threads, points = hits_of("account_transfer", 1)
    assert hits == 0
    assert at_most(hits, RUNS, 1 / (threads * points)) < FALSE_ALARM
