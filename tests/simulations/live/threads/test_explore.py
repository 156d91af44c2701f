import asyncio
import gc
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from simulations.choices import Plan
from simulations.errors import NondeterminismError, PlanError
from simulations.live.threads import StuckError, ThreadsError, explore, replay, uninteresting
from simulations.live.threads.control.sites import Site
from simulations.live.threads.search.session import Session

ROOT = Path(__file__).parents[4]


class Counter:
    def __init__(self):
        self.value = 0
        self.lock = threading.Lock()

    def add(self):
        value = self.value
        self.value = value + 1

    def add_with_call(self):
        value = self.value
        self.value = one_more(value)

    def add_locked(self):
        with self.lock:
            self.add()


def one_more(value):
    return value + 1


def is_two(counter):
    return counter.value == 2


def test_a_lost_update_is_found_with_one_preemption():
    result = explore(Counter, [Counter.add, Counter.add], is_two)
    assert result.verdict == "found"
    assert (result.preemptions, result.deviations) == (1, 1)
    assert result.minimality == "least: every lesser schedule was run"
    assert "before it writes value" in result.words


def test_a_lock_makes_it_hold_in_every_schedule():
    result = explore(Counter, [Counter.add_locked, Counter.add_locked], is_two)
    assert result.verdict == "exhausted"
    assert result.coverage.complete


def test_an_exhaustive_search_takes_the_same_least_schedule_as_every_other():
    plans = {
        explore(Counter, [Counter.add, Counter.add], is_two, searcher=searcher, seed=seed).plan
        for searcher in ("portfolio", "random", "pct", "exhaustive")
        for seed in (0, 1)
    }
    assert len(plans) == 1


def test_says_whether_this_interpreter_can_show_it():
    call = explore(Counter, [Counter.add_with_call, Counter.add_with_call], is_two)
    assert call.possible == "can happen on this interpreter"
    plain = explore(Counter, [Counter.add, Counter.add], is_two)
    assert plain.possible.startswith("only without the GIL, or on other versions")


@pytest.mark.parametrize("rounds", [0, 2])
def test_a_loop_is_a_place_to_switch_at_where_it_jumps_back(rounds):
    def add(counter):
        value = counter.value
        left = rounds
        while left > 0:
            left -= 1
        counter.value = value + 1

    result = explore(Counter, [add, add], is_two)
    assert (result.possible == "can happen on this interpreter") == (rounds > 0)


def test_granularity_sync_switches_at_primitives_only():
    assert explore(Counter, [Counter.add, Counter.add], is_two, granularity="sync").verdict == "exhausted"


def test_granularity_gil_finds_what_this_interpreter_can_show():
    found = explore(Counter, [Counter.add_with_call] * 2, is_two, granularity="gil")
    assert found.found
    assert not explore(Counter, [Counter.add] * 2, is_two, granularity="gil", max_schedules=200).found


def test_the_explanation_shows_the_conflict_and_the_lanes():
    result = explore(Counter, {"left": Counter.add, "right": Counter.add}, is_two)
    text = str(result)
    assert "left reads value" in text
    assert "right writes value" in text
    assert "paused: right goes on" in text
    assert result.mermaid.startswith("sequenceDiagram")
    assert "T0-->>T1" in result.mermaid


def test_the_functions_are_as_they_were_afterwards():
    code = Counter.add.__code__
    explore(Counter, [Counter.add, Counter.add], is_two)
    assert Counter.add.__code__ is code


def test_raise_if_found_carries_the_explanation_and_the_cause():
    def worker(counter):
        counter.value.missing  # noqa: B018

    with pytest.raises(AssertionError, match="worker raised AttributeError") as caught:
        explore(Counter, [worker]).raise_if_found()
    assert isinstance(caught.value.__cause__, AttributeError)


# -- replay --------------------------------------------------------------------------------------------------


def test_a_plan_replays_to_the_same_digest():
    result = explore(Counter, [Counter.add, Counter.add], is_two)
    plan = Plan.from_json(result.plan.to_json())
    digests = {replay(Counter, [Counter.add, Counter.add], plan, is_two).digest for _ in range(5)}
    assert digests == {result.digest}


