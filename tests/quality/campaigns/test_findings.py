import contextlib
import functools
import json
import sys
from pathlib import Path

import pytest

from scenarios.lab import finding
from scenarios.lab.commands import display
from simulations.choices import Plan
from tests.quality.campaigns.campaign import End
from tests.quality.campaigns.findings import Guard, campaign, true_findings, usable

GUARD = Guard()


def test_what_a_stranger_sends_is_one_line_or_a_result():
    tally = campaign(0, 60, guard=GUARD)
    assert tally.clean, str(tally)
    assert tally.ends[End.ONE_LINE]
    assert tally.ends[End.RESULT]


@pytest.mark.parametrize(
    ("owner", "name", "planted"),
    [
        (finding, "checked", lambda body: {**body, "plan": Plan.from_json(body["plan"])}),
        (display, "printable", lambda text: text),
    ],
    ids=["no field checked", "text as it is"],
)
def test_a_planted_fault_is_found(monkeypatch, owner, name, planted):
    monkeypatch.setattr(owner, name, planted)
    assert not campaign(2, 1000, guard=GUARD, to_first_fault=True).clean


def test_lists_that_lie_too_deep_in_each_other_are_found():
    def reads_any_depth(words):
        with contextlib.suppress(ValueError):
            json.loads(Path(words[-1]).read_bytes())
        sys.stderr.write("heisenlab: refused\n")
        return 2

    command = functools.partial(only_files, reads_any_depth)
    assert campaign(0, 400, command, GUARD, to_first_fault=True).ends[End.TRACEBACK]


def test_a_value_that_is_taken_in_spite_of_its_type_is_found():
    tally = campaign(0, 100, lambda words: 1, GUARD, to_first_fault=True)
    assert "of another type" in tally.faults[0], str(tally)


def only_files(command, words):
    """Call a command with the file alone, whatever the words say besides."""
    return command([word for word in words if word.endswith(".json")])


def test_code_that_a_finding_has_run_is_noticed(tmp_path):
    def runs_code(words):
        (tmp_path / "canary").write_text("ran")
        return 0

    tally = campaign(0, 3, runs_code, GUARD)
    assert set(tally.ends) == {End.CODE_RUN}


def test_the_findings_that_are_mutated_are_true():
    assert all(map(usable, true_findings()))
