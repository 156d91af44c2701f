"""Real jobs, ended in real ways, under the real recorder."""

import contextlib
import fcntl
import json
import os
import pty
import select
import shutil
import signal
import struct
import subprocess
import sys
import termios
from pathlib import Path

import psutil
import pytest

from simulations.live.recorder import autopsy, recording, signals
from simulations.live.recorder.log import LogError
from simulations.live.recorder.recording import number
from simulations.live.recorder.verdict import judge
from tests.simulations.live.recorder.flight import RECORD, Flight, kill_if_ours, wait_for

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the recorder reads /proc")

KERNEL = tuple(int(part) for part in os.uname().release.split("-")[0].split(".")[:2])
STRANGERS_ARE_TOLD = KERNEL >= (6, 15)
FOREVER = "import time\nprint('ready')\nwhile True: time.sleep(60)"


@pytest.fixture
def fly(tmp_path):
    """Start a command under the recorder; whatever is left of it at the end is killed."""
    flights = []

    def start(*command, options=(), **popen):
        flights.append(Flight(tmp_path / "runs", list(command), options, **popen))
        return flights[-1]

    yield start
    for flight in flights:
        left = [flight.process.pid]
        try:
            run = flight.read()
            left += [
                number(each.data, "pid") for each in run.events if each.kind in ("child", "job", "witness")
            ]
        except LogError:
            pass
        for pid in left:
            if pid > 1 and psutil.pid_exists(pid) and pid != os.getpid():
                kill_if_ours(pid)
        with flight.process:
            flight.process.kill()


@pytest.fixture
def python():
    """Return the command that runs a piece of Python."""
    return lambda code, *arguments: (sys.executable, "-u", "-c", code, *arguments)


def first(verdict):
    return verdict.suspects[0].suspect.name


@pytest.mark.parametrize("status", [0, 1, 77])
def test_the_status_is_the_jobs(fly, python, status):
    flight = fly(*python(f"print('out'); raise SystemExit({status})"))
    code, out, _ = flight.finish()
    assert (code, out) == (status, "out\n")
    assert flight.judge().ending.status == status


def test_output_is_passed_on_byte_for_byte_and_apart(python, tmp_path):
    code = (
        "import os\nfor n in range(3000): os.write(1, bytes(range(256)) + b'%d\\n' % n)\n"
        "os.write(2, b'\\xff\\x00err')"
    )
    done = subprocess.run([*RECORD, "-o", tmp_path, "--quiet", "--", *python(code)], capture_output=True)
    assert done.stdout == b"".join(bytes(range(256)) + b"%d\n" % n for n in range(3000))
    assert done.stderr == b"\xff\x00err"


def test_standard_input_is_the_jobs(fly):
    flight = fly("cat", stdin=subprocess.PIPE)
    flight.process.stdin.write("hello\n")
    _, out, _ = flight.finish()
    assert out == "hello\n"


def test_sigkill_from_another_process(fly, python):
    flight = fly(*python(FOREVER))
    assert flight.process.stdout.readline() == "ready\n"
    subprocess.run([sys.executable, "-c", f"import os; os.kill({flight.pid('job')}, 9)"], check=True)
    code, _, err = flight.finish()
    verdict = flight.judge()
    assert code == -signal.SIGKILL
    assert "killed by SIGKILL" in err
    assert (verdict.ending.signal, verdict.ending.oom, verdict.ending.sender) == (9, False, None)
    assert first(verdict) not in ("memory", "application")
    assert any("who sent SIGKILL" in words for words in verdict.untold)
    assert verdict.last_lines == ("ready",)


def test_sigterm_to_the_job(fly, python):
    flight = fly(*python(FOREVER))
    flight.process.stdout.readline()
    os.kill(flight.pid("job"), signal.SIGTERM)
    code, _, _ = flight.finish()
    assert code == -signal.SIGTERM
    assert flight.judge().ending.signal == signal.SIGTERM