def test_a_fresh_process_replays_to_the_same_digest():
    result = explore(Counter, [Counter.add, Counter.add], is_two)
    script = (
        "from tests.simulations.live.threads.test_explore import *\n"
        f"plan = Plan.from_json({result.plan.to_json()!r})\n"
        "print(replay(Counter, [Counter.add, Counter.add], plan, is_two).digest)"
    )
    for seed in ("0", "1"):
        environment = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(ROOT)}
        done = subprocess.run(
            [sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True
        )
        assert done.stdout.strip() == result.digest


SOURCE = """
class Account:
    def __init__(self):
        self.balance = 0
    def deposit(self):
        balance = self.balance
        self.balance = balance + 1
"""


def account(tmp_path, source):
    path = tmp_path / "account.py"
    path.write_text(source)
    space = {"__name__": "account"}
    exec(compile(source, str(path), "exec"), space)
    return space["Account"]


def test_a_plan_survives_edits_elsewhere_in_the_file(tmp_path):
    def wrong(state):
        return state.balance == 2

    first = account(tmp_path, SOURCE)
    result = explore(first, [first.deposit, first.deposit], wrong)
    assert result.found
    import linecache

    moved = account(tmp_path, "import os\n\n\n" + SOURCE)
    linecache.checkcache()
    assert replay(moved, [moved.deposit, moved.deposit], result.plan, wrong).failure is not None
    changed = account(tmp_path, SOURCE.replace("balance + 1", "1 + balance"))
    linecache.checkcache()
    with pytest.raises(PlanError, match="does not apply any more"):
        replay(changed, [changed.deposit, changed.deposit], result.plan, wrong)


def test_a_plan_that_is_not_one_is_refused():
    with pytest.raises(PlanError, match="not the place of a thread"):
        replay(Counter, [Counter.add], Plan([("cpu0 | a | b", 0, 1)]))


# -- what must not happen ------------------------------------------------------------------------------------


def threads_alive():
    return len(list(Path("/proc/self/task").iterdir())) if Path("/proc/self/task").exists() else 0


def settled_threads(before):
    """The system takes a moment to forget a thread that has ended."""
    for _ in range(100):
        if threads_alive() <= before:
            break
        time.sleep(0.01)
    return threads_alive()


def deadlocks(counter):
    counter.lock.acquire()
    counter.lock.acquire()


def raises(counter):
    raise KeyError(counter.value)


def spins(counter):
    while counter.value == 0:
        pass


@pytest.mark.parametrize(
    ("worker", "kind"), [(deadlocks, "deadlock"), (raises, "exception"), (spins, "livelock")]
)
def test_no_thread_is_left_behind(worker, kind):
    before, known = threads_alive(), threading.enumerate()
    result = explore(Counter, [worker, worker], minimise_max=10)
    assert result.failure.kind == kind
    assert threading.enumerate() == known
    assert settled_threads(before) <= before


def things_held():
    gc.collect()
    return sum(isinstance(thing, (Session, Site)) for thing in gc.get_objects())


@pytest.mark.parametrize("worker", [Counter.add, Counter.add_locked, raises])
def test_memory_does_not_grow_from_one_exploration_to_the_next(worker):
    before, held = things_held(), []  # a thread of another test that could not be ended holds what it runs
    for _ in range(3):
        explore(Counter, [worker, worker], is_two)
        held.append(things_held() - before)
    assert held[2] <= held[0] < 20


def test_a_lock_of_a_module_is_free_again_after_a_deadlock():
    result = explore(Counter, [takes_both, takes_both_the_other_way])
    assert (result.failure.kind, result.preemptions) == ("deadlock", 1)
    assert "Cycle: " in result.explanation
    assert not FIRST.locked()
    assert not SECOND.locked()


FIRST = threading.Lock()
SECOND = threading.Lock()


def takes_both(counter):
    FIRST.acquire()
    SECOND.acquire()
    SECOND.release()
    FIRST.release()


def takes_both_the_other_way(counter):
    with SECOND, FIRST:
        counter.value = 1


def test_what_blocks_outside_of_control_is_an_error_that_names_the_place():
    def worker(counter):
        read, counter.write = os.pipe()
        ENDS.extend((read, counter.write))
        os.read(read, 1)

    with pytest.raises(StuckError, match=r"worker did not come back .*test_explore\.py:\d+"):
        explore(Counter, [worker], wall_limit=0.4)
    for end in reversed(ENDS):
        os.close(end)


ENDS = []


def test_ctrl_c_interrupts_and_leaves_nothing_behind():
    script = (
        "import _thread, threading\n"
        "from simulations.live.threads import explore\n"
        "def setup():\n"
        "    return [0]\n"
        "def worker(box):\n"
        "    box[0] += 1\n"
        "    if box[0] == 2:\n"
        "        _thread.interrupt_main()\n"
        "written = worker.__code__\n"
        "try:\n"
        "    explore(setup, [worker, worker], max_schedules=10**9)\n"
        "except KeyboardInterrupt:\n"
        "    print('interrupted', threading.active_count(), worker.__code__ is written)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert done.stdout.startswith("interrupted 1 True"), done.stderr


def test_a_program_that_depends_on_something_else_is_reported():
    runs = []

    def check(counter):
        runs.append(1)
        return len(runs) != 3

    with pytest.raises(NondeterminismError, match="run again"):
        explore(Counter, [Counter.add_locked, Counter.add_locked], check)


def test_an_error_of_the_set_up_passes_through():
    def setup():
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        explore(setup, [Counter.add])


# -- what is refused -----------------------------------------------------------------------------------------


def generates(counter):
    yield counter


async def awaits(counter):
    return counter


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"workers": []}, "no workers"),
        ({"workers": Counter.add}, "pass a list"),
        ({"workers": [3]}, "must be a function"),
        ({"workers": [generates]}, "generator"),
        ({"workers": [awaits]}, "coroutine"),
        ({"max_schedules": 0}, "at least 1"),
        ({"searcher": "dfs"}, "unknown"),
        ({"granularity": "line"}, "unknown"),
        ({"max_preemptions": -1}, "whole number"),
        ({"seconds": 0}, "above 0"),
        ({"searcher": "replay"}, "needs the plan"),
        ({"setup": None}, "setup must be"),
        ({"check": 1}, "check must be"),
    ],
)
def test_bad_arguments_are_refused_with_the_way_out(arguments, message):
    with pytest.raises(ThreadsError, match=message):
        explore(**{"setup": Counter, "workers": [Counter.add], **arguments})


