"""Whatever keeps the recorder from recording, the job runs, its status is passed on, and a line says why."""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
from itertools import cycle
from pathlib import Path

import pytest

from simulations.live import recorder
from tests.simulations.live.recorder.forked import Case, run_all
from tests.simulations.live.recorder.live_run import RECORD, wait_for

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the recorder reads /proc")

JOB = ("sh", "-c", "echo out; exit 7")
WARNING = "heisenlab record: warning: "


def warnings_in(text):
    return [line for line in text.splitlines() if line.startswith(WARNING)]


@pytest.fixture(scope="module")
def with_few_descriptors(tmp_path_factory):
    """The same job with 1, 2, 3, ... free descriptors."""
    folder = tmp_path_factory.mktemp("descriptors")
    limits = range(4, 16)
    before = "import resource; resource.setrlimit(resource.RLIMIT_NOFILE, ({0}, {0}))"
    cases = [Case(["-o", folder / str(limit), "--", *JOB], before.format(limit)) for limit in limits]
    return folder, dict(zip(limits, run_all(cases), strict=True))


def test_without_free_descriptors_the_job_runs(with_few_descriptors):
    folder, outcomes = with_few_descriptors
    for limit, (status, text) in outcomes.items():
        assert status == 7, (limit, text)
        assert "out\n" in text
        assert "Traceback" not in text
        recorded = (folder / str(limit) / "0001" / "log").exists()
        assert recorded == ("exited with status 7" in text)
        assert recorded or "takes the place of the recorder: Too many open files" in warnings_in(text)[-1]
    assert "takes the place" in outcomes[4][1]
    assert "exited with status 7" in outcomes[15][1]


def test_what_gave_way_to_the_job_leaves_no_half_written_run(with_few_descriptors):
    folder, outcomes = with_few_descriptors
    for limit, (_, text) in outcomes.items():
        if "takes the place" in text and (folder / str(limit)).exists():
            assert list((folder / str(limit)).iterdir()) == []


BUSY = "def fork(*_): raise BlockingIOError(11, 'busy')\n"
GONE = "folder = tempfile.mkdtemp()\nos.chdir(folder)\nos.rmdir(folder)"
MANY = """
import os, resource
limit = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
resource.setrlimit(resource.RLIMIT_NOFILE, (min(limit, 4096), limit))
for _ in range(1200 if limit > 1300 else 0): os.dup(0)
"""
WATCH = "from simulations.live.recorder import watch\n"
REPORT = "from simulations.live import recorder\ndef report(*_, **__): raise {}\nrecorder.report = report"
FAILING_CALLS = {
    "no process for the witness": f"import os\n{BUSY}os.fork = fork",
    "no process at all": f"import os, subprocess\n{BUSY}os.fork = subprocess._fork_exec = fork",
    "no thread": "import threading\ndef start(self): raise RuntimeError\nthreading.Thread.start = start",
    "no pipe": "import os\ndef pipe(*_): raise OSError(24, 'Too many')\nos.pipe = os.pipe2 = pipe",
    "samples fail": f"{WATCH}watch.Sampler.sample = lambda *_: 1 / 0",
    "the sampler cannot begin": f"{WATCH}watch.Sampler = lambda *_, **__: 1 / 0",
    "the last readings fail": f"{WATCH}watch.Watch.final_readings = lambda *_: 1 / 0",
    "the start cannot be described": "import platform\nplatform.node = lambda: 1 / 0",
    "the verdict fails": REPORT.format("ZeroDivisionError"),
    "no memory for the verdict": REPORT.format("MemoryError"),
    "the folder of the job is gone": f"import os, tempfile\n{GONE}",
    "no HOME and no environment": "import os\nos.environ.clear()\nos.environ['PATH'] = '/usr/bin:/bin'",
    "standard input is closed": "import os; os.close(0)",
    "standard output is closed": "import os, sys; os.close(1); sys.stdout = None",
    "standard error is closed": "import os, sys; os.close(2); sys.stderr = None",
    "all three are closed": "import os, sys; os.closerange(0, 3); sys.stdin = sys.stdout = sys.stderr = None",
    "many descriptors are open": MANY,
}


