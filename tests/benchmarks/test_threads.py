"""Executions a second at `access` with focus: two short threads, a prefix of 1000 operations, ten threads."""

import pytest

from simulations.live.threads import Program
from simulations.live.threads.search.session import Session
from simulations.live.threads.search.strategies import Pct


class Counter:
    def __init__(self):
        self.value = 0


def add(counter):
    value = counter.value
    counter.value = value + 1


def add_after_a_prefix(counter):
    private = [0]
    for _ in range(1000):
        private[0] += 1
    add(counter)


@pytest.mark.parametrize(
    ("worker", "threads"), [(add, 2), (add_after_a_prefix, 2), (add, 10)], ids=["short", "prefix", "ten"]
)
def test_executions(benchmark, worker, threads):
    named = [(f"thread{index}", worker) for index in range(threads)]
    with Session(Program(Counter, tuple(named), None, wall_limit=10)) as session:
        session.observe(0, 12)
        session.single_deviations()
        seeds = iter(range(10**9))
        benchmark(lambda: session.fast(Pct(next(seeds), 3, session.points)))