def test_a_nested_exploration_is_refused():
    with pytest.raises(ThreadsError, match="inside a worker"):
        explore(Counter, [lambda counter: explore(Counter, [Counter.add])])


def test_a_running_event_loop_is_refused():
    async def main():
        explore(Counter, [Counter.add])

    with pytest.raises(ThreadsError, match="event loop"):
        asyncio.run(main())


# -- regions, focus, scope -----------------------------------------------------------------------------------


def test_no_thread_is_switched_in_a_region_that_is_marked_as_uninteresting():
    def quiet(counter):
        with uninteresting():
            counter.add()

    assert explore(Counter, [quiet, quiet], is_two, max_schedules=200).verdict != "found"


def test_focus_leaves_out_what_one_thread_touches():
    def with_prefix(counter):
        private = [0]
        for _ in range(200):
            private[0] += 1
        counter.add()

    result = explore(Counter, [with_prefix, with_prefix], is_two)
    assert result.found
    assert result.points < 20


def test_scope_narrows_what_counts():
    result = explore(Counter, [Counter.add, Counter.add], is_two, scope=["nowhere"], max_schedules=50)
    assert not result.found


def test_a_zero_budget_of_seconds_gives_up():
    result = explore(Counter, [Counter.add_locked] * 2, is_two, searcher="pct", seconds=0.001)
    assert result.verdict == "gave up"
