"""Code that lives in a function that runs already is under control like any other."""

import time
from concurrent.futures import ThreadPoolExecutor

from simulations.live.threads import explore
from simulations.live.threads.control import failures


def test_a_helper_beside_one_that_mentions_a_primitive_is_seen():
    class Counter:
        def __init__(self):
            self.value = 0

    def helper(counter):
        value = counter.value
        counter.value = value + 1

    def never_called(lock):
        with lock:
            time.sleep(1)

    def worker(counter):
        helper(counter)

    result = explore(Counter, [worker, worker], lambda counter: counter.value == 2)
    assert (result.verdict, result.preemptions) == ("found", 1)


def test_a_context_manager_that_is_defined_inside_is_seen():
    class Counter:
        def __init__(self):
            self.value = 0

    class Adding:
        def __init__(self, counter):
            self.counter = counter

        def __enter__(self):
            self.before = self.counter.value

        def __exit__(self, *_):
            self.counter.value = self.before + 1

    def worker(counter):
        with Adding(counter):
            pass

    result = explore(Counter, [worker, worker], lambda counter: counter.value == 2)
    assert (result.verdict, result.preemptions) == ("found", 1)


def asks_for_a_type_first(numbers):
    assert type(numbers) is list
    with ThreadPoolExecutor(1) as pool:
        pool.submit(numbers.append, 1).result()


def test_a_class_is_under_control_whatever_was_called_before(monkeypatch):
    stuck = []
    monkeypatch.setattr(failures, "stuck", lambda *_: stuck.append(1) or "stuck")
    result = explore(list, [asks_for_a_type_first], lambda numbers: numbers == [1], wall_limit=2)
    assert result.verdict == "exhausted"
    assert stuck == []
