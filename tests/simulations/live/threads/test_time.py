"""`seconds=` is obeyed, inside a run too, and nothing hangs."""

import contextlib
import sys
import threading
import time

import pytest

from simulations.live.threads import StuckError, explore
from simulations.live.threads.search.session import Session

SECONDS = 0.4
LATEST = SECONDS + 1
"""Of the process's own time, which does not pass while the machine has other things to do."""


def for_ever(*_):
    while True:
        pass


def for_ever_whatever_comes(*_):
    end = time.monotonic() + 60
    while time.monotonic() < end:
        with contextlib.suppress(Exception):
            for_ever()


def adds(box):
    box.append(1)


def adds_for_ever(box):
    number = 0  # the state does not repeat, so this is no livelock
    while True:
        number += 1
        box.append(number)
        box.pop()


PARTS = {
    "setup": (for_ever, adds, len),
    "worker": (list, for_ever, len),
    "worker with points": (list, adds_for_ever, len),
    "worker that catches": (list, for_ever_whatever_comes, len),
    "check": (list, adds, for_ever),
}


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("searcher", ["portfolio", "random"])
def test_seconds_are_obeyed_inside_a_run(part, searcher):
    setup, worker, check = PARTS[part]
    before = set(threading.enumerate())
    begin = time.process_time()
    result = explore(setup, [worker, adds], check, seconds=SECONDS, searcher=searcher)
    assert time.process_time() - begin < LATEST
    assert result.verdict == "gave up"
    assert set(threading.enumerate()) <= before  # one that another test left may have ended


def test_seconds_are_obeyed_by_a_long_search():
    begin, own = time.monotonic(), time.process_time()
    result = explore(list, [adds, adds, adds, adds], seconds=SECONDS, max_schedules=10**6, searcher="random")
    assert result.verdict == "gave up"
    assert time.monotonic() - begin >= SECONDS
    assert time.process_time() - own < LATEST


def waits_for_a_flag(box):
    while not box:
        pass


def adds_one_apart(box):
    size = len(box)
    box[:] = [None] * (size + 1)


@pytest.mark.parametrize("worker", [waits_for_a_flag, adds_one_apart])
@pytest.mark.parametrize("left", [-10, 0, 1_000])
def test_a_finding_is_told_as_far_as_there_is_time(worker, left, monkeypatch):
    take_time = Session.take_time

    def at_the_end(session):
        session._until = time.monotonic() + left
        take_time(session)

    monkeypatch.setattr(Session, "take_time", at_the_end)
    result = explore(list, [worker] * 2, lambda box: len(box) == 2, seconds=1_000, minimise_max=5)
    assert result.verdict == "found"
    assert result.failure.kind == ("livelock" if worker is waits_for_a_flag else "check")
    if left < 0:
        assert "the time was up" in str(result) or result.plan is not None  # it may have been told already
        assert result.minimality == "not minimised"
    if left > 0:
        assert result.plan is not None


def test_a_thread_that_does_not_come_back_is_named_with_the_way_out():
    with pytest.raises(StuckError, match=r"for_ever did not come back within 0\.3 s: .*raise wall_limit"):
        explore(list, [for_ever], wall_limit=0.3)


def test_every_thread_can_be_shown_after_an_error():
    seen = []

    def worker(_):
        seen.append(threading.current_thread())
        repr(threading.current_thread())
        for_ever()

    with pytest.raises(StuckError):
        explore(list, [worker], wall_limit=0.3)
    assert [repr(thread) for thread in (*threading.enumerate(), *seen)]


MODULE = """
import threading
from {test} import at_import
at_import()
value = 1
"""
SHARED = []


def at_import():
    for number in range(3):
        SHARED.insert(0, number)


def test_a_module_that_is_imported_lazily_does_not_hang(tmp_path, monkeypatch):
    (tmp_path / "imported_lazily.py").write_text(MODULE.format(test=__name__))
    monkeypatch.syspath_prepend(tmp_path)

    def setup():
        sys.modules.pop("imported_lazily", None)
        SHARED.clear()
        return SHARED

    def worker(_):
        import imported_lazily

        assert imported_lazily.value == 1

    def fails(shared):
        shared.append(0)
        import imported_lazily

        assert len(shared) < 1, imported_lazily

    assert explore(setup, [worker, worker], max_schedules=50).failure is None
    assert explore(setup, [worker, fails], max_schedules=50, minimise_max=20).verdict == "found"
    setup()
    worker(None)
