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

from simulations.live import recorder
from simulations.live.recorder import LogError, accounting, recording, signals
from tests.simulations.live.recorder.live_run import RECORD, LiveRun, kill_if_ours, wait_for

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the recorder reads /proc")

KERNEL = tuple(int(part) for part in os.uname().release.split("-")[0].split(".")[:2])
STRANGERS_ARE_TOLD = KERNEL >= (6, 15)
FOREVER = "import time\nprint('ready')\nwhile True: time.sleep(60)"


@pytest.fixture
def launch(tmp_path):
    """Start a command under the recorder; whatever is left of it at the end is killed."""
    started = []

    def start(*command, options=(), **popen):
        started.append(LiveRun(tmp_path / "runs", list(command), options, **popen))
        return started[-1]

    yield start
    for live in started:
        left = [live.process.pid]
        try:
            run = live.read()
            left += [*run.pids, run.witness.pid if run.witness else -1]
        except LogError:
            pass
        for pid in left:
            if pid > 1 and psutil.pid_exists(pid) and pid != os.getpid():
                kill_if_ours(pid)
        with live.process:
            live.process.kill()


@pytest.fixture
def python():
    """Return the command that runs a piece of Python."""
    return lambda code, *arguments: (sys.executable, "-u", "-c", code, *arguments)


def first(verdict):
    return verdict.suspects[0].suspect.name


@pytest.mark.parametrize("status", [0, 1, 77])
def test_the_status_is_the_jobs(launch, python, status):
    live = launch(*python(f"print('out'); raise SystemExit({status})"))
    code, out, _ = live.finish()
    assert (code, out) == (status, "out\n")
    assert live.judge().ending.status == status


def test_output_is_passed_on_byte_for_byte_and_apart(python, tmp_path):
    code = (
        "import os\nfor n in range(3000): os.write(1, bytes(range(256)) + b'%d\\n' % n)\n"
        "os.write(2, b'\\xff\\x00err')"
    )
    done = subprocess.run([*RECORD, "-o", tmp_path, "--quiet", "--", *python(code)], capture_output=True)
    assert done.stdout == b"".join(bytes(range(256)) + b"%d\n" % n for n in range(3000))
    assert done.stderr == b"\xff\x00err"


def test_standard_input_is_the_jobs(launch):
    live = launch("cat", stdin=subprocess.PIPE)
    live.process.stdin.write("hello\n")
    _, out, _ = live.finish()
    assert out == "hello\n"


def test_sigkill_from_another_process(launch, python):
    live = launch(*python(FOREVER))
    assert live.process.stdout.readline() == "ready\n"
    subprocess.run([sys.executable, "-c", f"import os; os.kill({live.pid('job')}, 9)"], check=True)
    code, _, err = live.finish()
    verdict = live.judge()
    assert code == -signal.SIGKILL
    assert "killed by SIGKILL" in err
    assert (verdict.ending.signal, verdict.ending.oom, verdict.ending.sender) == (9, False, None)
    assert first(verdict) not in ("memory", "application")
    assert any("who sent SIGKILL" in words for words in verdict.unknown)
    assert verdict.last_lines == ("ready",)


def test_sigterm_to_the_job(launch, python):
    live = launch(*python(FOREVER))
    live.process.stdout.readline()
    os.kill(live.pid("job"), signal.SIGTERM)
    code, _, _ = live.finish()
    assert code == -signal.SIGTERM
    assert live.judge().ending.signal == signal.SIGTERM


COUNT_SIGTERMS = """
import signal
signal.pthread_sigmask(signal.SIG_BLOCK, {15})
print("ready")
signal.sigwait({15})
raise SystemExit(2 if signal.sigtimedwait({15}, 0.4) else 1)
"""


def test_sigterm_to_the_recorder_reaches_the_job_once_and_its_sender_is_named(launch, python):
    live = launch(*python(COUNT_SIGTERMS))
    live.process.stdout.readline()
    live.process.send_signal(signal.SIGTERM)
    code, _, _ = live.finish()
    assert code == 1
    noted = live.read().signals[-1]
    assert (noted.signal, noted.pid, noted.forwarded) == (15, os.getpid(), True)


