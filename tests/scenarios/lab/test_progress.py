"""A hunt that was interrupted goes on where it was, and ends as one that never was."""

import dataclasses
import json
import random
from contextlib import suppress

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from scenarios.lab.commands import main
from scenarios.lab.hunt import HuntInterrupted, hunt
from scenarios.lab.progress import FORMAT, SCHEMA, resumed
from scenarios.lab.progress import _checksum as checksum
from simulations.choices import random as by_chance
from simulations.errors import LabError
from tests.scenarios.lab import toy

DRIVEN = dataclasses.replace(
    toy.SCENARIO, drivers={"clumsy": lambda seed: by_chance(toy.SCENARIO.noise, seed)}
)
DRAWN = dataclasses.replace(DRIVEN, ladder=(toy.Errands(3),))
HUNTS = {
    "random": (DRIVEN, {"searcher": "random", "variant": "twice"}),
    "random, nothing": (DRIVEN, {"searcher": "random", "variant": "likely", "budget": 60}),
    "driver": (DRIVEN, {"searcher": "clumsy", "variant": "twice"}),
    "plain": (DRIVEN, {"searcher": "plain", "variant": "twice", "deviations": 3}),
    "plain, nothing": (DRIVEN, {"searcher": "plain", "variant": "likely", "budget": 60}),
    "exhaustive": (DRIVEN, {"searcher": "exhaustive", "variant": "twice", "deviations": 2}),
    "exhaustive, nothing": (DRAWN, {"searcher": "exhaustive", "variant": "fixed", "deviations": 2}),
    "exhaustive, gave up": (DRIVEN, {"searcher": "exhaustive", "variant": "fixed", "budget": 150}),
    "exhaustive, nothing to deviate": (
        DRIVEN,
        {"searcher": "exhaustive", "variant": "fixed", "deviations": 0},
    ),
    "hypothesis": (DRIVEN, {"searcher": "hypothesis", "variant": "twice", "seed": 2}),
    "minimising gave up": (DRIVEN, {"searcher": "random", "variant": "twice", "minimising_budget": 60}),
}


@pytest.fixture(autouse=True)
def quick_disk(monkeypatch):
    """Keep the state after each run, in a file system that does not wait for a disk."""
    monkeypatch.setattr("scenarios.lab.finding.os.fsync", lambda descriptor: None)


class Killed(BaseException):
    """Ends a process without a word, as SIGKILL does."""


def ends_as(result):
    return dataclasses.replace(result, seconds=0)


def hunted(path, scenario, options, *, after=None, by=KeyboardInterrupt):
    """Hunt with a state file, and interrupt it after so many of its own runs."""
    runs = 0

    def watch(tally):
        nonlocal runs
        runs += 1
        if runs == after:
            raise by

    progress = resumed(path, {"options": str(options)}, every_seconds=0)
    result = hunt(scenario, **options, verify=False, watch=watch, progress=progress)
    return ends_as(result), runs


