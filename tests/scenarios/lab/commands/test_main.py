import importlib
import inspect
import json
import os
import platform
import re
import socket
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest

from scenarios.lab import finding
from scenarios.lab.commands import COMMANDS, main
from scenarios.lab.finding import FindingError, load
from tests.scenarios.lab import toy
from tests.scenarios.lab.conftest import install

HUNT_KEYS = {
    "scenario", "variant", "verdict", "searcher", "seed", "budget", "search_runs", "minimising_runs",
    "minimality", "deviations", "plan", "plan_in_words", "digest", "seconds",
}  # fmt: skip

pytestmark = pytest.mark.usefixtures("toy_installed")


@pytest.fixture
def saved(tmp_path, capsys):
    path = tmp_path / "finding.json"
    assert main(["hunt", "toy", "-o", str(path)]) == 1
    capsys.readouterr()
    return path


class TestHunt:
    def test_found_is_1_and_says_the_plan_and_the_replay_command(self, tmp_path, capsys):
        path = tmp_path / "a finding.json"
        assert main(["hunt", "toy", "-o", str(path)]) == 1
        out = capsys.readouterr().out
        assert "toy / as-shipped: found" in out
        assert "everything nominal, except: b spills at step 1" in out
        assert f"heisenlab replay '{path}'" in out
        assert load(path).plan == toy.SCENARIO.variant().expect.least

    def test_exhausted_is_0(self, capsys):
        assert main(["hunt", "toy", "--variant", "fixed", "--searcher", "exhaustive"]) == 0
        assert "exhausted" in capsys.readouterr().out

    def test_gave_up_is_3_and_writes_no_file(self, tmp_path, capsys):
        path = tmp_path / "finding.json"
        command = [
            "hunt",
            "toy",
            "--variant",
            "fixed",
            "--searcher",
            "random",
            "--budget",
            "30",
            "-o",
            str(path),
        ]
        assert main(command) == 3
        assert "below 0.095 with 95 % confidence" in capsys.readouterr().out
        assert not path.exists()

    @pytest.mark.parametrize("variant", ["as-shipped", "fixed"])
    def test_json_is_one_object_with_every_key(self, capsys, variant):
        main(["hunt", "toy", "--variant", variant, "--seed", "3", "--budget", "60", "--json"])
        data = json.loads(capsys.readouterr().out)
        assert data.keys() >= HUNT_KEYS
        assert data["seed"] == 3
        assert (data["plan"] is None) == (data["verdict"] != "found")

    @pytest.mark.parametrize("as_json", [[], ["--json"]])
    @pytest.mark.parametrize(
        "wrong",
        ["no folder", "a folder", "foreign", "full", "too long", "/dev/full", "a pipe", "a socket", "a link"],
    )
    def test_what_is_found_is_kept_where_the_output_cannot_be_written(
        self, tmp_path, capsys, monkeypatch, wrong, as_json
    ):
        """Printed first, saved elsewhere, and the message says where; whatever was there stays."""
        home, output = tmp_path / "home", tmp_path / "there" / "f.json"
        home.mkdir()
        monkeypatch.chdir(home)
        output = {"too long": output.with_name("f" * 300), "/dev/full": Path("/dev/full")}.get(wrong, output)
        if wrong != "no folder":
            (tmp_path / "there").mkdir()
        if wrong == "a folder":
            output.mkdir()
        if wrong == "foreign":
            output.write_text("a thesis")
        if wrong == "a pipe":
            os.mkfifo(output)  # which nobody reads
        if wrong == "a socket":
            monkeypatch.chdir(tmp_path / "there")  # the path of a socket has some hundred characters
            with socket.socket(socket.AF_UNIX) as bound:
                bound.bind(output.name)
            monkeypatch.chdir(home)
        if wrong == "a link":
            output.symlink_to("/dev/full")
        if wrong == "full":
            monkeypatch.setattr(finding, "write_whole", full_below(tmp_path / "there"))
        assert main(["hunt", "toy", "-o", str(output), *as_json]) == 2
        captured = capsys.readouterr()
        assert "everything nominal, except: b spills at step 1" in captured.out
        assert '[["b.cup", 1, 1]]' in captured.err
        ((_, place),) = re.findall(r"(a copy is in) (.*)\n", captured.err)
        saved = load(place)
        assert saved.plan == toy.SCENARIO.variant().expect.least
        assert saved.digest in captured.out
        assert wrong != "foreign" or output.read_text() == "a thesis"
        assert wrong != "full" or not list((tmp_path / "there").iterdir())
        if wrong in {"a pipe", "a socket", "a link", "/dev/full"}:
            assert Path(place).resolve().parent == home

    def test_an_error_in_the_world_is_128_with_a_traceback(self, capsys):
        assert main(["hunt", "toy", "--variant", "broken"]) == 128
        err = capsys.readouterr().err
        assert "TypeError: a bug in the world's own code" in err
        assert "raised by the world of toy itself" in err
        assert err.rstrip().endswith("an error in the laboratory or in a world, and no verdict")


