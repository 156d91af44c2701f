"""The command runs as if nobody watched: identity, streams, signals, terminal, and nothing left behind."""

import contextlib
import os
import re
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from simulations.live.memory.filling import Filling
from simulations.live.memory.layout import GIB
from simulations.live.memory.options import Options

pty = pytest.importorskip("pty", reason="needs a pseudo-terminal")
FILL = Filling("fill", 4 * GIB)
LAUNCHER = [sys.executable, "-m", "scenarios.lab.commands", "memory", "run", "--no-python-line"]
ROOT = Path(__file__).parents[4]
SHELL = Path("/bin/sh").resolve().name
IDENTITY = """
import os, re
keep = "SigBlk SigIgn SigCgt NoNewPrivs Seccomp".split()
for line in open("/proc/self/status"):
    if line.split(":")[0] in keep:
        print(line.strip())
print("parent", os.getppid(), "group", os.getpgrp(), "session", os.getsid(0))
print("files", sorted(os.listdir("/proc/self/fd")))
print("limits", open("/proc/self/limits").read())
print("environment", sorted(os.environ.items()), "folder", os.getcwd())
try:
    print("children", os.waitpid(-1, os.WNOHANG))
except ChildProcessError:
    print("no children")
"""


@pytest.fixture
def launch(traced):
    """Start the launcher on a command, as a shell would; whatever is left at the end is killed."""
    started = []

    def start(command, *options, **streams):
        process = subprocess.Popen(
            [*LAUNCHER, *options, "--", *command],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            **streams,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        if process.poll() is None:
            process.kill()
            process.wait()
        for stream in (process.stdin, process.stdout, process.stderr):
            if stream is not None:
                stream.close()


def wait_until(condition, what):
    """Wait for something that another process does; fail after 10 seconds."""
    deadline = time.monotonic() + 120
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.005)


def tracer_of(pid):
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return 0
    return int(re.search(r"TracerPid:\t(\d+)", status)[1])


def is_alive(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return False


def command_is(pid, word):
    """Whether the process has become the command, was filled, and waits for something."""
    with contextlib.suppress(OSError):
        waits = " S " in Path(f"/proc/{pid}/stat").read_text()
        return waits and tracer_of(pid) != 0 and word in Path(f"/proc/{pid}/exe").readlink().name
    return False


def test_the_command_cannot_tell_that_it_is_watched(launch):
    command = [sys.executable, "-S", "-c", IDENTITY]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    bare = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, env=environment)
    process = launch(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=None, text=True)
    seen, _ = process.communicate(timeout=120)
    assert seen == bare.stdout
    assert "no children" in seen


