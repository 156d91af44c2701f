"""What a command writes is there whole or not at all, wherever the disk is full or Ctrl-C comes."""

import errno
import os
from pathlib import Path

import pytest

from scenarios.lab.commands import main
from scenarios.lab.hunt import hunt

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
