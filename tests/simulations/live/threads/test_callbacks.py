"""Operations in C that call code of the program before they are done: they touch things all the while."""

import functools
import json
import threading
from collections import defaultdict

import pytest

from simulations.live.threads import explore

pytestmark = pytest.mark.usefixtures("no_audit")


class Shared:
    def __init__(self):
        self.lock = threading.Lock()
        self.calls = 0
        self.got = []
        self.items = [1, 2, 3]
        self.others = [Equal(self), Equal(self), 3]
        self.made = defaultdict(self.call)
        self.cached = functools.lru_cache(maxsize=None)(self.call)

    def call(self, value=0):
        self.calls += 1
        return value


class Equal:
    """Calls something whenever it is compared."""

    def __init__(self, shared):
        self.shared = shared

    def __eq__(self, other):
        self.shared.call()
        return False

    __hash__ = None


def computes_once(shared):
    shared.cached(1)


def makes_once(shared):
    shared.made[1]


def sorts(shared):
    shared.items.sort(key=shared.call)


def sees_all(shared):
    shared.got.append(len(shared.items))


def maps(shared):
    shared.got = list(map(shared.call, shared.items))


def reduces(shared):
    shared.got = [functools.reduce(lambda one, other: one + shared.call(other), shared.items, 0)]


def sums(shared):
    shared.got = [sum(shared.call(item) for item in shared.items)]


def dumps(shared):
    shared.items[0] = shared
    shared.got = json.loads(json.dumps(shared.items, default=lambda _: shared.call()))


def changes_all(shared):
    shared.items[1] = 20
    shared.items[2] = 30


def looks_for(shared):
    shared.got = [shared.others.index(3)]


def moves(shared):
    shared.others.insert(0, 3)
    shared.others.pop()


PROGRAMS = {
    "cache": ([computes_once] * 2, lambda shared: shared.calls == 1),
    "default": ([makes_once] * 2, lambda shared: shared.calls == 1),
    "sort": ([sorts, sees_all], lambda shared: shared.got == [3]),
    "map": ([maps, changes_all], lambda shared: shared.got in ([1, 2, 3], [1, 20, 30])),
    "reduce": ([reduces, changes_all], lambda shared: shared.got in ([6], [51])),
    "generator": ([sums, changes_all], lambda shared: shared.got in ([6], [51])),
    "json": ([dumps, changes_all], lambda shared: shared.got in ([0, 2, 3], [0, 20, 30])),
    "search": ([looks_for, moves], lambda shared: shared.got in ([2], [0])),
}


def locked(worker, shared):
    with shared.lock:
        worker(shared)


@pytest.mark.parametrize("name", PROGRAMS)
def test_what_comes_in_between_is_found(name):
    workers, check = PROGRAMS[name]
    result = explore(Shared, workers, check, max_schedules=300)
    assert result.verdict == "found", result


@pytest.mark.parametrize("name", PROGRAMS)
def test_under_a_lock_nothing_comes_in_between(name):
    workers, check = PROGRAMS[name]
    held = [functools.partial(locked, worker) for worker in workers]
    result = explore(Shared, held, check, max_schedules=300)
    assert result.verdict == "exhausted", result


def test_what_is_done_after_such_an_operation_does_not_depend_on_it():
    def worker(shared):
        assert shared.made[1] == 0
        for number in range(20):
            shared.call(number)

    def setup():
        shared = Shared()
        shared.made[1] = 0
        shared.call = lambda _: None
        return shared

    result = explore(setup, [worker] * 3)
    assert (result.verdict, result.schedules) == ("exhausted", 1), result
