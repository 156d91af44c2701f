"""The oracle gives the known sets of ends of small programs."""

from math import comb

import pytest

from tests.quality.threads.differential.interpreter import answer
from tests.quality.threads.differential.programs import STARTING
from tests.quality.threads.differential.syntax import (
    Add,
    Await,
    Call,
    Do,
    Hold,
    If,
    Load,
    Notify,
    Place,
    Program,
    Repeat,
    Save,
    Signal,
    Spawn,
    Store,
    Sync,
)

ONE = (Place("attribute"),)


def values(program):
    return {end[0] for end in answer(program).ends}


def contents(program):
    return {end[1] for end in answer(program).ends}


def results(program):
    return {end[2] for end in answer(program).ends}


def test_two_increments_can_lose_one():
    assert values(Program(((Add(0),), (Add(0),)), ONE)) == {(1,), (2,)}


@pytest.mark.parametrize("threads", [1, 2, 3, 4])
def test_increments_of_some_threads_leave_every_number_up_to_theirs(threads):
    assert values(Program(((Add(0),),) * threads, ONE)) == {(n + 1,) for n in range(threads)}


def test_two_threads_that_increment_twice_leave_two_at_least():
    assert values(Program(((Repeat(2, (Add(0),)),),) * 2, ONE)) == {(2,), (3,), (4,)}


@pytest.mark.parametrize("length", [1, 2, 3])
def test_appends_interleave_in_every_order(length):
    bodies = tuple(tuple(Do(0, "append", number, "b") for _ in range(length)) for number in (1, 2))
    assert len(contents(Program(bodies, (), (Store("list"),)))) == comb(2 * length, length)


def test_the_worlds_of_independent_writes_are_a_grid():
    bodies = ((Save(0), Save(0, plus=2)), (Save(1), Save(1, plus=2), Save(1, plus=1)))
    assert answer(Program(bodies, ONE * 2)).worlds == 3 * 4


@pytest.mark.parametrize("kind", ["lock", "rlock", "condition", "semaphore"])
@pytest.mark.parametrize("how", ["with", "acquire"])
def test_a_lock_makes_increments_atomic(kind, how):
    body = (Hold(0, (Add(0),), how),)
    found = answer(Program((body, body), ONE, syncs=(Sync(kind),)))
    assert {end[0] for end in found.ends} == {(2,)}
    assert not found.deadlock


def test_a_semaphore_of_two_does_not():
    body = (Hold(0, (Add(0),)),)
    assert values(Program((body, body), ONE, syncs=(Sync("semaphore", 2),))) == {(1,), (2,)}


def test_locks_in_opposite_orders_can_deadlock():
    bodies = ((Hold(0, (Hold(1, (Add(0),)),)),), (Hold(1, (Hold(0, (Add(0),)),)),))
    found = answer(Program(bodies, ONE, syncs=(Sync("lock"), Sync("lock"))))
    assert found.deadlock
    assert {end[0] for end in found.ends} == {(2,)}


@pytest.mark.parametrize(("kind", "deadlock"), [("lock", True), ("rlock", False), ("condition", False)])
def test_only_a_reentrant_lock_can_be_taken_twice(kind, deadlock):
    body = (Hold(0, (Hold(0, (Add(0),)),)),)
    found = answer(Program((body, body), ONE, syncs=(Sync(kind),)))
    assert found.deadlock is deadlock
    assert {end[0] for end in found.ends} == (set() if deadlock else {(2,)})


def test_a_lock_that_is_tried_is_left_out_when_it_is_held():
    body = (Hold(0, (Add(0),), "try"),)
    assert values(Program((body, body), ONE, syncs=(Sync("lock"),))) == {(1,), (2,)}


@pytest.mark.parametrize(("how", "deadlock"), [("with", False), ("acquire", True)])
def test_an_exception_gives_back_what_with_took(how, deadlock):
    body = (Hold(0, (Do(0, "pop"),), how),)
    found = answer(Program((body, body), (), (Store("list"),), (Sync("lock"),)))
    assert found.deadlock is deadlock
    assert {end[2] for end in found.ends} == (set() if deadlock else {("IndexError", "IndexError")})


