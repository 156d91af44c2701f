"""How a recorded run ended: what is known, what is not, and who sent the signal."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from simulations.live.recorder import signals
from simulations.live.recorder.accounting import pids_named
from simulations.live.recorder.quantities import duration
from simulations.live.recorder.records import Who
from simulations.live.recorder.signals import Signal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from simulations.live.recorder.present import Present
    from simulations.live.recorder.recording import Clock, Recording
    from simulations.live.recorder.records import End, SignalSeen, TracedSignal


class How(StrEnum):
    """How a run ended, or that it did not."""

    EXITED = "exited"
    """The job returned an exit status."""

    SIGNALLED = "signalled"
    """A signal ended the job."""

    NOT_STARTED = "not started"
    """The command could not be executed."""

    RUNNING = "running"
    """The job is still running."""

    REBOOTED = "rebooted"
    """The host went down while the job ran."""

    VANISHED = "vanished"
    """Job, recorder and witness went together, and the host went on."""

    UNKNOWN = "unknown"
    """The log does not say."""


NOT_ENDED: Final = frozenset({How.RUNNING, How.NOT_STARTED})
"""What is no death, so that there are no suspects."""

RECENT_MS: Final = 3000
"""A signal to the recorder that came so shortly before the job's death belongs to it."""

ASKED_MS: Final = 120_000
"""A job that ends by itself so soon after a signal to the recorder ends because of it."""

BOOT_MS_MAX: Final = 24 * 3600 * 1000
"""A host that comes up later than this after the last sign of life may have gone down for another reason."""

GRACE_MS_MAX: Final = 15 * 60 * 1000
"""The longest grace between a polite signal and SIGKILL known of a platform (LSF: 10 min), with a margin."""

_LIMIT_SHARE: Final = 0.95
_LIMIT_SLACK_S: Final = 0.5
"""The kernel holds its clock ticks against the limit; what it reports afterwards is measured more exactly and
is less on a busy host."""

_SILENT_MS: Final = 10 * RECENT_MS
"""A log in which nothing was noted for so long is not written any more."""

_SHELL_SIGNALS: Final = range(129, 128 + 65)
_BY_THE_KERNEL: Final[Mapping[int, str]] = {
    Signal.SIGHUP: "the kernel, because the terminal hung up",
    Signal.SIGINT: "the kernel, because Ctrl-C was typed at the terminal",
    Signal.SIGQUIT: "the kernel, because Ctrl-\\ was typed at the terminal",
}


@dataclass(frozen=True)
class Sender:
    """Who sent the signal that ended the job, or asked it to end.

    Attributes:
        signal: Its number.
        who: What sent it; None if unknown.
        name: The name of the sending program; None if it had ended already or is unknown.
        pid: Its pid; None if unknown.
        terminal: It had a terminal, as a person's shell has and a daemon has not; None if unknown.
        at_ms: When, milliseconds since the start of the run.
    """

    signal: int
    who: Who | None
    name: str | None
    pid: int | None
    terminal: bool | None
    at_ms: int

    def __str__(self) -> str:
        if self.who is Who.KERNEL:
            return _BY_THE_KERNEL.get(self.signal, "the kernel")
        if self.who is Who.OUTSIDE:
            return "a process outside of this container or pid namespace"
        if self.pid is None:
            return "an unknown process"
        named = f"{self.name} (pid {self.pid})" if self.name else f"pid {self.pid}, which had ended already"
        if self.who is Who.ITSELF:
            return f"the job itself: {named}"
        return named + {True: ", at a terminal", False: ", without a terminal", None: ""}[self.terminal]


@dataclass(frozen=True)
class Ending:
    """How a run ended.

    Attributes:
        how: In which way.
        at_ms: When, milliseconds since the start; of the last record where the end itself was not noted.
        status: The exit status; None if there is none or it is unknown.
        signal: The signal that ended it; 0 if none did, or none is known.
        by_shell: The status stands for a signal, as shells report it (128 + signal); or by coincidence.
        oom: The kernel ended a process of the job because memory ran out.
        cpu_limit_s: The limit on CPU time that was reached; 0 if none was.
        sender: Who sent the signal, where the system says.
        recorder_killed: The recorder was killed as well; the witness noted the rest.
        words: All of it in one sentence.
    """

    how: How
    at_ms: int
    status: int | None = None
    signal: int = 0
    by_shell: bool = False
    oom: bool = False
    cpu_limit_s: int = 0
    sender: Sender | None = None
    recorder_killed: bool = False
    words: str = ""

    @property
    def well(self) -> bool:
        """Whether the job succeeded, as far as is known: with status 0, and nothing killed for memory."""
        return self.status == 0 and not self.oom

    @property
    def is_known(self) -> bool:
        """Whether it is known how the job ended."""
        return self.how not in (How.UNKNOWN, How.VANISHED)


def ending(recording: Recording, now: Present) -> Ending:
    """Say how a run ended.

    Args:
        recording: The run.
        now: What this host says of it today; it counts only where the end was not noted.
    """
    end, not_started = recording.end, recording.not_started
    killed = recording.takeover is not None
    if end is None and not_started is not None:
        words = f"did not start: {not_started.words or 'for an unknown reason'}"
        return Ending(How.NOT_STARTED, not_started.at_ms, recorder_killed=killed, words=words)
    if end is None:
        last_ms, asked = recording.last_ms, _asked(recording.signals, recording.last_ms)
        found = _end_not_noted(recording.clock, last_ms, asked, now)
        return replace(found, recorder_killed=killed)
    if end.status is None:
        words = (
            f"ended after {duration(end.at_ms)}; its exit status is unknown: the recorder was killed, and "
            "this kernel says it to no process but the parent"
        )
        return Ending(How.UNKNOWN, end.at_ms, recorder_killed=killed, words=words)
    by_shell = end.status in _SHELL_SIGNALS
    signal = -end.status if end.status < 0 else end.status - 128 if by_shell else 0
    named = bool(recording.pids & pids_named(end.kernel))
    found = Ending(
        how=How.SIGNALLED if end.status < 0 else How.EXITED,
        at_ms=end.at_ms,
        status=end.status if end.status >= 0 else None,
        signal=signal,
        by_shell=by_shell,
        oom=named or _counted_for_memory(end),
        cpu_limit_s=_cpu_limit_reached(end) if signal in (Signal.SIGKILL, Signal.SIGXCPU) else 0,
        sender=_sender(recording.signals, end, signal) if end.status != 0 else None,
        recorder_killed=killed,
    )
    victim = "a process of the job" if named else "a process of its control group"
    return replace(found, words=_in_words(found, victim))