def full_below(folder):
    """A disk that is full below a folder."""
    whole = finding.write_whole

    def write(path, text):
        if Path(path).resolve().is_relative_to(folder):
            raise FindingError(f"cannot write {path}: No space left on device; nothing was changed")
        whole(path, text)

    return write


class TestReplay:
    def test_reproduced_is_1(self, saved, capsys):
        assert main(["replay", str(saved)]) == 1
        assert "reproduced, identical to the finding" in capsys.readouterr().out

    def test_the_trace_shows_every_event(self, saved, capsys):
        assert main(["replay", str(saved), "--trace"]) == 1
        assert "1  b  spills" in capsys.readouterr().out
        assert main(["replay", str(saved), "--trace", "--json"]) == 1
        assert json.loads(capsys.readouterr().out)["trace"] == [[1, "b", "spills", None]]

    @pytest.mark.parametrize(
        ("name", "moment"),
        [
            ("vanishing-job", r"114\.00 h  machine  starts"),
            ("stale-cache", " 5 ms  writer  store"),
            ("invalid-mode", "clock 1  "),
            ("truncated-pointer", "doc 0  document 0  open"),
        ],
    )
    def test_the_trace_says_times_with_their_unit(self, tmp_path, capsys, name, moment):
        path = str(tmp_path / "finding.json")
        assert main(["hunt", name, "--searcher", "exhaustive", "-o", path]) == 1
        assert main(["replay", path, "--trace"]) == 1
        assert re.search(moment, capsys.readouterr().out)

    def test_json_is_one_object(self, saved, capsys):
        assert main(["replay", str(saved), "--json"]) == 1
        data = json.loads(capsys.readouterr().out)
        assert (data["result"], data["by"], data["changed"]) == ("identical", "nothing_is_stained", [])

    @pytest.mark.parametrize(
        "text", ["", "{", "[]", "no json", '{"format": "heisenlab finding", "schema": 0}']
    )
    def test_an_unreadable_file_is_2_with_one_line(self, tmp_path, capsys, text):
        path = tmp_path / "finding.json"
        path.write_text(text)
        assert main(["replay", str(path)]) == 2
        captured = capsys.readouterr()
        assert captured.out == ""
        assert captured.err.count("\n") == 1
        assert captured.err.startswith(f"heisenlab: {path}")
        assert path.read_text() == text

    def test_bisect_says_0_1_or_125(self, saved, tmp_path, capsys, monkeypatch):
        import dataclasses

        from scenarios.lab import replay

        assert main(["replay", str(saved), "--bisect"]) == 1
        assert main(["replay", str(saved), "--bisect", "--json"]) == 1
        repaired = dataclasses.replace(toy.SCENARIO.variant(), system=toy.Office(spills_matter=False))
        scenario = dataclasses.replace(toy.SCENARIO, variants=(repaired, *toy.SCENARIO.variants[1:]))
        monkeypatch.setattr(replay, "get", lambda name: scenario)
        assert main(["replay", str(saved), "--bisect"]) == 0
        broken = dataclasses.replace(toy.SCENARIO, run=lambda system, errands, chooser: 1 / 0)
        monkeypatch.setattr(replay, "get", lambda name: broken)
        assert main(["replay", str(saved), "--bisect"]) == 125
        assert "cannot judge this version: division by zero" in capsys.readouterr().err

    @pytest.mark.parametrize(
        "arguments", [["nowhere.json", "--bisect"], ["--bisect"], ["a", "--bisect", "--nonsense"]]
    )
    def test_bisect_never_says_bug_of_what_it_cannot_judge(self, arguments):
        assert main(["replay", *arguments]) == 125


