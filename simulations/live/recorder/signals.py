"""Names of signals, and who sent one, as far as Linux says.

* To the recorder itself: the kernel says so with the signal (`siginfo`): the pid and user of the sender, or
  that it was the kernel, such as for Ctrl-C or a terminal that hung up.
* To the job directly: the parent of a process learns the number of the signal and nothing else. Only the
  kernel's tracing of signals, which needs root, names the sender; `Trace` asks for it.
"""

from __future__ import annotations

import contextlib
import os
import re
import select
import signal
import time
from dataclasses import replace
from enum import IntEnum
from pathlib import Path
from typing import Final, NamedTuple, NoReturn

from simulations.errors import LabError
from simulations.live.recorder import readings
from simulations.live.recorder.records import Origin, TracedSignal, Who


class Signal(IntEnum):
    """The numbers of Linux, which are those of a recording, whatever system reads it.

    Source: signal(7), the column for x86 and ARM; Alpha, MIPS, PARISC and SPARC have other numbers.
    """

    SIGHUP = 1
    SIGINT = 2
    SIGQUIT = 3
    SIGILL = 4
    SIGTRAP = 5
    SIGABRT = 6
    SIGBUS = 7
    SIGFPE = 8
    SIGKILL = 9
    SIGUSR1 = 10
    SIGSEGV = 11
    SIGUSR2 = 12
    SIGPIPE = 13
    SIGALRM = 14
    SIGTERM = 15
    SIGSTKFLT = 16
    SIGCHLD = 17
    SIGCONT = 18
    SIGSTOP = 19
    SIGTSTP = 20
    SIGTTIN = 21
    SIGTTOU = 22
    SIGURG = 23
    SIGXCPU = 24
    SIGXFSZ = 25
    SIGVTALRM = 26
    SIGPROF = 27
    SIGWINCH = 28
    SIGIO = 29
    SIGPWR = 30
    SIGSYS = 31
    SIGRTMIN = 34


_REAL_TIME_MAX: Final = 64

RELAYED: Final = frozenset(
    {
        Signal.SIGHUP,
        Signal.SIGINT,
        Signal.SIGQUIT,
        Signal.SIGTERM,
        Signal.SIGUSR1,
        Signal.SIGUSR2,
        Signal.SIGALRM,
        Signal.SIGSTKFLT,
        Signal.SIGVTALRM,
        Signal.SIGPROF,
        Signal.SIGIO,
        Signal.SIGPWR,
        *range(Signal.SIGRTMIN, _REAL_TIME_MAX + 1),
    }
)
"""What is passed on to the job; its default would end the recorder."""

STOPPING: Final = frozenset({Signal.SIGHUP, Signal.SIGINT, Signal.SIGQUIT, Signal.SIGTERM})
"""Signals by which a user or a platform asks for an end: a job that got one is not run again."""

TRACED: Final = STOPPING | {
    Signal.SIGUSR1,
    Signal.SIGUSR2,
    Signal.SIGKILL,
    Signal.SIGXCPU,
    Signal.SIGSTOP,
}

AT_THE_TERMINAL: Final = frozenset({Signal.SIGHUP, Signal.SIGINT, Signal.SIGQUIT})
"""What the kernel sends for a terminal: it hung up, Ctrl-C, Ctrl-\\."""

FAULTS: Final = frozenset(
    {
        Signal.SIGILL,
        Signal.SIGTRAP,
        Signal.SIGABRT,
        Signal.SIGBUS,
        Signal.SIGFPE,
        Signal.SIGSEGV,
        Signal.SIGSYS,
    }
)
SELF_INFLICTED: Final = FAULTS | {Signal.SIGPIPE, Signal.SIGALRM, Signal.SIGXCPU, Signal.SIGXFSZ}
"""Signals that come of what the receiver does: faults, broken pipes, timers and limits."""

LOGGED: Final = frozenset({Signal.SIGBUS, Signal.SIGKILL, Signal.SIGSEGV})
"""Signals whose cause the kernel may have logged."""

