"""The exhaustive searcher leaves out only what leads to a state that another schedule leads to as well."""

import threading
from collections import deque

import pytest

from simulations.live.threads import Program, explore
from simulations.live.threads.search.exhaustive import Happened, Visitor, enumerate_schedules
from simulations.live.threads.search.session import Session


class State:
    def __init__(self):
        self.a = 0
        self.b = 0
        self.log = []
        self.table = {}
        self.lock = threading.Lock()
        self.other = threading.Lock()
        self.event = threading.Event()
        self.condition = threading.Condition()


def add_a(state):
    state.a += 1


def twice_a(state):
    state.a *= 2


def a_to_b(state):
    state.b = state.a


def b_to_a(state):
    state.a = state.b + 1


def independent(state):
    state.b += 1


def locked_append(state):
    with state.lock:
        state.log.append("x")
        state.a += 1


def locked_read(state):
    with state.lock:
        state.b = len(state.log)


def log_one(state):
    state.log.append(1)


def log_two(state):
    state.log.append(2)
    state.a = len(state.log)


def two_keys(state):
    state.table["x"] = state.table.get("y", 0) + 1


def other_key(state):
    state.table["y"] = state.table.get("x", 0) + 1


def sets(state):
    state.a = 1
    state.event.set()
    state.a = 2


def waits(state):
    state.event.wait()
    state.b = state.a


def tries(state):
    if state.lock.acquire(blocking=False):
        state.log.append("got")
        state.lock.release()
    else:
        state.log.append("missed")


def holds(state):
    with state.lock:
        state.a = 1


def notifies(state):
    with state.condition:
        state.a = 1
        state.condition.notify()


def awaits(state):
    with state.condition:
        while not state.a:
            state.condition.wait()
        state.b = 1


PROGRAMS = {
    "independent": (add_a, independent),
    "lost update": (add_a, add_a),
    "not commutative": (add_a, twice_a),
    "reads and writes": (a_to_b, b_to_a),
    "three threads": (add_a, a_to_b, independent),
    "lock": (locked_append, locked_read),
    "list": (log_one, log_two),
    "keys": (two_keys, other_key),
    "event": (sets, waits),
    "trying a lock": (tries, holds),
    "condition": (awaits, notifies),
}


def final(state):
    return state.a, state.b, tuple(state.log), tuple(sorted(state.table.items()))


def outcomes(workers, *, brute):
    """Every final state, with a point in front of every access and no pruning, or as the searcher does it."""
    seen = set()
    runs = 0

    def check(state):
        seen.add(final(state))

    named = [(f"{index}-{worker.__name__}", worker) for index, worker in enumerate(workers)]
    with Session(Program(State, tuple(named), check, wall_limit=5)) as session:
        session.observe(0, 12)
        if not brute:
            session.enumerate(schedules_max=100_000, bound=None, full=True)
            return seen, session.schedules
        seen.clear()
        session.widen()
        todo = deque([()])
        while todo:
            decisions = todo.pop()
            happened = Happened({})
            visitor = Visitor(decisions, happened)
            session.watched(visitor, happened.access, "observe")
            runs += 1
            assert runs < 60_000
            todo.extend(
                (*decisions, (visit.step, index))
                for visit in visitor.visits
                for _, index in visit.options
                if index != visit.chosen
            )
    return seen, runs


@pytest.mark.parametrize("name", PROGRAMS)
def test_reaches_the_same_final_states_as_brute_force(name):
    pruned, few = outcomes(PROGRAMS[name], brute=False)
    brute, many = outcomes(PROGRAMS[name], brute=True)
    assert pruned == brute
    assert few <= many + 12


def test_the_order_of_independent_steps_is_not_explored():
    result = explore(State, [add_a, independent], searcher="exhaustive")
    assert result.verdict == "exhausted"
    assert result.coverage.complete
    assert result.schedules < 12


def test_a_bound_that_was_gone_through_is_stated():
    def worker(state):
        for _ in range(2):
            add_a(state)

    result = explore(State, {"left": worker, "right": worker}, searcher="exhaustive", max_preemptions=1)
    assert result.verdict == "exhausted"
    assert result.coverage.preemptions == 1
    assert "at most 1 preemption," in str(result)


@pytest.mark.parametrize("runs", [1, 10, 30])
def test_schedules_with_more_preemptions_than_asked_for_are_left_out_after_enough_runs(runs):
    def worker(state):
        for _ in range(3):
            add_a(state)

    named = tuple((name, worker) for name in "abc")
    with Session(Program(State, named, None, wall_limit=5)) as session:
        session.observe(0, 100)
        few = session.enumerate(schedules_max=10_000, bound=2, full=True, enough=(1, runs))
        bounded = session.enumerate(schedules_max=10_000, bound=1, full=True)
    assert few.gone_through == bounded.gone_through == 1
    assert few.schedules == max(runs, bounded.schedules)


def test_a_budget_that_ran_out_is_not_called_exhausted():
    def worker(state):
        for _ in range(4):
            add_a(state)

    result = explore(State, {"left": worker, "right": worker}, searcher="exhaustive", max_schedules=5)
    assert result.verdict == "gave up"
    assert not result.coverage.complete


def test_the_enumeration_is_in_the_order_of_least():
    ranks = []

    def run(visitor, happened):
        ranks.append(len(visitor._at))

    result = enumerate_schedules(run, schedules_max=10, bound=None)
    assert result.schedules == 1
    assert ranks == [0]
