"""`heisenlab memory` as its user meets it."""

import argparse
import itertools
import json
import os
import re
import shlex
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from scenarios.lab.commands import main
from scenarios.lab.commands.memory import add_arguments
from simulations.live.memory import Filling, run
from simulations.live.memory.errors import RefusedError

ROOT = Path(__file__).parents[4]
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT)}
SPECIMEN = [sys.executable, "-S", "-m", "simulations.live.memory.specimen", "--size", "64"]
TEST_FILE = """
import ctypes
def test_cut():
    libc = ctypes.CDLL(None)
    assert libc.strlen(libc.strdup(b"x" * 64)) == 64
def test_sound():
    pass
"""
FIXTURE_FILE = """
pytest_plugins = ["scenarios.lab.adaptors.memory"]
def test_it_is_filled(low_memory_filled):
    assert low_memory_filled.filled
    assert low_memory_filled.left_open == ()
    lines = open("/proc/self/maps").read().splitlines()
    assert any(" ---p " in line and int(line.split("-")[1].split()[0], 16) <= 4 << 30 for line in lines)
def test_it_is_gone():
    lines = open("/proc/self/maps").read().splitlines()
    assert not any(" ---p " in line and int(line.split("-")[1].split()[0], 16) <= 4 << 30 for line in lines)
"""


def memory(*words, cwd=ROOT, before=()):
    return subprocess.run(
        [*before, sys.executable, "-m", "scenarios.lab.commands", "memory", *words],
        capture_output=True,
        text=True,
        cwd=cwd,
        env=ENVIRONMENT,
        timeout=240,
        stdin=subprocess.DEVNULL,
    )


@pytest.fixture
def _tracing():
    try:
        done = run(["/bin/sh", "-c", "exit 0"], Filling("plain", 0), timeout=120)
    except RefusedError as refused:
        pytest.skip(str(refused))
    if done.returncode == 2:
        pytest.skip(done.stderr.strip())


tracing = pytest.mark.usefixtures("_tracing")
linux = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")


@linux
def test_map_shows_picture_regions_gaps_and_what_is_low():
    done = memory("map", str(os.getpid()))
    assert done.returncode == 0
    assert re.search(r"^ +0 \|.{64}\| 100000000 ", done.stdout)
    assert "[stack]" in done.stdout
    assert "(gap)" in done.stdout
    assert re.search(
        r"^below 2 GiB: .* usable, .* mapped; \d+ gaps?, the largest .*\nbelow 4 GiB: ",
        done.stdout,
        re.MULTILINE,
    )
    assert "\x1b" not in done.stdout


@linux
def test_map_as_json_covers_the_address_space():
    done = json.loads(memory("map", "--json").stdout)
    parts = sorted(
        [(int(r["start"], 16), int(r["end"], 16)) for r in done["regions"]]
        + [tuple(int(x, 16) for x in g) for g in done["gaps"]]
    )
    assert parts[0][0] == 0
    assert all(a[1] == b[0] for a, b in itertools.pairwise(parts))


@linux
@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (["map", "99999999"], "give the number of a running process"),
        (["run"], "no command to run"),
        (["run", "--"], "no command to run"),
        (["run", "--fill", "4X", "--", "true"], "--fill: '4X' is no size"),
        (["run", "--fill", "5000", "--", "true"], "whole number of pages"),
        (["run", "--fill", "0", "--", "true"], "needs a size"),
        (["run", "--detach", "--follow", "--", "true"], "leave out one"),
        (["run", "--reserve", "-1", "--", "true"], "--reserve -1 is negative"),
        (["run", "--report", "/nonexistent/x", "--", "true"], "cannot write the report"),
        (["pytest", "--in-process", "--squeeze", "2G"], "--in-process can only --fill"),
    ],
)
def test_wrong_use_is_refused_in_one_line_with_status_2(words, problem):
    done = memory(*words)
    assert done.returncode == 2
    assert done.stdout == ""
    assert re.fullmatch(r"heisenlab: .*\n", done.stderr), done.stderr
    assert problem in done.stderr


@pytest.mark.parametrize(
    "words", [["run", "--fill", "4G", "--squeeze", "2G", "true"], ["run", "--wrong"], ["map", "x"], []]
)
def test_wrong_arguments_show_the_usage(words, capsys):
    assert main(["memory", *words]) == 2
    assert "usage: heisenlab" in capsys.readouterr().err


@tracing
def test_run_reports_the_crash_after_the_commands_own_words_and_passes_the_signal_on():
    done = memory("run", "--", *SPECIMEN)
    assert done.returncode == -signal.SIGSEGV
    assert done.stdout.startswith("document 1 at ")
    own, report = done.stderr.split("heisenlab: ", 1)
    assert own.startswith("Fatal Python error: Segmentation fault")
    assert re.search(r"cause +0x[0-9a-f]+ is 0x[0-9a-f]+ cut to (un)?signed 32 bits", report)
    assert re.search(r"Python +File .*specimen.py\", line \d+ in open_documents", report)
    assert "coincidence  a random value would be explained with probability" in report


@tracing
def test_run_squeezed_hides_the_bug():
    assert memory("run", "--squeeze", "2G", "--", *SPECIMEN).returncode == 0


