"""A file that the user names and that is none of ours: one line for each, whichever command reads it."""

import argparse
import sys
from importlib import import_module
from pathlib import Path

import pytest

from scenarios.lab.commands import COMMANDS, main
from scenarios.lab.commands.command import file_name, file_path
from scenarios.lab.hunt import hunt

READING = {
    "replay": ("replay", "FILE"),
    "explain": ("explain", "FILE"),
    "causality": ("causality", "FILE"),
    "isolate": ("isolate", "FILE"),
    "report": ("report", "FILE", "-o", "page.html"),
    "mark": ("mark", "FILE"),
    "export": ("export", "FILE", "-o", "test_it.py"),
    "step": ("step", "toy", "FILE", "--json"),
    "journal": ("journal", "FILE"),
    "hunt --state": ("hunt", "toy", "--state", "FILE"),
    "compare --state": ("compare", "toy", "--state", "FILE"),
}
HOSTILE = "a\x1b[31m\u202eb"
OTHERS = {
    "threads": ("threads", "run", "FILE.py"),
    "machine": ("machine", "examine", "FILE.py:Valve"),
    "record show": ("record", "show", "FILE"),
    "bisect": ("bisect", "-C", "FILE", "--good", "a", "--bad", "b", "--", "true"),
    "bisect --state": ("bisect", "--state", "FILE", "--good", "a", "--bad", "b", "--", "true"),
    "bisect --at": ("bisect", "toy", "--at", "FILE"),
    "docs": ("docs", "FILE", "--no-browser"),
    "new": ("new", "lost-update", "--at", "FILE"),
    "learn": ("learn", "FILE"),
    "export -o": ("export", "finding.json", "-o", "FILE"),
    "report -o": ("report", "finding.json", "-o", "FILE"),
    "causality --svg": ("causality", "finding.json", "--svg", "FILE"),
    "hunt --journal": ("hunt", "toy", "--journal", "FILE"),
    "memory --report": ("memory", "run", "--report", "FILE", "--", "true"),
}
FOUND = hunt("truncated-pointer", verify=False, searcher="exhaustive").finding
NO_NAMES = {
    "too long": "x" * 300,
    "through a file": "plain/x",
    "through a link to itself": "loop/x",
    "longer than any path": "x/" * 3000,
}


@pytest.fixture
def named(tmp_path, monkeypatch, toy_installed):
    monkeypatch.chdir(tmp_path)

    def make(kind):
        path = Path(HOSTILE if kind == "a hostile name" else "file")
        if kind == "endless":
            path.symlink_to("/dev/zero")
        elif kind == "a folder":
            path.mkdir()
        elif kind == "nested beyond measure":
            path.write_text("[" * 100_000 + "\n")
        else:
            path.write_bytes(b"\xff\x00\x1b[31m\n")
        return str(path)

    return make


@pytest.mark.parametrize("kind", ["a hostile name", "endless", "a folder", "nested beyond measure", "bytes"])
@pytest.mark.parametrize("words", READING.values(), ids=READING)
def test_is_refused_in_one_line(words, kind, named, capsys):
    if kind == "endless" and not Path("/dev/zero").exists():
        pytest.skip("there is no /dev/zero")
    file = named(kind)
    assert main([file if word == "FILE" else word for word in words]) == 2
    out, err = capsys.readouterr()
    shown = out + err
    assert all(character.isprintable() or character == "\n" for character in shown), ascii(shown)
    if words[0] != "mark":  # it prints a row for each
        assert (out, err.count("\n")) == ("", 1)
    assert not Path("page.html").exists()


@pytest.mark.skipif(sys.platform == "win32", reason="what a name can be is another thing there")
@pytest.mark.parametrize("kind", NO_NAMES)
@pytest.mark.parametrize("words", {**READING, **OTHERS}.values(), ids={**READING, **OTHERS})
def test_what_no_file_can_be_called_is_one_line(words, kind, named, capsys, monkeypatch):
    monkeypatch.setattr("scenarios.lab.commands.memory.become", lambda *_, **options: 0)  # not this process
    Path("plain").write_text("x")
    Path("loop").symlink_to("loop")
    FOUND.save("finding.json")
    before = {*Path().rglob("*")}
    name = NO_NAMES[kind]
    assert main([word.replace("FILE", name) for word in words]) == 2
    out, err = capsys.readouterr()
    assert out == "" or words[0] == "mark"
    assert len([line for line in err.splitlines() if line.startswith("heisenlab")]) == (words[0] != "mark")
    assert "Traceback" not in err
    assert {*Path().rglob("*")} == before


@pytest.mark.skipif(not Path("/dev/null").exists(), reason="there is no /dev/null")
def test_a_state_file_that_is_empty_and_no_file_stays_what_it_is(tmp_path, toy_installed, capsys):
    (tmp_path / "state").symlink_to("/dev/null")
    words = ("compare", "toy", "--searcher", "exhaustive", "--hunts", "1", "--workers", "1")
    assert main([*words, "--state", str(tmp_path / "state")]) == 0
    assert (tmp_path / "state").is_symlink()


NAMING = {"FILE", "DIR", "FINDING", "RESULT"}
KEPT_FROM_NO_JOB = {("record", "output"), ("record", "log")}
"""Where an empty name is as if it had not been given, since a recorder keeps no job from running."""


def arguments_of(parser):
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for inner in action.choices.values():
                yield from arguments_of(inner)
        else:
            yield action


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.name)
def test_every_name_of_a_file_is_one(command):
    parser = argparse.ArgumentParser()
    import_module(f"scenarios.lab.commands.{command.module}").add_arguments(parser)
    naming = [each for each in arguments_of(parser) if each.metavar in NAMING]
    unchecked = {(command.name, each.dest) for each in naming if each.type not in {file_name, file_path}}
    assert unchecked <= KEPT_FROM_NO_JOB


@pytest.mark.parametrize(
    "words", [["hunt", "toy", "-o", ""], ["learn", ""], ["replay", ""], ["mark", "a", ""]]
)
def test_an_empty_name_is_refused_before_anything_is_done(words, named, capsys):
    assert main(words) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.endswith("an empty text names no file\n")
    assert not list(Path().iterdir())