def test_a_wait_in_a_loop_cannot_miss_what_was_done_before():
    bodies = ((Hold(0, (Await(0, 0), Load(0))),), (Hold(0, (Save(0), Notify(0))),))
    found = answer(Program(bodies, ONE, syncs=(Sync("condition"),)))
    assert not found.deadlock
    assert {end[2][0] for end in found.ends} == {(1, 0)}


def test_a_bare_wait_can_miss_its_notification():
    bodies = ((Hold(0, (Await(0, 0, "bare"),)),), (Hold(0, (Notify(0),)),))
    assert answer(Program(bodies, ONE, syncs=(Sync("condition"),))).deadlock


def test_notify_wakes_who_waited_first():
    waiter = (Hold(0, (Do(0, "append", 1), Await(0, 0, "bare"), Do(0, "length"))),)
    notifier = (Hold(0, (Do(0, "length", into="b"), Notify(0))),)
    found = answer(Program((waiter, waiter, notifier), ONE, (Store("list"),), (Sync("condition"),)))
    assert found.deadlock
    assert found.ends == frozenset()


def test_a_wait_without_the_lock_raises():
    assert results(Program(((Await(0, 0),), (Notify(0),)), ONE, syncs=(Sync("condition"),))) == {
        ("RuntimeError", "RuntimeError")
    }


def test_a_pulse_wakes_only_who_waits_already():
    bodies = ((Signal(0, "wait"),), (Signal(0, "set", "b"), Signal(0, "clear", "b")))
    found = answer(Program(bodies, syncs=(Sync("event"),)))
    assert found.deadlock
    assert {end[2] for end in found.ends} == {((1, 0), (0, 0))}


def test_a_queue_makes_its_readers_wait():
    found = answer(Program(((Do(0, "get"),), (Do(0, "put", 2, "b"),)), (), (Store("queue"),)))
    assert not found.deadlock
    assert {end[2] for end in found.ends} == {((2, 0), (0, 0))}


def test_a_helper_has_a_variable_of_its_own_and_returns_it():
    body = (Load(0), Call((Load(0, "h"), Save(0, "h", 2)), into="b"))
    assert results(Program((body,), ONE)) == {((0, 0),)}
    assert values(Program((body, body), ONE)) == {(2,), (4,)}


def test_a_branch_looks_at_what_was_read():
    body = (Load(0), If("a", 0, (Save(0),), (Save(0, plus=2),)))
    assert values(Program((body, body), ONE)) == {(1,), (2,)}


@pytest.mark.parametrize(
    ("how", "width", "expected"),
    [
        ("thread", 1, {(1,), (2,)}),
        ("pool", 2, {(1,), (2,)}),
        ("pool", 1, {(2,)}),
        ("pool of setup", 1, {(2,)}),
    ],
)
def test_a_pool_of_one_runs_its_tasks_one_after_the_other(how, width, expected):
    spawn = Spawn(((Add(0),), (Add(0),)), how, width)
    assert values(Program(((spawn, Load(0)),), ONE)) == expected
    assert {result[0][0] for result in results(Program(((spawn, Load(0)),), ONE))} == {n for (n,) in expected}


@pytest.mark.parametrize("how", ["thread left", "pool left"])
def test_who_is_left_behind_runs_beside_what_follows_and_to_its_end(how):
    program = Program(((Spawn(((Add(0),),), how, 1), Load(0)),), ONE)
    assert values(program) == {(1,)}
    assert {result[0][0] for result in results(program)} == {0, 1}


def test_what_stands_between_runs_beside_the_threads():
    spawn = Spawn(((Add(0),),), "thread", 1, (Add(0),))
    assert values(Program(((spawn,),), ONE)) == {(1,), (2,)}


@pytest.mark.parametrize("how", STARTING)
def test_a_deadlock_of_a_started_thread_is_one(how):
    spawn = Spawn(((Signal(0, "wait"),),), how, 1)
    assert answer(Program(((spawn,),), syncs=(Sync("event"),))).deadlock