def _end_not_noted(clock: Clock, at_ms: int, asked: Sender | None, now: Present) -> Ending:
    last = f"{clock.local(at_ms)}, {duration(at_ms)} after the start"
    if now.alive:
        words = "is still running"
        if now.silent_ms is not None and now.silent_ms >= _SILENT_MS:
            words += (
                ", but is not recorded any more: recorder and witness are gone or stopped, or the disk "
                f"takes nothing; last record {last}"
            )
        return Ending(How.RUNNING, at_ms, words=words)
    if now.here and not now.same_boot:
        manner = (
            f"in good order, the job was sent {signals.name(asked.signal)}" if asked else "without a warning"
        )
        later_ms = round(now.booted_s * 1000 - clock.wall_s(at_ms) * 1000)
        words = (
            f"the host was rebooted or went down ({manner}); last sign of life {last}; the host was booted "
            f"{duration(max(0, later_ms))} later"
        )
        if later_ms > BOOT_MS_MAX:
            words += ", so late that the job may have ended before, unseen"
        return Ending(How.REBOOTED, at_ms, words=words)
    if now.here:
        words = (
            "vanished: the log stops without an end, and the job is gone, without a reboot, as when a whole "
            f"container, service or session is killed; last sign of life {last}; when the job ended after "
            "that, and how, is unknown"
        )
        return Ending(How.VANISHED, at_ms, words=words)
    words = f"the log stops at {last}; only the host that recorded it can say whether it went down"
    return Ending(How.UNKNOWN, at_ms, words=words)


def _asked(seen: tuple[SignalSeen, ...], at_ms: int) -> Sender | None:
    """Return the newest signal to the recorder that came shortly before."""
    recent = (each for each in reversed(seen) if at_ms - each.at_ms <= GRACE_MS_MAX)
    return next((_sender_of(each, each.at_ms) for each in recent), None)


def _sender_of(seen: SignalSeen | TracedSignal, at_ms: int) -> Sender:
    return Sender(
        signal=seen.signal or 0,
        who=Who.ITSELF if seen.ours else seen.who,
        name=seen.name,
        pid=seen.pid,
        terminal=seen.terminal,
        at_ms=at_ms,
    )


def _sender(seen: tuple[SignalSeen, ...], end: End, signal: int) -> Sender | None:
    """Return who sent the signal that ended the job; a trace knows best."""
    for traced in reversed(end.senders or ()):
        if traced.signal == signal:
            return _sender_of(traced, end.at_ms)
    for each in reversed(seen):
        if each.ours:
            continue
        same = each.signal == signal and end.at_ms - each.at_ms <= GRACE_MS_MAX
        asked = signal == 0 and end.at_ms - each.at_ms <= ASKED_MS
        if same or asked:
            return _sender_of(each, each.at_ms)
    return None


def _counted_for_memory(end: End) -> bool:
    """Tell whether the kernel's count of what it killed for memory rose in the job's control group.

    The count of the group alone is not believed where the whole host's did not rise: a job that moved to
    another group brings counts with it that are older than the job.
    """
    host_rose = end.host_oom_kills is None or end.host_oom_kills > 0
    return (end.oom_kills or 0) > 0 and host_rose


def _cpu_limit_reached(end: End) -> int:
    """Return the limit on CPU time that was reached, seconds, or 0."""
    cpu_s = (end.cpu_ms or 0) / 1000
    values = end.limits.cpu_s if end.limits and end.limits.cpu_s else ()
    reached = (
        each for each in values if each > 0 and cpu_s >= min(each * _LIMIT_SHARE, each - _LIMIT_SLACK_S)
    )
    return next(reached, 0)


def _in_words(found: Ending, victim: str) -> str:
    after = f"after {duration(found.at_ms)}"
    name = signals.name(found.signal) if found.signal else ""
    if found.by_shell:
        words = (
            f"exited with status {found.status} {after}; shells report so that a command was ended by {name} "
            f"(128 + {found.signal})"
        )
    elif found.how is How.EXITED:
        words = f"exited with status {found.status} {after}"
    else:
        words = f"killed by {name} (signal {found.signal}) {after}"
    if found.cpu_limit_s:
        words += f": it had used up its limit of {found.cpu_limit_s} s of CPU time (RLIMIT_CPU)"
    elif found.oom and found.signal == Signal.SIGKILL:
        words += ": the kernel's out-of-memory killer"
    elif found.oom:
        no_success = ", which is no success" if found.status == 0 else ""
        words += f"{no_success}; the kernel's out-of-memory killer had ended {victim}"
    elif found.sender and found.signal:
        words += f", sent by {found.sender}"
    elif found.sender:
        gap = duration(found.at_ms - found.sender.at_ms)
        words += f", {gap} after {signals.name(found.sender.signal)} from {found.sender}"
    if found.recorder_killed:
        words += "; the recorder was killed as well, and its witness noted this"
    return words
