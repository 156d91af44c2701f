import _thread
import json
import os
import subprocess
import sys
import threading
import types
from importlib import metadata
from pathlib import Path

import pytest

from scenarios.lab import doctor
from scenarios.lab.doctor import differences, fingerprint, problems

ROOT = Path(__file__).parents[3]


@pytest.fixture
def well():
    """A fingerprint with which nothing is wrong."""
    return {
        "paths": {"simulations": "/lab/simulations", "scenarios": "/lab/scenarios"},
        "python": "3.11.7",
        "implementation": "CPython",
        "platform": "linux x86_64",
        "versions": dict.fromkeys(doctor.CORE, "1.0"),
        "installed": "0.1.0",
        "source": "0.1.0",
        "commit": "c0ffee",
        "dirty": False,
        "claimed_by": {"simulations": [], "scenarios": []},
    }


def test_fingerprint_is_json_and_names_what_is_under_test():
    found = json.loads(json.dumps(fingerprint()))
    assert found["paths"] == {name: str(ROOT / name) for name in ("simulations", "scenarios")}
    assert found["python"] == sys.version.split()[0]
    assert found["versions"]["hypothesis"] == metadata.version("hypothesis")
    assert found["source"] is not None


def test_commit_and_dirty_flag_are_those_of_the_checkout_only(tmp_path):
    git = ["git", "-C", str(tmp_path), "-c", "user.name=x", "-c", "user.email=x@y"]
    subprocess.run([*git, "init", "-q"], check=True)
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "heisenlab"\nversion = "9.9"\n')
    subprocess.run([*git, "add", "."], check=True)
    subprocess.run([*git, "commit", "-qm", "x"], check=True)
    commit, dirty = doctor._git_state(tmp_path)
    assert (len(commit), dirty) == (40, False)
    os.utime(tmp_path / "pyproject.toml", (1, 1))  # git would write its index anew, and lock it for that
    index = (tmp_path / ".git" / "index").read_bytes()
    assert doctor._git_state(tmp_path) == (commit, False)
    assert (tmp_path / ".git" / "index").read_bytes() == index
    (tmp_path / "new.py").touch()
    assert doctor._git_state(tmp_path) == (commit, True)
    inside = tmp_path / "venv"
    inside.mkdir()
    assert doctor._git_state(inside) == (None, None)
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "other"\nversion = "9.9"\n')
    assert doctor._git_state(tmp_path) == (None, None)


def test_nothing_is_wrong_with_a_sound_installation(well):
    assert problems(well) == []


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (
            {"claimed_by": {"simulations": [], "scenarios": ["scenarios"]}},
            "scenarios also ships a package named",
        ),
        (
            {"claimed_by": {"simulations": ["a", "b"], "scenarios": []}},
            "a and b also ship a package named sim",
        ),
        ({"paths": {"simulations": "/a/simulations", "scenarios": "/b/scenarios"}}, "different places"),
        ({"installed": None}, "not installed in this interpreter"),
        ({"installed": "0.0.9"}, r"installed is 0\.0\.9, but the source under test says 0\.1\.0"),
        ({"versions": {"simpy": None}}, "not installed: simpy; run pip install simpy"),
    ],
)
def test_each_thing_that_is_wrong_is_said_with_the_way_out(well, change, says):
    import re

    (line,) = problems({**well, **change})
    assert re.search(says, line)


def test_another_distribution_that_claims_a_package_is_named(tmp_path, monkeypatch):
    folder = tmp_path / "scenarios-0.0.2.dist-info"
    folder.mkdir()
    (folder / "METADATA").write_text("Metadata-Version: 2.1\nName: scenarios\nVersion: 0.0.2\n")
    (folder / "top_level.txt").write_text("scenarios\n")
    (folder / "RECORD").write_text("scenarios/__init__.py,,\n")
    monkeypatch.syspath_prepend(tmp_path)
    assert doctor._claims() == {"simulations": [], "scenarios": ["scenarios"]}


def test_differences_are_lines_and_ignore_where_things_are_installed(well):
    now = {
        **well,
        "paths": {"simulations": "/x"},
        "dirty": True,
        "versions": {**well["versions"], "simpy": None},
    }
    assert differences(well, now) == ["dirty: was False, is True", "versions.simpy: was 1.0, is unknown"]
    assert differences(well, well) == []


def test_a_python_on_which_threads_cannot_be_controlled_is_a_problem_with_a_way_out(monkeypatch, capsys):
    from scenarios.lab.commands import main
    from simulations.live.threads import refusal
    from simulations.live.threads.control import standard_library

    assert refusal() is None
    monkeypatch.setattr(standard_library, "VERSION", (3, 99))
    line = refusal()
    assert line.endswith("not on cpython 3.99; use an ordinary build of CPython 3.11 to 3.15")
    assert main(["doctor", "--json"]) == 1
    assert line in json.loads(capsys.readouterr().out)["problems"]


def replaced_threads(monkeypatch):
    monkeypatch.setattr(_thread, "start_new_thread", lambda *args: None)


def replaced_locks(monkeypatch):
    monkeypatch.setattr(threading, "Lock", object)


def no_lock_of_the_interpreter(monkeypatch):
    monkeypatch.setattr(sys, "_is_gil_enabled", lambda: False, raising=False)


def another_implementation(monkeypatch):
    other = {**vars(sys.implementation), "name": "pypy"}
    monkeypatch.setattr(sys, "implementation", types.SimpleNamespace(**other))


def a_missing_attribute(monkeypatch):
    monkeypatch.delattr(threading, "_limbo")


def a_trace_function(monkeypatch):
    monkeypatch.setattr(sys, "gettrace", lambda: print)


@pytest.mark.parametrize(
    ("condition", "problem", "way_out"),
    [
        (replaced_threads, "as after the monkey patching of gevent or eventlet", "run without it"),
        (replaced_locks, "as after the monkey patching of gevent or eventlet", "run without it"),
        (no_lock_of_the_interpreter, "on a free-threaded build", "use an ordinary build of CPython"),
        (another_implementation, "not on pypy", "use an ordinary build of CPython"),
        (a_missing_attribute, "lacks threading._limbo", "use an ordinary build of CPython"),
        (a_trace_function, "is watched by a trace function", "run without it"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_what_keeps_threads_from_being_controlled_is_a_problem(
    condition, problem, way_out, monkeypatch, capsys
):
    from scenarios.lab.commands import main

    with monkeypatch.context() as changed:
        condition(changed)
        status = main(["doctor", "--json"])
    assert status == 1
    (line,) = [line for line in json.loads(capsys.readouterr().out)["problems"] if problem in line]
    assert way_out in line
