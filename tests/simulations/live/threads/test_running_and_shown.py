"""A generator that runs, a primitive that is shown as text, a thread that tries in vain.

No audit runs here, since its random schedules would find what the proof misses.
"""

import functools
import threading

import pytest

from simulations.live.threads import Verdict, explore
from simulations.live.threads.control.limits import IN_VAIN_MAX

pytestmark = pytest.mark.usefixtures("no_audit")


def numbers():
    number = 0
    while number < 9:
        number += 1
        yield number


def delegating():
    yield from numbers()


GENERATORS = {
    "function": numbers,
    "expression": lambda: (number for number in range(9)),
    "delegating": delegating,
    "in zip": lambda: zip(numbers(), range(9), strict=False),
    "in enumerate": lambda: enumerate(numbers()),
    "in map": lambda: map(str, numbers()),
    "in filter": lambda: filter(None, numbers()),
}


def draws_in_a_loop(state):
    for _ in state.shared:
        break


DRAWS = {
    "next": lambda state: next(state.shared),
    "for": draws_in_a_loop,
    "send": lambda state: state.shared.send(None),
    "unpacked": lambda state: state.seen.append([*state.shared]),
    "in C": lambda state: state.seen.append(list(state.shared)),
}


class Shared:
    def __init__(self, shared):
        self.lock = threading.Lock()
        self.shared = shared
        self.seen = []


CASES = [
    (kind, draw)
    for kind in GENERATORS
    for draw in DRAWS
    if draw != "send" or kind in {"function", "expression", "delegating"}
]


@pytest.mark.parametrize(("kind", "draw"), CASES)
def test_a_generator_that_runs_already_is_found(kind, draw):
    def setup():
        return Shared(GENERATORS[kind]())

    def locked(state):
        with state.lock:
            DRAWS[draw](state)

    found = explore(setup, [DRAWS[draw]] * 2, max_schedules=100, minimise_max=0)
    assert found.verdict is Verdict.FOUND
    assert "generator already executing" in str(found)
    assert explore(setup, [locked] * 2, max_schedules=100).verdict is Verdict.EXHAUSTED


SHOWN = {
    "repr": repr,
    "str": str,
    "formatted": lambda thing: f"{thing}",
    "converted": lambda thing: f"{thing!r:>9}",
    "percent": lambda thing: "%s" % thing,  # noqa: UP031  (it is what is tried)
    "percent of a tuple": lambda thing: "%s" % (thing,),  # noqa: UP031  (likewise)
    "format": format,
    "format of a text": "{}".format,
    "in a list": lambda thing: repr([thing]),
    "its own method": lambda thing: thing.__repr__(),
}
PRIMITIVES = {"lock": threading.Lock, "reentrant lock": threading.RLock, "condition": threading.Condition}


@pytest.mark.parametrize("how", SHOWN)
@pytest.mark.parametrize("kind", PRIMITIVES)
def test_a_primitive_that_is_shown_as_text_is_looked_at(kind, how):
    def holds(state):
        with state.shared:
            state.seen.append(1)

    def looks(state):
        state.seen.append(" locked" in SHOWN[how](state.shared))

    def check(state):
        return True not in state.seen[1:] and state.seen[0] is not True

    result = explore(lambda: Shared(PRIMITIVES[kind]()), [holds, looks], check, max_schedules=100)
    assert result.verdict is not Verdict.EXHAUSTED, str(result)


def tries_through_a_partial(state):
    attempt = functools.partial(state.lock.acquire, False)
    while not attempt():
        pass


def tries_through_a_name(state):
    name = "acquire"
    while not getattr(state.lock, name)(False):
        pass


def tries_for_a_while(state):
    while not state.lock.acquire(timeout=0.01):
        pass


def looks_again(state):
    while state.lock.locked():
        pass


TRIES = (tries_through_a_partial, tries_through_a_name, tries_for_a_while, looks_again)


def keeps(state):
    state.lock.acquire()


@pytest.mark.parametrize("tries", TRIES)
def test_who_tries_in_vain_for_ever_is_a_livelock(tries):
    result = explore(lambda: Shared(None), [keeps, tries], max_schedules=10, minimise_max=0)
    assert result.verdict is Verdict.FOUND
    assert result.failure.kind == "livelock"


def test_who_tries_in_vain_beside_what_cannot_be_looked_at_gives_up_soon():
    steps = 0

    def tries(state):
        nonlocal steps
        while not state.lock.acquire(blocking=False):
            steps += 1

    result = explore(lambda: Shared(iter([])), [keeps, tries], max_schedules=1, minimise_max=0)
    assert result.verdict is Verdict.GAVE_UP
    assert IN_VAIN_MAX <= steps < 3 * IN_VAIN_MAX
