"""The pages about the debugger and about the user's own state machine print what they show."""

import io
import re
import shlex

import pytest

from scenarios.lab.commands import main
from tests.docs.test_documentation import ROOT, code

DEBUGGER = ROOT / "docs/guide/debugger.md"
STATE_MACHINES = ROOT / "docs/guide/state_machines.md"


def test_the_ten_lines_print_what_the_page_shows(capsys):
    pytest.importorskip("transitions", reason="the library transitions is not installed")
    exec(compile(code(STATE_MACHINES, "python")[0], "state_machines.md", "exec"), {})
    assert capsys.readouterr().out == code(STATE_MACHINES, "text")[0]


def test_the_machine_of_ones_own_and_its_tests_do_what_the_page_says():
    names = {}
    for block in code(STATE_MACHINES, "python")[1:]:
        if "sqlalchemy" in block:
            continue
        exec(compile(block, "state_machines.md", "exec"), names)
    assert {parameter.id for parameter in names["CASES"]} >= {"code-00000011", "RUN-bit2", "INIT-bit7"}
    for parameter in names["CASES"]:
        names["test_no_flip_is_the_end"](*parameter.values)


def test_the_column_of_sqlalchemy_does_what_the_page_says():
    pytest.importorskip("sqlalchemy", reason="the library sqlalchemy is not installed")
    (block,) = [block for block in code(STATE_MACHINES, "python") if "sqlalchemy" in block]
    exec(compile(block, "state_machines.md", "exec"), {})


def test_every_verdict_is_explained():
    from simulations.live.state_machines import Verdict

    assert re.findall(r"^\| `(.*?)` \| ", STATE_MACHINES.read_text(), re.MULTILINE) == [
        one.value for one in Verdict
    ]


@pytest.mark.parametrize("number", [0, 1])
def test_the_sessions_print_what_the_page_shows(monkeypatch, capsys, number):
    line = [line for line in DEBUGGER.read_text().splitlines() if line.startswith("$ printf")][number]
    typed, command = line.removeprefix("$ ").split(" | heisenlab ")
    text = shlex.split(typed)[1].replace("\\n", "\n")
    monkeypatch.setattr("sys.stdin", io.StringIO(text))
    assert main(shlex.split(command)) == 0
    assert capsys.readouterr().out == code(DEBUGGER, "text")[number]


def test_the_debugger_in_python_runs():
    names = {}
    exec(compile(code(DEBUGGER, "python")[0], "debugger.md", "exec"), names)
    assert names["again"].final.clock == 5
