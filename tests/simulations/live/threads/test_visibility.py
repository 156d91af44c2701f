"""Nothing that two threads share is invisible: however it is touched, and wherever the code lives."""

import functools
import importlib.util
import linecache
import threading

import pytest

from simulations.live.threads import Program, explore, uninteresting
from simulations.live.threads.search.session import Session
from tests.simulations.live.threads.visible_idioms import IDIOMS, source


def made(text, name, module="program"):
    """Return the names that a program defines."""
    path = f"<{name}>"
    linecache.cache[path] = (len(text), None, text.splitlines(keepends=True), path)
    space = {"__name__": module}
    exec(compile(text, path, "exec"), space)
    return space


def needed(idiom):
    if "numpy" in idiom.imports and importlib.util.find_spec("numpy") is None:
        pytest.skip("numpy is not installed")


@pytest.mark.usefixtures("no_audit")
@pytest.mark.parametrize("name", IDIOMS)
def test_a_lost_update_is_found_however_it_is_written(name):
    idiom = IDIOMS[name]
    needed(idiom)
    space = made(source(idiom, locked=False), name)
    result = explore(space["State"], [space["worker"]] * 2, space["check"], max_schedules=300)
    assert result.verdict == "found", str(result)


@pytest.mark.parametrize("name", IDIOMS)
def test_the_same_under_a_lock_is_right(name):
    idiom = IDIOMS[name]
    needed(idiom)
    space = made(source(idiom, locked=True), name)
    result = explore(space["State"], [space["worker"]] * 2, space["check"], max_schedules=300)
    assert result.verdict in {"exhausted", "gave up"}, str(result)


class Box:
    def __init__(self):
        self.n = 0

    def add(self):
        value = self.n
        self.n = value + 1

    @staticmethod
    def add_to(box):
        box.add()

    @classmethod
    def add_by(cls, box):
        cls.add_to(box)

    def __call__(self, box):
        box.add()


class Heir(Box):
    pass


def is_two(box):
    return box.n == 2


def wrapped(function):
    @functools.wraps(function)
    def inner(box):
        return function(box)

    return inner


@wrapped
def decorated(box):
    box.add()


def nested():
    def helper(box):
        value = box.n
        box.n = value + 1

    def worker(box):
        helper(box)

    return worker


def generating(box):
    def steps():
        yield box.n

    for value in steps():
        box.n = value + 1


PLACES = {
    "method": Box.add,
    "inherited": Heir.add,
    "staticmethod": Box.add_to,
    "classmethod": Box.add_by,
    "bound": Box().__call__,
    "callable object": Box(),
    "partial": functools.partial(lambda times, box: [box.add() for _ in range(times)], 1),
    "lambda": lambda box: box.add(),
    "decorated": decorated,
    "nested": nested(),
    "generator": generating,
    "executed": made("def worker(box):\n    value = box.n\n    box.n = value + 1\n", "cell")["worker"],
    "main": made("def worker(b):\n    v = b.n\n    b.n = v + 1\n", "main", "__main__")["worker"],
    "started": lambda box: [thread.start() or thread.join() for thread in [threading.Thread(target=box.add)]],
}


@pytest.mark.parametrize("place", PLACES)
def test_where_code_lives_changes_no_verdict(place):
    result = explore(Box, [PLACES[place]] * 2, is_two, max_schedules=300)
    assert (result.verdict, result.preemptions) == ("found", 1), str(result)


@pytest.mark.parametrize("place", PLACES)
def test_where_right_code_lives_changes_no_verdict(place):
    lock = threading.Lock()

    def worker(box):
        with lock:
            PLACES[place](box)

    assert explore(Box, [worker] * 2, is_two, max_schedules=300).verdict == "exhausted"


def test_a_generator_that_was_begun_before_forbids_a_proof():
    def steps(box):
        while True:
            value = box.n
            box.n = value + 1
            yield

    boxes = [Box()]
    begun = steps(boxes[0])
    next(begun)

    def setup():
        return boxes[0]

    result = explore(setup, [lambda _: next(begun)], max_schedules=50)
    assert result.verdict == "gave up"
    assert any("steps ran before" in hindrance for hindrance in result.coverage.hindrances)


def test_a_region_of_no_interest_forbids_a_proof():
    def quiet(box):
        value = box.n
        with uninteresting():
            box.n = value + 1

    result = explore(Box, [quiet] * 2, max_schedules=50)
    assert result.verdict == "gave up"
    assert "a region marked as uninteresting, whose accesses do not count" in str(result)


def test_an_object_whose_attributes_are_replaced_forbids_a_proof():
    lock = threading.Lock()

    def replaces(box):
        with lock:
            box.__dict__ = {"n": box.n + 1}

    result = explore(Box, [replaces] * 2, is_two, max_schedules=50)
    assert result.verdict == "gave up"
    assert "replaces the attributes of a Box as a whole" in str(result)


def test_thread_locals_are_nobody_elses():
    local = threading.local()

    def worker(box):
        assert not hasattr(local, "n")
        local.n = 1
        local.n += 1
        assert vars(local) == {"n": 2}

    result = explore(Box, [worker] * 2, max_schedules=50)
    assert (result.verdict, result.schedules) == ("exhausted", 1)


def test_two_modules_with_the_same_code_have_globals_of_their_own():
    text = "n = 0\n\ndef add(_):\n    global n\n    value = n\n    n = value + 1\n"
    one, other = made(text, "one"), made(text, "other")

    def setup():
        one["n"] = other["n"] = 0

    def look(_):
        globals_of_one = one["n"]
        one["n"] = globals_of_one + 1

    assert explore(setup, [one["add"], look], lambda _: one["n"] == 2).verdict == "found"
    assert explore(setup, [other["add"], look], lambda _: one["n"] == other["n"] == 1).verdict == "exhausted"


class Made:
    def __init__(self, box):
        box.value = box.value + 1


def test_a_class_is_put_under_control_also_after_type_itself():
    written = Made.__init__.__code__
    with Session(Program.of(list, [lambda _: None])) as session:
        installer = session._installer
        installer.install("observe")
        installer.reached(type)
        installer.reached(Made)
        assert Made.__init__.__code__ is not written
    assert Made.__init__.__code__ is written
