"""What speaks for and against each suspect in a recorded run.

Each piece of evidence multiplies the odds of some suspects by a factor: how much more often it is seen if
they did it than if another did. The factors, like the priors, are judgements of engineers and not
measurements; they are rough on purpose (powers of about 3), and taken as independent, which they are not
quite. So the order of the suspects is worth more than the percentages beside them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from simulations.live.recorder import signals
from simulations.live.recorder.ending import GRACE_MS_MAX, RECENT_MS, Ending, How
from simulations.live.recorder.quantities import duration, size
from simulations.live.recorder.records import Who
from simulations.live.recorder.signals import Signal
from simulations.suspects import SUSPECTS, Suspect

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from simulations.live.recorder.recording import Clock, Recording, Samples
    from simulations.live.recorder.records import End, Limits, SignalSeen, Start, Takeover

PERSON: Final = Suspect(
    "person",
    "a person at a keyboard",
    "A person typed Ctrl-C, closed the terminal, or killed it by hand.",
    0.10,
    "the users who were logged in at that minute: last, the shell histories, the tickets of the day",
)
DISK: Final = Suspect(
    "disk",
    "a full disk",
    "It could not write what it had to.",
    0.05,
    "free space and quota where the job writes, and what else was written there",
)
ALL_SUSPECTS: Final = (*SUSPECTS, PERSON, DISK)
"""The scenario's nine, and two that a simulated platform does not have. Priors are scaled to add up to 1."""

_FIRST_PROCESS: Final = 1
_PLATFORM: Final = ("sweep", "spot", "deadline", "budget")
_TRACEBACK: Final = re.compile(
    r"traceback|error|exception|assert|panic|fatal|abort|segfault|core dumped", re.IGNORECASE
)
_NO_MEMORY: Final = re.compile(
    r"MemoryError|bad_alloc|cannot allocate|OutOfMemory|out of memory|heap space|unable to allocate|ENOMEM",
    re.IGNORECASE,
)
_DATABASE: Final = re.compile(
    r"psycopg|sqlalchemy|OperationalError|ORA-\d|deadlock|too many (clients|connections)|lock wait timeout"
    r"|server closed the connection|statement timeout|database",
    re.IGNORECASE,
)
_NO_SPACE: Final = re.compile(r"no space left|ENOSPC|disk quota exceeded|disk full|EDQUOT", re.IGNORECASE)
_LIMIT_WORDS: Final = re.compile(r"time ?limit|deadline exceeded|walltime|timed out", re.IGNORECASE)
_HARDWARE: Final = re.compile(r"I/O error|read-only|blocked for more than", re.IGNORECASE)
_LIMITERS: Final = re.compile(r"^(timeout|slurmstepd|slurmd|pbs_mom|sge_execd|sge_shepherd|res|atd|condor)")
_MEMORY_KILLERS: Final = re.compile(r"^(earlyoom|systemd-oomd|nohang|oomd)")
_SHELLS: Final = re.compile(
    r"^(-?)(ba|z|da|k|fi|tc|c)?sh$|^sshd|^kill$|^pkill$|^killall$|^htop$|^top$|^tmux|^screen"
)
_DURATION: Final = re.compile(r"(\d+(?:\.\d+)?)([smhd]?)")
_SECONDS: Final = re.compile(r"[0-9]{1,12}")
_UNIT_S: Final = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}

_TIMED_OUT: Final = 124
"""What timeout(1) returns when it has stopped its command."""

_STALL_MS: Final = 60_000
_SLURM_NEAR_MS: Final = 120_000
_SLOPE_SHARE: Final = 0.3


@dataclass(frozen=True)
class Evidence:
    """Something that was observed, and how it weighs.

    Attributes:
        words: What was observed.
        factors: For each suspect that it speaks about, how much more often it is seen if they did it.
    """

    words: str
    factors: Mapping[str, float]