COUNT_SIGTERMS = """
import signal
signal.pthread_sigmask(signal.SIG_BLOCK, {15})
print("ready")
signal.sigwait({15})
raise SystemExit(2 if signal.sigtimedwait({15}, 0.4) else 1)
"""


def test_sigterm_to_the_recorder_reaches_the_job_once_and_its_sender_is_named(fly, python):
    flight = fly(*python(COUNT_SIGTERMS))
    flight.process.stdout.readline()
    flight.process.send_signal(signal.SIGTERM)
    code, _, _ = flight.finish()
    assert code == 1
    noted = flight.read().last("signal").data
    assert (noted["signal"], noted["pid"], noted["forwarded"]) == (15, os.getpid(), True)


def test_sigterm_to_the_whole_group_reaches_the_job_once(fly, python):
    flight = fly(*python(COUNT_SIGTERMS), start_new_session=True)
    flight.process.stdout.readline()
    flight.wait_for_record("witness")
    os.killpg(flight.process.pid, signal.SIGTERM)
    code, _, _ = flight.finish()
    assert code == 1
    noted = flight.read().last("signal").data
    assert (noted["pid"], noted["to_all"], noted["forwarded"]) == (os.getpid(), True, False)


def test_timeout_signals_twice_and_the_job_is_told_once(python, tmp_path):
    if not shutil.which("timeout"):
        pytest.skip("there is no timeout(1) here")
    command = ["timeout", "2", *RECORD, "-o", str(tmp_path), "--quiet", "--", *python(COUNT_SIGTERMS)]
    done = subprocess.run(command, capture_output=True, timeout=20)
    assert done.returncode == 124
    assert recording.load(tmp_path / "0001").data("end")["status"] == 1


def test_the_sender_of_a_forwarded_signal_stands_in_the_verdict(fly, python):
    flight = fly(*python(FOREVER))
    flight.process.stdout.readline()
    flight.process.send_signal(signal.SIGTERM)
    code, _, _ = flight.finish()
    assert code == -signal.SIGTERM
    assert flight.judge().ending.sender.pid == os.getpid()


def test_a_limit_on_cpu_time(fly, python):
    flight = fly(
        *python("import resource\nresource.setrlimit(resource.RLIMIT_CPU, (1, 1))\nwhile True: pass")
    )
    code, _, _ = flight.finish()
    verdict = flight.judge()
    assert code in (-signal.SIGKILL, -signal.SIGXCPU)
    assert verdict.ending.cpu_limit_s == 1
    assert first(verdict) == "deadline"


def test_a_limit_on_memory(fly, python):
    flight = fly(
        *python(
            "import resource\nresource.setrlimit(resource.RLIMIT_AS, (400 << 20, 400 << 20))\n"
            "kept = []\nwhile True: kept.append(bytearray(10 << 20))"
        )
    )
    code, _, _ = flight.finish()
    assert code == 1
    assert first(flight.judge()) == "memory"


@pytest.mark.skipif(
    not any(os.access(folder / "instances", os.W_OK) for folder in signals.TRACE_FOLDERS),
    reason="only root can trace signals, and only where tracefs is mounted",
)
def test_with_a_trace_the_sender_of_sigkill_is_named(fly, python):
    flight = fly(*python(FOREVER), options=("--trace-signals",))
    flight.process.stdout.readline()
    os.kill(flight.pid("job"), signal.SIGKILL)
    flight.finish()
    assert flight.judge().ending.sender.pid == os.getpid()


@pytest.mark.parametrize(("name", "status"), [("no-such-command-here", 127), ("/", 126)])
def test_what_cannot_be_executed(fly, name, status):
    flight = fly(name)
    code, _, err = flight.finish()
    assert code == status
    assert "did not start" in err
    assert flight.judge().ending.how == "not started"


