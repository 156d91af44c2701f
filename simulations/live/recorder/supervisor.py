"""Runs a command as a child of this process, samples it, passes output and signals on, and notes its end.

Two processes keep one log: the *recorder*, which is the parent of the job, and the *witness* beside it (see
`simulations.live.recorder.witness`).
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import os
import platform
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, replace
from itertools import chain, count, islice
from typing import TYPE_CHECKING, Final

import psutil

from simulations import standard_descriptors
from simulations.errors import LabError
from simulations.live.recorder import output, readings, signals
from simulations.live.recorder.log import LOG, RESERVE, RUN_DIGITS_MAX, RUN_NAME, Log, LogError, is_run_name
from simulations.live.recorder.records import End, Job, NotStarted, SignalSeen, Start
from simulations.live.recorder.redaction import NOTHING, Redactor, by_patterns
from simulations.live.recorder.watch import Watch, current_folder
from simulations.live.recorder.witness import Witness, start_witness
from simulations.terminal_text import shown

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

NOT_FOUND: Final = 127
NOT_EXECUTABLE: Final = 126

_PR_SET_CHILD_SUBREAPER: Final = 36
_PR_GET_CHILD_SUBREAPER: Final = 37
_ARGUMENTS_CHARACTERS_MAX: Final = 2000
_FOLDERS_TRIED_MAX: Final = 1000
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

    Common causes: the system is not Linux; an option is out of its range.
    """


class NothingStartedError(Exception):
    """The command could not be run below the recorder; it has not been started, and nothing of ours is left.

    Common causes: there is no free descriptor, process or memory for a second program.
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
        redact: Regular expressions; what they match in a command line, or in a line of output, is not written
            down. One with a group called `secret` hides that group only.

    Raises:
        RecorderError: the interval is out of its range, or a pattern is no regular expression.
    """

    interval_s: float = 1.0
    log: Path | None = None
    output: str = output.AUTO
    trace_signals: bool = False
    redact: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for pattern in self.redact:
            try:
                by_patterns([pattern])
            except ValueError as error:
                raise RecorderError(
                    f"{shown(pattern)} is no regular expression: {error}; to hide the text itself, escape it"
                ) from error
        if not 0.1 <= self.interval_s <= 3600:
            raise RecorderError(f"an interval of {self.interval_s} s is out of range; choose 0.1 to 3600 s")


@dataclass(frozen=True)
class Recorded:
    """A run that was recorded, as far as that was possible.

    Attributes:
        folder: Where its log is; None if no log could be kept.
        status: As `subprocess.Popen.returncode`: the exit status, or minus the signal; 126 or 127 if the
            command could not be started.
        warnings: What could not be recorded, and why.
        asked_to_end: The recorder got a signal by which a user or a platform asks for an end.
        mid_line: What was written last to standard error, as far as it was seen, was not the end of a line.
    """

    folder: Path | None
    status: int
    warnings: tuple[str, ...] = ()
    asked_to_end: bool = False
    mid_line: bool = False


def new_run(folder: Path) -> Path:
    """Make the folder for the next run: `0001`, `0002`, ... in the given one.

    Only the owner may look into it: a log holds command lines and output. What else lies in the given folder
    is left alone, whatever it is called.

    Raises:
        OSError: it cannot be made.
    """
    taken = {int(each.name) for each in folder.glob(RUN_NAME) if is_run_name(each.name)}
    first = max(taken, default=0) + 1
    upcoming = chain(range(first, 10**RUN_DIGITS_MAX), (each for each in count(1) if each not in taken))
    for number in islice(upcoming, _FOLDERS_TRIED_MAX):
        run = folder / f"{number:04}"
        with contextlib.suppress(FileExistsError):  # another recorder was faster
            run.mkdir(mode=0o700, parents=True)
            return run
    raise FileExistsError(errno.EEXIST, "it is full of files that are called like runs")


def require_linux() -> None:
    """Refuse a system that has no `/proc`.

    Raises:
        RecorderError: it is not Linux.
    """
    if sys.platform != "linux":
        raise RecorderError(
            f"heisenlab record reads /proc, which {sys.platform} does not have; run it on Linux"
        )


def supervise(
    command: Sequence[str],
    folder: Path,
    options: Options | None = None,
    warn: Callable[[str], object] = lambda _: None,
) -> Recorded:
    """Run a command under the recorder, in this process, until it ends.

    It blocks the signals that it passes on, adopts orphans of the job and waits for every child: call it in a
    process of its own, as `heisenlab record` and `simulations.live.recorder.record` do. Whatever cannot be
    recorded, the command is run.

    Args:
        command: The command and its arguments.
        folder: Each run gets a folder of its own in it.
        options: How to record.
        warn: Called with a sentence, before the command is started, about what cannot be recorded.

    Raises:
        RecorderError: the system is not Linux.
        NothingStartedError: the command could not be run below this process.
    """
    require_linux()
    options = options or Options()
    warnings: list[str] = []
    with contextlib.ExitStack() as stack:
        run: Path | None = None
        try:
            standard_descriptors.occupy()  # or the log would take the place of one that is closed
            run, log = _new_log(folder, warnings)
            trace = _new_trace(warnings) if options.trace_signals else None
            if trace:
                stack.callback(trace.close)
            if options.log and (why := output.cannot_be_followed(options.log)):
                warnings.append(f"{options.log} is not read along: {why}")
            for words in warnings:
                warn(words)
            supervisor = _Supervisor(command, run, log, options, trace)
        except OSError as error:
            _discard(run)
            raise NothingStartedError(_why(error)) from error
        try:
            status = supervisor.run()
        except NothingStartedError:
            _discard(run)
            raise
        return Recorded(run, status, tuple(warnings), supervisor.asked_to_end, supervisor.mid_line)


