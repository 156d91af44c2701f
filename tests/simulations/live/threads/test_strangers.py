"""Threads outside of the exploration: what they hold for a moment is no deadlock of the program."""

import itertools
import logging
import queue
import random
import subprocess
import sys
import threading
import time
from contextlib import contextmanager

import pytest

from simulations.errors import NondeterminismError
from simulations.live.threads import StuckError, Verdict, explore
from simulations.live.threads.control import strangers

PATIENCE_S = 30
"""Where the machine is busy, a thread outside may stand still for longer than is usually waited for it."""
PLAIN = threading.Lock()
REENTRANT = threading.RLock()


class Box:
    def __init__(self):
        self.lock = threading.Lock()
        self.seen = 0


def counts(lock):
    def worker(box):
        with lock:
            box.seen += 1

    return worker


def with_logging(box):
    logger = logging.getLogger("heisenlab.strangers")
    logger.setLevel(logging.CRITICAL)
    logger.info("one")
    with box.lock:
        box.seen += 1


@contextmanager
def outside(hold):
    """A thread that was there before takes what `hold` says, or calls it, again and again."""
    over = threading.Event()
    moments = random.Random(8)

    def serve():
        while not over.is_set():
            if callable(hold):
                hold()
            else:
                with hold:
                    time.sleep(moments.choice((0, 0.001, 0.002)))
            time.sleep(moments.choice((0, 0.001)))

    thread = threading.Thread(target=serve, name="the server")
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


@pytest.mark.parametrize(
    ("held", "worker"),
    [
        (PLAIN, counts(PLAIN)),
        (REENTRANT, counts(REENTRANT)),
        (logging._lock, with_logging),
    ],
    ids=["plain", "reentrant", "logging"],
)
@pytest.mark.parametrize("searcher", ["portfolio", "random"])
def test_a_lock_that_is_held_outside_for_a_moment_is_no_deadlock(held, worker, searcher, patient):
    with outside(held):
        result = explore(
            Box, [worker] * 2, lambda box: box.seen == 2, searcher=searcher, max_schedules=30, seconds=20
        )
    assert result.failure is None, result


CONDITION = threading.Condition(threading.Lock())
SEMAPHORE = threading.Semaphore(1)
QUEUE = queue.Queue()


class Keeps(logging.Handler):
    """Writes nothing, under a plain lock."""

    def createLock(self):  # noqa: N802  (the name of the original)
        self.lock = threading.Lock()

    def emit(self, record):
        time.sleep(0)


LOGGER = logging.getLogger("heisenlab.strangers.plain")
LOGGER.addHandler(Keeps())
LOGGER.propagate = False
LOGGER.setLevel(logging.INFO)


def notifies():
    with CONDITION:
        time.sleep(0.001)
        CONDITION.notify_all()


def puts_and_takes():
    QUEUE.put(1)
    time.sleep(0.001)
    QUEUE.get()


def logs():
    LOGGER.info("outside")


def takes_in_time(lock):
    def worker(box):
        if lock.acquire(timeout=5):
            box.seen += 1
            lock.release()

    return worker


def takes_at_once(box):
    if PLAIN.acquire(False):
        assert PLAIN.locked()
        box.seen += 1
        PLAIN.release()
    else:
        with PLAIN:
            box.seen += 1


def with_a_queue(box):
    QUEUE.put(2)
    QUEUE.get()
    with box.lock:
        box.seen += 1


def with_a_plain_logger(box):
    LOGGER.info("inside")
    with box.lock:
        box.seen += 1


def reads_and_writes_apart(box):
    with PLAIN:
        seen = box.seen
    with PLAIN:
        box.seen = seen + 1


SHARED = {
    "time-out": (PLAIN, takes_in_time(PLAIN), None),
    "try": (PLAIN, takes_at_once, None),
    "condition": (notifies, counts(CONDITION), None),
    "semaphore": (SEMAPHORE, counts(SEMAPHORE), None),
    "semaphore with a time-out": (SEMAPHORE, takes_in_time(SEMAPHORE), None),
    "queue": (puts_and_takes, with_a_queue, None),
    "logger": (logs, with_a_plain_logger, None),
    "race": (PLAIN, reads_and_writes_apart, "check"),
}


@pytest.fixture
def patient(monkeypatch):
    monkeypatch.setattr(strangers, "PATIENCE", PATIENCE_S)


@pytest.mark.parametrize("name", SHARED)
@pytest.mark.parametrize("seed", range(2))
def test_what_is_shared_with_a_thread_outside_gives_no_false_finding(name, seed, patient):
    hold, worker, kind = SHARED[name]
    searcher = ("portfolio", "random")[seed % 2]
    with outside(hold):
        result = explore(
            Box,
            [worker] * 2,
            lambda box: box.seen == 2,
            searcher=searcher,
            seed=seed,
            max_schedules=20,
            minimise_max=10,
            seconds=5,
        )
    assert (result.failure and result.failure.kind) == kind, result