def test_the_recorder_is_killed_and_the_job_goes_on(fly, python):
    code = "import sys\nprint('ready')\nprint(sys.stdin.readline().strip())\nraise SystemExit(7)"
    flight = fly(*python(code), stdin=subprocess.PIPE)
    flight.process.stdout.readline()
    job = flight.pid("job")
    flight.wait_for_record("witness")
    flight.process.kill()
    flight.process.wait()
    flight.wait_for_record("takeover")
    assert psutil.pid_exists(job)
    flight.process.stdin.write("still here\n")
    flight.process.stdin.flush()
    assert flight.process.stdout.readline() == "still here\n", "its output still reaches whoever reads it"
    flight.wait_for_record("tail")
    ending = flight.judge().ending
    assert ending.recorder_killed
    assert ending.status == (7 if STRANGERS_ARE_TOLD else None)
    assert "still here" in flight.judge().last_lines


def test_recorder_and_job_are_killed_together(fly, python):
    flight = fly(*python(FOREVER), start_new_session=True)
    flight.process.stdout.readline()
    flight.pid("job")
    flight.wait_for_record("witness")
    os.killpg(flight.process.pid, signal.SIGKILL)
    flight.process.wait()
    flight.wait_for_record("end")
    verdict = flight.judge()
    assert verdict.ending.recorder_killed
    assert verdict.ending.signal == (9 if STRANGERS_ARE_TOLD else 0)
    spoken = [words for each in verdict.suspects for words in each.speaks_for]
    assert any("a whole group, service or container was killed" in words for words in spoken)


def test_all_three_are_killed(fly, python):
    flight = fly(*python(FOREVER))
    flight.process.stdout.readline()
    job, witness = flight.pid("job"), flight.pid("witness")
    os.kill(witness, signal.SIGKILL)
    wait_for(lambda: not psutil.pid_exists(witness), "the end of the witness")
    flight.process.kill()
    flight.process.wait()
    assert flight.judge().ending.how == "running", "the job goes on, and nobody records it"
    os.kill(job, signal.SIGKILL)
    wait_for(lambda: not _lives(job), "the end of the job")
    verdict = flight.judge()
    assert verdict.ending.how == "vanished"
    assert flight.read().damage.lines == 0
    assert verdict.last_lines == ("ready",)


def _lives(pid):
    with contextlib.suppress(psutil.NoSuchProcess):
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    return False


def test_a_fork_bomb_of_bounded_size(fly, python):
    flight = fly(
        *python(
            "import os, signal\nfor _ in range(8): os.fork()\n"
            "signal.setitimer(signal.ITIMER_REAL, 2.2)\nsignal.signal(14, lambda *a: os._exit(3))\n"
            "signal.pause()"
        )
    )
    code, _, _ = flight.finish()
    run = flight.read()
    assert code == 3
    assert max(run.samples.columns["processes"]) == 256
    assert (run.folder / "log").stat().st_size < 200_000, "what forks a lot must not fill the log"


def test_a_daemon_is_sampled_and_named_and_keeps_its_output(fly):
    flight = fly("sh", "-c", "(setsid sh -c 'sleep 1; echo from the daemon' &); sleep 0.3; exit 4")
    code, out, err = flight.finish()
    assert code == 4
    assert out == "from the daemon\n"
    assert "still runs" in err
    left = flight.read().data("end")["left_behind"]
    assert any("from the daemon" in each["command"] for each in left)