def gather(run: Recording, found: Ending) -> Iterator[Evidence]:
    """Return the evidence of one run that ended as found."""
    end, samples = run.end, run.samples
    yield from _of_the_signal(found)
    yield from _of_the_status(found)
    yield from _of_a_grace(run.signals, found)
    yield from _of_the_sender(found)
    yield from _of_kills_for_memory(end, found)
    yield from _of_memory_in_use(run.start, end, samples, found)
    yield from _of_cpu_time(end, found)
    yield from _of_limits(run.limits, samples, found)
    yield from _of_time_limits(run.start, run.clock, found)
    yield from _of_the_host(run.signals, end, found)
    yield from _of_the_clock(run.clock, found)
    yield from _of_the_last_lines(run.last_lines, found)
    yield from _of_the_disk(samples)
    yield from _of_progress(samples, found)
    yield from _of_company(run.takeover, end, found)


def _others(factor: float, *but: str) -> dict[str, float]:
    return {each.name: factor for each in ALL_SUSPECTS if each.name not in but}


def _of_the_signal(found: Ending) -> Iterator[Evidence]:
    if not found.signal:
        return
    words = f"it was ended by {signals.name(found.signal)}"
    program = {"application": 0.05, "database": 0.03, "clock": 0.1, "disk": 0.03}
    if found.signal == Signal.SIGKILL:
        yield Evidence(
            f"{words}, which no program can catch: no traceback, no clean-up",
            {**program, "memory": 3, "sweep": 3, "deadline": 1.5, "budget": 1.5, "person": 1.5, "node": 0.3},
        )
    elif found.signal == Signal.SIGTERM:
        yield Evidence(
            f"{words}, a polite request from outside",
            {**program, "memory": 0.2, "sweep": 2, "deadline": 3, "spot": 3, "budget": 2, "person": 2},
        )
    elif found.signal == Signal.SIGHUP:
        yield Evidence(f"{words}: a terminal or session ended", {**_others(0.05, "person"), "person": 10})
    elif found.signal in (Signal.SIGINT, Signal.SIGQUIT):
        yield Evidence(f"{words}, as typed at a keyboard", {**_others(0.1, "person"), "person": 10})
    elif found.signal == Signal.SIGXCPU:
        yield Evidence(
            f"{words}, the signal of a CPU-time limit", {**_others(0.03, "deadline"), "deadline": 30}
        )
    elif found.signal in signals.FAULTS:
        yield Evidence(
            f"{words}, which a program brings upon itself",
            {**_others(0.03, "application", "memory"), "application": 10, "memory": 0.3},
        )
    elif found.signal in (Signal.SIGPIPE, Signal.SIGXFSZ, Signal.SIGALRM):
        yield Evidence(
            f"{words}, which its own writing or timer brings about",
            {
                **_others(0.1, "application", "disk"),
                "application": 10,
                "disk": 3 if found.signal == Signal.SIGXFSZ else 0.1,
            },
        )
    else:
        yield Evidence(f"{words}, which another process sent", {**program, "sweep": 1.5, "person": 1.5})


def _of_the_status(found: Ending) -> Iterator[Evidence]:
    if found.how is not How.EXITED or found.by_shell or found.status == 0:
        return
    if found.status == _TIMED_OUT:
        yield Evidence(
            "exit status 124 is what timeout(1) returns when it stopped its command",
            {"deadline": 30, "application": 0.5},
        )
        return
    if found.sender is not None:
        yield Evidence(
            f"it ended itself, with exit status {found.status}, after it had been asked to",
            {"application": 0.3, "database": 0.1, "memory": 0.2, "sweep": 2, "spot": 2, "deadline": 2},
        )
        return
    outside = dict.fromkeys((*_PLATFORM, "node", "person"), 0.1)
    yield Evidence(
        f"it ended itself, with exit status {found.status}: nothing stopped it from outside",
        {**outside, "application": 5, "database": 0.5, "memory": 0.3, "disk": 0.5},
    )