class TestTheRest:
    def test_list_and_show(self, capsys):
        assert main(["list"]) == 0
        assert "toy" in capsys.readouterr().out
        assert main(["show", "toy", "--reveal"]) == 0
        out = capsys.readouterr().out
        assert "Nothing is ever stained." in out
        assert "exhausted at 2 deviations" in out
        assert "heisenlab hunt toy" in out

    def test_their_json(self, capsys):
        assert main(["list", "--json"]) == 0
        assert "toy" in [row["name"] for row in json.loads(capsys.readouterr().out)]
        assert main(["show", "toy", "--reveal", "--json"]) == 0
        assert json.loads(capsys.readouterr().out)["story"]["root_cause"] == "b"

    def test_doctor(self, capsys):
        status = main(["doctor", "--json"])
        found = json.loads(capsys.readouterr().out)
        assert status == (1 if found["problems"] else 0)
        assert main(["doctor"]) == status
        assert "scenarios from" in capsys.readouterr().out

    @pytest.mark.parametrize(
        "arguments", [[], ["hnt"], ["hunt"], ["hunt", "toy", "--seed", "x"], ["list", "extra"], ["replay"]]
    )
    def test_wrong_usage_is_2(self, arguments, capsys):
        assert main(arguments) == 2
        assert "usage: heisenlab" in capsys.readouterr().err

    @pytest.mark.parametrize(
        ("arguments", "says"),
        [
            (["show", "toyy"], "did you mean toy?"),
            (["hunt", "toy", "--variant", "x"], "toy has no variant 'x'"),
            (["hunt", "toy", "--searcher", "x"], "no searcher 'x'"),
            (["hunt", "toy", "--budget", "0"], "budget is a whole number from 1"),
            (["hunt", "toy", "--seed", "-1"], "seed is a whole number from 0"),
        ],
    )
    def test_a_value_that_makes_no_sense_is_2_with_one_line(self, arguments, says, capsys):
        assert main(arguments) == 2
        err = capsys.readouterr().err
        assert says in err
        assert err.count("\n") == 1

    @pytest.mark.parametrize("command", [[], *([command.name] for command in COMMANDS)])
    def test_help_is_0(self, command, capsys):
        assert main([*command, "--help"]) == 0
        assert "usage: heisenlab" in capsys.readouterr().out

    def test_an_argument_too_many_shows_the_usage_of_the_command(self, capsys):
        assert main(["list", "extra"]) == 2
        usage, problem = capsys.readouterr().err.splitlines()
        assert usage == "usage: heisenlab list [-h] [--reveal] [--json] [--no-spoilers]"
        assert problem == "heisenlab list: error: unrecognized arguments: extra"

    def test_the_version_is_that_of_the_distribution_and_of_python(self, capsys):
        assert main(["--version"]) == 0
        installed = metadata.version("heisenlab")
        assert capsys.readouterr().out == f"heisenlab {installed}, Python {platform.python_version()}\n"


