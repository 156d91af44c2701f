"""Ctrl-C and SIGTERM: nothing found is lost, nothing is swallowed, nothing stays."""

import copy
import gc
import os
import signal
import subprocess
import sys
import time

import psutil
import pytest

from scenarios.lab.commands import main
from scenarios.lab.finding import load
from scenarios.lab.hunt import HuntInterrupted, hunt
from scenarios.lab.interrupts import Terminated, delivered
from scenarios.lab.replay import replay
from scenarios.lab.verdict import Minimality
from scenarios.lab.verify import NOT_YET
from tests.quality.campaigns.campaign import heisenlab, program
from tests.scenarios.lab import toy
from tests.scenarios.lab.conftest import install


def interrupted_in(phase):
    def watch(tally):
        if tally.phase == phase and tally.runs == 2:
            raise KeyboardInterrupt

    return watch


def test_ctrl_c_while_minimising_keeps_what_was_found():
    with pytest.raises(HuntInterrupted) as stopped:
        hunt(toy.SCENARIO, searcher="random", watch=interrupted_in("minimise"))
    found = stopped.value.hunt.finding
    assert Minimality.read(found.minimality) is Minimality.INTERRUPTED
    assert found.verified == NOT_YET
    assert replay(found, toy.SCENARIO).result == "identical"


def test_ctrl_c_while_searching_is_ctrl_c():
    with pytest.raises(KeyboardInterrupt) as stopped:
        hunt(toy.SCENARIO, searcher="random", watch=interrupted_in("search"))
    assert not isinstance(stopped.value, HuntInterrupted)


SLOW = """
import dataclasses, os, signal
from tests.scenarios.lab import toy

def run(office, errands, chooser, runs=[]):
    day = toy.run(office, errands, chooser)
    runs.append(day.stains)
    if any(runs[:-1]):  # the run after the first that failed is one of minimising
        os.kill(os.getpid(), signal.{signal})
    return day

SCENARIO = dataclasses.replace(toy.SCENARIO, name="slow", run=run)
"""


@pytest.mark.parametrize("number", ["SIGINT", "SIGTERM"])
def test_the_command_saves_what_was_found_and_says_that_it_is_not_minimised(tmp_path, number):
    (tmp_path / "slow.py").write_text(SLOW.replace("{signal}", number))
    install(tmp_path, "slow", "slow = slow:SCENARIO")
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), *sys.path])}
    path = tmp_path / "finding.json"
    done = program(heisenlab("hunt", "slow", "--searcher", "random", "-o", str(path)), env=environment)
    assert done.status == 1, done.err
    assert done.out.startswith("slow / as-shipped: found, not minimised\n")
    assert done.err == ""
    assert Minimality.read(load(path).minimality) is Minimality.INTERRUPTED


class TestDelivered:
    def in_a_collection(self, number):
        """Send a signal while a callback of the garbage collector runs, from which nothing can be raised."""

        def callback(phase, info):
            if phase == "start":
                gc.callbacks.remove(callback)
                signal.raise_signal(number)
                for _ in range(100):
                    pass

        gc.callbacks.append(callback)
        gc.collect()

    def collect_until_interrupted(self, number):
        with delivered(endings=True):
            self.in_a_collection(number)
            while True:
                time.sleep(0.001)

    @pytest.mark.parametrize(
        ("number", "error"), [(signal.SIGINT, KeyboardInterrupt), (signal.SIGTERM, Terminated)]
    )
    def test_what_a_callback_swallows_arrives_all_the_same(self, number, error, capfd):
        usual = signal.getsignal(signal.SIGINT)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        try:
            with pytest.raises(error):
                self.collect_until_interrupted(number)
        finally:
            signal.signal(signal.SIGINT, usual)
        assert capfd.readouterr().err == ""

    def test_leaves_handlers_and_hook_as_they_were(self):
        before = sys.unraisablehook, [signal.getsignal(n) for n in (signal.SIGTERM, signal.SIGINT)]
        with delivered(endings=True):
            assert sys.unraisablehook is not before[0]
        after = sys.unraisablehook, [signal.getsignal(n) for n in (signal.SIGTERM, signal.SIGINT)]
        assert after == before


DIES = """
import os, signal, subprocess, sys
from scenarios.lab import verify
started = subprocess.Popen
def popen(*args, **options):
    worker = started(*args, **options)
    print(worker.pid, flush=True)
    return worker
subprocess.Popen = popen
verify._answer = lambda worker: os.kill(os.getpid(), signal.SIGKILL)
verify._BOOT = verify._BOOT.replace("work(job)", "import time; from scenarios.lab import verify; "
    "verify.replay_of = lambda *a, **b: time.sleep(100); work(job)")
from scenarios.lab.hunt import hunt
hunt("stale-cache", searcher="exhaustive")
"""


@pytest.mark.skipif(os.name != "posix", reason="SIGKILL")
def test_the_workers_of_a_hunt_that_is_killed_end():
    done = subprocess.run([sys.executable, "-c", DIES], stdout=subprocess.PIPE, text=True)
    assert done.returncode == -signal.SIGKILL
    workers = [int(line) for line in done.stdout.split()][-2:]  # git was started before them
    assert len(workers) == 2
    while any(alive(worker) for worker in workers):  # or the time-out of the test says that they stay
        time.sleep(0.01)


def alive(pid):
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


