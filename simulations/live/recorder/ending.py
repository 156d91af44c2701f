"""How a recorded run ended: what is known, what is not, and who sent the signal."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from simulations.live.recorder import signals
from simulations.live.recorder.autopsy import pids_named
from simulations.live.recorder.recording import number, text, texts

if TYPE_CHECKING:
    from simulations.live.recorder.log import Json, Record
    from simulations.live.recorder.recording import Present, Recording

How = Literal["exited", "signalled", "not started", "running", "rebooted", "vanished", "unknown"]

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

_SHELL_SIGNALS: Final = range(129, 128 + 65)
_SIGHUP, _SIGINT, _SIGQUIT, _SIGKILL, _SIGTERM, _SIGXCPU = 1, 2, 3, 9, 15, 24


@dataclass(frozen=True)
class Sender:
    """Who sent the signal that ended the job, or asked it to end.

    Attributes:
        signal: Its number.
        who: `kernel`, `outside` (of this pid namespace), `process`, or `itself`: a process of the job.
        name: The name of the sending program; empty if it had ended already or is not told.
        pid: Its pid; 0 if it is not told.
        terminal: It had a terminal, as a person's shell has and a daemon has not; None if it is not told.
        at_ms: When, milliseconds since the start of the run.
    """

    signal: int
    who: str
    name: str
    pid: int
    terminal: bool | None
    at_ms: int

    def __str__(self) -> str:
        if self.who == "kernel":
            return {
                _SIGHUP: "the kernel, because the terminal hung up",
                _SIGINT: "the kernel, because Ctrl-C was typed at the terminal",
                _SIGQUIT: "the kernel, because Ctrl-\\ was typed at the terminal",
            }.get(self.signal, "the kernel")
        if self.who == "outside":
            return "somebody outside of this container or pid namespace"
        named = f"{self.name} (pid {self.pid})" if self.name else f"pid {self.pid}, which had ended already"
        if self.who == "itself":
            return f"the job itself: {named}"
        return named + {True: ", at a terminal", False: ", without a terminal", None: ""}[self.terminal]


@dataclass(frozen=True)
class Ending:
    """How a run ended.

    Attributes:
        how: `vanished`: job, recorder and witness went together; `unknown`: the log does not say.
        at_ms: When, milliseconds since the start; of the last record where the end itself was not noted.
        status: The exit status; None if there is none or it is not known.
        signal: The signal that ended it; 0 if none did, or none is known.
        by_shell: The status stands for a signal, as shells report it (128 + signal); or by coincidence.
        oom: The kernel ended a process of the job because memory ran out.
        cpu_limit_s: The limit on CPU time that was reached; 0 if none was.
        sender: Who sent the signal, where the system tells.
        recorder_killed: The recorder was killed as well; the witness noted the rest.
        words: All of it in one sentence.
    """

    how: How
    at_ms: int
    status: int | None
    signal: int
    by_shell: bool
    oom: bool
    cpu_limit_s: int
    sender: Sender | None
    recorder_killed: bool
    words: str


def ending(recording: Recording, now: Present) -> Ending:
    """Say how a run ended.

    Args:
        recording: The run.
        now: What this host says of it today; it counts only where the end was not noted.
    """
    end, exec_failed = recording.last("end"), recording.last("exec")
    if exec_failed is not None and end is None:
        words = f"did not start: {text(exec_failed.data, 'words')}"
        return _without_status(recording, "not started", exec_failed.time, words)
    if end is None:
        return _end_not_noted(recording, now)
    status = end.data.get("status") if isinstance(end.data, Mapping) else None
    if not isinstance(status, int):
        words = (
            f"ended after {duration(end.time)}; its exit status is not known: the recorder was killed, "
            "and this kernel tells it to nobody else"
        )
        return _without_status(recording, "unknown", end.time, words)
    by_shell = status in _SHELL_SIGNALS
    signal = -status if status < 0 else status - 128 if by_shell else 0
    found = Ending(
        how="signalled" if status < 0 else "exited",
        at_ms=end.time,
        status=status if status >= 0 else None,
        signal=signal,
        by_shell=by_shell,
        oom=_killed_for_memory(recording, end),
        cpu_limit_s=_cpu_limit_reached(end) if signal in (_SIGKILL, _SIGXCPU) else 0,
        sender=_sender(recording, end, signal) if status != 0 else None,
        recorder_killed=recording.last("takeover") is not None,
        words="",
    )
    return _with_words(found)


def _without_status(recording: Recording, how: How, at_ms: int, words: str) -> Ending:
    killed = recording.last("takeover") is not None
    return Ending(
        how,
        at_ms,
        None,
        0,
        by_shell=False,
        oom=False,
        cpu_limit_s=0,
        sender=None,
        recorder_killed=killed,
        words=words,
    )


def _end_not_noted(recording: Recording, now: Present) -> Ending:
    at_ms = recording.last_ms
    last = f"{recording.local(at_ms)}, {duration(at_ms)} after the start"
    if now.alive:
        late = 10 * RECENT_MS
        state = (
            "is still running"
            if now.silent_ms < late
            else (
                "is still running, but is not recorded any more: the recorder and its witness were killed; "
                f"last sample {last}"
            )
        )
        return _without_status(recording, "running", at_ms, state)
    if now.here and not now.same_boot:
        asked = _polite(recording, at_ms)
        how = (
            "in good order, the job was sent " + signals.name(asked.signal) if asked else "without a warning"
        )
        later_ms = round(now.booted_s * 1000 - recording.wall_s(at_ms) * 1000)
        words = (
            f"the host was rebooted or went down ({how}); last sign of life {last}; the host was booted "
            f"{duration(max(0, later_ms))} later"
        )
        if later_ms > BOOT_MS_MAX:
            words += ", so late that the job may have ended before, unseen"
        return _without_status(recording, "rebooted", at_ms, words)
    if now.here:
        words = (
            "vanished: recorder and witness were killed, and the job is gone, without a reboot, as when "
            f"somebody kills a whole container, service or session; last sign of life {last}"
        )
        return _without_status(recording, "vanished", at_ms, words)
    words = (
        f"the log stops at {last}; whether the host went down can be told on the host that recorded it only"
    )
    return _without_status(recording, "unknown", at_ms, words)


def _polite(recording: Recording, at_ms: int) -> Sender | None:
    """Return the newest signal to the recorder that came shortly before."""
    for record in reversed(recording.all("signal")):
        if at_ms - record.time <= GRACE_MS_MAX and isinstance(record.data, Mapping):
            return _sender_from(record.data, record.time)
    return None


def _sender_from(data: Mapping[str, Json], at_ms: int) -> Sender:
    terminal = data.get("terminal")
    return Sender(
        signal=number(data, "signal"),
        who="itself" if data.get("ours") else text(data, "who"),
        name=text(data, "name"),
        pid=number(data, "pid"),
        terminal=terminal if isinstance(terminal, bool) else None,
        at_ms=at_ms,
    )


def _sender(recording: Recording, end: Record, signal: int) -> Sender | None:
    """Return who sent the signal that ended the job; a trace knows best."""
    traced = end.data.get("senders") if isinstance(end.data, Mapping) else None
    for each in reversed(traced if isinstance(traced, list) else []):
        if isinstance(each, Mapping) and number(each, "signal") == signal:
            return _sender_from(each, end.time)
    for record in reversed(recording.all("signal")):
        if not isinstance(record.data, Mapping) or record.data.get("ours"):
            continue
        same = number(record.data, "signal") == signal and end.time - record.time <= GRACE_MS_MAX
        asked = signal == 0 and end.time - record.time <= ASKED_MS
        if same or asked:
            return _sender_from(record.data, record.time)
    return None


def _killed_for_memory(recording: Recording, end: Record) -> bool:
    """Tell whether the kernel killed for memory: its log names a process of the job, or a count rose.

    The count of the group alone is not believed where the whole host's stood still: a job that moved to
    another group brings counts with it that are older than the job.
    """
    ours = {number(each.data, "pid") for each in (*recording.all("child"), *recording.all("job"))}
    if ours & pids_named(texts(end.data, "kernel")):
        return True
    return number(end.data, "oom_kills") > 0 and number(end.data, "host_oom_kills", 1) > 0


def _cpu_limit_reached(end: Record) -> int:
    limits = end.data.get("limits") if isinstance(end.data, Mapping) else None
    values = limits.get("cpu_s") if isinstance(limits, Mapping) else None
    cpu_s = number(end.data, "cpu_ms") / 1000
    for value in values if isinstance(values, list) else []:
        if (
            isinstance(value, int)
            and value > 0
            and cpu_s >= min(value * _LIMIT_SHARE, value - _LIMIT_SLACK_S)
        ):
            return value
    return 0


def _with_words(found: Ending) -> Ending:
    after = f"after {duration(found.at_ms)}"
    name = signals.name(found.signal) if found.signal else ""
    if found.how == "exited" and not found.by_shell:
        words = f"exited with status {found.status} {after}"
    elif found.by_shell:
        words = (
            f"exited with status {found.status} {after}; shells report so that a command was ended by {name} "
            f"(128 + {found.signal})"
        )
    else:
        words = f"killed by {name} (signal {found.signal}) {after}"
    reason = ""
    if found.cpu_limit_s:
        reason = f": it had used up its limit of {found.cpu_limit_s} s of CPU time (RLIMIT_CPU)"
    elif found.oom and found.signal == _SIGKILL:
        reason = ": the kernel's out-of-memory killer"
    elif found.oom:
        reason = "; the kernel's out-of-memory killer had ended a process of it"
    elif found.sender and found.signal:
        reason = f", sent by {found.sender}"
    elif found.sender:
        gap = duration(found.at_ms - found.sender.at_ms)
        reason = f", {gap} after {signals.name(found.sender.signal)} from {found.sender}"
    if found.recorder_killed:
        reason += "; the recorder was killed, too, its witness noted this"
    return Ending(**{**found.__dict__, "words": words + reason})


def duration(milliseconds: int) -> str:
    """Return a duration in words, such as `70 h 00 min` or `1.52 s`."""
    seconds = milliseconds / 1000
    if seconds < 60:
        return f"{seconds:.2f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest:02} s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02} min"
