"""Text of a file or of a user's program never steers a terminal, whatever shows it."""

import ast
import dataclasses
import io
import json
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scenarios.lab import commands
from scenarios.lab.commands import main
from scenarios.lab.commands.bisect_display import print_result
from scenarios.lab.finding import load
from scenarios.lab.hunt import hunt as lab_hunt
from scenarios.lab.method.bisect import Answer, Question
from simulations.errors import LabError
from simulations.terminal_text import printable, printable_lines, shortened, shown
from tests.scenarios.lab.strange import HOSTILE, SCENARIO


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


STRANGE = lab_hunt(SCENARIO, searcher="exhaustive", verify=False).finding


@pytest.fixture
def strange(tmp_path, monkeypatch, install_entry):
    """A scenario that another distribution brings, and a finding of it."""
    install_entry("strange = tests.scenarios.lab.strange:SCENARIO")
    monkeypatch.chdir(tmp_path)
    STRANGE.save("finding.json")
    monkeypatch.setattr("sys.stdin", io.StringIO("step\nchoices\nplan\nhelp\n"))


FEW = ("--searcher", "exhaustive", "--workers", "1")
ON_A_STRANGER = {
    "hunt": ("hunt", "strange", "--searcher", "exhaustive", "-o", "found.json"),
    "list": ("list",),
    "list --reveal": ("list", "--reveal"),
    "show": ("show", "strange"),
    "show --reveal": ("show", "strange", "--reveal"),
    "show --json": ("show", "strange", "--reveal", "--json"),
    "replay --json": ("replay", "finding.json", "--trace", "--json"),
    "step": ("step", "strange"),
    "step in a finding": ("step", "strange", "finding.json"),
    "replay": ("replay", "finding.json", "--trace"),
    "explain": ("explain", "finding.json"),
    "export": ("export", "finding.json"),
    "mark": ("mark", "finding.json"),
    "report": ("report", "finding.json", "-o", "page.html"),
    "causality": ("causality", "finding.json", "--svg", "curve.svg", "--html", "page.html"),
    "isolate": ("isolate", "finding.json"),
    "compare": ("compare", "strange", "--hunts", "2", *FEW),
    "hunt --seeds": ("hunt", "strange", "--seeds", "2", *FEW),
    "assumptions": ("assumptions", "strange"),
}


@pytest.mark.parametrize("command", ON_A_STRANGER)
def test_a_scenario_of_another_distribution(strange, capsys, tmp_path, command):
    main(ON_A_STRANGER[command])
    shows_nothing_hostile(capsys.readouterr())
    for drawn in (*tmp_path.glob("*.html"), *tmp_path.glob("*.svg")):
        text = drawn.read_bytes().decode()
        assert all(character.isprintable() or character == "\n" for character in text), ascii(text)


OURS = {"__init__.py", "display.py", "demo.py", "export.py"}
"""What prints words that were made printable before, or are those of the laboratory, or source code."""
MADE_PRINTABLE = {"printable", "printable_lines", "dumps"}


def unchecked(printed):
    """Return whether what is printed may hold words of a file or of a user's program as they are."""
    if isinstance(printed, ast.IfExp):
        return unchecked(printed.body) or unchecked(printed.orelse)
    if isinstance(printed, ast.Call):
        function = printed.func
        name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
        return name not in MADE_PRINTABLE
    return not isinstance(printed, ast.Constant)


@pytest.mark.parametrize(
    "path", sorted(Path(commands.__file__).parent.glob("*.py")), ids=lambda path: path.name
)
def test_a_command_prints_no_words_as_they_are(path):
    calls = [each for each in ast.walk(ast.parse(path.read_text())) if isinstance(each, ast.Call)]
    prints = [each for each in calls if getattr(each.func, "id", "") == "print"]
    wrong = [ast.unparse(each) for each in prints if any(map(unchecked, each.args))]
    assert not wrong or path.name in OURS, wrong


@pytest.mark.parametrize("answer", Answer)
def test_the_subject_of_a_commit(answer, capsys):
    repository = SimpleNamespace(subject=lambda commit: HOSTILE)
    seen = SimpleNamespace(
        answer=answer, commits=("a" * 40,), counted={"a" * 40: (1, 2)}, skipped={"b" * 40: HOSTILE},
        posterior=0.5, failed=1, runs_there=2, before=0, runs=3, versions=2,
    )  # fmt: skip
    question = Question(good=HOSTILE, bad=HOSTILE, command=(HOSTILE,), signature=HOSTILE)
    print_result(repository, question, seen)
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