WHILE_A_CLASS_IS_MADE = """
import signal

class Descriptor:
    def __set_name__(self, owner, name):
        signal.raise_signal(signal.SIGINT)

class Owner:
    attribute = Descriptor()
"""


def test_ctrl_c_while_pytest_imports_prints_no_traceback(tmp_path):
    (tmp_path / "early.py").write_text(WHILE_A_CLASS_IS_MADE)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), *sys.path])}
    done = program(heisenlab("test", "-p", "early"), env=environment, cwd=tmp_path)
    assert done.status == 130
    assert done.out == done.err == ""  # where the command is interrupted too, it says so


IN_A_COLLECTION = """
import gc, signal, time

def callback(phase, info):
    if phase == "start":
        gc.callbacks.remove(callback)
        signal.raise_signal(signal.SIGINT)
        for _ in range(100):
            pass

def interrupted():
    gc.callbacks.append(callback)
    gc.collect()
    for _ in range({patience}):  # which is over soon where the interrupt arrives
        time.sleep(0.01)

def {place}: interrupted()
"""


@pytest.mark.parametrize(
    ("place", "statuses"),
    [("test_it()", {2}), ("pytest_unconfigure(config)", {5, 130})],
    ids=["test", "end"],
)
def test_ctrl_c_in_a_collection_is_no_warning_of_pytest(tmp_path, place, statuses):
    """At the end of the session it arrives in time to end the process, or has no effect."""
    patience = "3000" if statuses == {2} else "0"
    (tmp_path / "test_it.py").write_text(
        IN_A_COLLECTION.replace("{place}", place).replace("{patience}", patience)
    )
    code = "import sys; from scenarios.lab.start import pytest_session; sys.exit(pytest_session())"
    words = ("-1", "-q", "-p", "no:cacheprovider", "-p", "test_it", "test_it.py")
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), *sys.path])}
    done = program([sys.executable, "-c", code, *words], env=environment, cwd=tmp_path)
    assert not done.tells_a_traceback, done.out + done.err
    assert "warning" not in done.out + done.err
    assert done.status in statuses, done.out + done.err


class Raises:
    """Stands for a function that is interrupted."""

    def __init__(self, error):
        self.error = error

    def __call__(self, *_args, **_options):
        raise self.error


COMMANDS = "scenarios.lab.commands"
LONG = {
    "compare": (("compare", "stale-cache", "--workers", "1"), "compare.compare"),
    "hunt --seeds": (("hunt", "stale-cache", "--seeds", "9", "--workers", "1"), "hunt_seeds.hunts"),
    "hunt": (("hunt", "stale-cache"), "hunt.hunt"),
    "bisect": (("bisect", "--good", "A", "--bad", "B", "--state", "kept", "--", "true"), "bisect.bisect"),
    "step": (("step", "invalid-mode"), "prompt.Prompt.cmdloop"),
    "docs": (("docs", ".", "--no-browser"), "docs.ThreadingHTTPServer.serve_forever"),
    "show": (("show", "stale-cache"), "show.get"),
}


ENDED = {
    "Ctrl-C": (KeyboardInterrupt(), 130, "interrupted"),
    "SIGTERM": (Terminated(signal.SIGTERM), 143, "ended by SIGTERM"),
    "SIGHUP": (Terminated(1), 129, "ended by SIGHUP"),
}


@pytest.fixture
def in_a_folder(tmp_path, monkeypatch):
    (tmp_path / "index.html").touch()
    subprocess.run(["git", "init", "-q", tmp_path], check=True)
    monkeypatch.chdir(tmp_path)


@pytest.mark.skipif(os.name != "posix", reason="SIGHUP")
@pytest.mark.usefixtures("in_a_folder")
@pytest.mark.parametrize("name", LONG)
@pytest.mark.parametrize("sent", ENDED)
def test_the_status_and_one_line_say_which_signal_it_was(name, sent, monkeypatch, capsys):
    words, interrupted = LONG[name]
    error, status, said = ENDED[sent]
    monkeypatch.setattr(f"{COMMANDS}.{interrupted}", Raises(error))
    is_how_it_ends = (name, sent) == ("docs", "Ctrl-C")
    assert main(words) == (0 if is_how_it_ends else status)
    told = [line for line in capsys.readouterr().err.splitlines() if line.startswith("heisenlab: ")]
    assert len(told) == (0 if is_how_it_ends else 1)
    assert all(line.startswith(f"heisenlab: {said}") for line in told)


@pytest.mark.skipif(os.name != "posix", reason="a terminal")
def test_a_prompt_at_a_terminal_stays_at_ctrl_c_and_leaves_at_sigterm():
    ours, theirs = os.openpty()
    with subprocess.Popen(
        heisenlab("step", "invalid-mode"),
        stdin=theirs,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
        text=True,
    ) as prompt:
        os.write(ours, b"nonsense\n")
        assert any("help lists them" in line for line in prompt.stdout)  # so it is at its prompt
        prompt.send_signal(signal.SIGINT)
        assert any("interrupted; still at" in line for line in prompt.stdout)
        prompt.send_signal(signal.SIGTERM)
        assert prompt.wait() == 143
    os.close(ours)
    os.close(theirs)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_an_end_can_be_made_anew_of_its_arguments(number):
    ended = Terminated(number)
    again = (type(ended)(*ended.args), copy.copy(ended), copy.deepcopy(ended))
    assert {(each.number, str(each)) for each in again} == {(number, number.name)}