@pytest.mark.parametrize(("scenario", "options"), HUNTS.values(), ids=HUNTS)
def test_goes_on_and_ends_as_if_it_had_not_been_interrupted(scenario, options, tmp_path):
    uninterrupted = ends_as(hunt(scenario, **options, verify=False))
    whole = uninterrupted.search_runs + uninterrupted.minimising_runs
    rng = random.Random(11)
    for number in range(4):
        path = tmp_path / f"{number}.json"
        for by in (KeyboardInterrupt, Killed, Killed):
            with pytest.raises((KeyboardInterrupt, Killed, HuntInterrupted)) as stopped:
                hunted(path, scenario, options, after=rng.randint(1, max(1, whole // 3)), by=by)
            assert stopped.type in {by, HuntInterrupted}
        result, _ = hunted(path, scenario, options)
        assert result == uninterrupted
        assert [*tmp_path.glob(".*.part")] == []


@pytest.mark.parametrize(("scenario", "options"), HUNTS.values(), ids=HUNTS)
def test_what_was_run_is_not_run_again(scenario, options, tmp_path):
    _, runs = hunted(tmp_path / "state", scenario, options)
    if options["searcher"] != "hypothesis" and options.get("deviations") != 0:
        assert hunted(tmp_path / "state", scenario, options)[1] < max(2, runs * 2 / 3)


def test_progress_on_another_failing_run_is_not_used(tmp_path):
    scenario, options = HUNTS["random"]
    path = tmp_path / "state"
    hunted(path, scenario, options)
    progress = resumed(path, {"options": str(options)})
    assert progress.noted("ladder")
    progress.settle("found", {"input": {}, "plan": []})
    progress.settle("ladder", {"ended": True, "runs": 3})
    assert hunted(path, scenario, options)[0] == ends_as(hunt(scenario, **options, verify=False))


DAMAGED = {
    "other text": lambda text: "hello",
    "a list": lambda text: "[]",
    "another format": lambda text: text.replace("in progress", "in doubt"),
    "cut short": lambda text: text[: len(text) // 2],
    "not text": lambda text: "\udcff" + text,
    "changed": lambda text: text.replace('"parts": {', '"parts": {"search": {"runs": 9}, '),
    "deep": lambda text: "[" * 100_000,
}


@pytest.mark.parametrize("damage", DAMAGED.values(), ids=DAMAGED)
def test_a_file_that_is_something_else_is_one_line(damage, tmp_path, capsys):
    path = tmp_path / "state"
    words = ["hunt", "invalid-mode", "--searcher", "random", "--state", str(path), "--json"]
    assert main(words) == 1
    damaged = damage(path.read_text())
    path.write_text(damaged, errors="surrogateescape")
    assert damaged
    capsys.readouterr()
    assert main(words) == 2
    out, err = capsys.readouterr()
    assert not out
    assert err.count("\n") == 1
    assert "name another file" in err
    assert path.read_bytes() == damaged.encode(errors="surrogateescape")


NAMES = st.sampled_from(["runs", "done", "ended", "labels", "rng", "seen", "input", "plan", "x"])
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=8,
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    searcher=st.sampled_from(["random", "plain", "exhaustive"]),
    parts=st.dictionaries(st.sampled_from(["search", "found", "ladder", "labels"]), anything, max_size=3)
    | anything,
    belongs=st.just(None) | anything,
)
@example(searcher="plain", parts={"search": {"runs": 3}}, belongs=None)
@example(
    searcher="plain",
    parts={"search": {"runs": 3, "rng": [3, [0] * 625, None], "seen": {"x": [1, 1]}}},
    belongs=None,
)
@example(
    searcher="plain",
    parts={"search": {"runs": 3, "rng": [3, [0] * 625, {}], "seen": {"x": [1, 2]}}},
    belongs=None,
)
@example(searcher="random", parts={"search": {"runs": 10**40}}, belongs=None)
@example(searcher="exhaustive", parts={"search": {"done": 1e400}}, belongs=None)
@example(searcher="random", parts={"search": json.loads("[" * 40 + "]" * 40)}, belongs=None)
def test_whatever_a_file_with_a_fitting_checksum_holds_is_a_hunt_or_one_line(
    searcher, parts, belongs, tmp_path
):
    path, options = tmp_path / "state", {"searcher": searcher}
    body = {
        "format": FORMAT,
        "schema": SCHEMA,
        "belongs_to": options if belongs is None else belongs,
        "parts": parts,
    }
    path.write_text(json.dumps({**body, "checksum": checksum(body)}))
    with suppress(LabError):
        progress = resumed(path, options)
        hunt(
            DRIVEN,
            **options,
            budget=20,
            minimising_budget=20,
            variant="twice",
            verify=False,
            progress=progress,
        )


@pytest.mark.parametrize(
    "other", [["--seed", "4"], ["--variant", "recovery"], ["--budget", "7"], ["--searcher", "plain"]]
)
def test_a_file_of_another_hunt_is_one_line_that_says_what_differs(other, tmp_path, capsys):
    words = ["hunt", "invalid-mode", "--searcher", "random", "--state", str(tmp_path / "state")]
    assert main(words) == 1
    capsys.readouterr()
    assert main([*words, *other]) == 2
    err = capsys.readouterr().err
    assert err.count("\n") == 1
    assert f"belongs to another hunt ({other[0].removeprefix('--')} was " in err


def test_the_same_command_goes_on(tmp_path, capsys):
    words = ["hunt", "invalid-mode", "--searcher", "random", "--json"]
    assert main(words) == 1
    fresh = json.loads(capsys.readouterr().out)
    for _ in range(2):
        assert main([*words, "--state", str(tmp_path / "state")]) == 1
        again = json.loads(capsys.readouterr().out)
        assert {**again, "seconds": 0} == {**fresh, "seconds": 0}


@pytest.mark.parametrize("place", ["", "nowhere/state"])
def test_a_place_that_cannot_be_written_is_refused_before_the_hunt(place, tmp_path):
    with pytest.raises(LabError, match=r"name another|cannot read"):
        resumed(tmp_path / place, {})


def test_a_disk_that_fills_up_ends_no_hunt(tmp_path):
    scenario, options = HUNTS["random"]
    progress = resumed(tmp_path / "state", {}, every_seconds=0)
    progress.path = tmp_path / "gone" / "state"
    result = hunt(scenario, **options, verify=False, progress=progress)
    assert ends_as(result) == ends_as(hunt(scenario, **options, verify=False))
    assert "cannot write" in progress.problem
