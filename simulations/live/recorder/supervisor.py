"""Runs a command as a child of this process, samples it, passes output and signals on, and notes its end.

Two processes keep one log: the *recorder*, which is the parent of the job, and the *witness* beside it (see
`simulations.live.recorder.witness`).
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import platform
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

import psutil

from simulations.errors import LabError
from simulations.live.recorder import output, readings, signals
from simulations.live.recorder.log import RUN_NAME, Log
from simulations.live.recorder.records import Job, NotStarted, SignalSeen, Start
from simulations.live.recorder.watch import Watch
from simulations.live.recorder.witness import Witness, start_witness

if TYPE_CHECKING:
    from collections.abc import Sequence

RUNS_MAX: Final = 9999
NOT_FOUND: Final = 127
NOT_EXECUTABLE: Final = 126

_PR_SET_CHILD_SUBREAPER: Final = 36
_ARGUMENTS_CHARACTERS_MAX: Final = 2000
_ANCESTORS_MAX: Final = 8
_SCHEDULERS: Final = {
    "SLURM_JOB_ID": "Slurm",
    "PBS_JOBID": "PBS",
    "LSB_JOBID": "LSF",
    "KUBERNETES_SERVICE_HOST": "Kubernetes",
    "AWS_BATCH_JOB_ID": "AWS Batch",
    "GITHUB_ACTIONS": "GitHub Actions",
    "GITLAB_CI": "GitLab CI",
    "JENKINS_URL": "Jenkins",
    "AIRFLOW_CTX_DAG_ID": "Airflow",
    "INVOCATION_ID": "systemd",
}


class RecorderError(LabError):
    """The recorder cannot begin.

    Common causes: the system is not Linux; the folder cannot be made or holds too many runs; an option is out
    of its range.
    """


@dataclass(frozen=True)
class Options:
    """How to record.

    Attributes:
        interval_s: Seconds between samples, from 0.1 to 3600. It grows by itself where a sample costs so much
            that the recorder would take more than 1 % of a processor.
        log: A file that the job writes its log to, beside its output; None if there is none.
        output: How the job's output is seen: `simulations.live.recorder.output.AUTO` or `INHERIT`.
        trace_signals: Ask the kernel to trace who sends signals; needs root.

    Raises:
        RecorderError: the interval is out of its range.
    """

    interval_s: float = 1.0
    log: Path | None = None
    output: str = output.AUTO
    trace_signals: bool = False

    def __post_init__(self) -> None:
        if not 0.1 <= self.interval_s <= 3600:
            raise RecorderError(f"an interval of {self.interval_s} s is out of range; choose 0.1 to 3600 s")


@dataclass(frozen=True)
class Recorded:
    """A run that was recorded.

    Attributes:
        folder: Where its log is.
        status: As `subprocess.Popen.returncode`: the exit status, or minus the signal; 126 or 127 if the
            command could not be started.
    """

    folder: Path
    status: int


def new_run(folder: Path) -> Path:
    """Make the folder for the next run: `0001`, `0002`, ... in the given one.

    Raises:
        RecorderError: it cannot be made, or there are too many.
    """
    number = max((int(each.name) for each in folder.glob(RUN_NAME)), default=0) + 1
    while number <= RUNS_MAX:
        run = folder / f"{number:04}"
        try:
            run.mkdir(parents=True)
        except FileExistsError:  # another recorder was faster
            number += 1
        except OSError as error:
            raise RecorderError(
                f"no log can be kept in {run}: {error.strerror}; choose another folder (-o)"
            ) from error
        else:
            return run
    raise RecorderError(f"{folder} holds {RUNS_MAX} runs, the most there can be; choose another folder (-o)")


def supervise(command: Sequence[str], folder: Path, options: Options | None = None) -> Recorded:
    """Run a command under the recorder, in this process, until it ends.

    It blocks the signals that it passes on, adopts orphans of the job and waits for every child: call it in a
    process of its own, as `heisenlab record` and `simulations.live.recorder.record` do.

    Args:
        command: The command and its arguments.
        folder: Each run gets a folder of its own in it.
        options: How to record.

    Raises:
        RecorderError: the system is not Linux, or no folder can be made for the run.
        LogError: no log can be kept in the folder.
        TraceError: signals were to be traced and cannot be.
    """
    if sys.platform != "linux":
        raise RecorderError(
            f"heisenlab record reads /proc, which {sys.platform} does not have; run it on Linux"
        )
    options = options or Options()
    _occupy_standard_descriptors()
    with contextlib.ExitStack() as stack:
        trace = signals.Trace(os.getpid()) if options.trace_signals else None
        if trace:
            stack.callback(trace.close)
        run = new_run(folder.absolute())
        log = Log(run, create=True)
        return Recorded(run, _Supervisor(command, run, log, options, trace).run())


def _occupy_standard_descriptors() -> None:
    """Put the null device where a standard descriptor is closed, or the log would take its place."""
    for fd in (0, 1, 2):
        try:
            os.fstat(fd)
        except OSError:
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)


class _Supervisor:
    """The job's parent, for one run."""

    __slots__ = (
        "_command",
        "_folder",
        "_job",
        "_log",
        "_mask",
        "_options",
        "_sentinel",
        "_trace",
        "_watch",
        "_wiring",
        "_witness",
    )

    def __init__(
        self, command: Sequence[str], folder: Path, log: Log, options: Options, trace: signals.Trace | None
    ) -> None:
        self._command = list(command)
        self._folder = folder
        self._log = log
        self._options = options
        self._trace = trace
        self._wiring = output.wire(options.output)
        self._watch = Watch(log, self._wiring.followed, options.log, options.interval_s)
        self._mask: set[signal.Signals] | set[int] = set()
        self._witness = Witness(-1, -1)
        self._sentinel = signals.Sentinel(-1)
        self._job: subprocess.Popen[bytes] | None = None

    def run(self) -> int:
        """Run the command to its end and return its status."""
        watched = {*signals.RELAYED, signal.SIGCHLD, signal.SIGWINCH}
        handler = signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        self._mask = signal.pthread_sigmask(signal.SIG_BLOCK, watched)
        try:
            self._witness, self._sentinel = start_witness(self._watch, self._folder, self._wiring)
            ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
            self._watch.note(self._describe())
            self._log.sync(now=True)
            try:
                self._job = self._spawn(handler)
            except OSError as error:
                return self._not_started(error)
            return self._accompany(self._job, watched)
        except BaseException:
            self._witness.abandon()
            raise
        finally:
            self._witness.dismiss()
            self._sentinel.close()
            self._watch.close()
            signal.pthread_sigmask(signal.SIG_SETMASK, self._mask)
            signal.signal(signal.SIGCHLD, handler)

    def _spawn(self, handler: object) -> subprocess.Popen[bytes]:
        mask = self._mask

        def as_it_was() -> None:
            if handler is signal.SIG_IGN:
                signal.signal(signal.SIGCHLD, signal.SIG_IGN)
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)

        try:
            return subprocess.Popen(
                self._command,
                stdout=self._wiring.stdout if self._wiring.stdout != 1 else None,
                stderr=self._wiring.stderr if self._wiring.stderr != 2 else None,
                close_fds=False,
                preexec_fn=as_it_was,  # noqa: PLW1509  (no thread has been started yet)
            )
        finally:
            for channel in self._wiring.channels:
                os.close(channel.ours)

    def _not_started(self, error: OSError) -> int:
        words = f"{self._command[0]}: {error.strerror}"
        self._watch.note(NotStarted(error.errno, words))
        return NOT_FOUND if isinstance(error, FileNotFoundError) else NOT_EXECUTABLE

    def _accompany(self, job: subprocess.Popen[bytes], watched: set[signal.Signals]) -> int:
        process = readings.stat(job.pid)
        self._witness.tell(f"job {job.pid}")
        self._watch.note(Job(job.pid, process.start if process else None))
        self._watch.begin([os.getpid()], job.pid, not_ours=frozenset({os.getpid(), self._witness.pid}))
        copying = output.Copying(
            self._wiring.channels, self._watch.tail, lambda source: self._witness.tell(f"closed {source}")
        )
        due = time.monotonic() + self._watch.pause()
        while True:
            info = signal.sigtimedwait(watched, max(0.0, due - time.monotonic()))
            if info is not None and info.si_signo != signal.SIGCHLD:
                self._relay(info, job.pid)
            elif _reap_all_but(job.pid):
                break
            if time.monotonic() >= due:
                self._watch.tick()
                due = time.monotonic() + self._watch.pause()
        status = self._wait_for(job)
        copying.finish()
        self._watch.note_tail()
        return status

    def _relay(self, info: signal.struct_siginfo, job: int) -> None:
        from_kernel = info.si_code > 0
        if info.si_signo == signal.SIGWINCH:
            if output.resize(self._wiring.channels):
                _send(job, signal.SIGWINCH)
            return
        origin = signals.sender(info.si_pid, from_kernel=from_kernel)  # at once: it may be gone soon
        ours = info.si_pid in self._watch.alive()
        leader_hung_up = info.si_signo == signal.SIGHUP and os.getsid(0) == os.getpid()
        to_all = not from_kernel and self._sentinel.was_sent_to_all(info.si_signo, info.si_pid)
        forwarded = not (ours or to_all) and (not from_kernel or leader_hung_up)
        if forwarded:
            _send(job, info.si_signo)
        self._watch.note(
            SignalSeen(
                signal=info.si_signo,
                uid=info.si_uid,
                ours=ours,
                to_all=to_all,
                forwarded=forwarded,
                who=origin.who,
                pid=origin.pid,
                name=origin.name,
                terminal=origin.terminal,
            )
        )
        self._log.sync(now=True)

    def _wait_for(self, job: subprocess.Popen[bytes]) -> int:
        """Read what can be read of a zombie only, then wait for it and note the end."""
        found = self._watch.final_readings(job.pid)
        _, wait_status, usage = os.wait4(job.pid, 0)
        status = os.waitstatus_to_exitcode(wait_status)
        job.returncode = status
        senders = (
            self._trace.senders(job.pid, frozenset({job.pid, *self._watch.alive()})) if self._trace else None
        )
        self._watch.note(
            replace(
                found,
                by="recorder",
                status=status,
                core=os.WCOREDUMP(wait_status),
                cpu_ms=round((usage.ru_utime + usage.ru_stime) * 1000),
                peak_kb=usage.ru_maxrss,
                senders=None if senders is None else tuple(senders),
            )
        )
        return status

    def _describe(self) -> Start:
        process = readings.stat(os.getpid())
        return replace(
            self._watch.origin(),
            command=_cut(self._command),
            folder=_cwd(),
            recorder=os.getpid(),
            interval_s=self._options.interval_s,
            output=self._wiring.how,
            log=str(self._options.log) if self._options.log else None,
            traced=self._trace is not None,
            terminal=process is not None and process.terminal != 0,
            ancestors=_ancestors(),
            scheduler=tuple(words for variable, words in _SCHEDULERS.items() if variable in os.environ),
            slurm_end_s=os.environ.get("SLURM_JOB_END_TIME"),
            host=platform.node(),
            kernel=platform.release(),
            memory_kb=psutil.virtual_memory().total // 1024,
            processors=os.cpu_count(),
        )


