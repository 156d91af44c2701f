"""An interruption at any moment leaves nothing behind."""

import gc
import logging
import os
import random
import signal
import sys
import threading
import time

import pytest

from simulations.errors import NondeterminismError
from simulations.live.threads import explore
from simulations.live.threads.control.refused import IMPORTS
from simulations.live.threads.search.session import SESSION

MOMENTS = int(os.environ.get("HEISENLAB_INTERRUPTIONS", "40"))


class AlarmError(Exception):
    """Raised by the handler of a signal."""


class Counter:
    def __init__(self):
        self.value = 0
        self.lock = threading.Lock()

    def add(self):
        with self.lock:
            value = self.value
        with self.lock:
            self.value = value + 1

    def add_locked(self):
        with self.lock:
            value = self.value
            self.value = value + 1


def is_two(counter):
    return counter.value == 2


def alarm(*_):
    raise AlarmError


def state():
    """Return everything that an exploration changes and must put back."""
    return {
        "the lock of logging": logging._lock._is_owned(),
        "gc": gc.isenabled(),
        "trace": sys.gettrace(),
        "session": SESSION.get(),
        "random": random.getstate(),
        "counter": threading._counter,
        "threads": [repr(thread) for thread in threading.enumerate()],
        "code": [
            function.__code__ for function in (Counter.__init__, Counter.add, Counter.add_locked, is_two)
        ],
        "library": [function.__code__ for function in (threading.Thread.start, threading.Event.wait)],
        "fork": os.fork,
        "import": IMPORTS._find_and_load,
        "log": logging.getLogger("concurrent.futures").disabled,
    }


def left_behind(before):
    after = state()
    return [name for name in before if before[name] != after[name]]


def programs():
    explore(Counter, [Counter.add, Counter.add], is_two, minimise_max=5)
    explore(Counter, [Counter.add_locked, Counter.add_locked], is_two, max_schedules=20)


# The interpreter swallows an exception in the callback of a weak reference, whoever raises it, and says so.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("kind", ["alarm", "ctrl-c"])
def test_an_interruption_at_any_moment_leaves_nothing_behind(kind):
    moments = random.Random(8)
    number, timer = (
        (signal.SIGALRM, signal.ITIMER_REAL) if kind == "alarm" else (signal.SIGVTALRM, signal.ITIMER_VIRTUAL)
    )
    handlers = {number: signal.signal(number, alarm if kind == "alarm" else signal.default_int_handler)}
    programs()
    begin = time.process_time()
    programs()
    length = time.process_time() - begin
    real, before = len(sys._current_frames()), state()
    interrupted, left = 0, []
    try:
        for _ in range(MOMENTS):
            try:
                try:
                    signal.setitimer(timer, moments.uniform(0.0005, length * 1.2))
                    programs()
                finally:
                    signal.setitimer(timer, 0)
            except (AlarmError, KeyboardInterrupt):
                interrupted += 1
            except NondeterminismError as error:
                # What a handler raises inside a check fails that check, here in the second of two like runs.
                if "AlarmError" not in str(error):
                    raise
                interrupted += 1
            left += left_behind(before)
    finally:
        for one, handler in handlers.items():
            signal.signal(one, handler)
    assert left == []
    assert interrupted > MOMENTS // 3
    assert len(sys._current_frames()) <= real
