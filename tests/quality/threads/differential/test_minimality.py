"""What is called least is least: as few preemptions and deviations as brute force needs for the same end."""

from random import Random

from simulations.live.threads import explore
from tests.quality.threads.differential.interpreter import TooLarge
from tests.quality.threads.differential.least import least
from tests.quality.threads.differential.programs import decoded
from tests.quality.threads.differential.running import run_source
from tests.quality.threads.differential.source import LAYOUTS, render
from tests.quality.threads.differential.syntax import Await, Notify, Signal, Spawn

PROGRAMS = 6
STEPS_MAX = 8
BYTES = 150
WORLDS_MAX = 3_000


def _parts(statement):
    """Yield a statement and all inside it."""
    yield statement
    for name in ("body", "orelse"):
        for inner in getattr(statement, name, ()):
            yield from _parts(inner)


def _is_plain(program):
    """Whether all choices of the explorer are choices of the interpreter: nothing takes several steps there.

    A semaphore, a condition and a queue are built out of locks, and a thread can pause while it holds one.
    """
    built = [*(sync.kind for sync in program.syncs), *(store.kind for store in program.stores)]
    if {"semaphore", "condition", "event", "queue"} & set(built):
        return False
    statements = [part for thread in program.threads for one in thread for part in _parts(one)]
    return not any(isinstance(part, Await | Notify | Signal | Spawn) for part in statements)


def hard_programs(seed):
    """Yield plain programs, each with the end that takes most, and what it takes."""
    chance = Random(seed)
    while True:
        program = decoded(chance.randbytes(BYTES), STEPS_MAX)
        if not _is_plain(program):
            continue
        try:
            costs = least(program)
        except TooLarge:
            continue
        end = max(costs, key=lambda end: (costs[end], repr(end)), default=None)
        if end is not None and costs[end].preemptions:
            yield program, end, costs[end]


def explored(program, layout, target):
    """Explore a program that is wrong if it comes to an end; return what was found."""
    results = []

    def run(setup, workers, end):
        results.append(explore(setup, workers, lambda state: end(state) != target, max_schedules=400))

    run_source(render(program, layout), layout, run)
    return results[0]


def check(program, end, cost, layout):
    """Compare; return whether the schedule was called least."""
    result = explored(program, layout, end)
    if not result.found or result.failure.kind != "check":
        return False
    said = f"{result}\n{cost}\n{render(program, layout).main}"
    found = (result.preemptions, len(result.plan))
    assert found >= tuple(cost), said
    if result.minimality.startswith("least"):
        assert found == tuple(cost), said
        return True
    return False


def test_what_is_called_least_is_least():
    called = 0
    for number, (program, end, cost) in zip(range(PROGRAMS), hard_programs(0), strict=False):
        called += check(program, end, cost, LAYOUTS[number % len(LAYOUTS)])
    assert called > PROGRAMS // 2