def _cut(command: list[str]) -> tuple[str, ...]:
    kept: list[str] = []
    left = _ARGUMENTS_CHARACTERS_MAX
    for word in command:
        kept.append(word[:left].encode(errors="replace").decode())
        left -= len(word)
        if left <= 0:
            kept.append("...")
            break
    return tuple(kept)


def _cwd() -> str:
    try:
        return str(Path.cwd())
    except OSError:
        return "/"


def _ancestors() -> tuple[str, ...]:
    """Return the programs that started the recorder, the nearest first; of `timeout` also its limit.

    Only the names: command lines of other programs may hold what must not be written down.
    """
    found: list[str] = []
    pid = os.getppid()
    while pid > 0 and len(found) < _ANCESTORS_MAX and (process := readings.stat(pid)):
        found.append(readings.command_line(pid) if process.name == "timeout" else process.name)
        pid = process.ppid
    return tuple(found)


def _send(job: int, number: int) -> None:
    """Signal the job, whose pid is its own until the recorder has waited for it."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.kill(job, number)


def _reap_all_but(job: int) -> bool:
    """Wait for adopted orphans that have ended; tell whether the job has ended, which is left to wait for."""
    while True:
        try:
            dead = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        except ChildProcessError:
            return True
        if dead is None:
            return False
        if dead.si_pid == job:
            return True
        with contextlib.suppress(ChildProcessError):
            os.waitpid(dead.si_pid, os.WNOHANG)
