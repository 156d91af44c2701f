"""How a run ends: what setup, workers and check may give back, and what may happen in them."""

import array
import asyncio
import functools
import multiprocessing
import os
import sys
import threading
import time
import unittest
import warnings
from fractions import Fraction
from pathlib import Path

import pytest

from simulations.live.threads import ThreadsError, explore
from simulations.live.threads.control import back_end, thread_data
from simulations.live.threads.control.failures import Kind
from simulations.live.threads.control.limits import Limits
from simulations.live.threads.search import session


class Box:
    def __init__(self):
        self.value = 0

    def add(self):
        value = self.value
        self.value = value + 1


class NoTruth:
    def __bool__(self):
        raise TypeError("no truth")


def is_two(box):
    return box.value == 2


def with_check(value, *, workers=(Box.add,)):
    return explore(Box, list(workers), lambda _: value)


# -- the check -----------------------------------------------------------------------------------------------


def test_the_false_of_numpy_is_false():
    numpy = pytest.importorskip("numpy")
    result = explore(Box, [Box.add, Box.add], lambda box: numpy.bool_(box.value == 2))
    assert result.failure.kind is Kind.CHECK
    assert explore(Box, [Box.add], lambda box: numpy.all(box.value == 1)).verdict == "exhausted"


@pytest.mark.parametrize("value", [None, True, 1, "right", [0], (False,), object()])
def test_what_is_true_and_none_are_right(value):
    assert with_check(value).verdict == "exhausted"


@pytest.mark.parametrize(
    "value",
    [0, 0.0, "", b"", [], (), {}, set(), range(0), Fraction(0), array.array("i"), NoTruth(), (1 for _ in ())],
    ids=lambda value: type(value).__name__,
)
def test_what_is_false_in_another_way_is_refused_with_the_way_out(value):
    with pytest.raises(ThreadsError, match=r"say (bool|all)\("):
        with_check(value)


@pytest.mark.parametrize("value", [is_two, Box().add, len, [].append, NotImplemented])
def test_a_function_that_was_not_called_is_no_verdict(value):
    with pytest.raises(ThreadsError, match="says nothing of the state; call it, or compare"):
        with_check(value)


# -- what is awaited -----------------------------------------------------------------------------------------


async def coroutine(*_):
    return True


async def async_generator(*_):
    yield True


class Awaits:
    def __await__(self):
        return iter(())


AWAITED = [lambda *_: coroutine(), lambda *_: async_generator(), lambda *_: Awaits()]


@pytest.mark.parametrize("made", AWAITED, ids=["coroutine", "generator", "awaitable"])
@pytest.mark.parametrize("role", ["setup", "worker", "check"])
def test_what_is_to_be_awaited_is_refused_at_once(made, role):
    parts = {"setup": Box, "worker": Box.add, "check": is_two} | {role: made}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(ThreadsError, match=f"{role} returned something to be awaited"):
            explore(parts["setup"], [parts["worker"]], parts["check"])


def generator(box):
    yield box.add()


LAZY = {
    "function": generator,
    "partial": functools.partial(generator),
    "returned": lambda box: generator(box),  # noqa: PLW0108  (no generator function itself)
    "expression": lambda box: (box.add() for _ in range(1)),
    "map": lambda box: map(Box.add, [box]),
    "filter": lambda box: filter(Box.add, [box]),
}


@pytest.mark.parametrize("worker", LAZY.values(), ids=LAZY)
def test_a_worker_of_which_nothing_has_run_is_refused(worker):
    with pytest.raises(ThreadsError, match=r"nothing.*function that exhausts it"):
        explore(Box, [worker, worker])


def test_a_set_up_that_is_a_generator_is_refused_and_a_generator_may_be_shared():
    with pytest.raises(ThreadsError, match="setup generator_of_one is a generator function"):
        explore(generator_of_one, [next])
    assert explore(lambda: (one for one in [1]), [next]).failure is None


def generator_of_one():
    yield 1


def test_a_worker_may_return_a_generator_that_has_begun():
    def worker(box):
        begun = generator(box)
        next(begun)
        return begun

    assert explore(Box, [worker], lambda box: box.value == 1).failure is None


def sets_a_trace_function(_):
    sys.settrace(None)


def sets_a_profile_function(_):
    sys.setprofile(lambda *_: None)


def monitors(_):
    sys.monitoring.set_events(4, 0)


@pytest.mark.parametrize("worker", [sets_a_trace_function, sets_a_profile_function, monitors])
def test_what_would_watch_in_place_of_the_exploration_is_refused(worker):
    if worker is monitors and not hasattr(sys, "monitoring"):
        pytest.skip("there is no sys.monitoring")
    before = sys.gettrace(), sys.getprofile()
    with pytest.raises(ThreadsError, match="run without it"):
        explore(Box, [worker, Box.add])
    assert (sys.gettrace(), sys.getprofile()) == before