def test_sigterm_to_the_whole_group_reaches_the_job_once(launch, python):
    live = launch(*python(COUNT_SIGTERMS), start_new_session=True)
    live.process.stdout.readline()
    live.wait_for_record("witness")
    os.killpg(live.process.pid, signal.SIGTERM)
    code, _, _ = live.finish()
    assert code == 1
    noted = live.read().signals[-1]
    assert (noted.pid, noted.to_all, noted.forwarded) == (os.getpid(), True, False)


def test_timeout_signals_twice_and_the_job_is_told_once(python, tmp_path):
    if not shutil.which("timeout"):
        pytest.skip("there is no timeout(1) here")
    command = ["timeout", "2", *RECORD, "-o", str(tmp_path), "--quiet", "--", *python(COUNT_SIGTERMS)]
    done = subprocess.run(command, capture_output=True, timeout=120)
    assert done.returncode == 124
    assert recorder.load(tmp_path).end.status == 1


def test_the_sender_of_a_forwarded_signal_stands_in_the_verdict(launch, python):
    live = launch(*python(FOREVER))
    live.process.stdout.readline()
    live.process.send_signal(signal.SIGTERM)
    code, _, _ = live.finish()
    assert code == -signal.SIGTERM
    assert live.judge().ending.sender.pid == os.getpid()


def test_a_limit_on_cpu_time(launch, python):
    live = launch(
        *python("import resource\nresource.setrlimit(resource.RLIMIT_CPU, (1, 1))\nwhile True: pass")
    )
    code, _, _ = live.finish()
    verdict = live.judge()
    assert code in (-signal.SIGKILL, -signal.SIGXCPU)
    assert verdict.ending.cpu_limit_s == 1
    assert first(verdict) == "deadline"


def test_a_limit_on_memory(launch, python):
    live = launch(
        *python(
            "import resource\nresource.setrlimit(resource.RLIMIT_AS, (400 << 20, 400 << 20))\n"
            "kept = []\nwhile True: kept.append(bytearray(10 << 20))"
        )
    )
    code, _, _ = live.finish()
    assert code == 1
    assert first(live.judge()) == "memory"


@pytest.mark.skipif(
    not any(os.access(folder / "instances", os.W_OK) for folder in signals.TRACE_FOLDERS),
    reason="only root can trace signals, and only where tracefs is mounted",
)
def test_with_a_trace_the_sender_of_sigkill_is_named(launch, python):
    live = launch(*python(FOREVER), options=("--trace-signals",))
    live.process.stdout.readline()
    os.kill(live.pid("job"), signal.SIGKILL)
    live.finish()
    assert live.judge().ending.sender.pid == os.getpid()


@pytest.mark.parametrize(("name", "status"), [("no-such-command-here", 127), ("/", 126)])
def test_what_cannot_be_executed(launch, name, status):
    live = launch(name)
    code, _, err = live.finish()
    assert code == status
    assert "did not start" in err
    assert live.judge().ending.how == "not started"


def test_the_recorder_is_killed_and_the_job_goes_on(launch, python):
    code = "import sys\nprint('ready')\nprint(sys.stdin.readline().strip())\nraise SystemExit(7)"
    live = launch(*python(code), stdin=subprocess.PIPE)
    live.process.stdout.readline()
    job = live.pid("job")
    live.wait_for_record("witness")
    live.process.kill()
    live.process.wait()
    live.wait_for_record("takeover")
    assert psutil.pid_exists(job)
    live.process.stdin.write("still here\n")
    live.process.stdin.flush()
    assert live.process.stdout.readline() == "still here\n", "its output still reaches whoever reads it"
    live.wait_for_record("tail")
    ending = live.judge().ending
    assert ending.recorder_killed
    assert ending.status == (7 if STRANGERS_ARE_TOLD else None)
    assert "still here" in live.judge().last_lines


