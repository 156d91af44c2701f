"""Commands of a lesson run in a folder of its own, with the lab and the Python of the lesson."""

import os
import sys

import pytest

from scenarios.lab.teaching import terminal
from scenarios.lab.teaching.terminal import Terminal
from simulations.errors import LabError


def test_a_command_runs_in_the_folder_and_its_path_is_not_shown():
    shell = Terminal()
    shell.write("sub/say.py", "import os, sys; print(os.getcwd(), os.environ['STAGE']); sys.exit(3)")
    ran = shell.run("python say.py", at="sub", STAGE="production")
    assert (ran.status, str(ran)) == (3, "~/sub production")


def test_python_is_that_of_the_lesson():
    assert Terminal().run("python -c 'import sys; print(sys.executable)'").text == sys.executable


def test_heisenlab_is_that_of_the_lesson():
    assert "invalid-mode" in Terminal().run("heisenlab list").text


@pytest.mark.parametrize("order", [("one", "two"), ("two", "one")])
def test_modules_are_looked_for_on_the_path_that_is_given(order):
    shell = Terminal()
    for name in order:
        shell.write(f"{name}/which_one.py", f"print({name!r})")
    assert shell.run("python -c 'import which_one'", path=order).text == order[0]


def test_a_file_keeps_its_time_where_that_is_wanted():
    shell = Terminal()
    before = shell.write("file.py", "1").stat().st_mtime_ns
    os.utime(shell.folder / "file.py", ns=(before, before - 10**10))
    assert shell.write("file.py", "2", keep_time=True).stat().st_mtime_ns == before - 10**10
    assert shell.write("file.py", "3").stat().st_mtime_ns > before - 10**10


def test_what_is_printed_on_the_error_stream_is_kept():
    ran = Terminal().run("python -c 'raise SystemExit(\"no\")'")
    assert (ran.status, ran.text) == (1, "no")


def test_what_the_reader_has_set_changes_nothing(monkeypatch):
    for name in ("GIT_DIR", "PYTEST_ADDOPTS", "PYTHONSAFEPATH", "PYTHONOPTIMIZE", "SOURCE_DATE_EPOCH"):
        monkeypatch.setenv(name, "1")
    shell = Terminal()
    shell.write("beside.py", "")
    said = shell.run("python -c 'import os, beside; assert False, sorted(os.environ)'")
    assert said.status == 1
    assert "AssertionError" in said.text
    assert not any(name in said.text for name in ("GIT_DIR", "ADDOPTS", "SAFEPATH", "SOURCE_DATE"))


def test_the_folder_goes_with_the_terminal():
    shell = Terminal()
    folder = shell.folder
    assert folder.is_dir()
    del shell
    assert not folder.exists()


@pytest.mark.parametrize("path", ["../out.txt", "/out.txt", "a/../../out.txt"])
def test_nothing_is_written_outside(path):
    with pytest.raises(LabError, match="inside"):
        Terminal().write(path, "")


def test_what_cannot_run_says_so(monkeypatch):
    with pytest.raises(LabError, match="there is no nosuchprogram here"):
        Terminal().run("nosuchprogram")
    monkeypatch.setattr(terminal, "SECONDS_MAX", 0.2)
    with pytest.raises(LabError, match="took longer"):
        Terminal().run("python -c 'import time; time.sleep(60)'")


def test_where_there_are_no_programs_a_command_says_what_it_needs(monkeypatch):
    monkeypatch.setattr(sys, "platform", "emscripten")
    with pytest.raises(LabError, match="git status needs a computer of your own"):
        Terminal().run("git status")