TRACE_FOLDERS: Final = (Path("/sys/kernel/tracing"), Path("/sys/kernel/debug/tracing"))
_INSTANCE: Final = "heisenlab-"
_TRACE_KB: Final = 64
_SENTINEL_PATIENCE_S: Final = 0.1
_SAME_SIGNAL_S: Final = 0.5
"""`timeout` signals its child and then the group: two signals that are meant as one."""

_TRACE_BYTES_MAX: Final = 1024 * 1024


class TraceError(LabError):
    """The kernel's tracing of signals cannot be used.

    Common causes: the user is not root; tracefs is not mounted (`mount -t tracefs nodev
    /sys/kernel/tracing`); the process is in a container.
    """


def name(number: int) -> str:
    """Return the name of a signal, such as SIGKILL."""
    try:
        return Signal(number).name
    except ValueError:
        real_time = number - Signal.SIGRTMIN
        return f"SIGRTMIN+{real_time}" if real_time > 0 else f"signal {number}"


def sender(pid: int, *, from_kernel: bool) -> Origin:
    """Say who sent a signal, while the system still knows.

    Args:
        pid: The sender, by `siginfo` or by a trace; 0 is a process outside of this pid namespace.
        from_kernel: The kernel sent it.
    """
    if from_kernel:
        return Origin(Who.KERNEL)
    if pid == 0:
        return Origin(Who.OUTSIDE)
    process = readings.stat(pid)
    if process is None:
        return Origin(Who.PROCESS, pid)
    return Origin(Who.PROCESS, pid, process.name, process.terminal != 0)


def readable_within(fd: int, patience_s: float) -> bool:
    """Wait until a descriptor can be read or is closed, and tell whether it is; any number of it will do."""
    poll = select.poll()
    poll.register(fd, select.POLLIN)
    return bool(poll.poll(round(patience_s * 1000)))


def stand_sentinel(report: int) -> NoReturn:
    """Stay in the job's process group, report each signal and do nothing else; never returns.

    Args:
        report: The pipe to report on: a line with signal and sender for each.
    """
    while True:
        info = signal.sigwaitinfo(RELAYED)
        try:
            os.write(report, b"%d %d\n" % (info.si_signo, info.si_pid))
        except OSError:
            os._exit(0)


class Sentinel:
    """Tells a signal to the whole group, the job included, from one to the recorder alone.

    `timeout`, a shell's `kill %1` and a service manager send to a whole group or to each of its processes;
    `docker stop` and `kill PID` send to one. The number of the signal and its sender are the same in both, so
    another process of the group is asked whether it got one, too.

    Args:
        hear: The pipe on which the sentinel reports; -1 if there is none.
    """

    __slots__ = ("_hear", "_seen", "_unread")

    def __init__(self, hear: int) -> None:
        self._hear = hear
        self._seen: dict[tuple[int, int], float] = {}
        self._unread = b""

    def was_sent_to_all(self, number: int, sender_pid: int) -> bool:
        """Tell whether the sentinel got this signal from this sender just now, too."""
        deadline = time.monotonic() + _SENTINEL_PATIENCE_S
        while not self._got(number, sender_pid) and self._hear >= 0:
            patience_s = deadline - time.monotonic()
            if patience_s <= 0 or not readable_within(self._hear, patience_s):
                break
            self._read()
        return self._got(number, sender_pid)

    def close(self) -> None:
        """Close the pipe, which ends the sentinel."""
        if self._hear >= 0:
            os.close(self._hear)
            self._hear = -1

    def _got(self, number: int, sender_pid: int) -> bool:
        seen = self._seen.get((number, sender_pid))
        return seen is not None and time.monotonic() - seen < _SAME_SIGNAL_S

    def _read(self) -> None:
        block = os.read(self._hear, 4096)
        if not block:
            self.close()
        *lines, self._unread = (self._unread + block).split(b"\n")
        for line in lines:
            number, pid = map(int, line.split())
            self._seen[number, pid] = time.monotonic()