@pytest.fixture(scope="module")
def obstructed(tmp_path_factory):
    folder = tmp_path_factory.mktemp("obstructed")
    job = ("sh", "-c", 'echo out; echo ran > "$0" 2>/dev/null || :; exit 7')
    cases = [
        Case(
            [
                *([] if "verdict" in name else ["--quiet"]),
                "-o",
                folder / str(place),
                "--",
                *job,
                folder / f"ran-{place}",
            ],
            before,
        )
        for place, (name, before) in enumerate(FAILING_CALLS.items())
    ]
    return dict(zip(FAILING_CALLS, run_all(cases), strict=True)), folder


@pytest.mark.parametrize("obstacle", FAILING_CALLS)
def test_the_job_runs_and_its_status_is_passed_on(obstructed, obstacle):
    outcomes, folder = obstructed
    status, text = outcomes[obstacle]
    assert status == 7, text
    assert "Traceback" not in text
    assert (folder / f"ran-{list(FAILING_CALLS).index(obstacle)}").exists()
    if obstacle not in ("standard output is closed", "all three are closed"):
        assert text.splitlines().count("out") == 1, "the job ran once"


def a_file(path):
    path.touch()


def a_dangling_link(path):
    path.symlink_to("/no/such/place")


def a_locked_folder(path):
    path.mkdir(mode=0o000)


STRANGERS = {
    "a folder": os.mkdir,
    "a file": a_file,
    "a dangling link": a_dangling_link,
    "a locked folder": a_locked_folder,
}
NAMES = ["0001", "9999", "0000", "00000", "999999999", "١٢٣٤", "12345678901", "runs"]


def test_whatever_lies_in_the_folder_the_run_is_recorded(tmp_path):
    cases, folders = [], []
    kinds = cycle(STRANGERS.values())
    every = [(name, next(kinds)) for name in NAMES] + [("9999", put) for put in STRANGERS.values()]
    for number, (name, put) in enumerate(every):
        folder = tmp_path / str(number)
        folder.mkdir()
        put(folder / name)
        folders.append(folder)
        cases.append(Case(["--quiet", "-o", folder, "--", *JOB]))
    for folder, (status, text) in zip(folders, run_all(cases), strict=True):
        assert (status, text) == (7, "out\n"), list(folder.iterdir())
        assert recorder.load(folder).end.status == 7


def test_after_run_9999_comes_10000_and_it_is_the_newest(tmp_path):
    cases = [Case(["--quiet", "-o", tmp_path, "--", "sh", "-c", f"exit {status}"]) for status in (1, 2)]
    (tmp_path / "9998").mkdir()
    run_all(cases)
    assert sorted(each.name for each in tmp_path.iterdir()) == ["10000", "9998", "9999"]
    assert recorder.load(tmp_path).end.status == 2
    assert recorder.report(tmp_path).comparison.runs == 1, "another command"


UNUSABLE = ["/proc/nowhere", "/dev/null/x", "/dev/null", "x" * 300, "a/" * 3000]


def test_where_no_folder_can_be_made_the_job_runs_unrecorded(tmp_path):
    outcomes = run_all(
        [Case(["-o", where, "--until-success", "2", "--", *JOB]) for where in UNUSABLE], cwd=tmp_path
    )
    for status, text in outcomes:
        assert status == 7
        assert text.count("out\n") == 2
        assert len(warnings_in(text)) == 2
        assert "nothing is recorded" in warnings_in(text)[0]
        assert "choose another folder (-o)" in text
        assert "2 more not recorded" in text


def test_from_python_too(tmp_path, capfd):
    (tmp_path / "file").touch()
    done = recorder.record([*JOB], tmp_path / "file")
    assert (done.folder, done.status) == (None, 7)
    assert "nothing is recorded" in done.warnings[0]
    assert capfd.readouterr().out == "out\n"


def test_a_command_that_is_longer_than_an_argument_may_be(tmp_path):
    done = recorder.record(["sh", "-c", "exit $#", "sh", *["x" * 100_000] * 3], tmp_path)
    assert done.status == 3
    assert recorder.load(tmp_path).command[-1] == "..."


def put_fifo(path):
    os.mkfifo(path)


