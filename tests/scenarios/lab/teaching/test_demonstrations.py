"""Each demonstration is red for its reason, at its least example; its twin, one line apart, is green."""

import json
import os
import re
from importlib.util import find_spec

import pytest

from scenarios.lab.commands import main
from scenarios.lab.teaching import material
from scenarios.lab.teaching.demonstrations import DEMONSTRATIONS, LINES_MAX, demonstration
from tests.scenarios.lab.teaching import demos

COLUMNS_MAX = 88
NEEDS = {"transitions_machine": "transitions"}
ALONE = ("event", "assume")
"""Shown by the command itself: they count examples, and the numbers depend on what else is loaded."""

SEEDED = ("bad_target", "strategy_shape")
"""What a search with one seed does not find; another version draws other examples from that seed."""

each = pytest.mark.parametrize("demo", DEMONSTRATIONS, ids=lambda demo: demo.name)


def skip_what_cannot_be_shown(demo):
    if demo.name in SEEDED:
        skip_other_versions()
    needed = NEEDS.get(demo.name)
    if needed is not None and find_spec(needed) is None:
        pytest.skip(f"it shows a machine of the library {needed}, which is not installed")


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    """What becomes of the files as they ship, where nothing but the wheel is there."""
    return demos.session(
        tmp_path_factory.mktemp("plain"), {demo.name: demo.source() for demo in DEMONSTRATIONS}
    )


@pytest.fixture(scope="module")
def in_class(tmp_path_factory):
    sources = {demo.name: demo.source() for demo in DEMONSTRATIONS}
    return demos.session(tmp_path_factory.mktemp("in_class"), sources, *demos.CLASSROOM)


@pytest.fixture(scope="module")
def twins(tmp_path_factory):
    sources = {demo.name: demo.twin() for demo in DEMONSTRATIONS}
    return demos.session(tmp_path_factory.mktemp("twins"), sources, *demos.CLASSROOM)


def test_every_file_is_a_demonstration_and_has_its_output():
    names = {demo.name for demo in DEMONSTRATIONS}
    assert material.demos().keys() == names
    assert {path.stem for path in demos.EXPECTED.glob("*.txt")} == {*names, demos.MADE_WITH.stem}


@each
def test_it_fits_on_a_slide_and_says_what_it_shows(demo):
    lines = demo.source().splitlines()
    assert len(lines) <= LINES_MAX
    assert max(map(len, lines)) <= COLUMNS_MAX
    assert lines[0].startswith('"""')
    assert lines[0].endswith('."""')


@each
def test_the_twin_is_one_line_apart(demo):
    before, after = demo.source().splitlines(), demo.twin().splitlines()
    assert len(before) == len(after)
    changed = [number for number, pair in enumerate(zip(before, after, strict=True)) if pair[0] != pair[1]]
    assert len(changed) == 1
    assert (before[changed[0]].strip(), after[changed[0]].strip()) == demo.change()
    assert before[changed[0] + 1].strip() == f"# fix: {demo.change()[1]}"  # printed beside it


@each
def test_as_shipped_it_is_red_for_its_reason_at_the_least_example(demo, plain):
    skip_what_cannot_be_shown(demo)
    # A busy machine may hold up an example beyond the deadline; Hypothesis then reports that besides.
    assert [each for each in plain[demo.name] if each.outcome == "failure" and demo.shows in each.report]


@each
def test_the_twin_is_green(demo, twins):
    skip_what_cannot_be_shown(demo)
    assert {outcome.outcome for outcome in twins[demo.name]} == {"passed"}, twins[demo.name]


OTHER = os.environ.get("HEISENLAB_OTHER_HYPOTHESIS", "")
"""A folder with version 6.149.0, as `pip install --no-deps --target FOLDER hypothesis==6.149.0` makes it."""


def test_the_blob_dies_with_the_version_and_the_plan_does_not(tmp_path, plain, twins):
    assert [ran["reproduce_failure"][0].outcome for ran in (plain, twins)] == ["failure", "passed"]
    if not OTHER:
        pytest.skip(
            "HEISENLAB_OTHER_HYPOTHESIS names no folder with Hypothesis 6.149.0, which wrote the blob"
        )
    demo = demonstration("reproduce_failure")
    sources = {"by_the_blob": demo.source(), "by_the_plan": demo.twin()}
    there = demos.session(tmp_path, sources, PYTHONPATH=OTHER)
    assert [there[name][0] for name in sources] == [demos.Outcome("passed", "")] * 2


@each
def test_in_class_it_prints_what_is_committed(demo, in_class):
    skip_what_cannot_be_shown(demo)
    skip_other_versions()
    committed = (demos.EXPECTED / f"{demo.name}.txt").read_text(encoding="utf-8")
    assert demo.source().strip() in committed
    (failed,) = (outcome for outcome in in_class[demo.name] if outcome.outcome == "failure")
    if demo.name not in ALONE:
        assert demos.normal(failed.report).strip() == demos.failures(committed)


@pytest.mark.parametrize("name", ALONE)
def test_the_command_prints_what_is_committed(name):
    skip_other_versions()
    ran = demos.shown(name)
    assert ran.returncode == 1, ran.stderr
    assert demos.normal(ran.stdout) + "\n" == (demos.EXPECTED / f"{name}.txt").read_text(encoding="utf-8")


def skip_other_versions():
    made = demos.MADE_WITH.read_text(encoding="utf-8")
    if made != demos.versions():
        pytest.skip(f"made with {made.split()}, and this is {demos.versions().split()}")


class TestCommand:
    def test_the_list_has_a_row_for_each(self, capsys):
        assert main(["demo"]) == 0
        rows = capsys.readouterr().out.splitlines()[1:]
        assert [row.split()[0] for row in rows] == [demo.name for demo in DEMONSTRATIONS]
        assert main(["demo", "--json"]) == 0
        listed = json.loads(capsys.readouterr().out)
        assert [row["idea"] for row in listed] == [demo.idea() for demo in DEMONSTRATIONS]

    def test_the_twin_is_shown_green_and_what_is_changed(self):
        ran = demos.shown("find", "--fixed")
        assert ran.returncode == 0, ran.stdout + ran.stderr
        assert "1 passed" in ran.stdout
        assert re.search(r"^changed  return c_int32\(pointer\).value$", ran.stdout, re.MULTILINE)

    def test_json_holds_all_of_it_and_nothing_else_is_printed(self):
        ran = demos.shown("find", "--json")
        assert ran.returncode == 1
        value = json.loads(ran.stdout)
        assert value["exit_code"] == 1
        assert "0x80000000" in value["output"]
        assert value["source"] in material.demos()["find"].read_text(encoding="utf-8")

    @pytest.mark.parametrize(
        ("words", "says"), [(["nonsense"], "there is no demonstration 'nonsense'; there are given, "),
                            (["--fixed"], "--fixed needs the name of a demonstration")]
    )  # fmt: skip
    def test_what_makes_no_sense_is_2_in_one_line(self, words, says, capsys):
        assert main(["demo", *words]) == 2
        err = capsys.readouterr().err
        assert says in err
        assert err.count("\n") == 1
