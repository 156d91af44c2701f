"""A finding as a bug report and as a regression test; what it holds stays data."""

import ast
import dataclasses
import json
import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import scenarios
from scenarios.lab.commands import main
from scenarios.lab.finding import from_json
from scenarios.lab.hunt import hunt
from scenarios.lab.method.explain import explain, export
from tests.scenarios.lab import toy


def found(scenario, variant="as-shipped"):
    return hunt(scenario, variant, searcher="exhaustive", verify=False).finding


STAINED = found(toy.SCENARIO)


@pytest.mark.parametrize("scenario", scenarios.catalogue().values(), ids=lambda each: each.name)
def test_every_bug_is_explained(scenario):
    finding = found(scenario)
    text = explain(finding, saved_as="a finding.json", scenario=scenario)
    for part in (finding.by, finding.digest, "$ heisenlab replay 'a finding.json'", "At event ", "python "):
        assert part in text
    assert "reproduced, identical" in text
    assert text.count("```text") == 4


NASTY = "``` **x** <b> | [a](b) `c` \n# d ''' \"\"\" \\ {0} \u2028 é"


@settings(deadline=None, max_examples=50)
@given(st.text() | st.just(NASTY))
def test_what_a_finding_holds_never_becomes_markdown_or_code(text):
    finding = dataclasses.replace(STAINED, message=text, plan_in_words=text, by=text, searcher=text)
    report = explain(finding, saved_as="f.json", scenario=toy.SCENARIO)
    assert [line for line in report.splitlines() if line.startswith("#")] == [
        report.splitlines()[0],
        "## Where it parts from the nominal run",
        "## What happened around it",
        "## What it was found with",
        "## Replay",
    ]
    test = export(finding)
    tree = ast.parse(test)
    assert [type(each).__name__ for each in tree.body] == [
        *("Expr", "Import", "ImportFrom", "ImportFrom", "ImportFrom", "Assign", "Assign", "FunctionDef")
    ]
    assert test.isascii()
    literal = ast.literal_eval(tree.body[6].value)
    assert from_json(json.loads(literal)) == finding


@pytest.mark.usefixtures("toy_installed")
class TestExport:
    @pytest.fixture
    def saved(self, tmp_path):
        path = tmp_path / "finding.json"
        STAINED.save(path)
        return path

    def outcome(self, path):
        names = {}
        exec(compile(path.read_text(), str(path), "exec"), names)
        (test,) = [value for name, value in names.items() if name.startswith("test_")]
        try:
            test()
        except AssertionError as error:
            return str(error)
        return "green"

    def test_it_is_red_before_the_fix_and_green_with_it(self, saved, tmp_path, capsys):
        red, green = tmp_path / "test_red.py", tmp_path / "test_green.py"
        assert main(["export", str(saved), "-o", str(red)]) == 0
        assert main(["export", str(saved), "-o", str(green), "--variant", "fixed"]) == 0
        assert "nothing_is_stained fails: everything nominal, except: b spills" in self.outcome(red)
        assert self.outcome(green) == "green"
        capsys.readouterr()
        assert main(["export", str(saved), "-o", str(red)]) == 2
        assert "exists and is left as it is" in capsys.readouterr().err

    def test_it_prints_the_test_or_json(self, saved, capsys):
        assert main(["export", str(saved)]) == 0
        text = capsys.readouterr().out
        assert "def test_toy_nothing_is_stained():" in text
        assert main(["export", str(saved), "--json"]) == 0
        assert json.loads(capsys.readouterr().out)["test"] == text

    def test_an_unknown_variant_and_a_file_that_is_no_finding_are_one_line(self, saved, tmp_path, capsys):
        assert main(["export", str(saved), "--variant", "none"]) == 2
        (tmp_path / "x").write_text("{}")
        assert main(["explain", str(tmp_path / "x")]) == 2
        assert capsys.readouterr().err.count("\n") == 2


def test_the_test_of_a_story_runs_under_pytest_with_nothing_but_the_lab(tmp_path):
    finding = found(scenarios.get("invalid-mode"))
    (tmp_path / "test_red.py").write_text(export(finding))
    (tmp_path / "test_green.py").write_text(export(finding, variant="recovery"))
    command = [sys.executable, "-m", "pytest", "-q", "-rA", "-p", "no:cacheprovider"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "FAILED test_red.py" in done.stdout
    assert "PASSED test_green.py" in done.stdout
    assert "reset_brings_every_processor_back fails: everything nominal" in done.stdout