def test_a_job_whose_reader_has_gone_is_told_so(fly, tmp_path):
    command = [*RECORD, "-o", str(tmp_path / "runs"), "--", "yes"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as recorder:
        recorder.stdout.readline()
        recorder.stdout.close()
        assert recorder.wait(timeout=20) == -signal.SIGPIPE


def test_a_file_is_given_to_the_job_and_read_along(fly, python, tmp_path):
    with (tmp_path / "out").open("w") as out:
        flight = fly(
            *python("import os; print(os.fstat(1).st_ino); print('the end'); os.abort()"), stdout=out
        )
        code, _, _ = flight.finish()
    assert code == -signal.SIGABRT
    assert (tmp_path / "out").read_text().splitlines() == [str((tmp_path / "out").stat().st_ino), "the end"]
    assert flight.judge().last_lines[-1] == "the end"


def test_a_log_of_its_own_is_followed_through_rotation(fly, python, tmp_path):
    log = tmp_path / "job.log"
    log.write_text("from an earlier run\n")
    code = (
        "import os, sys, pathlib\nlog = pathlib.Path(sys.argv[1])\n"
        "log.open('a').write('before\\n'); input(); os.rename(log, str(log) + '.1')\n"
        "log.write_text('after\\n'); input(); raise SystemExit(1)"
    )
    flight = fly(
        *python(code, str(log)), options=("--log", str(log), "--interval", "0.1"), stdin=subprocess.PIPE
    )
    flight.wait_for_record("job")
    for lines in (1, 2):
        wait_for(lambda lines=lines: lines in flight.read().samples.columns["lines"], f"line {lines}")
        flight.process.stdin.write("\n")
        flight.process.stdin.flush()
    flight.finish()
    assert flight.judge().last_lines == ("before", "after")


ALMOST_FULL = """
import resource, sys
from scenarios.lab.commands import main
from simulations.live.recorder import log, watch
log.RESERVE_BYTES, log.WITNESS_AT = 16384, 12288
resource.setrlimit(resource.RLIMIT_FSIZE, (16384, resource.RLIM_INFINITY))
watch._FIRST_PAUSES_S = (0.002,) * 400
sys.exit(main(sys.argv[1:]))
"""


def test_a_disk_that_is_full_from_some_time_on(python, tmp_path):
    """A limit on the size of files stops the log at 16 KiB; the end stands in the reserve."""
    job = (
        "import signal, sys; print('x'); signal.pthread_sigmask(signal.SIG_BLOCK, {14})\n"
        "signal.alarm(2); signal.sigwait({14}); sys.exit(5)"
    )
    command = ["record", "-o", str(tmp_path), "--json", "--", *python(job)]
    done = subprocess.run([sys.executable, "-c", ALMOST_FULL, *command], capture_output=True, text=True)
    found = json.loads(done.stderr)
    assert (tmp_path / "0001" / "log").stat().st_size == 16_384
    assert (done.returncode, found["ending"]["status"], found["last_lines"]) == (5, 5, ["x"])
    assert found["damage"]["torn_bytes"] > 0


FAST_SAMPLES = """
import sys
from scenarios.lab.commands import main
from simulations.live.recorder import watch
watch._FIRST_PAUSES_S = (0.002,) * 300
sys.exit(main(sys.argv[1:]))
"""


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 200 KiB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=200k", "heisenlab-test", str(folder)]
    if os.geteuid() or not shutil.which("mount") or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("only root may mount a small file system")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def test_a_disk_that_the_job_fills(python, small_disk):
    job = (
        "import pathlib, sys, time\nfile = open(sys.argv[1], 'wb', buffering=0)\n"
        "try:\n    while True: file.write(bytes(1024))\n"
        "except OSError: time.sleep(1.5); raise"
    )
    command = [
        "record",
        "-o",
        str(small_disk / "runs"),
        "--json",
        "--",
        *python(job, str(small_disk / "fill")),
    ]
    done = subprocess.run([sys.executable, "-c", FAST_SAMPLES, *command], capture_output=True, text=True)
    found = json.loads(done.stderr.splitlines()[-1])
    assert (found["ending"]["status"], found["suspects"][0]["name"]) == (1, "disk")
    assert shutil.disk_usage(small_disk).free == 0
    run = recording.load(small_disk / "runs" / "0001")
    assert run.last("end") is not None
    assert sum(each.data for each in run.all("lost")) > 0


def _pty(command):
    pid, terminal = pty.fork()
    if pid == 0:
        os.execvp(command[0], command)  # noqa: S606 - there is no shell in a terminal of ours
    return pid, terminal


def _read_until(terminal, words):
    seen = b""
    while words not in seen:
        ready, _, _ = select.select([terminal], [], [], 20)
        assert ready, seen
        seen += os.read(terminal, 4096)
    return seen


def test_a_terminal_stays_a_terminal(tmp_path, python):
    code = (
        "import os, sys\nprint(*(os.isatty(n) for n in (0, 1, 2)), os.tcgetpgrp(0) == os.getpgrp())\n"
        "print('hello', input('name? '))"
    )
    pid, terminal = _pty([*RECORD, "-o", str(tmp_path), "--", *python(code)])
    _read_until(terminal, b"name? ")
    os.write(terminal, b"Faris\n")
    seen = _read_until(terminal, b"hello Faris\r\n")
    _read_until(terminal, b"exited with status 0")
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    os.close(terminal)
    assert b"\r\r\n" not in seen
    assert recording.load(tmp_path / "0001").data("tail")["last"] == [
        "True True True True",
        "name? hello Faris",
    ]


def test_the_size_of_the_terminal_is_the_jobs(tmp_path, python):
    code = (
        "import os, signal\nsignal.signal(signal.SIGWINCH, lambda *_: None)\n"
        "signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGWINCH})\nprint('ready')\n"
        "while os.get_terminal_size(1) != (97, 43): signal.sigwait({signal.SIGWINCH})\nprint('resized')"
    )
    pid, terminal = _pty([*RECORD, "-o", str(tmp_path), "--", *python(code)])
    _read_until(terminal, b"ready")
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 43, 97, 0, 0))
    _read_until(terminal, b"exited with status 0")
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    os.close(terminal)