def put_socket(path):
    here = Path.cwd()
    os.chdir(path.parent)  # the name of a socket must be short
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(path.name)
    os.chdir(here)


def put_device(path):
    path.symlink_to("/dev/zero")


def put_loop(path):
    path.symlink_to(path.name)


LOGS = {
    "a FIFO": put_fifo,
    "a socket": put_socket,
    "a device": put_device,
    "a loop": put_loop,
    "a folder": os.mkdir,
}


@pytest.mark.parametrize("kind", LOGS)
def test_a_log_that_cannot_be_read_along_is_left_alone_in_one_line(tmp_path, kind):
    LOGS[kind](tmp_path / "job.log")
    [(status, text)] = run_all([Case(["-o", tmp_path / "runs", "--log", tmp_path / "job.log", "--", *JOB])])
    assert status == 7
    assert len(warnings_in(text)) == 1
    assert "job.log is not read along: " in warnings_in(text)[0]
    assert recorder.load(tmp_path / "runs").last_lines == ("out",)


def test_a_log_that_is_not_there_yet_is_no_warning(tmp_path):
    [(status, text)] = run_all([Case(["--quiet", "-o", tmp_path, "--log", tmp_path / "later", "--", *JOB])])
    assert (status, text) == (7, "out\n")


def test_what_becomes_of_the_log_while_the_job_runs(tmp_path):
    """Removed, replaced by a FIFO that would block a reader, by a folder, by a file again."""
    steps = (
        "log.write_text('first\\n')",
        "log.unlink()",
        "os.mkfifo(log)",
        "log.unlink(); log.mkdir()",
        "log.rmdir(); log.write_text('last\\n')",
    )
    job = "import os, pathlib, time\nlog = pathlib.Path('job.log')\n"
    job += "".join(f"{step}; time.sleep(0.25)\n" for step in steps) + "raise SystemExit(7)"
    words = [
        "--quiet",
        "-o",
        "runs",
        "--interval",
        "0.1",
        "--log",
        "job.log",
        "--",
        sys.executable,
        "-c",
        job,
    ]
    assert run_all([Case(words)], cwd=tmp_path) == [(7, "")]
    assert recorder.load(tmp_path / "runs").last_lines == ("first", "last")


def test_a_disk_that_is_full_from_the_start(tmp_path):
    """200 KiB, all of them taken: there is no block for the log and none for the reserve."""
    mount = ["mount", "-t", "tmpfs", "-o", "size=200k", "heisenlab-test", str(tmp_path)]
    if os.geteuid() or not shutil.which("mount") or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("only root may mount a small file system")
    try:
        with (tmp_path / "fill").open("wb", buffering=0) as file, contextlib.suppress(OSError):
            while file.write(bytes(4096)) == 4096:
                pass
        full, freed = run_all(
            [
                Case(["-o", tmp_path / "full", "--", *JOB]),
                Case(["-o", tmp_path / "freed", "--", "sh", "-c", 'rm "$0"; exit 7', tmp_path / "fill"]),
            ]
        )
        assert full[0] == freed[0] == 7
        assert "out\n" in full[1]
        assert "no reserve can be written" in warnings_in(full[1])[0]
        assert recorder.load(tmp_path / "freed").end.status == 7, "what waited is written when there is space"
        assert recorder.load(tmp_path / "freed").start.schema == 1
    finally:
        subprocess.run(["umount", "--lazy", str(tmp_path)], check=True)


def test_signals_that_end_a_program_reach_the_job(tmp_path):
    """Those of a service manager as well: SIGPWR, SIGRTMIN + 3, ..."""
    job = (
        "import signal, sys\nsignal.pthread_sigmask(signal.SIG_BLOCK, range(1, 65))\n"
        "print('ready', flush=True)\nsys.exit(signal.sigwait(set(range(1, 65)) - {17, 18}))"
    )
    for number in (signal.SIGPWR, signal.SIGRTMIN + 3, signal.SIGVTALRM):
        command = [*RECORD, "--quiet", "-o", str(tmp_path), "--", sys.executable, "-c", job]
        with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
            process.stdout.readline()
            process.send_signal(number)
            assert process.wait() == number
    wait_for(lambda: recorder.load(tmp_path).end, "the end")