def test_recorder_and_job_are_killed_together(launch, python):
    live = launch(*python(FOREVER), start_new_session=True)
    live.process.stdout.readline()
    live.pid("job")
    live.wait_for_record("witness")
    os.killpg(live.process.pid, signal.SIGKILL)
    live.process.wait()
    live.wait_for_record("end")
    verdict = live.judge()
    assert verdict.ending.recorder_killed
    assert verdict.ending.signal == (9 if STRANGERS_ARE_TOLD else 0)
    spoken = [words for each in verdict.suspects for words in each.speaks_for]
    assert any("a whole group, service or container was killed" in words for words in spoken)


def test_all_three_are_killed(launch, python):
    live = launch(*python(FOREVER))
    live.process.stdout.readline()
    job, witness = live.pid("job"), live.pid("witness")
    watched = psutil.Process(witness)  # by its beginning, too: another process may get its number
    watched.kill()
    wait_for(lambda: not watched.is_running(), "the end of the witness")
    live.process.kill()
    live.process.wait()
    assert live.judge().ending.how == "running", "the job goes on, and nobody records it"
    os.kill(job, signal.SIGKILL)
    wait_for(lambda: not _lives(job), "the end of the job")
    verdict = live.judge()
    assert verdict.ending.how == "vanished"
    assert live.read().damage.lines == 0
    assert verdict.last_lines == ("ready",)


def _lives(pid):
    with contextlib.suppress(psutil.NoSuchProcess):
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    return False


def test_a_fork_bomb_of_bounded_size(launch, python):
    live = launch(
        *python(
            "import os, signal\nfor _ in range(8): os.fork()\n"
            "signal.setitimer(signal.ITIMER_REAL, 2.2)\nsignal.signal(14, lambda *a: os._exit(3))\n"
            "signal.pause()"
        )
    )
    code, _, _ = live.finish()
    run = live.read()
    assert code == 3
    assert max(run.samples.columns["processes"]) == 256
    assert (run.folder / "log").stat().st_size < 200_000, "what forks a lot must not fill the log"


def test_a_daemon_is_sampled_and_named_and_keeps_its_output(launch):
    live = launch("sh", "-c", "(setsid sh -c 'sleep 1; echo from the daemon' &); sleep 0.3; exit 4")
    code, out, err = live.finish()
    assert code == 4
    assert out == "from the daemon\n"
    assert "still runs" in err
    left = live.read().end.left_behind
    assert any("from the daemon" in each.command for each in left)


def test_a_job_whose_reader_has_gone_is_told_so(launch, tmp_path):
    command = [*RECORD, "-o", str(tmp_path / "runs"), "--", "yes"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as recorder:
        recorder.stdout.readline()
        recorder.stdout.close()
        assert recorder.wait(timeout=120) == -signal.SIGPIPE


def test_a_file_is_given_to_the_job_and_read_along(launch, python, tmp_path):
    with (tmp_path / "out").open("w") as out:
        live = launch(
            *python("import os; print(os.fstat(1).st_ino); print('the end'); os.abort()"), stdout=out
        )
        code, _, _ = live.finish()
    assert code == -signal.SIGABRT
    assert (tmp_path / "out").read_text().splitlines() == [str((tmp_path / "out").stat().st_ino), "the end"]
    assert live.judge().last_lines[-1] == "the end"


def test_a_log_of_its_own_is_followed_through_rotation(launch, python, tmp_path):
    log = tmp_path / "job.log"
    log.write_text("from an earlier run\n")
    code = (
        "import os, sys, pathlib\nlog = pathlib.Path(sys.argv[1])\n"
        "log.open('a').write('before\\n'); input(); os.rename(log, str(log) + '.1')\n"
        "log.write_text('after\\n'); input(); raise SystemExit(1)"
    )
    live = launch(
        *python(code, str(log)), options=("--log", str(log), "--interval", "0.1"), stdin=subprocess.PIPE
    )
    live.wait_for_record("job")
    for lines in (1, 2):
        wait_for(lambda lines=lines: lines in live.read().samples.columns["lines"], f"line {lines}")
        live.process.stdin.write("\n")
        live.process.stdin.flush()
    live.finish()
    assert live.judge().last_lines == ("before", "after")


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
    ends_with_a_record = (tmp_path / "0001" / "log").read_bytes().endswith(b"\n")
    assert (found["damage"]["torn_bytes"] > 0) is not ends_with_a_record


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
    run = recorder.load(small_disk / "runs" / "0001")
    assert run.end is not None
    assert run.lost > 0


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
    assert recorder.load(tmp_path).last_lines == ("True True True True", "name? hello Faris")


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
    job = recorder.load(tmp_path).job.pid
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
    verdict = recorder.verdict(recorder.load(tmp_path))
    assert "the terminal hung up" in verdict.ending.words
    assert first(verdict) == "person"


def test_signals_that_the_job_ignores_stay_ignored(launch, python):
    code = "from signal import *; print(getsignal(SIGHUP) == SIG_IGN, pthread_sigmask(SIG_BLOCK, []))"
    live = launch(*python(code), preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN))
    _, out, _ = live.finish()
    assert out == "True set()\n"