class Trace:
    """The kernel's own record of who sent which signal to whom, in an instance of its tracing that is ours.

    Args:
        owner: A pid; it names the instance.

    Raises:
        TraceError: tracing cannot be used.
    """

    __slots__ = ("_instance",)

    def __init__(self, owner: int) -> None:
        folder = next((each for each in TRACE_FOLDERS if (each / "instances").is_dir()), None)
        if folder is None:
            raise TraceError(
                "--trace-signals needs the kernel's tracefs, which is not mounted here; as root: "
                "mount -t tracefs nodev /sys/kernel/tracing"
            )
        _remove_abandoned(folder / "instances")
        self._instance = folder / "instances" / f"{_INSTANCE}{owner}"
        event = self._instance / "events" / "signal" / "signal_generate"
        try:
            self._instance.mkdir()
            (self._instance / "buffer_size_kb").write_text(str(_TRACE_KB))
            (event / "filter").write_text(" || ".join(f"sig == {int(each)}" for each in sorted(TRACED)))
            (event / "enable").write_text("1")
        except OSError as error:
            self.close()
            raise TraceError(
                f"--trace-signals cannot use {self._instance}: {error.strerror}; "
                "it needs root, outside of a container"
            ) from error

    def senders(self, target: int, ours: frozenset[int]) -> list[TracedSignal]:
        """Return who sent which signal to a process, oldest first.

        Args:
            target: The process.
            ours: The processes of the job.
        """
        text = readings.read(str(self._instance / "trace"), _TRACE_BYTES_MAX).decode(errors="replace")
        return [_traced(line, ours) for line in parse_trace(text) if line.target == target]

    def close(self) -> None:
        """Remove the instance."""
        with contextlib.suppress(OSError):
            self._instance.rmdir()  # which removes an instance, though it is not empty


def _remove_abandoned(instances: Path) -> None:
    """Remove the instances of recorders that were killed before they could."""
    for instance in instances.glob(f"{_INSTANCE}*"):
        owner = instance.name.removeprefix(_INSTANCE)
        if owner.isdecimal() and readings.stat(int(owner)) is None:
            with contextlib.suppress(OSError):
                instance.rmdir()


_TRACE_LINE: Final = re.compile(
    r"^\s*(?P<program>.+)-(?P<pid>\d+)\s+\[\d+\].*: signal_generate: "
    r"sig=(?P<sig>\d+) errno=-?\d+ code=(?P<code>-?\d+) comm=.* pid=(?P<target>\d+) grp=",
    re.MULTILINE,
)


class TraceLine(NamedTuple):
    """A line of the kernel's trace of signals.

    Attributes:
        signal: The signal.
        target: The process that it is for.
        sender: The process that was running when the signal was made; for the kernel's own that may be any.
        program: Its name.
        code: The signal's code; above 0 it is the kernel's own.
    """

    signal: int
    target: int
    sender: int
    program: str
    code: int


def parse_trace(text: str) -> list[TraceLine]:
    """Return the lines of a trace."""
    return [
        TraceLine(
            int(found["sig"]),
            int(found["target"]),
            int(found["pid"]),
            found["program"],
            int(found["code"]),
        )
        for found in _TRACE_LINE.finditer(text)
    ]


def traced_sender(line: TraceLine) -> Origin:
    """Return the sender in a line of a trace; one that has ended meanwhile keeps its name."""
    found = sender(line.sender, from_kernel=line.code > 0)
    return replace(found, name=found.name or line.program) if found.who is Who.PROCESS else found


def _traced(line: TraceLine, ours: frozenset[int]) -> TracedSignal:
    origin = traced_sender(line)
    return TracedSignal(
        signal=line.signal,
        ours=line.sender in ours and line.code <= 0,
        who=origin.who,
        pid=origin.pid,
        name=origin.name,
        terminal=origin.terminal,
    )