def test_it_keeps_the_process_id(launch):
    process = launch(
        ["/bin/sh", "-c", "echo $$"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    assert int(process.communicate(timeout=120)[0]) == process.pid


@pytest.mark.parametrize("status", [0, 1, 7, 255])
def test_exit_status(traced, status):
    done = traced(["/bin/sh", "-c", f"exit {status}"], FILL)
    assert (done.returncode, done.report["exit_status"], done.report["signal"]) == (status, status, None)


@pytest.mark.parametrize("name", ["SIGTERM", "SIGKILL", "SIGUSR1", "SIGABRT", "SIGPIPE", "SIGTRAP"])
def test_death_by_a_signal(traced, name):
    done = traced(["/bin/sh", "-c", f"kill -{name[3:]} $$"], FILL)
    assert (done.returncode, done.report["signal"]) == (-signal.Signals[name], name)


def test_streams_pass_through_as_bytes(launch):
    data = bytes(range(256)) * 5000
    process = launch(["cat"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    out, err = process.communicate(data, timeout=120)
    assert out == data
    assert re.fullmatch(rb"heisenlab: cat: exit status 0; .*\n  cat \(pid \d+\): .*\n", err)


def test_a_writer_dies_when_its_reader_goes(launch):
    process = launch(["yes"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    process.stdout.read(10)
    process.stdout.close()
    assert process.wait(timeout=120) == -signal.SIGPIPE


def test_a_pipe_closes_when_the_command_closes_it(launch):
    process = launch(
        ["/bin/sh", "-c", "exec >&-; read line"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    assert process.stdout.read() == b""  # the watcher holds no end of it
    assert process.poll() is None
    process.stdin.close()
    assert process.wait(timeout=120) == 1


def test_a_signal_reaches_the_command_once_and_its_handler_runs(launch):
    source = """
import signal, time
caught = []
signal.signal(signal.SIGTERM, lambda *_: caught.append('caught'))
print('ready', flush=True)
while not caught: time.sleep(0.01)
time.sleep(0.1)
print(caught)
"""
    process = launch(
        [sys.executable, "-S", "-c", source], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    assert process.stdout.readline() == "ready\n"
    process.terminate()
    assert process.stdout.read() == "['caught']\n"
    assert process.wait(timeout=120) == 0


def test_stop_and_continue_are_seen_by_the_parent(launch):
    process = launch(["/bin/sh", "-c", "read line; exit 4"], stdin=subprocess.PIPE, stderr=subprocess.DEVNULL)
    wait_until(lambda: command_is(process.pid, SHELL), "the command did not start")
    for _ in range(3):
        process.send_signal(signal.SIGSTOP)
        _, status = os.waitpid(process.pid, os.WUNTRACED)
        assert os.WIFSTOPPED(status)
        time.sleep(0.05)
        assert Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()[0] in "Tt"
        process.send_signal(signal.SIGCONT)
        _, status = os.waitpid(process.pid, os.WCONTINUED)
        assert os.WIFCONTINUED(status)
    process.stdin.close()
    assert process.wait(timeout=120) == 4


@pytest.fixture
def terminal():
    """A pseudo-terminal: its master end, and the name of the other."""
    master, slave = pty.openpty()
    name = os.ttyname(slave)
    os.set_blocking(master, False)
    yield master, name
    os.close(slave)
    os.close(master)


def shell_at(name, command):
    """A shell whose controlling terminal this is, and that runs a command and prints its status."""
    return subprocess.Popen(
        ["/bin/sh", "-c", f"trap : INT; exec <{name} >{name} 2>&1; {shlex.join(command)}; echo status $?"],
        start_new_session=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )


def read_until(master, words):
    """Read from a terminal until something appears."""
    text = b""

    def appeared():
        nonlocal text
        with contextlib.suppress(BlockingIOError):
            text += os.read(master, 65536)
        return words in text

    wait_until(appeared, f"{words} did not appear")
    return text


def in_front(master):
    """The name of the program that has the terminal."""
    with contextlib.suppress(OSError):
        return Path(f"/proc/{os.tcgetpgrp(master)}/exe").readlink().name
    return None


def test_control_c_at_the_terminal_reaches_the_command_once_and_the_report_follows(launch, terminal, traced):
    master, name = terminal
    script = "trap 'echo caught $((40+2)); exit 3' INT; echo ready; while :; do sleep 1; done"
    shell = shell_at(name, [*LAUNCHER, "--", "/bin/sh", "-c", script])
    try:
        read_until(master, b"ready")
        os.write(master, b"\x03")
        text = read_until(master, b"\nstatus")
    finally:
        shell.kill()
        shell.wait()
    assert text.count(b"caught 42") == 1
    assert text.index(b"caught 42") < text.index(b"exit status 3") < text.index(b"\nstatus")


def test_a_shell_with_job_control_runs_in_it(launch, terminal, traced):
    master, name = terminal
    shell = shell_at(name, [*LAUNCHER, "--follow", "--", "bash", "--norc", "-i"])
    try:
        os.write(master, b"echo one$((1+1))\n")
        read_until(master, b"one2")
        os.write(master, b"sleep 100\n")
        wait_until(lambda: in_front(master) == "sleep", "sleep did not get the terminal")
        os.write(master, b"\x1a")
        read_until(master, b"Stopped")
        wait_until(lambda: in_front(master) == "bash", "bash did not take the terminal back")
        os.write(master, b"kill %1; wait; echo two$((1+1))\n")
        read_until(master, b"two2")
        os.write(master, b"exit 9\n")
        read_until(master, b"status 9")
    finally:
        shell.kill()
        shell.wait()


def test_when_the_command_is_killed_the_watcher_ends(launch):
    process = launch(["sleep", "100"], stderr=subprocess.PIPE)
    wait_until(lambda: command_is(process.pid, "sleep"), "the command did not start")
    watcher = tracer_of(process.pid)
    process.kill()
    assert process.wait(timeout=120) == -signal.SIGKILL
    wait_until(lambda: not is_alive(watcher), "the watcher stayed")
    assert b"killed by SIGKILL" in process.stderr.read()


def test_when_the_watcher_is_killed_so_is_the_command_and_what_it_started(launch):
    process = launch(
        ["/bin/sh", "-c", "sleep 100 & echo $!; wait"],
        "--follow",
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    child = int(process.stdout.readline())
    wait_until(lambda: command_is(child, "sleep"), "the child did not start")
    os.kill(tracer_of(process.pid), signal.SIGKILL)
    assert process.wait(timeout=120) == -signal.SIGKILL
    wait_until(lambda: not is_alive(child), "the child stayed")


def test_what_the_command_leaves_running_lives_on_untraced_and_does_not_delay_its_end(launch):
    script = "sleep 100 >/dev/null 2>&1 & echo $!; exit 6"
    process = launch(["/bin/sh", "-c", script], "--follow", stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    child = int(process.stdout.readline())
    try:
        assert process.wait(timeout=120) == 6
        wait_until(lambda: tracer_of(child) == 0, "the child is still traced")
        time.sleep(0.05)
        assert is_alive(child)
    finally:
        os.kill(child, signal.SIGKILL)


def test_let_go_after_the_fill_the_command_can_be_traced_by_others(launch):
    process = launch(["sleep", "100"], "--detach", stderr=subprocess.PIPE)
    assert b"let go" in process.stderr.readline()
    wait_until(lambda: tracer_of(process.pid) == 0, "it is still traced")
    assert "---p" in Path(f"/proc/{process.pid}/maps").read_text().splitlines()[0]


def test_threads_forks_and_signals_at_once_lose_nothing(traced):
    source = """
import os, signal, subprocess, sys, threading
caught = 0
def handler(*_):
    global caught
    caught += 1
signal.signal(signal.SIGUSR1, handler)
def work():
    for _ in range(20):
        if os.fork() == 0: os._exit(3)
        os.kill(os.getpid(), signal.SIGUSR1)
threads = [threading.Thread(target=work) for _ in range(5)]
[t.start() for t in threads]; [t.join() for t in threads]
statuses = {os.waitstatus_to_exitcode(os.waitpid(-1, 0)[1]) for _ in range(100)}
print(statuses, caught > 0)
"""
    done = traced([sys.executable, "-S", "-W", "ignore", "-c", source], FILL, Options(follow=True))
    assert done.stdout == "{3} True\n", done.stderr


@pytest.mark.parametrize("closed", ["2>&-", "<&-", "<&- 2>&-"])
def test_a_stream_that_is_closed_stays_closed(launch, traced, closed):
    script = f"exec {shlex.join([*LAUNCHER, '--report', os.devnull])} -- ls /proc/self/fd {closed}"
    done = subprocess.run(
        ["/bin/sh", "-c", script], capture_output=True, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}
    )
    bare = subprocess.run(["/bin/sh", "-c", f"exec ls /proc/self/fd {closed}"], capture_output=True)
    assert done.stdout == bare.stdout


@pytest.mark.parametrize(("script", "status"), [("exit 3", 3), ("kill -TERM $$", 143)])
def test_as_the_first_process_of_a_container_it_still_reports(traced, script, status):
    unshare = ["unshare", "--user", "--map-root-user", "--pid", "--fork", "--mount-proc"]
    if subprocess.run([*unshare, "true"], capture_output=True).returncode:
        pytest.skip("this system does not let one make a PID namespace")
    done = subprocess.run(
        [*unshare, *LAUNCHER, "--", "sh", "-c", script],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert done.returncode == status
    assert "1 gap filled" in done.stderr