def _of_a_grace(seen: tuple[SignalSeen, ...], found: Ending) -> Iterator[Evidence]:
    asked = [
        (each.signal, found.at_ms - each.at_ms)
        for each in seen
        if each.signal != found.signal and 0 <= found.at_ms - each.at_ms <= GRACE_MS_MAX
    ]
    if found.signal == Signal.SIGKILL and asked:
        polite, gap_ms = asked[-1]
        yield Evidence(
            f"{signals.name(polite or 0)} came {duration(gap_ms)} before SIGKILL: a grace, as schedulers and "
            "platforms give it",
            {"deadline": 3, "spot": 2, "sweep": 2, "budget": 2, "memory": 0.1, "person": 0.7},
        )


def _of_the_sender(found: Ending) -> Iterator[Evidence]:
    sender = found.sender
    if sender is None:
        return
    program = sender.name or ""
    words = f"{signals.name(sender.signal)} was sent by {sender}"
    if sender.who is Who.ITSELF:
        yield Evidence(words, {**_others(0.03, "application"), "application": 30})
    elif sender.who is Who.KERNEL and sender.signal in signals.AT_THE_TERMINAL:
        yield Evidence(words, {**_others(0.03, "person"), "person": 30})
    elif sender.who is Who.OUTSIDE:
        yield Evidence(words, {**dict.fromkeys(_PLATFORM, 3.0), "application": 0.03, "person": 0.5})
    elif _LIMITERS.match(program):
        yield Evidence(words, {**_others(0.03, "deadline"), "deadline": 30})
    elif _MEMORY_KILLERS.match(program):
        yield Evidence(words, {**_others(0.03, "memory"), "memory": 30})
    elif sender.pid == _FIRST_PROCESS:
        yield Evidence(
            f"{words}, the first process of the system: a service was stopped or the host shut down",
            {**dict.fromkeys(_PLATFORM, 2.0), "node": 3, "application": 0.03, "memory": 0.3},
        )
    elif sender.terminal:
        yield Evidence(words, {**_others(0.1, "person"), "person": 10})
    elif sender.terminal is None and _SHELLS.match(program):
        yield Evidence(
            f"{words}: the shell of a person or of a script, not this job",
            {**_others(0.1, "person", "sweep", "deadline", "budget"), "person": 5, "sweep": 5, "deadline": 2},
        )
    elif program:
        yield Evidence(
            f"{words}: a program did it, and not this job",
            {"sweep": 10, "deadline": 3, "budget": 2, "person": 0.5, "application": 0.03, "memory": 0.1},
        )


def _of_kills_for_memory(end: End | None, found: Ending) -> Iterator[Evidence]:
    host_kills = end.host_oom_kills if end else None
    if found.oom:
        yield Evidence(
            "the kernel says that it killed for memory: a process of the job, or of its control group",
            {**_others(0.03, "memory"), "memory": 30},
        )
    elif host_kills == 0 and found.signal == Signal.SIGKILL:
        yield Evidence(
            "the kernel killed nothing for memory on this host during the run (oom_kill in /proc/vmstat)",
            {"memory": 0.03},
        )
    elif host_kills:
        known = end is not None and end.oom_kills is not None
        yield Evidence(
            "the kernel killed something for memory on this host during the run"
            + (", in another control group" if known else ", and whether it was this job is unknown"),
            {"memory": 10 if found.signal == Signal.SIGKILL and not known else 2},
        )


def _of_memory_in_use(start: Start, end: End | None, samples: Samples, found: Ending) -> Iterator[Evidence]:
    if not len(samples):
        return
    last = samples.at(-1)
    limit_kb = end.cgroup_limit_kb if end else start.cgroup_limit_kb
    peak_kb = max(samples.columns["cgroup_kb"])
    if limit_kb and peak_kb >= 0.95 * limit_kb:
        yield Evidence(f"its control group used {size(peak_kb)} of {size(limit_kb)}", {"memory": 3})
    total_kb = start.memory_kb
    if total_kb and last.available_kb < 0.03 * total_kb:
        yield Evidence(f"the host had {size(last.available_kb)} of memory left", {"memory": 3})
    elif total_kb and last.available_kb > 0.2 * total_kb and not found.oom and found.signal:
        yield Evidence(f"the host had {size(last.available_kb)} of memory left", {"memory": 0.5})


