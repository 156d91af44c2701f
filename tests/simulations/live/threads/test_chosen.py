import threading

import pytest

from simulations.choices import Deviation, Plan, exhaustive, nominal, replay
from simulations.errors import LabError
from simulations.live.threads.control.chosen import ChosenThreads

PAUSE = Plan([Deviation("a after work", 0, 1)])


def in_order(chooser, steps=2):
    threads, seen = ChosenThreads(chooser), []

    def worker(name):
        for _ in range(steps):
            threads.before("work")
            seen.append(name)

    failure = threads.run({name: lambda name=name: worker(name) for name in "ab"})
    assert failure is None
    return "".join(seen)


def test_nominally_each_goes_on_until_it_has_ended():
    assert in_order(nominal()) == "aabb"


def test_a_pause_lasts_until_nobody_else_can_go_on():
    assert in_order(replay(PAUSE)) == "abba"


def test_every_order_is_reached():
    orders = {ran.result for ran in exhaustive(in_order, 4)}
    assert orders == {"aabb", "abab", "abba", "baab", "baba", "bbaa"}


def test_labels_say_who_and_what():
    chooser = nominal()
    in_order(chooser)
    assert [(point.label, point.forced) for point in chooser.points] == [
        ("start", True),
        ("a after work", False),
    ]


def with_lock(chooser):
    threads, seen = ChosenThreads(chooser), []
    lock = threads.lock("the lock")

    def worker(name):
        threads.before("work")
        with lock:
            seen.append(f"{name} in")
            threads.before("work")
            seen.append(f"{name} out")

    threads.run({name: lambda name=name: worker(name) for name in "ab"})
    return seen


def test_a_lock_is_held_by_one_at_a_time_whoever_goes_on():
    seen = {tuple(ran.result) for ran in exhaustive(with_lock, 3)}
    assert seen == {("a in", "a out", "b in", "b out"), ("b in", "b out", "a in", "a out")}


def locked_crosswise(chooser):
    threads = ChosenThreads(chooser)
    first, second = threads.lock("first"), threads.lock("second")

    def worker(one, other):
        with one, other:
            pass

    return threads.run({"a": lambda: worker(first, second), "b": lambda: worker(second, first)})


def test_a_deadlock_is_told_and_leaves_no_thread_behind():
    before = threading.active_count()
    failures = [ran.result for ran in exhaustive(locked_crosswise, 1)]
    assert failures[0] is None
    stuck = [failure for failure in failures if failure is not None]
    assert {failure.kind for failure in stuck} == {"deadlock"}
    assert [blocked.holder for blocked in stuck[0].blocked] == ["b", "a"]
    assert threading.active_count() == before


def test_an_event_is_waited_for_and_stays_set():
    threads, seen = ChosenThreads(nominal()), []
    ready = threads.event("the news")

    def waits():
        ready.wait()
        seen.append("heard")
        ready.wait()

    def sets():
        seen.append("told")
        ready.set()

    assert threads.run({"waits": waits, "sets": sets}) is None
    assert seen == ["told", "heard"]


def test_time_passes_only_for_who_waits_for_it():
    threads, seen = ChosenThreads(nominal()), []

    def sleeper(ms):
        threads.sleep(ms, "morning")
        seen.append((threads.running, threads.now_ms))

    threads.run({"late": lambda: sleeper(30), "early": lambda: sleeper(10)})
    assert seen == [("early", 10), ("late", 30)]


def test_what_a_worker_raises_comes_out_as_it_is():
    before = threading.active_count()

    def worker():
        raise ZeroDivisionError("as it is")

    with pytest.raises(ZeroDivisionError, match="as it is"):
        ChosenThreads(nominal()).run({"a": worker, "b": lambda: None})
    assert threading.active_count() == before


def test_what_the_chooser_raises_comes_out_as_it_is():
    class Interrupted(BaseException):
        pass

    class Impatient(type(nominal())):
        def pick(self, label, options, *, forced=False):
            if label == "a after work":
                raise Interrupted
            return super().pick(label, options, forced=forced)

    before = threading.active_count()
    with pytest.raises(Interrupted):
        in_order(Impatient())
    assert threading.active_count() == before


def test_a_run_without_an_end_is_ended(monkeypatch):
    monkeypatch.setattr("simulations.live.threads.control.chosen.QUESTIONS_MAX", 500)
    threads = ChosenThreads(nominal())

    def forever():
        while True:
            threads.before("work")

    with pytest.raises(
        LabError, match="asked 500 times which thread runs next, the last time at a after work"
    ):
        threads.run({"a": forever, "b": lambda: None})