def runs_a_loop(box):
    async def main():
        await asyncio.sleep(0.01)
        box.value += 1

    asyncio.run(main())


def uses_a_loop_of_its_own(box):
    loop = asyncio.new_event_loop()
    try:
        box.value = loop.run_until_complete(asyncio.to_thread(lambda: 1))
    except Exception:  # noqa: BLE001  (the program may not hide it)
        box.value = 0
    finally:
        loop.close()


@pytest.mark.parametrize("worker", [runs_a_loop, uses_a_loop_of_its_own])
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_an_event_loop_in_a_worker_is_refused_at_once(worker):
    begin = time.process_time()
    with pytest.raises(ThreadsError, match="an event loop was run in a worker"):
        explore(Box, [worker, worker])
    assert time.process_time() - begin < 5
    assert asyncio.run(coroutine())


def forks(_):
    os._exit(0) if os.fork() == 0 else None


def starts_a_process(_):
    try:
        process = multiprocessing.get_context("fork").Process(target=print)
        process.start()
    except OSError:
        pass


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
@pytest.mark.parametrize("worker", [forks, starts_a_process])
def test_a_fork_under_control_is_refused(worker):
    fork = os.fork
    with pytest.raises(ThreadsError, match="forked, and the child would have threads that never run"):
        explore(Box, [worker, Box.add])
    assert os.fork is fork


# -- exceptions ----------------------------------------------------------------------------------------------


def skips(*_):
    raise unittest.SkipTest("not today")


def skips_by_pytest(*_):
    pytest.skip("not today")


@pytest.mark.parametrize("skip", [skips, skips_by_pytest])
@pytest.mark.parametrize("role", ["setup", "worker", "check"])
def test_a_skip_skips(skip, role):
    parts = {"setup": Box, "worker": Box.add, "check": is_two} | {role: skip}
    with pytest.raises((unittest.SkipTest, pytest.skip.Exception), match="not today"):
        explore(parts["setup"], [parts["worker"]] * 2, parts["check"])


def recurses(box, depth=0):
    box.value += 1
    return recurses(box, depth + 1)


def recurses_with_a_lock(box, lock=None):
    lock = lock or threading.RLock()
    with lock:
        return recurses_with_a_lock(box, lock)


@pytest.mark.parametrize("worker", [recurses, recurses_with_a_lock])
@pytest.mark.parametrize("searcher", ["portfolio", "random"])
def test_too_deep_a_recursion_is_a_failure_of_the_program(worker, searcher):
    result = explore(Box, [worker, Box.add], searcher=searcher, minimise_max=5, max_schedules=20)
    assert result.failure.kind is Kind.EXCEPTION
    assert isinstance(result.failure.error, RecursionError)


def exits(box):
    box.value += 1
    sys.exit(3)


def test_an_exit_ends_its_thread_only():
    assert explore(Box, [exits], lambda box: box.value == 1).verdict == "exhausted"
    assert explore(Box, [exits, exits], is_two).verdict == "found"


def interrupts(_):
    raise KeyboardInterrupt


@pytest.mark.parametrize("role", ["setup", "worker", "check"])
def test_a_keyboard_interrupt_passes_through(role):
    parts = {"setup": Box, "worker": Box.add, "check": is_two}
    parts[role] = lambda *_: interrupts(None)
    with pytest.raises(KeyboardInterrupt):
        explore(parts["setup"], [parts["worker"]] * 2, parts["check"])


# -- runs that go on and on ----------------------------------------------------------------------------------


def assigns_often(box):
    for number in range(30_000):
        box.value = number


def test_a_long_run_is_no_livelock():
    result = explore(Box, [assigns_often, assigns_often], max_schedules=3)
    assert result.verdict == "gave up"


def spins_for_long(box):
    for _ in range(40_000):
        if box.value:
            break


def counts_by_hand(box):
    left = 40_000
    while left and not box.value:
        left -= 1


def empties_a_list(box):
    work = [None] * 40_000
    while work and not box.value:
        work.pop()


def sets_late(box):
    spins_for_long(box)
    box.value = 1


@pytest.mark.parametrize("worker", [spins_for_long, counts_by_hand, empties_a_list])
def test_a_loop_that_will_end_is_no_livelock(worker):
    result = explore(Box, [worker, worker, sets_late], max_schedules=3)
    assert result.verdict == "gave up"


def waits_for_a_flag(box):
    while not box.value:
        pass


def waits_for_a_turn(box):
    while box.value != threading.current_thread().name:
        pass


@pytest.mark.parametrize("worker", [waits_for_a_flag, waits_for_a_turn])
def test_a_state_that_repeats_is_a_livelock(worker):
    result = explore(Box, [worker, worker], minimise_max=3)
    assert result.failure.kind is Kind.LIVELOCK
    assert "a state in which they were before" in result.failure.summary
    assert "while " in result.lanes
    assert all(name in result.lanes for name in (worker.__name__, f"{worker.__name__}-2"))