@tracing
def test_the_report_goes_to_a_file_or_is_one_line_of_json(tmp_path):
    target = tmp_path / "report.json"
    done = memory("run", "--report", str(target), "--", "sh", "-c", "exit 5")
    assert (done.returncode, done.stdout, done.stderr) == (5, "", "")
    assert json.loads(target.read_text())["exit_status"] == 5
    assert list(tmp_path.iterdir()) == [target]
    done = memory("run", "--json", "--", "sh", "-c", "exit 5")
    (line,) = done.stderr.splitlines()
    assert json.loads(line)["exit_status"] == 5


@tracing
def test_a_command_is_run_where_the_ends_of_children_are_ignored():
    ignoring = ["sh", "-c", 'trap "" CHLD; exec "$@"', "sh"]
    done = memory("run", "--", "sh", "-c", "exit 5", before=ignoring)
    assert (done.returncode, "exit status 5; filled below 4 GiB" in done.stderr) == (5, True)


@pytest.mark.parametrize("detach", [[], ["--detach"]], ids=str)
def test_a_disk_that_takes_no_report_ends_no_command_and_the_report_is_printed(detach):
    command = ["sh", "-c", "sleep 0.1; echo alive; exit 5"]
    done = memory("run", *detach, "--report", "/dev/full", "--", *command)
    assert (done.returncode, done.stdout) == (5, "alive\n")
    assert "heisenlab: cannot write the report: " in done.stderr
    assert "; filled below 4 GiB" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_report_to_something_that_is_no_file_leaves_it_what_it_is(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    assert memory("run", "--report", str(pipe), "--", "sh", "-c", "exit 5").returncode == 5
    assert json.loads(os.read(reader, 1 << 16))["exit_status"] == 5
    os.close(reader)
    assert pipe.is_fifo()
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "target")
    memory("run", "--report", str(link), "--", "sh", "-c", "exit 5")
    assert link.is_symlink()
    assert json.loads((tmp_path / "target").read_text())["exit_status"] == 5


@tracing
def test_the_words_of_the_command_are_its_own(tmp_path):
    done = memory("run", "--fill", "4G", "sh", "-c", 'printf "%s|" "$@"', "x", "--fill", "--", "-h", "")
    assert done.stdout == "--fill|--|-h||"


@tracing
def test_a_test_suite_runs_filled_and_squeezed(tmp_path):
    (tmp_path / "test_it.py").write_text(TEST_FILE)
    words = ["-p", "no:cacheprovider", "-q", str(tmp_path)]
    squeezed = memory("pytest", "--squeeze", "2G", "--", *words, cwd=tmp_path)
    assert squeezed.returncode == 0
    assert "2 passed" in squeezed.stdout
    filled = memory("pytest", "--", *words, cwd=tmp_path)
    assert filled.returncode == -signal.SIGSEGV
    assert re.search(r"cause +0x[0-9a-f]+ is 0x[0-9a-f]+ cut to", filled.stderr)
    assert "in test_cut" in filled.stderr


@linux
def test_a_test_suite_runs_filled_without_ptrace(tmp_path):
    (tmp_path / "test_it.py").write_text(TEST_FILE)
    words = ["-p", "no:cacheprovider", str(tmp_path)]
    done = memory("pytest", "--in-process", "--", *words, cwd=tmp_path)
    assert done.returncode == -signal.SIGSEGV
    assert re.search(r"low memory: \d+ gaps filled, 0 left open", done.stdout)
    sound = memory("pytest", "--in-process", "--", "-k", "sound", *words, cwd=tmp_path)
    assert sound.returncode == 0


@linux
def test_the_fixture_fills_for_one_test(tmp_path):
    (tmp_path / "conftest.py").write_text('pytest_plugins = ["scenarios.lab.adaptors.memory"]\n')
    (tmp_path / "test_it.py").write_text(FIXTURE_FILE.split("\n", 2)[2])
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-q", str(tmp_path)],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env=ENVIRONMENT,
    )
    assert "2 passed" in done.stdout, done.stdout


GUIDE = (ROOT / "docs/guide/memory.md").read_text()


def test_every_command_of_the_guide_is_one():
    parser = argparse.ArgumentParser()
    add_arguments(parser.add_subparsers().add_parser("memory"))
    lines = re.findall(r"^\$ heisenlab (.*?)(?:  +#.*)?$", GUIDE, re.MULTILINE)
    assert len(lines) >= 10
    for line in lines:
        parser.parse_args(shlex.split(line))


@tracing
def test_the_commands_of_the_guide_do_what_it_says():
    wanted = re.findall(r"^\$ heisenlab memory (run .*specimen.*)$", GUIDE, re.MULTILINE)
    squeezed, filled, story = (
        memory(*[sys.executable if word == "python" else word for word in shlex.split(line)])
        for line in wanted
    )
    assert squeezed.returncode == 0
    assert filled.returncode == -signal.SIGSEGV
    assert story.returncode in (-signal.SIGSEGV, 1)
    assert 100 < story.stdout.count(" at ") < 300


def test_another_system_is_refused_in_one_line(monkeypatch, capsys):
    monkeypatch.setattr(sys, "platform", "darwin")
    status = main(["memory", "run", "--", "true"])
    monkeypatch.undo()
    assert status == 2
    told = capsys.readouterr().err
    assert told.startswith("heisenlab: 64-bit macOS already keeps the low 4 GiB of every process unmapped")
    assert told.count("\n") == 1


@tracing
def test_the_python_of_the_guide_runs(capsys):
    *_, program = re.findall(r"^```python\n(.*?)^```", GUIDE, re.DOTALL | re.MULTILINE)
    exec(compile(program, "memory.md", "exec"), {})
    assert capsys.readouterr().out == "0 []\n"
