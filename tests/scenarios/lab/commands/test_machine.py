"""`heisenlab machine` as its user meets it."""

import json
import sys

import pytest

from scenarios.lab.commands import main
from simulations.live.state_machines import examine

VALVE = """
from enum import IntEnum


class Mode(IntEnum):
    SHUT = 0
    OPENING = 1
    OPEN = 2


class Valve:
    def __init__(self):
        self.mode = Mode.SHUT

    def go(self):
        self.mode = {Mode.SHUT: Mode.OPENING, Mode.OPENING: Mode.OPEN}.get(self.mode, self.mode)

    def reset(self):
        self.mode = Mode.SHUT


class Loud(Valve):
    def go(self):
        print("go")
        super().go()


class Named(Valve):
    def __init__(self):
        self.mode = "shut"

    def go(self):
        self.mode = {"shut": "open", "open": "shut"}[self.mode]

    def slam(self):
        self.mode = "shut"


class Counter:
    def __init__(self):
        self.mode = 0

    def go(self):
        self.mode = self.mode + 1 if self.mode > 1 else 1 - self.mode


def broken():
    raise OSError("no\\ndevice")
"""
OWN = ["--field", "mode", "--states-from", "Mode", "--events", "go", "--width", "2"]


@pytest.fixture(autouse=True)
def valve(tmp_path, monkeypatch):
    (tmp_path / "valve.py").write_text(VALVE)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    yield
    sys.modules.pop("valve", None)
    sys.modules.pop("_heisenlab_valve", None)


def test_a_dead_end_is_1_and_prints_what_examine_prints(capsys):
    assert main(["machine", "examine", "valve.py:Valve", *OWN]) == 1
    printed = capsys.readouterr().out
    module = sys.modules["valve"]
    report = examine(module.Valve, field="mode", states=module.Mode, events=["go"], width=2)
    assert printed.endswith(f"{report}\n")
    assert "?11          dead end" in printed


@pytest.mark.parametrize("module", ["valve", "valve.py"])
def test_a_machine_that_always_comes_back_is_0(module, capsys):
    assert main(["machine", "examine", f"{module}:Valve", *OWN, "--reset", "reset"]) == 0
    assert "1 only reset" in capsys.readouterr().out


def test_undecided_is_3(capsys):
    words = ["--field", "mode", "--states", "0,1", "--events", "go", "--width", "2", "--patience", "100"]
    assert main(["machine", "examine", "valve.py:Counter", *words]) == 3
    assert "undecided" in capsys.readouterr().out


def test_json_is_one_object_without_what_the_machine_prints(capsys):
    assert main(["machine", "examine", "valve.py:Loud", *OWN, "--json"]) == 1
    captured = capsys.readouterr()
    data = json.loads(captured.out)
    assert data["states"] == [["SHUT", 0], ["OPENING", 1], ["OPEN", 2]]
    assert [probe["verdict"] for probe in data["codes"]] == ["dead end"]
    assert captured.err.startswith("go\n")


def test_states_may_be_texts_or_numbers(capsys):
    words = ["--field", "mode", "--events", "go,slam", "--json", "--width", "2"]
    assert main(["machine", "examine", "valve.py:Named", *words, "--states", "shut,open"]) == 0
    assert json.loads(capsys.readouterr().out)["states"] == [["shut", 0], ["open", 1]]
    assert not main(
        ["machine", "examine", "valve.py:Counter", *words[:2], "--events", "go", "--states", "0,0b1"]
    )
    assert "Counter.mode: 2 states in 1 bits (0 0, 1 1)" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["valve.py:Nothing"], "valve.py has no 'Nothing'; it defines IntEnum, Mode, Valve"),
        (["valve.py:broken"], "broken raises OSError: no device ("),
        (["valve.py:Mode"], "Mode raises TypeError: "),
        (["nowhere.py:x"], "there is no file nowhere.py"),
        (["nowhere.at.all:x"], "there is no module nowhere.at.all"),
        (["9:x"], "'9' is neither a file that ends in .py nor the name of a module"),
        (["needs:x"], "needs cannot be imported: ModuleNotFoundError: No module named 'not_there' ("),
        (["valve:Valve"], "say which field holds the state"),
        (["valve:Valve", *OWN[:-1], "1"], "does not fit 1 bit"),
        (["valve:Valve", *OWN, "--patience", "0"], "an event is sent at least once, not 0 times"),
    ],
)
def test_what_cannot_be_examined_is_2_with_one_line(tmp_path, words, says, capsys):
    (tmp_path / "needs.py").write_text("import not_there\n")
    assert main(["machine", "examine", *words]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert says in captured.err
    assert captured.err.count("\n") == 1


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["examine"],
        ["examine", "valve.py"],
        ["examine", "valve.py:"],
        ["examine", "valve.py:Valve", "--states", "a", "--states-from", "b"],
        ["examine", "valve.py:Valve", "--width", "x"],
    ],
)
def test_wrong_arguments_are_2_with_the_usage(words, capsys):
    assert main(["machine", *words]) == 2
    err = capsys.readouterr().err
    assert err.startswith("usage: heisenlab machine")
    assert err.splitlines()[-1].startswith("heisenlab machine")
