"""What a command writes is there whole or not at all, wherever the disk is full or Ctrl-C comes."""

import errno
import json
import os
from pathlib import Path

import pytest

from scenarios.lab.commands import main
from scenarios.lab.hunt import hunt
from scenarios.truncated_pointer import SCENARIO

WRITING = {
    "export": ("export", "finding.json", "-o", "test_it.py"),
    "report": ("report", "finding.json", "-o", "page.html"),
    "causality": ("causality", "finding.json", "--svg", "curve.svg", "--html", "curve.html"),
    "learn": ("learn", "course"),
    "learn into a folder that is there": ("learn", "there"),
    "new": ("new", "lost-update"),
}
FOUND = hunt("truncated-pointer", verify=False, searcher="exhaustive").finding
CASES = [(name, 0) for name in WRITING] + [(name, 9) for name in WRITING if name.startswith("learn")]


@pytest.fixture
def in_a_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    FOUND.save("finding.json")
    Path("there").mkdir()
    Path("there", "mine").write_text("mine")


RACE = """
class Account:
    balance = 0

    def deposit(self):
        seen = self.balance
        self.balance = seen + 1

setup = Account
workers = [lambda account: account.deposit()] * 2
def check(account):
    assert account.balance == 2
"""
KEEPING = {
    "threads": ("threads", "run", "race.py", "--json"),
    "causality": ("causality", "finding.json", "--json"),
    "isolate": ("isolate", "finding.json", "--json"),
    "compare": ("compare", "toy", "--searcher", "exhaustive", "--hunts", "1", "--workers", "1", "--json"),
    "assumptions": ("assumptions", "truncated-pointer", "--json"),
    "assumptions broken": ("assumptions", "truncated-pointer", "--break", "NAME", "--json"),
    "hunt": ("hunt", "toy", "--searcher", "random", "--json"),
    "seeds": ("hunt", "toy", "--searcher", "exhaustive", "--seeds", "2", "--workers", "1", "--json"),
}
DRAWING = {"threads", "causality", "isolate", "compare"}
NOTING = {*KEEPING} - {"threads"}


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no disk that is always full")
@pytest.mark.usefixtures("in_a_folder", "toy_installed")
@pytest.mark.parametrize(
    ("name", "option"),
    [*((name, "--svg") for name in sorted(DRAWING)), *((name, "--journal") for name in sorted(NOTING))],
)
def test_a_disk_that_is_full_takes_no_result_away(name, option, monkeypatch, capsys):
    """What the command found is printed, whatever else it was to be written into."""
    Path("race.py").write_text(RACE)
    breakable = next(each.name for each in SCENARIO.assumptions if each.broken is not None)
    if option == "--svg":
        monkeypatch.setattr(os, "fsync", refusing(0, OSError(errno.ENOSPC, "No space left"), os.fsync))
    words = [breakable if word == "NAME" else word for word in KEEPING[name]]
    assert main([*words, option, "drawn.svg" if option == "--svg" else "/dev/full"]) == 2
    out, err = capsys.readouterr()
    assert json.loads(out)
    assert err.count("\n") == 1
    assert "cannot write" in err


def contents():
    return {str(path): path.is_file() and path.read_bytes() for path in Path().rglob("*")}


def refusing(at, error, real):
    """Stand for a function of the system that raises at its call number `at`, counted from 0."""
    calls = []

    def refused(*args, **options):
        calls.append(args)
        if len(calls) == at + 1:
            raise error
        return real(*args, **options)

    return refused


@pytest.mark.parametrize(("name", "at"), CASES)
@pytest.mark.parametrize("error", [OSError(errno.ENOSPC, "No space left"), KeyboardInterrupt()], ids=repr)
def test_nothing_of_it_stays_where_it_cannot_be_finished(name, at, error, in_a_folder, monkeypatch):
    before = contents()
    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", refusing(at, error, os.fsync))
        patched.setattr(Path, "write_text", refusing(at, error, Path.write_text))
        assert main(WRITING[name]) == (2 if isinstance(error, OSError) else 130)
    assert contents() == before
    assert main(WRITING[name]) == 0  # nothing of it is in the way
