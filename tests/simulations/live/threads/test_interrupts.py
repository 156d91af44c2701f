"""An interruption at any moment leaves nothing behind."""

import gc
import logging
import os
import random
import signal
import sys
import threading
import time
import weakref
from pathlib import Path

import pytest

from simulations.errors import NondeterminismError
from simulations.live import threads
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


# Before and after an exploration the interpreter swallows what is raised in the callback of a weak reference.
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


class Interrupts:
    """Asks for an interruption where the interpreter swallows it."""

    def __init__(self, number):
        self.number = number

    def __del__(self):
        signal.raise_signal(self.number)


class Plain:
    pass


def in_a_destructor(number):
    Interrupts(number)


def in_the_callback_of_a_weak_reference(number):
    thing = Plain()
    reference = weakref.ref(thing, lambda _: signal.raise_signal(number))
    del thing
    return reference


@pytest.mark.parametrize("role", ["setup", "check"])
@pytest.mark.parametrize("where", [in_a_destructor, in_the_callback_of_a_weak_reference])
@pytest.mark.parametrize(
    ("handler", "error"), [(alarm, AlarmError), (signal.default_int_handler, KeyboardInterrupt)]
)
@pytest.mark.parametrize("searcher", ["portfolio", "random"])
def test_an_interruption_that_python_swallows_is_raised_all_the_same(role, where, handler, error, searcher):
    asked = []

    def interrupted(*_):
        asked.append(1)
        where(signal.SIGUSR1)
        return Counter()

    setup = interrupted if role == "setup" else Counter
    check = interrupted if role == "check" else is_two
    before, hook = signal.signal(signal.SIGUSR1, handler), sys.unraisablehook
    try:
        with pytest.raises(error):
            explore(setup, [Counter.add_locked] * 2, check, searcher=searcher, max_schedules=20)
    finally:
        signal.signal(signal.SIGUSR1, before)
    assert len(asked) == 1
    assert sys.unraisablehook is hook


def test_what_a_destructor_raises_itself_stays_where_it_is():
    said = []

    class Raises:
        def __del__(self):
            raise ValueError

    def worker(counter):
        Raises()
        counter.add_locked()

    before, sys.unraisablehook = sys.unraisablehook, lambda unraisable: said.append(unraisable.exc_type)
    try:
        result = explore(Counter, [worker] * 2, is_two)
    finally:
        sys.unraisablehook = before
    assert result.verdict == "exhausted"
    assert set(said) == {ValueError}


def test_nothing_is_put_back_by_a_generator():
    """A generator that is interrupted as it begins puts things back when it is collected, much later."""
    folder = Path(threads.__file__).parent
    files = [*(folder / "control").glob("*.py"), *(folder / "search").glob("*.py")]
    assert len(files) > 20
    assert [file.name for file in files if "contextmanager" in file.read_text(encoding="utf-8")] == []
