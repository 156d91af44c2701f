"""Whoever is killed, and when: no process, no half-written file and no mode of a terminal stays behind."""

import contextlib
import os
import pty
import random
import select
import signal
import subprocess
import sys
import termios
import uuid

import psutil
import pytest

from simulations.live import recorder
from simulations.live.recorder import LogError
from tests.simulations.live.recorder.live_run import RECORD, wait_for

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the recorder reads /proc")

JOB = ("sh", "-c", "sleep 0.4 & sleep 0.4; wait")
ENDS = (signal.SIGKILL, signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGUSR1)
VICTIMS = ("recorder", "witness", "job", "group", "recorder and witness", "witness and job")
CHANCE = random.Random(11)
CASES = [
    (victim, number, CHANCE.randrange(0, 500, 20))
    for victim in VICTIMS
    for number in (signal.SIGKILL, CHANCE.choice(ENDS))
]


def ours(mark):
    """Return the processes that have inherited a mark in their environment, and are no zombies."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            alive = process.status() != psutil.STATUS_ZOMBIE
            if alive and process.pid != os.getpid() and process.environ().get("RECORDER_MARK") == mark:
                found.append(process)
    return found


def send(process, folder, victim, number):
    pids = {"recorder": process.pid}
    with contextlib.suppress(LogError):
        run = recorder.load(folder, samples=False)
        pids["witness"] = run.witness.pid if run.witness else None
        pids["job"] = run.job.pid if run.job else None
    if victim == "group":
        os.killpg(process.pid, number)
        return
    for name in reversed(victim.split(" and ")):
        if pids.get(name):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pids[name], number)


@pytest.mark.parametrize(("victim", "number", "pause_ms"), CASES)
def test_after_any_end_nothing_is_left(tmp_path, victim, number, pause_ms):
    mark = str(uuid.uuid4())
    command = [*RECORD, "-o", str(tmp_path / "runs"), "--", *JOB]
    with subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        start_new_session=True,
        env={**os.environ, "RECORDER_MARK": mark, "TMPDIR": str(tmp_path)},
    ) as process:
        # Before that Python itself may still be starting, and says in its own way that it was interrupted.
        wait_for((tmp_path / "runs").exists, "the folder of runs")
        select.select([process.stderr], [], [], pause_ms / 1000)
        send(process, tmp_path / "runs", victim, number)
        assert b"Traceback" not in process.stderr.read()
    wait_for(lambda: not ours(mark), f"the end of {ours(mark)}")
    left = sorted(str(each.relative_to(tmp_path)) for each in tmp_path.rglob("*") if each.is_file())
    assert left in ([], ["runs/0001/log", "runs/0001/reserve"])


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_the_terminal_is_as_it_was(tmp_path, number):
    ours_end, theirs = pty.openpty()
    before = termios.tcgetattr(theirs)
    command = [*RECORD, "-o", str(tmp_path), "--", "sh", "-c", "echo ready; exec sleep 60"]
    with subprocess.Popen(
        command, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True
    ) as process:
        seen = b""
        while b"ready" not in seen:
            seen += os.read(ours_end, 4096)
        job = wait_for(lambda: recorder.load(tmp_path).job, "the job").pid
        process.send_signal(number)
        process.wait()
        with contextlib.suppress(ProcessLookupError):
            os.kill(job, signal.SIGKILL)
    assert termios.tcgetattr(theirs) == before
    os.close(ours_end)
    os.close(theirs)


def test_an_exception_in_the_recorder_leaves_nothing(tmp_path):
    """A fault where none is expected, once the witness stands by and before the job begins."""
    mark = str(uuid.uuid4())
    code = (
        "import sys\nfrom scenarios.lab.commands import main\n"
        "from simulations.live.recorder import supervisor\n"
        "supervisor._Supervisor._spawn = lambda _: 1 / 0\nsys.exit(main(sys.argv[1:]))"
    )
    runs = str(tmp_path / "runs")
    command = [sys.executable, "-c", code, "record", "-o", runs, "--", "sh", "-c", "exit 7"]
    done = subprocess.run(
        command, capture_output=True, text=True, env={**os.environ, "RECORDER_MARK": mark}, timeout=240
    )
    assert done.returncode == 7
    assert "division by zero" in done.stderr
    assert "Traceback" not in done.stderr
    wait_for(lambda: not ours(mark), "the end of the witness")
    assert list((tmp_path / "runs").iterdir()) == []


ADOPTS = """
import ctypes, sys
from scenarios.lab.commands import main

def adopts(change=None):
    libc, number = ctypes.CDLL(None), ctypes.c_int()
    if change is not None:
        libc.prctl(36, change, 0, 0, 0)
    libc.prctl(37, ctypes.byref(number), 0, 0, 0)
    return number.value

folder, *command = sys.argv[1:]
for before in (0, 1):
    adopts(before)
    main(["record", "-o", folder, "--quiet", "--", *command])
    assert adopts() == before
"""


@pytest.mark.parametrize("command", [["true"], ["sh", "-c", "exit 3"], ["no-such-command-here"]])
def test_a_process_that_has_recorded_adopts_orphans_only_if_it_did_before(tmp_path, command):
    """It would have to wait for them, or they would be zombies until it ends."""
    subprocess.run([sys.executable, "-c", ADOPTS, tmp_path, *command], check=True)