def _of_cpu_time(end: End | None, found: Ending) -> Iterator[Evidence]:
    if found.cpu_limit_s and end:
        yield Evidence(
            f"it had used {(end.cpu_ms or 0) / 1000:.2f} s of CPU time, and its limit was "
            f"{found.cpu_limit_s} s (RLIMIT_CPU)",
            {**_others(0.03, "deadline"), "deadline": 30},
        )


def _of_limits(limits: Limits | None, samples: Samples, found: Ending) -> Iterator[Evidence]:
    if limits is None or limits.address_bytes is None:
        return
    soft_kb = limits.address_bytes[0] // 1024
    peak_kb = max(samples.columns["vsize_kb"], default=0)
    if soft_kb > 0 and (peak_kb >= 0.8 * soft_kb or found.status or found.signal in signals.FAULTS):
        near = peak_kb >= 0.8 * soft_kb
        yield Evidence(
            f"its address space was limited to {size(soft_kb)} (RLIMIT_AS); the largest was {size(peak_kb)}",
            {"memory": 10 if near else 2},
        )


def _of_time_limits(start: Start, clock: Clock, found: Ending) -> Iterator[Evidence]:
    for command in start.ancestors:
        seconds = _timeout_s(command)
        if seconds and abs(found.at_ms / 1000 - seconds) <= max(1.0, 0.01 * seconds):
            yield Evidence(
                f"it was started by `{command[:60]}`, and ran {duration(found.at_ms)}",
                {**_others(0.1, "deadline"), "deadline": 30},
            )
    if start.slurm_end_s and _SECONDS.fullmatch(start.slurm_end_s):
        early_ms = int(start.slurm_end_s) * 1000 - round(clock.wall_s(found.at_ms) * 1000)
        near, side = abs(early_ms) <= _SLURM_NEAR_MS, "before" if early_ms > 0 else "after"
        yield Evidence(
            f"it ended {duration(abs(early_ms))} {side} the limit that Slurm had set for it",
            {"deadline": 30 if near else 0.1},
        )


def _timeout_s(command: str) -> float:
    """Return the limit in a command line of timeout(1), or 0."""
    program, *words = command.split() or [""]
    if program.rpartition("/")[2] != "timeout":
        return 0.0
    takes_value = False
    for word in words:
        if takes_value or word.startswith("-"):
            takes_value = word in ("-k", "-s", "--kill-after", "--signal")
            continue
        found = _DURATION.fullmatch(word)
        return float(found[1]) * _UNIT_S[found[2]] if found else 0.0
    return 0.0


def _of_the_host(seen: tuple[SignalSeen, ...], end: End | None, found: Ending) -> Iterator[Evidence]:
    if found.how is How.REBOOTED:
        orderly = any(found.at_ms - each.at_ms <= GRACE_MS_MAX for each in seen)
        manner = "in good order" if orderly else "without a warning"
        yield Evidence(
            f"the host went down {manner}",
            {
                **_others(0.03, "node", "spot", "budget", "sweep", "person"),
                "node": 10,
                "spot": 5 if orderly else 2,
                "budget": 2,
                "sweep": 2,
                "person": 1,
            },
        )
    elif found.how is How.VANISHED or end is not None:
        yield Evidence("the host went on, without a reboot", {"node": 0.05, "spot": 0.1, "budget": 0.5})
    broken = [line for line in (end.kernel if end else ()) if _HARDWARE.search(line)]
    if broken:
        yield Evidence(f"the kernel logged: {broken[-1][:100]}", {"node": 5, "disk": 3})


def _of_the_clock(clock: Clock, found: Ending) -> Iterator[Evidence]:
    late = [found.at_ms - each.at_ms for each in clock.steps if each.suspended_ms is None]
    if late and late[-1] <= 2 * _STALL_MS:
        yield Evidence(f"the clock or its zone changed {duration(late[-1])} before", {"clock": 30})
    elif not clock.steps:
        yield Evidence("the clock did not jump during the run", {"clock": 0.1})