class TestTable:
    def test_every_command_has_a_module_with_both_functions(self):
        for command in COMMANDS:
            module = importlib.import_module(f"scenarios.lab.commands.{command.module}")
            assert list(inspect.signature(module.add_arguments).parameters) == ["parser"]
            assert list(inspect.signature(module.run).parameters) == ["args"]

    def test_help_lists_every_command_with_its_line(self, capsys):
        main(["--help"])
        printed = " ".join(capsys.readouterr().out.split())
        assert printed.index("positional arguments: COMMAND") < printed.index(f" {COMMANDS[0].name} ")
        for command in COMMANDS:
            assert f" {command.name} {command.help} " in f"{printed} "

    def test_help_lines_have_one_form(self):
        for command in COMMANDS:
            assert command.help[0].islower()
            assert not command.help.endswith(".")

    @pytest.mark.parametrize("words", [["--help"], ["--version"], [], ["nonsense"]])
    def test_nothing_of_the_engine_is_imported_without_a_command(self, words):
        code = (
            "import sys; from scenarios.lab.commands import main; main(sys.argv[1:]); "
            "print(sorted(name for name in sys.modules if name.startswith(('scenarios.', 'simulations'))))"
        )
        done = subprocess.run([sys.executable, "-c", code, *words], capture_output=True, text=True)
        imported = ["scenarios.lab", "scenarios.lab.commands", "scenarios.lab.commands.command"]
        assert done.stdout.splitlines()[-1] == str(imported)

    @pytest.mark.parametrize("name", ["hunt", "memory"])
    def test_only_the_chosen_command_is_imported(self, name):
        code = (
            "import sys; from scenarios.lab.commands import COMMANDS, main; main([sys.argv[1], '--help']); "
            "names = {name.rpartition('.')[2] for name in sys.modules if 'lab.commands.' in name}; "
            "print([each.name for each in COMMANDS if each.module in names])"
        )
        done = subprocess.run([sys.executable, "-c", code, name], capture_output=True, text=True)
        assert done.stdout.splitlines()[-1] == str([name])


def run(*arguments, **options):
    return subprocess.run(
        [sys.executable, "-m", "scenarios.lab.commands", *arguments],
        capture_output=True,
        text=True,
        **options,
    )


def test_a_version_whose_engine_does_not_import_cannot_be_judged(tmp_path):
    """What `git bisect run` meets: exit code 1 would read as "bug"."""
    import shutil

    root = Path(__file__).parents[4]
    for package in ("simulations", "scenarios"):
        shutil.copytree(root / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "scenarios" / "lab" / "scenario.py").write_text("this is no Python")
    done = run("replay", "finding.json", "--bisect", cwd=tmp_path)
    assert done.returncode == 125
    assert "cannot judge this version" in done.stderr
    assert run("list", cwd=tmp_path).returncode == 128
    assert run("--help", cwd=tmp_path).returncode == 0
    (tmp_path / "scenarios" / "lab" / "commands" / "replay.py").unlink()
    assert run("replay", "finding.json", "--bisect", cwd=tmp_path).returncode == 125


INTERRUPTED = """
import dataclasses, os, signal
from tests.scenarios.lab import toy
from tests.scenarios.lab.conftest import install

def run(office, errands, chooser, runs=[]):
    runs.append(1)
    if len(runs) == 50:
        os.kill(os.getpid(), signal.SIGINT)
    return toy.run(office, errands, chooser)

SCENARIO = dataclasses.replace(toy.SCENARIO, name="interrupted", run=run)
"""


@pytest.mark.parametrize("searcher", ["hypothesis", "random", "exhaustive"])
def test_ctrl_c_in_the_middle_of_a_hunt_is_130_and_no_verdict(tmp_path, searcher):
    (tmp_path / "interrupted.py").write_text(INTERRUPTED)
    install(tmp_path, "interrupted", "interrupted = interrupted:SCENARIO")
    path = tmp_path / "finding.json"
    command = ["hunt", "interrupted", "--variant", "fixed", "--searcher", searcher, "-o", str(path)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), *sys.path])}
    done = run(*command, env=environment)
    assert (done.returncode, done.stdout) == (130, "")
    assert done.stderr == "heisenlab: interrupted after 50 runs to search; that is no verdict\n"
    assert not path.exists()


def test_a_reader_that_closes_the_pipe_gets_no_complaint():
    command = f"{sys.executable} -m scenarios.lab.commands show toy | head -n 1"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, env=environment)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.count("\n") == 1