def test_stop_and_continue_at_the_terminal(tmp_path, python):
    code = (
        "import signal; signal.pthread_sigmask(0, {15}); print('ready'); signal.sigwait({15}); print('bye')"
    )
    pid, terminal = _pty(["sh", "-mc", 'printf "shell\n"; "$@"; echo stopped $?; fg', "sh",
                          *RECORD, "-o", str(tmp_path), "--quiet", "--", *python(code)])  # fmt: skip
    _read_until(terminal, b"ready")
    os.write(terminal, b"\x1a")
    _read_until(terminal, b"stopped 148")
    job = number(recording.load(tmp_path / "0001").data("job"), "pid")
    os.kill(job, signal.SIGTERM)
    _read_until(terminal, b"bye")
    os.waitpid(pid, 0)
    os.close(terminal)


def test_control_c_at_the_terminal(tmp_path, python):
    code = "import signal; signal.signal(2, signal.SIG_DFL); print('ready'); signal.pause()"
    pid, terminal = _pty([*RECORD, "-o", str(tmp_path), "--", *python(code)])
    _read_until(terminal, b"ready")
    os.write(terminal, b"\x03")
    _read_until(terminal, b"because Ctrl-C was typed")
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == -signal.SIGINT
    os.close(terminal)


def test_a_terminal_that_hangs_up(tmp_path, python):
    pid, terminal = _pty([*RECORD, "-o", str(tmp_path), "--", *python(FOREVER)])
    _read_until(terminal, b"ready")
    os.close(terminal)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == -signal.SIGHUP
    run = recording.load(tmp_path / "0001")
    found = recording.present(run)
    verdict = judge(run, found)
    assert "the terminal hung up" in verdict.ending.words
    assert first(verdict) == "person"


def test_signals_that_the_job_ignores_stay_ignored(fly, python):
    code = "from signal import *; print(getsignal(SIGHUP) == SIG_IGN, pthread_sigmask(SIG_BLOCK, []))"
    flight = fly(*python(code), preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN))
    _, out, _ = flight.finish()
    assert out == "True set()\n"