@pytest.fixture
def small_cgroup():
    """A control group with 48 MiB, of whichever version this host accounts memory with."""
    here = accounting.memory_cgroup(os.getpid())
    if not here.version:
        here = accounting.Cgroup(str(accounting.CGROUPS), 2)
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
def test_the_kernels_out_of_memory_killer(launch, python, small_cgroup, victim):
    eat = "kept = []\nwhile True: kept.append(bytearray(1 << 20))"
    procs = str(small_cgroup / "cgroup.procs")
    join = f"import os, pathlib\npathlib.Path({procs!r}).write_text(str(os.getpid()))\ninput()\n"
    if victim == "a worker":
        eat = f"import subprocess, sys\nsys.exit(subprocess.call([sys.executable, '-c', {eat!r}]) == -9)"
    live = launch(*python(join + eat), options=("--interval", "0.1"), stdin=subprocess.PIPE)
    live.wait_for_record("cgroup")
    live.process.stdin.write("\n")
    code, _, _ = live.finish()
    verdict = live.judge()
    assert code == (-9 if victim == "the job" else 1)
    assert verdict.ending.oom
    assert first(verdict) == "memory"


def test_the_recorders_own_memory_is_small(launch, python):
    live = launch(*python(FOREVER))
    live.process.stdout.readline()
    live.wait_for_record("witness")
    assert psutil.Process(live.process.pid).memory_info().rss < 64 << 20


def test_every_process_is_below_the_recorder(launch):
    """Whoever looks for the job finds it where a shell would have put it."""
    live = launch("sleep", "60")
    job = live.pid("job")
    wait_for(lambda: psutil.Process(job).name() == "sleep", "the job")
    assert [each.pid for each in psutil.Process(live.process.pid).children()] == [job]
    os.kill(job, 9)
    live.finish()


def test_two_recorders_may_share_a_folder(launch):
    started = [launch("sh", "-c", f"exit {number}") for number in (1, 2, 3)]
    assert [live.finish()[0] for live in started] == [1, 2, 3]
    found = [recorder.load(each).end.status for each in recording.runs(started[0].folder)]
    assert sorted(found) == [1, 2, 3]


def test_as_the_first_process_of_a_container_it_records_the_job_only(python, tmp_path):
    unshare = ["unshare", "--pid", "--fork", "--mount-proc"]
    if not shutil.which("unshare") or subprocess.run([*unshare, "true"], capture_output=True).returncode:
        pytest.skip("no namespace for processes can be made here")
    job = python("import time; time.sleep(0.5); raise SystemExit(3)")
    done = subprocess.run([*unshare, *RECORD, "-o", str(tmp_path), "--quiet", "--", *job], timeout=120)
    run = recorder.load(tmp_path / "0001")
    assert done.returncode == 3
    assert (run.end.status, run.end.left_behind) == (3, ())
    assert max(run.samples.columns["processes"]) == 1


def test_no_process_is_left(launch):
    live = launch("true")
    live.finish()
    witness = live.read().witness.pid
    wait_for(lambda: not _lives(witness), "the end of the witness")
