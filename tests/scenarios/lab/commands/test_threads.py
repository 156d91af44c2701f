"""`heisenlab threads` as its user meets it."""

import json
import os
import subprocess
import sys

import pytest

from scenarios.lab.commands import main
from simulations.choices import Plan
from simulations.live.threads import explore, replay

ACCOUNT = """
class Account:
    def __init__(self):
        self.balance = 100

    def deposit(self):
        balance = self.balance
        self.balance = balance + 50


setup = Account
workers = [Account.deposit, Account.deposit]


def check(account):
    return account.balance == 200


class Alone:
    setup = Account
    workers = {"only": Account.deposit}

    def check(account):
        print("checked")
        assert account.balance == 150


class Unchecked:
    setup = Account
    workers = [Account.deposit]


class NoWorkers:
    setup = Account


class BadSetUp:
    workers = [print]

    def setup():
        raise ValueError("no\\nfile")


class Many:
    setup = dict

    def work(state):
        for key in range(4):
            state[key] = len(state)

    workers = [work] * 4
"""


@pytest.fixture
def account(tmp_path, monkeypatch):
    (tmp_path / "account.py").write_text(ACCOUNT)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    modules = {*sys.modules}
    yield tmp_path / "account.py"
    for name in {*sys.modules} - modules:
        if str(getattr(sys.modules[name], "__file__", "")).startswith(str(tmp_path)):
            del sys.modules[name]


@pytest.mark.usefixtures("account")
class TestRun:
    def test_found_is_1_and_prints_what_explore_prints(self, capsys):
        assert main(["threads", "run", "account.py"]) == 1
        printed = capsys.readouterr().out
        program = sys.modules["account"]
        assert printed == f"{explore(program.setup, program.workers, program.check)}\n"
        assert "deposit pauses at account.py:8" in printed

    def test_json_is_one_object_whose_plan_replays(self, capsys):
        assert main(["threads", "run", "account.py", "--json"]) == 1
        data = json.loads(capsys.readouterr().out)
        assert (data["verdict"], data["preemptions"], data["failure"]["kind"]) == ("found", 1, "check")
        program = sys.modules["account"]
        again = replay(program.setup, program.workers, Plan.from_json(data["plan"]), program.check)
        assert again.digest == data["digest"]

    def test_exhausted_is_0(self, capsys):
        assert main(["threads", "run", "account.py::Alone", "--searcher", "exhaustive"]) == 0
        assert "exhausted after" in capsys.readouterr().out

    def test_what_the_program_prints_does_not_stand_in_the_json(self, capsys):
        assert main(["threads", "run", "account.py::Alone", "--json"]) == 0
        captured = capsys.readouterr()
        assert json.loads(captured.out)["threads"] == ["only"]
        assert captured.err.startswith("checked\n")

    def test_a_check_may_be_left_out(self):
        assert main(["threads", "run", "account.py::Unchecked"]) == 0

    def test_gave_up_is_3(self, capsys):
        options = ["--max-schedules", "50", "--searcher", "random", "--granularity", "sync", "--seed", "2"]
        assert main(["threads", "run", "account.py::Many", *options]) == 3
        assert "gave up after 50 schedules" in capsys.readouterr().out

    def test_preemptions_bound_the_search(self, capsys):
        assert main(["threads", "run", "account.py", "--preemptions", "0", "--seconds", "60", "--json"]) == 0
        assert json.loads(capsys.readouterr().out)["verdict"] == "exhausted"
        assert main(["threads", "run", "account.py", "--preemptions", "1"]) == 1


@pytest.mark.usefixtures("account")
@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["nowhere.py"], "there is no file nowhere.py"),
        (["account.py::Nothing"], "account.py has no 'Nothing'; it defines Account, setup, workers, check"),
        (["account.py::NoWorkers"], "account.py::NoWorkers has no 'workers'; it defines setup"),
        (["account.py::BadSetUp"], "setup raises ValueError: no file ("),
        (["broken.py"], "broken.py cannot be imported: ZeroDivisionError: division by zero ("),
        (["torn.py"], "torn.py cannot be imported: SyntaxError: "),
        (["leaves.py"], "leaves.py cannot be imported: SystemExit: 1 ("),
        (["account.py", "--searcher", "x"], "searcher='x' is unknown"),
        (["account.py", "--searcher", "replay"], "needs a plan"),
        (["account.py", "--granularity", "x"], "granularity='x' is unknown"),
        (["account.py", "--max-schedules", "0"], "at least 1 schedule must be run"),
        (["account.py", "--preemptions", "-1"], "max_preemptions=-1"),
        (["account.py", "--seconds", "0"], "use a number above 0"),
    ],
)
def test_what_cannot_be_explored_is_2_with_one_line(account, words, says, capsys):
    account.with_name("broken.py").write_text("\n\n1 / 0\n")
    account.with_name("torn.py").write_text("def (\n")
    account.with_name("leaves.py").write_text("import sys; sys.exit(1)\n")
    assert main(["threads", "run", *words]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert says in captured.err
    assert captured.err.count("\n") == 1


@pytest.mark.parametrize("words", [[], ["run"], ["run", "account"], ["run", "x.py", "--seed", "y"], ["x"]])
def test_wrong_arguments_are_2_with_the_usage(words, capsys):
    assert main(["threads", *words]) == 2
    err = capsys.readouterr().err
    assert err.startswith("usage: heisenlab threads")
    assert err.splitlines()[-1].startswith("heisenlab threads")


INTERRUPTED = """
import os, signal
runs = []

def setup():
    runs.append(1)
    if len(runs) == 50:
        os.kill(os.getpid(), signal.SIGINT)
    return {}

def work(state):
    for key in range(4):
        state[key] = len(state)

workers = [work] * 4
"""


def test_ctrl_c_is_130_and_no_verdict(tmp_path):
    (tmp_path / "interrupted.py").write_text(INTERRUPTED)
    done = subprocess.run(
        [sys.executable, "-m", "scenarios.lab.commands", "threads", "run", "interrupted.py"],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
    )
    assert (done.returncode, done.stdout) == (130, "")
    assert done.stderr == "heisenlab: interrupted; that is no verdict\n"