@pytest.fixture
def small_cgroup():
    """A control group with 48 MiB, of whichever version this host accounts memory with."""
    here = autopsy.memory_cgroup(os.getpid())
    if not here.version:
        here = autopsy.Cgroup(str(autopsy.CGROUPS), 2)
    folder = Path(here.folder) / f"heisenlab-test-{os.getpid()}"
    names = ["memory.limit_in_bytes", "memory.memsw.limit_in_bytes"] if here.version == 1 else ["memory.max"]
    try:
        folder.mkdir()
        for name in names:
            with contextlib.suppress(FileNotFoundError):
                (folder / name).write_text(str(48 << 20))
    except OSError as error:
        with contextlib.suppress(OSError):
            folder.rmdir()
        pytest.skip(f"no control group can be made here: {error}")
    yield folder
    wait_for(lambda: not (folder / "cgroup.procs").read_text().split(), "an empty control group")
    folder.rmdir()


@pytest.mark.parametrize("victim", ["the job", "a worker"])
def test_the_kernels_out_of_memory_killer(fly, python, small_cgroup, victim):
    eat = "kept = []\nwhile True: kept.append(bytearray(1 << 20))"
    procs = str(small_cgroup / "cgroup.procs")
    join = f"import os, pathlib\npathlib.Path({procs!r}).write_text(str(os.getpid()))\ninput()\n"
    if victim == "a worker":
        eat = f"import subprocess, sys\nsys.exit(subprocess.call([sys.executable, '-c', {eat!r}]) == -9)"
    flight = fly(*python(join + eat), options=("--interval", "0.1"), stdin=subprocess.PIPE)
    flight.wait_for_record("cgroup")
    flight.process.stdin.write("\n")
    code, _, _ = flight.finish()
    verdict = flight.judge()
    assert code == (-9 if victim == "the job" else 1)
    assert verdict.ending.oom
    assert first(verdict) == "memory"


def test_the_recorders_own_memory_is_small(fly, python):
    flight = fly(*python(FOREVER))
    flight.process.stdout.readline()
    flight.wait_for_record("witness")
    assert psutil.Process(flight.process.pid).memory_info().rss < 64 << 20


def test_every_process_is_below_the_recorder(fly):
    """Whoever looks for the job finds it where a shell would have put it."""
    flight = fly("sleep", "60")
    job = flight.pid("job")
    wait_for(lambda: psutil.Process(job).name() == "sleep", "the job")
    assert [each.pid for each in psutil.Process(flight.process.pid).children()] == [job]
    os.kill(job, 9)
    flight.finish()


def test_two_recorders_may_share_a_folder(fly):
    flights = [fly("sh", "-c", f"exit {number}") for number in (1, 2, 3)]
    assert [flight.finish()[0] for flight in flights] == [1, 2, 3]
    found = [recording.load(each).data("end")["status"] for each in recording.runs(flights[0].folder)]
    assert sorted(found) == [1, 2, 3]


def test_as_the_first_process_of_a_container_it_records_the_job_only(python, tmp_path):
    unshare = ["unshare", "--pid", "--fork", "--mount-proc"]
    if not shutil.which("unshare") or subprocess.run([*unshare, "true"], capture_output=True).returncode:
        pytest.skip("no namespace for processes can be made here")
    job = python("import time; time.sleep(0.5); raise SystemExit(3)")
    done = subprocess.run([*unshare, *RECORD, "-o", str(tmp_path), "--quiet", "--", *job], timeout=20)
    run = recording.load(tmp_path / "0001")
    assert done.returncode == 3
    assert (run.data("end")["status"], run.data("end")["left_behind"]) == (3, [])
    assert max(run.samples.columns["processes"]) == 1


def test_no_process_is_left(fly):
    flight = fly("true")
    flight.finish()
    witness = number(flight.read().data("witness"), "pid")
    wait_for(lambda: not _lives(witness), "the end of the witness")