def _of_the_last_lines(lines: tuple[str, ...], found: Ending) -> Iterator[Evidence]:
    text = "\n".join(lines)
    quoted = f"it wrote last: {lines[-1][:100]!r}" if lines else ""
    if _NO_MEMORY.search(text):
        yield Evidence(f"its last lines speak of memory; {quoted}", {"memory": 30})
    elif _NO_SPACE.search(text):
        yield Evidence(f"its last lines speak of a full disk; {quoted}", {"disk": 100})
    elif _DATABASE.search(text):
        yield Evidence(f"its last lines speak of the database; {quoted}", {"database": 10})
    elif _LIMIT_WORDS.search(text):
        yield Evidence(f"its last lines speak of a time limit; {quoted}", {"deadline": 5, "database": 2})
    elif _TRACEBACK.search(text):
        yield Evidence(f"its last lines show an error of its own; {quoted}", {"application": 5})
    elif lines and found.signal and found.signal not in signals.FAULTS:
        yield Evidence(f"no error in its last lines; {quoted}", {"application": 0.5, "database": 0.5})


def _of_the_disk(samples: Samples) -> Iterator[Evidence]:
    free = [each for each in samples.columns["disk_free_kb"][-5:] if each >= 0]
    if free and free[-1] < 1024:
        yield Evidence(f"{size(free[-1])} were left on the disk where it ran", {"disk": 10})


def _of_progress(samples: Samples, found: Ending) -> Iterator[Evidence]:
    window = [index for index, at in enumerate(samples.times) if found.at_ms - at <= _STALL_MS]
    if found.at_ms < 2 * _STALL_MS or len(window) < 5:
        return
    first, last = samples.at(window[0]), samples.at(window[-2])
    span_ms = samples.times[window[-2]] - samples.times[window[0]]
    busy = (last.cpu_ms - first.cpu_ms) / max(1, span_ms)
    wrote = last.lines - first.lines
    if busy < 0.01 and not wrote:
        yield Evidence(
            f"for {duration(span_ms)} before the end it neither computed nor wrote: it waited for something",
            {"database": 5, "clock": 1.5, "application": 1.5, "memory": 0.5},
        )
    else:
        yield Evidence(
            f"at work until the end: {busy * 100:.0f} % of a processor, {wrote} lines in the last minute",
            {"database": 0.3},
        )
    column = samples.columns["rss_kb"]
    middle, late = column[len(column) // 2], column[window[-2]]
    if late > (1 + _SLOPE_SHARE) * middle + 100 * 1024:
        yield Evidence(
            f"resident memory still grew: {size(middle)} half-way, {size(late)} at the end", {"memory": 3}
        )
    elif late <= 1.05 * middle:
        yield Evidence("resident memory did not grow in the second half", {"memory": 0.4})


def _of_company(takeover: Takeover | None, end: End | None, found: Ending) -> Iterator[Evidence]:
    together = takeover is not None and abs(found.at_ms - takeover.at_ms) <= RECENT_MS
    if found.how is How.VANISHED:
        yield Evidence(
            "recorder and witness are gone as well, as when a whole group, service or container is killed",
            {"sweep": 2, "deadline": 1.5, "spot": 1.5, "budget": 1.5, "memory": 0.5, "application": 0.2},
        )
    elif together:
        yield Evidence(
            "the recorder was killed as well: a whole group, service or container was killed",
            {
                "sweep": 3,
                "deadline": 2,
                "spot": 2,
                "budget": 2,
                "memory": 0.3,
                "application": 0.05,
                "person": 1,
            },
        )
    left = end.left_behind_count if end else None
    if left and found.signal:
        yield Evidence(
            f"{left} of its processes outlived it: the signal was meant for one process",
            {"memory": 1.5, "person": 1.5, "deadline": 0.7},
        )
