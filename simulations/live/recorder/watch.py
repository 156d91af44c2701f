"""What is noted while the job runs: by the recorder, or by the witness after it."""

from __future__ import annotations

import os
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Final, TypeVar

from simulations.live.recorder import accounting, output, readings
from simulations.live.recorder.codec import to_record
from simulations.live.recorder.log import SAMPLE, SCHEMA, Log, Record
from simulations.live.recorder.records import (
    CgroupMoved,
    ClockStep,
    End,
    Event,
    Fault,
    LastLine,
    LastLines,
    LeftBehind,
    Limits,
    Start,
)
from simulations.live.recorder.redaction import NOTHING, Redactor
from simulations.live.recorder.sampler import Sampler

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

_T = TypeVar("_T")

OVERHEAD_MAX: Final = 0.01
"""The share of one processor that sampling may take; where a sample costs more, the next one comes later."""

PAUSE_S_MAX: Final = 15.0
"""However much a sample costs: a job that thrashes should not die unseen."""

CLOCK_JUMP_MS: Final = 250
SUSPENDED_MS: Final = 1000

_FIRST_PAUSES_S: Final = (0.05, 0.1, 0.2, 0.4)
"""A job that dies young is sampled as well."""

LINE_EACH_MS: Final = 20_000
LINE_CHARACTERS_MAX: Final = 120
"""The last line is noted now and then, in case recorder and witness are killed before the end."""

ALL_HIDDEN: Final = "a --redact pattern took too long for a text, so every text is hidden from there on"
_LEFT_BEHIND_MAX: Final = 20
_KEEPS_ITS_DEAD: Final = 2
"""The version of control groups in which a zombie stays where it was; in version 1 it moves to the root."""

_FAULT_CHARACTERS_MAX: Final = 300
_KERNEL_LINE_CHARACTERS_MAX: Final = 240


def _clock_ms(clock: int) -> int:
    return time.clock_gettime_ns(clock) // 1_000_000