def _new_log(folder: Path, warnings: list[str]) -> tuple[Path | None, Log]:
    """Open the log of a new run, or one that keeps nothing."""
    try:
        run = new_run(folder.absolute())
        log = Log(run, create=True)
    except (OSError, ValueError) as error:
        warnings.append(
            f"nothing is recorded: no folder for the run can be made in {folder}: {_why(error)}; "
            "choose another folder (-o)"
        )
    except LogError as error:
        _discard(run)
        warnings.append(f"nothing is recorded: {error}")
    else:
        if log.without_reserve:
            warnings.append(
                f"no reserve can be written in {run}: {log.without_reserve}; what the disk does not take may "
                "be lost"
            )
        return run, log
    return None, Log(None, create=True)


def _discard(run: Path | None) -> None:
    """Remove the folder of a run that did not begin."""
    if run is None:
        return
    for remove in ((run / LOG).unlink, (run / RESERVE).unlink, run.rmdir):
        with contextlib.suppress(OSError):
            remove()


def _why(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error)


def _new_trace(warnings: list[str]) -> signals.Trace | None:
    try:
        return signals.Trace(os.getpid())
    except signals.TraceError as error:
        warnings.append(f"signals are not traced: {error}")
        return None


class _Supervisor:
    """The job's parent, for one run."""

    __slots__ = (
        "_command",
        "_due",
        "_folder",
        "_handler",
        "_log",
        "_mask",
        "_options",
        "_sentinel",
        "_trace",
        "_watch",
        "_watched",
        "_wiring",
        "_witness",
        "asked_to_end",
    )

    def __init__(
        self,
        command: Sequence[str],
        folder: Path | None,
        log: Log,
        options: Options,
        trace: signals.Trace | None,
    ) -> None:
        self._command = list(command)
        self._folder = folder
        self._log = log
        self._options = options
        self._trace = trace
        self._wiring = output.wire(options.output)
        redactor = by_patterns(options.redact) if options.redact else NOTHING
        self._watch = Watch(log, self._wiring.followed, options.log, options.interval_s, redactor)
        self._watched = {*signals.RELAYED, signal.SIGCHLD, signal.SIGWINCH}
        self._mask: set[signal.Signals] | set[int] = set()
        self._handler: signal.Handlers | Callable[..., object] | int | None = signal.SIG_DFL
        self._due = 0.0
        self._witness = Witness(-1, -1)
        self._sentinel = signals.Sentinel(-1)
        self.asked_to_end = False

    @property
    def mid_line(self) -> bool:
        """Whether the last that was written to standard error may not have been the end of a line."""
        if self._wiring.errors_from < 0:
            return os.isatty(2)
        return self._watch.tail.is_mid_line(self._wiring.errors_from)

    def run(self) -> int:
        """Run the command to its end and return its status.

        Raises:
            NothingStartedError: it could not be run below this process.
        """
        self._handler = signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        self._mask = signal.pthread_sigmask(signal.SIG_BLOCK, self._watched)
        adopted = _adopts_orphans()
        try:
            job = self._start()
            return job if isinstance(job, int) else self._accompany(job)
        except BaseException:
            self._witness.abandon()
            raise
        finally:
            self._witness.dismiss()
            self._sentinel.close()
            self._watch.attempt(self._watch.close, None)
            _adopt_orphans(adopt=adopted)
            signal.pthread_sigmask(signal.SIG_SETMASK, self._mask)
            signal.signal(signal.SIGCHLD, self._handler)

    def _start(self) -> subprocess.Popen[bytes] | int:
        """Start the witness, then the command; return it, or a status if there is no such command."""
        try:
            self._witness, self._sentinel = start_witness(self._watch, self._folder, self._wiring)
            _adopt_orphans(adopt=True)
            self._watch.attempt(lambda: self._watch.note(self._describe()), None)
            self._log.sync(now=True)
            return self._spawn()
        except Exception as error:
            if isinstance(error, OSError) and error.filename is not None:  # the command itself
                return self._not_started(error)
            self._witness.dismiss()
            raise NothingStartedError(_why(error)) from error

    def _spawn(self) -> subprocess.Popen[bytes]:
        mask, handler = self._mask, self._handler

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

    def _accompany(self, job: subprocess.Popen[bytes]) -> int:
        """See the job to its end; whatever fails here, its output is passed on and its status returned."""
        self._witness.tell(f"job {job.pid}")
        self._watch.attempt(lambda: self._begin(job.pid), None)
        copying = output.Copying(
            self._wiring.channels, self._watch.tail, lambda source: self._witness.tell(f"closed {source}")
        )
        self._due = time.monotonic() + self._watch.pause()
        copying.run_here(lambda: self._step(job.pid, wait=False))
        while not self._step(job.pid, wait=True):
            pass
        status = self._wait_for(job)
        copying.finish()
        self._watch.attempt(self._watch.note_tail, None)
        return status

    def _begin(self, job: int) -> None:
        process = readings.stat(job)
        self._watch.note(Job(job, process.start if process else None))
        self._watch.begin([os.getpid()], job, not_ours=frozenset({os.getpid(), self._witness.pid}))

    def _step(self, job: int, *, wait: bool) -> bool:
        """Do what is to be done now, or wait until there is something; tell whether the job has ended."""
        patience_s = max(0.0, self._due - time.monotonic()) if wait else 0.0
        info = signal.sigtimedwait(self._watched, patience_s)
        if info is not None and info.si_signo != signal.SIGCHLD:
            if not self._watch.attempt(lambda: self._relay(info, job), False):
                _send(job, info.si_signo)
        elif _reap_all_but(job):
            return True
        if time.monotonic() >= self._due:
            self._watch.tick()
            self._due = time.monotonic() + self._watch.pause()
        return False

    def _relay(self, info: signal.struct_siginfo, job: int) -> bool:
        """Pass a signal on if the job did not get it, and note it; return True: this was done."""
        from_kernel = info.si_code > 0
        if info.si_signo == signal.SIGWINCH:
            if output.resize(self._wiring.channels):
                _send(job, signal.SIGWINCH)
            return True
        origin = signals.sender(info.si_pid, from_kernel=from_kernel)  # at once: it may be gone soon
        ours = info.si_pid in self._watch.alive()
        leader_hung_up = info.si_signo == signal.SIGHUP and os.getsid(0) == os.getpid()
        to_all = not from_kernel and self._sentinel.was_sent_to_all(info.si_signo, info.si_pid)
        forwarded = not (ours or to_all) and (not from_kernel or leader_hung_up)
        if forwarded:
            _send(job, info.si_signo)
        self.asked_to_end |= info.si_signo in signals.STOPPING
        self._watch.attempt(
            lambda: self._watch.note(
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
            ),
            None,
        )
        self._log.sync(now=True)
        return True

    def _wait_for(self, job: subprocess.Popen[bytes]) -> int:
        """Read what can be read of a zombie only, then wait for it and note the end."""
        found = self._watch.attempt(lambda: self._watch.final_readings(job.pid), End())
        _, wait_status, usage = os.wait4(job.pid, 0)
        status = os.waitstatus_to_exitcode(wait_status)
        job.returncode = status
        ours = frozenset({job.pid, *self._watch.alive()})
        trace = self._trace
        senders = self._watch.attempt(lambda: trace.senders(job.pid, ours), None) if trace else None
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
            command=_cut(self._watch.redactor.command(self._command)),
            folder=current_folder(),
            recorder=os.getpid(),
            interval_s=self._options.interval_s,
            output=self._wiring.how,
            log=str(self._options.log) if self._options.log else None,
            traced=self._trace is not None,
            terminal=process is not None and process.terminal != 0,
            ancestors=_ancestors(self._watch.redactor),
            scheduler=tuple(words for variable, words in _SCHEDULERS.items() if variable in os.environ),
            slurm_end_s=os.environ.get("SLURM_JOB_END_TIME"),
            host=platform.node(),
            kernel=platform.release(),
            memory_kb=psutil.virtual_memory().total // 1024,
            processors=os.cpu_count(),
        )


def _cut(command: Sequence[str]) -> tuple[str, ...]:
    kept: list[str] = []
    left = _ARGUMENTS_CHARACTERS_MAX
    for word in command:
        kept.append(word[:left].encode(errors="replace").decode())
        left -= len(word)
        if left <= 0:
            kept.append("...")
            break
    return tuple(kept)


def _adopts_orphans() -> bool:
    adopts = ctypes.c_int()
    ctypes.CDLL(None).prctl(_PR_GET_CHILD_SUBREAPER, ctypes.byref(adopts), 0, 0, 0)
    return bool(adopts.value)


def _adopt_orphans(*, adopt: bool) -> None:
    ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, int(adopt), 0, 0, 0)


def _ancestors(redactor: Redactor) -> tuple[str, ...]:
    """Return the programs that started the recorder, the nearest first; of `timeout` also its limit.

    Only the names: command lines of other programs may hold what must not be written down.
    """
    found: list[str] = []
    pid = os.getppid()
    while pid > 0 and len(found) < _ANCESTORS_MAX and (process := readings.stat(pid)):
        found.append(
            readings.command_line(pid, redactor) if process.name == "timeout" else redactor.text(process.name)
        )
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
