"""What a verdict says about what it rests on."""

import os
import queue
import re
import string
import textwrap
import threading
from pathlib import Path
from types import SimpleNamespace

import pytest

from simulations.errors import NondeterminismError
from simulations.live.threads import explore, uninteresting
from simulations.live.threads.control.limits import Limits
from simulations.live.threads.report import Possible
from simulations.live.threads.search import session

ROOT = Path(__file__).parents[4]


class Counter:
    def __init__(self):
        self.value = 0
        self.lock = threading.Lock()
        self.ready = threading.Event()

    def add(self):
        with self.lock:
            self.value += 1

    def write(self):
        with self.lock:
            self.value = len(textwrap.fill(str(self.value)))

    def wait(self):
        self.ready.wait(0.1)
        self.add()


def test_code_that_is_taken_for_one_step_is_named():
    result = explore(Counter, [Counter.write, Counter.write])
    assert result.verdict == "exhausted"
    assert any("textwrap" in part for part in result.coverage.atomic)
    assert "taken as one step: " in str(result)


def test_a_time_out_that_passed_is_named():
    result = explore(Counter, [Counter.wait, Counter.add])
    assert result.verdict == "exhausted"
    (place,) = result.coverage.time_outs
    assert re.search(r"test_coverage\.py:\d+ in Counter\.wait", place)
    assert "time-outs were taken to pass only when no thread can go on" in str(result)


def test_where_nothing_is_at_stake_the_first_words_say_so():
    result = explore(list, [lambda _: 1, lambda _: 2])
    assert result.coverage.vacuous
    assert str(result).startswith("nothing was at stake")


SEEN: list[int] = []


def test_state_that_outlives_a_run_forbids_a_proof():
    def every_other_time(box):
        SEEN.append(1)
        if len(SEEN) % 2:
            box.append(1)

    SEEN.clear()
    result = explore(list, [every_other_time])
    assert result.verdict == "gave up"
    assert any("outlives" in hindrance for hindrance in result.coverage.hindrances)


def test_a_nominal_schedule_that_fails_when_it_is_run_again_is_an_error():
    def count(_):
        SEEN.append(1)

    SEEN.clear()
    with pytest.raises(NondeterminismError, match="make it anew in setup"):
        explore(list, [count], lambda _: len(SEEN) == 1)


def starts_a_process(_):
    os.system("true")  # noqa: S605  (the shell is meant)


def in_a_quiet_region(counter):
    with uninteresting():
        counter.add()


def goes_on_for_long(counter):
    for _ in range(400):
        with counter.lock:
            pass


MODES = [
    {},
    {"granularity": "sync"},
    {"granularity": "gil"},
    {"max_preemptions": 0},
    {"searcher": "exhaustive", "max_preemptions": 1},
    {"searcher": "exhaustive", "granularity": "sync"},
]


@pytest.mark.parametrize("mode", MODES, ids=str)
@pytest.mark.parametrize("worker", [starts_a_process, in_a_quiet_region, goes_on_for_long])
def test_what_forbids_a_proof_forbids_it_in_every_mode(worker, mode, monkeypatch):
    for name in ("OBSERVING", "SEARCHING"):
        monkeypatch.setattr(session, name, Limits(turn_max=50, points_max=200))
    result = explore(Counter, [worker, worker], max_schedules=40, **mode)
    assert result.verdict == "gave up", result
    assert result.coverage.hindrances


@pytest.mark.parametrize("mode", MODES, ids=str)
def test_without_it_the_proof_is_one_in_every_mode(mode):
    result = explore(Counter, [Counter.add, Counter.add], lambda counter: counter.value == 2, **mode)
    assert result.verdict == "exhausted", result


class Two:
    def __init__(self):
        self.one = self.other = 0

    def add_to_both(self):
        self.one += 1
        self.other += 1
        self.one += 1


@pytest.mark.parametrize("run", [2, 3, 4, 5, 9, 14])
def test_a_failure_that_earlier_runs_have_caused_is_an_error_whenever_it_comes(run):
    runs = []

    def check(_):
        runs.append(1)
        return len(runs) < run

    with pytest.raises(NondeterminismError, match="make it anew in setup"):
        explore(Two, [Two.add_to_both] * 2, check)


def waits_for_children(line):
    children = [
        threading.Thread(target=lambda: [line.get(), line.get()]),
        threading.Thread(target=lambda: line.put(1)),
    ]
    for child in children:
        child.start()
    for child in children:
        child.join()


@pytest.mark.parametrize(
    ("setup", "worker"), [(queue.SimpleQueue, waits_for_children), (list, lambda box: box.pop())]
)
def test_a_nominal_schedule_that_fails_at_once_is_found(setup, worker):
    result = explore(setup, [worker])
    assert (result.verdict, result.preemptions) == ("found", 0)


def test_a_proof_is_audited_and_says_how_often():
    result = explore(Counter, [Counter.add, Counter.add], lambda counter: counter.value == 2)
    assert result.coverage.audits == 24
    assert "audited by 24 random schedules at every instruction" in str(result)


def test_each_row_of_the_guide_has_its_test():
    page = (ROOT / "docs/guide/threads.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`(test_\w+)` \|$", page, re.MULTILINE))
    here = "".join(path.read_text(encoding="utf-8") for path in Path(__file__).parent.glob("test_*.py"))
    assert len(named) >= 12
    assert {name for name in named if f"def {name}(" not in here} == set()


def test_this_interpreter_may_switch_inside_what_was_taken_for_one_step():
    def write(box):
        box.first = 1
        box.second = 1

    def by_hand(box):
        box.seen = (box.first, box.second)

    def by_the_library(box):
        box.seen = tuple(string.Template("$first$second").substitute(vars(box)))

    def is_whole(box):
        return len({*box.seen}) == 1

    def possible(read):
        box = lambda: SimpleNamespace(first=0, second=0, seen=(0, 0))  # noqa: E731
        return explore(box, [write, read], is_whole).possible

    assert possible(by_hand) is Possible.ELSEWHERE
    assert possible(by_the_library) is Possible.NOT_SEEN
