"""Threads outside of the exploration: what they hold for a moment is no deadlock of the program."""

import logging
import queue
import subprocess
import sys
import threading
import time
from contextlib import contextmanager

import pytest

from simulations.errors import NondeterminismError
from simulations.live.threads import StuckError, Verdict, explore

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
    """A thread that was there before takes what `hold` says, again and again."""
    over = threading.Event()

    def serve():
        while not over.is_set():
            with hold:
                time.sleep(0.002)
            time.sleep(0.001)

    thread = threading.Thread(target=serve)
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
def test_a_lock_that_is_held_outside_for_a_moment_is_no_deadlock(held, worker, searcher):
    with outside(held):
        try:
            result = explore(
                Box, [worker] * 2, lambda box: box.seen == 2, searcher=searcher, max_schedules=30, seconds=20
            )
        except NondeterminismError:
            assert held is PLAIN  # of a plain lock nothing says who holds it
        else:
            assert result.failure is None, result


def test_that_it_was_held_outside_forbids_the_proof():
    with outside(REENTRANT):
        result = explore(Box, [counts(REENTRANT)] * 2, lambda box: box.seen == 2, seconds=20)
    assert result.verdict is Verdict.GAVE_UP
    assert "a thread outside of the exploration held a lock" in str(result)


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


def test_a_deadlock_beside_other_threads_is_one_all_the_same():
    def waits_for_ever(box):
        queue.Queue().get()

    with outside(threading.Lock()):
        result = explore(Box, [waits_for_ever, waits_for_ever])
    assert result.failure.kind == "deadlock"


def run(program):
    return subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False
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
