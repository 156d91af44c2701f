"""Who looks whether a thread has ended without waiting for it may come between its last step and its end."""

import threading
import time

import pytest

from simulations.live.threads import Possible, explore, replay
from simulations.live.threads.control.thread_ends import ThreadEnds

pytestmark = pytest.mark.usefixtures("no_audit")


class Shared:
    outside = 1
    """How many threads there are beside those of an exploration; pytest may have some."""

    def __init__(self):
        self.done = False
        self.seen = None
        self.thread = None


def finishes(shared):
    shared.done = True


def in_list(thread):
    return thread in threading.enumerate()


def counted(_):
    return threading.active_count() > Shared.outside + 1


def joined_in_no_time(thread):
    thread.join(0)
    return thread.is_alive()


LOOKS = [threading.Thread.is_alive, in_list, counted, joined_in_no_time]


def started(shared):
    thread = threading.Thread(target=finishes, args=(shared,))
    thread.start()
    return thread


def ends_of(*workers, shows=lambda shared: shared.seen):
    """Return all ends that an exploration comes to, and its verdict."""
    ends = set()
    Shared.outside = threading.active_count()
    result = explore(Shared, list(workers), lambda shared: ends.add(shows(shared)))
    return ends, result.verdict


@pytest.mark.parametrize("looks", LOOKS, ids=lambda looks: looks.__name__)
def test_a_thread_may_be_there_still_when_all_is_done(looks):
    def state_first(shared):
        thread = started(shared)
        shared.seen = shared.done, looks(thread)
        thread.join()

    def thread_first(shared):
        thread = started(shared)
        there = looks(thread)
        shared.seen = shared.done, there
        thread.join()

    any_order = {(False, True), (False, False), (True, True), (True, False)}
    assert ends_of(state_first) == (any_order, "exhausted")
    assert ends_of(thread_first) == (any_order - {(False, False)}, "exhausted")


def test_of_two_threads_either_may_end_first():
    def starts(shared):
        one, other = started(shared), started(shared)
        shared.seen = one.is_alive(), other.is_alive()

    pairs = {(one, other) for one in (True, False) for other in (True, False)}
    assert ends_of(starts) == (pairs, "exhausted")


def shows_itself(shared):
    shared.thread = threading.current_thread()
    shared.done = True


@pytest.mark.parametrize("looks", [threading.Thread.is_alive, in_list, joined_in_no_time])
def test_the_thread_of_a_worker_ends_too(looks):
    def looks_at_it(shared):
        if shared.thread is not None:
            there = looks(shared.thread)
            shared.seen = shared.done, there

    ends, verdict = ends_of(shows_itself, looks_at_it)
    assert (ends, verdict) == ({None, (False, True), (True, True), (True, False)}, "exhausted")


def test_the_thread_of_a_worker_can_be_joined():
    def joins(shared):
        if shared.thread is not None:
            shared.thread.join()
            shared.seen = shared.done, shared.thread.is_alive()

    assert ends_of(shows_itself, joins) == ({None, (True, False)}, "exhausted")


def is_not_there_when_all_is_done(shared):
    return shared.seen != (True, True)


def looks_when_all_is_done(shared):
    thread = started(shared)
    shared.seen = shared.done, thread.is_alive()
    thread.join()


def test_a_pause_at_an_end_is_told_and_replayed():
    result = explore(Shared, [looks_when_all_is_done], is_not_there_when_all_is_done)
    assert "pauses when it is about to end and looks_when_all_is_done goes on" in result.words
    assert result.possible is Possible.HERE
    again = replay(Shared, [looks_when_all_is_done], result.plan, is_not_there_when_all_is_done)
    assert again.digest == result.digest


def test_where_a_thread_cannot_be_paused_there_is_no_proof(monkeypatch):
    monkeypatch.setattr(ThreadEnds, "come", lambda *_: None)
    result = explore(Shared, [looks_when_all_is_done], is_not_there_when_all_is_done)
    assert result.verdict == "gave up"
    assert any("could not be followed" in what for what in result.coverage.hindrances)


# -- other steps that had no place in front ------------------------------------------------------------------


def test_this_interpreter_may_switch_when_a_thread_has_been_started():
    def starts(shared):
        thread = started(shared)
        shared.seen = shared.done
        thread.join()

    result = explore(Shared, [starts], lambda shared: shared.seen is False)
    assert result.possible is Possible.HERE


def test_a_thread_may_pause_before_it_looks_at_the_clock():
    def sleeps(_):
        time.sleep(1)

    def reads(shared, clock=time.monotonic):
        begin = clock()
        shared.done = True
        shared.seen = round(clock() - begin)

    ends, verdict = ends_of(sleeps, reads)
    assert (ends, verdict) == ({0, 1}, "exhausted")