def test_what_a_thread_outside_is_to_give_is_waited_for(patient):
    line = queue.Queue()

    def gives():
        if line.not_empty._waiters:
            line.put(1)

    with outside(gives):
        result = explore(Box, [lambda _: line.get()] * 2, max_schedules=10)
    assert result.verdict is Verdict.GAVE_UP
    assert "a thread outside of the exploration held, or gave" in str(result)


def test_a_lock_that_a_run_leaves_held_is_given_back_to_who_waits_outside():
    def keeps(box):
        PLAIN.acquire()
        box.seen += 1

    with outside(PLAIN):
        result = explore(Box, [keeps] * 2, max_schedules=4, seconds=5, minimise_max=2)
    assert result.failure.kind == "deadlock"
    assert PLAIN.acquire(timeout=5)
    PLAIN.release()


def test_where_one_meddled_an_error_says_so():
    count = itertools.count()

    def setup():
        box = Box()
        box.fails = next(count) > 1
        return box

    with outside(PLAIN):
        outcomes = set()
        for _ in range(20):
            count = itertools.count()
            try:
                explore(setup, [counts(PLAIN)] * 2, lambda box: not box.fails, max_schedules=10)
            except NondeterminismError as error:
                outcomes.add("the server" in str(error))
            if True in outcomes:
                break
    assert True in outcomes


def test_that_it_was_held_outside_forbids_the_proof():
    with outside(REENTRANT):
        result = explore(Box, [counts(REENTRANT)] * 2, lambda box: box.seen == 2, seconds=20)
    assert result.verdict is Verdict.GAVE_UP
    assert "a thread outside of the exploration held, or gave," in str(result)


def test_a_lock_that_is_never_given_back_outside_is_one_clear_error():
    taken, over = threading.Event(), threading.Event()

    def keeps():
        with REENTRANT:
            taken.set()
            over.wait()

    thread = threading.Thread(target=keeps, name="the keeper")
    thread.start()
    taken.wait()
    before = set(threading.enumerate())
    try:
        with pytest.raises(StuckError, match=r"waited 0\.2 s for a lock .* holds: the keeper, which is at "):
            explore(Box, [counts(REENTRANT)] * 2, lambda box: box.seen == 2, wall_limit=0.4)
    finally:
        over.set()
        thread.join()
    assert set(threading.enumerate()) == before - {thread}


def waits_for_ever(_):
    queue.Queue().get()


def waits_for_one_that_waits_for_ever(_):
    child = threading.Thread(target=queue.SimpleQueue().get)
    child.start()
    child.join()


def waits_for_a_notice(_):
    condition = threading.Condition()
    with condition:
        condition.wait()


def takes_twice(_):
    lock = threading.Lock()
    with lock, lock:
        pass


@pytest.mark.parametrize(
    "worker", [waits_for_ever, waits_for_one_that_waits_for_ever, waits_for_a_notice, takes_twice]
)
def test_a_deadlock_beside_other_threads_is_one_all_the_same(worker):
    with outside(threading.Lock()):
        result = explore(Box, [worker, worker])
    assert result.failure.kind == "deadlock"


def run(program):
    return subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=240, check=False
    )


def test_where_no_other_thread_runs_a_lock_left_held_is_a_deadlock():
    done = run(
        "import threading\n"
        "from simulations.live.threads import explore\n"
        "lock = threading.Lock()\n"
        "lock.acquire()\n"
        "def worker(box):\n"
        "    with lock:\n"
        "        box.append(1)\n"
        "print(explore(list, [worker, worker], lambda box: True).failure.kind)\n"
    )
    assert done.stdout.strip() == "deadlock", done.stderr


@pytest.mark.skipif(sys.version_info >= (3, 12), reason="only CPython 3.11 is told by a trace function")
def test_other_threads_may_set_their_trace_function_meanwhile():
    done = run(
        "import sys, threading, time\n"
        "from simulations.live.threads import explore\n"
        "over = False\n"
        "def hook(event, args):\n"
        "    if event == 'sys.settrace':\n"
        "        time.sleep(0)\n"
        "sys.addaudithook(hook)\n"
        "def traces():\n"
        "    while not over:\n"
        "        try:\n"
        "            sys.settrace(None)\n"
        "        except RuntimeError:\n"
        "            pass\n"
        "thread = threading.Thread(target=traces)\n"
        "thread.start()\n"
        "def worker(box):\n"
        "    box.append(len(box))\n"
        "try:\n"
        "    print(explore(list, [worker, worker], lambda box: len(box) == 2, seconds=20).failure)\n"
        "finally:\n"
        "    over = True\n"
        "    thread.join()\n"
    )
    assert done.stdout.strip() == "None", done.stderr