class Watch:
    """Samples a job into a log.

    Args:
        log: The log.
        followed: Descriptors of files to read along.
        path: The job's log file, or None.
        interval_s: Seconds between samples.
    """

    __slots__ = (
        "_all_hidden",
        "_cgroup",
        "_cost_s",
        "_fault",
        "_folder",
        "_follower",
        "_interval_s",
        "_job",
        "_kernel",
        "_limits",
        "_line",
        "_line_at",
        "_log",
        "_memory",
        "_offsets",
        "_oom_kills_before",
        "_sampler",
        "_start_ms",
        "_ticks",
        "redactor",
        "tail",
    )

    def __init__(
        self,
        log: Log,
        followed: Sequence[int],
        path: Path | None,
        interval_s: float,
        redactor: Redactor = NOTHING,
    ) -> None:
        self._log = log
        self.redactor = redactor
        self._all_hidden = False
        self._fault = ""
        self._start_ms = _clock_ms(time.CLOCK_BOOTTIME)
        self._interval_s = interval_s
        self.tail = output.Tail(redactor)
        self._follower = output.Follower(followed, path, self.tail)
        self._kernel = accounting.KernelLog()
        self._folder = current_folder()
        self._cgroup = accounting.memory_cgroup(os.getpid())
        self._memory = accounting.memory(self._cgroup)
        self._oom_kills_before = 0
        self._offsets = _offsets()
        self._limits = Limits()
        self._line = ""
        self._line_at = -LINE_EACH_MS
        self._job = -1
        self._sampler: Sampler | None = None
        self._ticks = 0
        self._cost_s = 0.0

    def handed_to(self, log: Log, sources: Sequence[int]) -> None:
        """Go on in another process, which has its own way into the log, and did not see what came before.

        Args:
            log: Its log.
            sources: Where the job's output comes from; where texts are hidden, the line is left out that may
                have begun before.
        """
        self._log = log
        self.tail = output.Tail(self.redactor)
        if self.redactor:
            for source in sources:
                self.tail.skip_line(source)
        self._follower.tail = self.tail

    def elapsed(self) -> int:
        """Return the milliseconds since the start of the run, suspended time included."""
        return _clock_ms(time.CLOCK_BOOTTIME) - self._start_ms

    def note(self, event: Event) -> None:
        """Append a record of what has just happened, without what must not be read, with the time of now."""
        self._log.append(to_record(replace(self.redactor.event(event), at_ms=self.elapsed())))
        if self.redactor.gave_up and not self._all_hidden:
            self._all_hidden = True
            self._log.append(to_record(Fault(ALL_HIDDEN, at_ms=self.elapsed())))

    def attempt(self, action: Callable[[], _T], otherwise: _T) -> _T:
        """Return what an action returns; a fault of the recorder in it is noted and never ends the job."""
        try:
            return action()
        except Exception as error:  # noqa: BLE001  (whatever it is)
            fault = self.redactor.text(repr(error))[:_FAULT_CHARACTERS_MAX]
            if fault != self._fault:  # one that comes with each sample must not fill the log
                self._fault = fault
                self.note(Fault(fault))
            return otherwise

    def origin(self) -> Start:
        """Return what later readings must be compared with."""
        return Start(
            schema=SCHEMA,
            wall_ms=_clock_ms(time.CLOCK_REALTIME),
            zone=time.strftime("%Z"),
            zone_s=self._offsets[2],
            boot=readings.boot_id(),
            booted_ms=self._start_ms,
            kernel_log=self._kernel.readable,
            cgroup=self._cgroup.folder,
            cgroup_limit_kb=self._memory.limit_kb,
        )

    def begin(self, roots: list[int], job: int, *, not_ours: frozenset[int]) -> None:
        """Start to sample.

        Args:
            roots: Everything below these processes is sampled.
            job: The process whose end is the end.
            not_ours: Processes that are not part of the job, nor what is below them.
        """
        self._job = job
        self._sampler = Sampler(roots, job, self._folder, not_ours=not_ours, redactor=self.redactor)

    def pause(self) -> float:
        """Return the seconds until the next sample is due."""
        if self._ticks < len(_FIRST_PAUSES_S):
            return min(self._interval_s, _FIRST_PAUSES_S[self._ticks])
        return max(self._interval_s, min(self._cost_s / OVERHEAD_MAX, PAUSE_S_MAX))

    def alive(self) -> list[int]:
        """Return the processes of the job that were alive in the last sample."""
        return self._sampler.alive() if self._sampler else []

    def tick(self) -> None:
        """Take a sample and note what changed."""
        began = time.thread_time()
        self._ticks += 1
        self.attempt(self._look, None)
        self._log.sync()
        self._cost_s = time.thread_time() - began

    def _look(self) -> None:
        self._note_clocks()
        self._note_surroundings()
        self._follower.catch_up()
        if self._sampler:
            sample, changes = self._sampler.sample(self.tail.count)
            for change in changes:
                self.note(change)
            self._log.append(Record(self.elapsed(), SAMPLE, list(sample)))
        if self.elapsed() - self._line_at >= LINE_EACH_MS:
            self._note_line()

    def _note_line(self) -> None:
        last = self.tail.last()
        if last and last[-1] != self._line:
            self._line, self._line_at = last[-1], self.elapsed()
            self.note(LastLine(self._line[:LINE_CHARACTERS_MAX]))

    def _note_clocks(self) -> None:
        wall, suspended, zone_s = _offsets()
        wall_then, suspended_then, zone_then = self._offsets
        if abs(wall - wall_then) >= CLOCK_JUMP_MS:
            self.note(ClockStep(jump_ms=wall - wall_then))
        if suspended - suspended_then >= SUSPENDED_MS:
            self.note(ClockStep(suspended_ms=suspended - suspended_then))
        if zone_s != zone_then:
            self.note(ClockStep(zone_s=zone_s, zone_then_s=zone_then))
        self._offsets = wall, suspended, zone_s

    def _note_surroundings(self) -> None:
        limits = accounting.limits(self._job)
        if limits not in (Limits(), self._limits):
            self._limits = limits
            self.note(limits)
        cgroup = accounting.memory_cgroup(self._job)
        process = readings.stat(self._job)
        lives = process is not None and process.lives
        if cgroup.folder and cgroup != self._cgroup and (lives or cgroup.version == _KEEPS_ITS_DEAD):
            self._follow_to(cgroup, lives=lives)

    def _follow_to(self, cgroup: accounting.Cgroup, *, lives: bool) -> None:
        """Go on counting in the control group that the job has moved to.

        If the job was still seen alive there, only what is counted from now on concerns it. If not, the group
        is most likely made for it, and all counts.
        """
        self._oom_kills_before = self._oom_kills(accounting.memory(self._cgroup)) or 0
        found = accounting.memory(cgroup)
        self._memory = found._replace(
            host_oom_kills=self._memory.host_oom_kills,
            oom_kills=found.oom_kills if lives or found.oom_kills is None else 0,
        )
        self._cgroup = cgroup
        if self._sampler:
            self._sampler.follow_to(cgroup)
        self.note(CgroupMoved(cgroup.folder, found.limit_kb))

    def _oom_kills(self, now: accounting.Memory) -> int | None:
        """Return the kills for memory in the control groups of the job so far, or None if unknown."""
        if self._memory.oom_kills is None or now.oom_kills is None:
            return None
        return self._oom_kills_before + now.oom_kills - self._memory.oom_kills

    def final_readings(self, job: int) -> End:
        """Return what the system says of a job that has ended; of a zombie it says more."""
        limits = accounting.limits(job)
        self.tick()
        before, after = self._memory.host_oom_kills, accounting.memory(self._cgroup)
        host_after = after.host_oom_kills
        left = [pid for pid in self.alive() if pid != job]
        return End(
            limits=self._limits if limits == Limits() else limits,
            oom_kills=self._oom_kills(after),
            host_oom_kills=None if before is None or host_after is None else host_after - before,
            cgroup_limit_kb=after.limit_kb,
            kernel=tuple(
                self.redactor.text(line)[:_KERNEL_LINE_CHARACTERS_MAX] for line in self._kernel.lines()
            ),
            left_behind=tuple(
                LeftBehind(pid, readings.command_line(pid, self.redactor)) for pid in left[:_LEFT_BEHIND_MAX]
            ),
            left_behind_count=len(left),
            unnoted=self._sampler.unnoted if self._sampler else 0,
        )

    def note_tail(self) -> None:
        """Note how much the job wrote, and its last lines."""
        self._follower.catch_up()
        self.note(LastLines(self.tail.count, self.tail.size, tuple(self.tail.last())))

    def sync(self) -> None:
        """Force the log to the disk."""
        self._log.sync(now=True)

    def close(self) -> None:
        """Write what waits, and close the log."""
        self.attempt(self._kernel.close, None)
        self.attempt(self._follower.close, None)
        self._log.close(self.elapsed())


def current_folder() -> str:
    """Return the current folder, or `/` where it has been removed."""
    try:
        return os.path.realpath(".")
    except OSError:
        return "/"


def _offsets() -> tuple[int, int, int]:
    """Return wall minus boot time and suspended time in milliseconds, and the zone's offset in seconds."""
    boot = _clock_ms(time.CLOCK_BOOTTIME)
    return (
        _clock_ms(time.CLOCK_REALTIME) - boot,
        boot - _clock_ms(time.CLOCK_MONOTONIC),
        time.localtime().tm_gmtoff,
    )
