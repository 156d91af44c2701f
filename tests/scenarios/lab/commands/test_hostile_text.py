"""Text of a file or of a user's program never steers a terminal, whatever shows it."""

import dataclasses
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scenarios.lab.commands import main
from scenarios.lab.finding import load
from simulations.errors import LabError
from simulations.terminal_text import printable, printable_lines, shortened, shown
from tests.scenarios.lab import toy

HOSTILE = "\x1b]0;owned\x07\x1b[2J\x9b31m\u202e\u2066\u200b\u2060\ufeff\u2028\r\x08\x7f\U000e0041"


@given(st.text() | st.text(st.characters(categories=["Cc", "Cf", "Cs", "Zl", "Zp"])))
def test_what_is_printable_steers_nothing_and_says_what_was_there(text):
    said = printable(text)
    assert said.isprintable()
    assert printable(said) == said
    assert not text.isprintable() or said == text
    assert printable_lines(text).count("\n") == text.count("\n")


@given(st.text(min_size=300), st.integers(10, 200))
def test_a_value_is_shortened(text, most):
    assert len(shortened(text, most)) == most
    assert len(shown(text)) <= 200


PROGRAM = f"""
HOSTILE = {HOSTILE!r}

class Box:
    def __init__(self):
        self.value = 0
        self.mode = "a"

    def go(self):
        if self.mode not in ("a", "b"):
            raise ValueError(HOSTILE)
        self.mode = "b"

def lost(box):
    seen = box.value
    box.value = seen + 1

lost.__name__ = HOSTILE
setup = Box
workers = {{HOSTILE: lost, "other": lost}}
def check(box):
    assert box.value == 2, HOSTILE
"""


@pytest.fixture
def program_file(tmp_path):
    path = tmp_path / "program.py"
    path.write_text(PROGRAM)
    return str(path)


@pytest.fixture
def hostile(tmp_path, toy_installed):
    """The finding of a stranger, whose every free text is hostile."""
    path = tmp_path / "finding.json"
    assert main(["hunt", "toy", "-o", str(path)]) == 1
    texts = dict.fromkeys(("plan_in_words", "message", "searcher", "verified"), HOSTILE)
    finding = dataclasses.replace(load(path), **texts, fingerprint={HOSTILE: HOSTILE})
    path.write_text(finding.to_text())
    return str(path)


def shows_nothing_hostile(captured):
    shown = captured.out + captured.err
    assert shown
    assert all(character.isprintable() or character == "\n" for character in shown), ascii(shown)


@pytest.mark.parametrize("options", [[], ["--trace"], ["--json"], ["--bisect"]])
def test_replay(hostile, capsys, options):
    capsys.readouterr()
    main(["replay", hostile, *options])
    shows_nothing_hostile(capsys.readouterr())


def test_replay_prints_the_words_of_the_run_and_says_that_the_file_has_others(hostile, capsys):
    capsys.readouterr()
    main(["replay", hostile])
    lines = [line.split(maxsplit=1) for line in capsys.readouterr().out.splitlines()]
    assert ["plan", "everything nominal, except: b spills at step 1"] in lines
    assert any("the plan reads otherwise" in line[1] for line in lines)


@pytest.mark.parametrize("command", [["list"], ["show", "strange"], ["hunt", "strange"], ["step", "strange"]])
def test_a_scenario_of_another_distribution(monkeypatch, capsys, command):
    from scenarios.lab import catalogue
    from scenarios.lab.commands import list_scenarios, show, step
    from scenarios.lab.hunt import hunt

    assert callable(hunt)

    def run(office, errands, chooser):
        day = toy.run(office, errands, chooser)
        day.trace.record(9, HOSTILE, HOSTILE, HOSTILE)
        return day

    def nothing_is_stained(day):
        """Nothing is ever stained."""
        assert not day.stains, HOSTILE

    story = dataclasses.replace(toy.STORY, who=HOSTILE, lesson=HOSTILE)
    scenario = dataclasses.replace(
        toy.SCENARIO, name="strange", title=HOSTILE, story=story, run=run, phrase=lambda point: HOSTILE,
        properties=(nothing_is_stained, *toy.SCENARIO.properties[1:]), hidden_input=HOSTILE,
    )  # fmt: skip
    for module in (catalogue, list_scenarios, show, step, __import__("scenarios.lab.hunt").lab.hunt):
        if hasattr(module, "get"):
            monkeypatch.setattr(module, "get", lambda name: scenario)
        if hasattr(module, "catalogue") and callable(module.catalogue):
            monkeypatch.setattr(module, "catalogue", lambda: {"strange": scenario})
    monkeypatch.setattr("sys.stdin", __import__("io").StringIO("step\nchoices\nplan\nhelp\n"))
    main(command)
    shows_nothing_hostile(capsys.readouterr())


def test_threads(program_file, capsys):
    main(["threads", "run", program_file])
    shows_nothing_hostile(capsys.readouterr())


@pytest.mark.parametrize("options", [[], ["--json"]])
def test_machine(program_file, capsys, options):
    words = ["--field", "mode", "--states", "a,b", "--events", "go", "--width", "2", *options]
    main(["machine", "examine", f"{program_file}:Box", *words])
    captured = capsys.readouterr()
    shows_nothing_hostile(captured)
    assert not options or json.loads(captured.out)


def test_an_error_in_the_users_code_and_an_argument(tmp_path, capsys):
    path = tmp_path / "raises.py"
    path.write_text(f"raise ValueError({HOSTILE!r})")
    assert main(["threads", "run", str(path)]) == 2
    assert main(["hunt", HOSTILE]) == 2
    assert main(["list", HOSTILE]) == 2
    shows_nothing_hostile(capsys.readouterr())


def test_a_process_with_a_hostile_name(capsys, monkeypatch):
    memory = pytest.importorskip("scenarios.lab.commands.memory")
    region = memory.Region(memory.Span(4096, 8192), "r--p", 0, f"/lib/{HOSTILE}")
    monkeypatch.setattr(memory, "read_layout", lambda pid: [region])
    assert main(["memory", "map"]) == 0
    shows_nothing_hostile(capsys.readouterr())


def test_a_line_of_the_laboratory(capsys, monkeypatch):
    from scenarios.lab.commands import list_scenarios

    def raises(args):
        raise LabError(HOSTILE)

    monkeypatch.setattr(list_scenarios, "run", raises)
    assert main(["list"]) == 2
    captured = capsys.readouterr()
    assert captured.err.count("\n") == 1
    shows_nothing_hostile(captured)
