import importlib
import json
from pathlib import Path

from simulations.choices import Plan
from simulations.live.threads import Coverage, Minimality, Verdict, explore, replay


class Counter:
    def __init__(self):
        self.value = 0


def add(counter):
    value = counter.value
    counter.value = value + 1


def is_two(counter):
    return counter.value == 2


def test_a_finding_goes_through_json_and_its_plan_replays():
    result = explore(Counter, [add, add], is_two)
    data = json.loads(json.dumps(result.to_json()))
    assert (data["verdict"], data["failure"]["kind"]) == ("found", "check")
    again = replay(Counter, [add, add], Plan.from_json(data["plan"]), is_two)
    assert json.loads(json.dumps(again.to_json()))["digest"] == data["digest"]
    assert str(again).startswith("check(state) returned False")


def test_a_result_is_one_line_where_it_is_not_printed():
    result = explore(Counter, [add, add], is_two)
    assert (
        repr(result) == f"<Exploration found after {result.schedules} schedules: check(state) returned False>"
    )
    assert repr(explore(Counter, [add])).startswith("<Exploration exhausted after ")


def test_verdicts_are_values_and_words():
    result = explore(Counter, [add, add], is_two)
    assert result.verdict is Verdict.FOUND
    assert result.verdict == "found"
    assert result.minimality is Minimality.LEAST


def test_coverage_says_how_far_it_reaches():
    up_to_two = Coverage(2, complete=False, granularity="access", threads=3)
    assert up_to_two.reaches(2)
    assert not up_to_two.reaches(3)
    assert not up_to_two.reaches(None)
    assert Coverage(complete=True).reaches(None)
    assert str(up_to_two) == (
        "every schedule of 3 threads from this set-up with at most 2 preemptions, at granularity access"
    )
    assert str(Coverage()) == "no schedule was gone through in full"


def test_lanes_say_in_which_file_a_thread_goes_on_where_there_are_several(tmp_path, monkeypatch):
    (tmp_path / "tallies.py").write_text("def add(counter, old):\n    counter.value = old + 1\n")
    monkeypatch.syspath_prepend(tmp_path)
    tallies = importlib.import_module("tallies")

    def worker(counter):
        tallies.add(counter, counter.value)

    rows = explore(Counter, [worker, worker], is_two).lanes.splitlines()
    mine, theirs = f"in {Path(__file__).name}:", "in tallies.py:"
    said = [row.strip() for row in rows if row.strip() in {mine, theirs}]
    assert said == [mine, mine, theirs, theirs]
    assert not [row for row in explore(Counter, [add, add], is_two).lanes.splitlines() if "in test_" in row]