# -- data of a thread ----------------------------------------------------------------------------------------

OF_THREAD = threading.local()


def touches(how, box):
    if how == "attribute":
        OF_THREAD.__dict__.setdefault("value", 0)
        OF_THREAD.value += 1
    elif how == "functions":
        setattr(OF_THREAD, "value", getattr(OF_THREAD, "value", 0) + 1)  # noqa: B010  (the function is meant)
    elif not hasattr(OF_THREAD, "value"):
        OF_THREAD.value = 1
    else:
        OF_THREAD.value = 2
    box.seen.append(OF_THREAD.value)


class Seen:
    def __init__(self):
        self.seen = []


@pytest.mark.parametrize("how", ["attribute", "functions", "hasattr"])
def test_thread_local_data_are_fresh_in_every_schedule(how):
    workers = [lambda box: touches(how, box)] * 3
    result = explore(Seen, workers, lambda box: box.seen == [1, 1, 1], searcher="random", max_schedules=30)
    assert result.verdict == "gave up"


def keeps(_):
    OF_THREAD.value = 1


@pytest.mark.parametrize(("worker", "kept"), [(lambda _: None, False), (keeps, True)])
def test_a_real_thread_carries_one_task_after_another_unless_it_keeps_data_of_the_last(
    worker, kept, monkeypatch
):
    started = []
    start = back_end.start_new_thread
    monkeypatch.setattr(
        back_end, "start_new_thread", lambda *arguments: started.append(1) or start(*arguments)
    )
    result = explore(list, [worker] * 2, searcher="random", max_schedules=10)
    assert result.verdict == "gave up"
    assert (len(started) == 2) == (not kept or thread_data.FORGETS)


def test_thread_local_data_that_a_set_up_makes_do_not_stay_and_those_of_the_caller_do():
    mine = threading.local()
    mine.value = 7
    known = thread_data.known()

    def setup():
        kept = threading.local()
        kept.value = mine.value
        KEPT.append(kept)
        return kept.value

    assert explore(setup, [lambda _: None] * 2, lambda value: value == 7).failure is None
    assert mine.value == 7
    assert thread_data.known() <= known
    KEPT.clear()


KEPT = []


def test_a_search_whose_runs_do_not_end_gives_up_before_its_budget(monkeypatch):
    monkeypatch.setattr(session, "OBSERVING", Limits(turn_max=100, points_max=200))
    monkeypatch.setattr(session, "SEARCHING", Limits(turn_max=100, points_max=200))
    for searcher in ("portfolio", "random"):
        result = explore(Box, [assigns_often, assigns_often], searcher=searcher, max_schedules=10_000)
        assert result.verdict == "gave up"
        assert result.schedules < 100


@pytest.mark.parametrize("started", range(3))
def test_where_no_thread_is_left_it_is_one_sentence(monkeypatch, started):
    starts = iter(range(started))
    start = back_end.start_new_thread

    def limited(*args):
        if next(starts, None) is None:
            raise RuntimeError("can't start new thread")
        return start(*args)

    monkeypatch.setattr(back_end, "start_new_thread", limited)
    with pytest.raises(ThreadsError, match="can't start new thread: end other programs"):
        explore(Box, [Box.add, Box.add, Box.add], is_two)


# -- what a run leaves behind --------------------------------------------------------------------------------


def sets_a_variable():
    os.environ["HEISENLAB_TRIED"] = "1"


def changes_a_variable():
    os.environ["HEISENLAB_KNOWN"] = "2"


def removes_a_variable():
    del os.environ["HEISENLAB_KNOWN"]


def removes_all_variables():
    os.environ.clear()


def goes_elsewhere():
    os.chdir("/")


@pytest.mark.parametrize(
    "changes",
    [sets_a_variable, changes_a_variable, removes_a_variable, removes_all_variables, goes_elsewhere],
)
@pytest.mark.parametrize("fails", [False, True])
def test_a_run_leaves_the_process_as_it_was(changes, fails, monkeypatch, tmp_path):
    monkeypatch.setenv("HEISENLAB_KNOWN", "1")
    monkeypatch.chdir(tmp_path)
    before = dict(os.environ)

    def leaves(box):
        box.value = dict(os.environ) == before and Path.cwd() == tmp_path
        changes()
        box.last = "leaves"

    def comes_too(box):
        box.last = "comes too"

    result = explore(Box, [leaves, comes_too], lambda box: box.value and not (fails and box.last == "leaves"))
    assert result.verdict == ("found" if fails else "exhausted"), result
    assert dict(os.environ) == before
    assert Path.cwd() == tmp_path
