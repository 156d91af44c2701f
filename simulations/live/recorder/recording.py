"""A run as its log describes it, whatever became of the recorder."""

from __future__ import annotations

import contextlib
import time
from array import array
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

from simulations.live.recorder import log
from simulations.live.recorder.codec import INTEGER_MAX, is_whole, parse
from simulations.live.recorder.log import SAMPLE, SCHEMA, Damage, LogError
from simulations.live.recorder.records import (
    Child,
    ClockStep,
    End,
    Event,
    Job,
    LastLine,
    LastLines,
    Limits,
    Lost,
    NotStarted,
    Sample,
    SignalSeen,
    Start,
    Takeover,
    WitnessReady,
)
from simulations.live.recorder.redaction import NOTHING, SECRETS, Redactor
from simulations.terminal_text import shortened

if TYPE_CHECKING:
    from collections.abc import Mapping

_E = TypeVar("_E")
_SAMPLE_FIELDS: Final = len(Sample._fields)


@dataclass(frozen=True)
class Samples:
    """All samples of a run, by column.

    Attributes:
        times: Milliseconds since the start of the run.
        columns: For each field of `Sample`, its values.
    """

    times: array[int]
    columns: Mapping[str, array[int]]

    def __len__(self) -> int:
        return len(self.times)

    def at(self, index: int) -> Sample:
        """Return one sample."""
        return Sample(*(self.columns[name][index] for name in Sample._fields))

    def __repr__(self) -> str:
        return f"<{len(self)} samples>"


@dataclass(frozen=True)
class Clock:
    """The wall clock of the host, at any time of the run.

    Attributes:
        wall_ms: At the start, milliseconds since 1970; 0 if unknown.
        zone: The offset from UTC at the start, seconds.
        steps: What changed it, oldest first.
    """

    wall_ms: int
    zone: int
    steps: tuple[ClockStep, ...]

    def wall_s(self, elapsed_ms: int) -> float:
        """Return the wall clock's seconds since 1970 at a time of the run, by the clock as it stood then."""
        jumped = sum(each.jump_ms or 0 for each in self.steps if each.at_ms <= elapsed_ms)
        return (self.wall_ms + jumped + elapsed_ms) / 1000

    def zone_s(self, elapsed_ms: int) -> int:
        """Return the offset of the host's time zone from UTC, in seconds, at a time of the run."""
        changes = (each.zone_s for each in reversed(self.steps) if each.at_ms <= elapsed_ms)
        return next((zone_s for zone_s in changes if zone_s is not None), self.zone)

    def local(self, elapsed_ms: int) -> str:
        """Return the local date and time, such as `Mon 2026-03-02 16:00:00`, at a time of the run."""
        try:
            moment = time.gmtime(self.wall_s(elapsed_ms) + self.zone_s(elapsed_ms))
            return time.strftime("%a %Y-%m-%d %H:%M:%S", moment)
        except (OverflowError, ValueError, OSError):  # no time that this system can write
            return "an unknown time"


@dataclass(frozen=True)
class Recording:
    """A run. A record that is not in the log is None; of each kind that occurs once, the newest counts.

    Attributes:
        folder: Where its log is.
        start: How it began; all of it unknown if that record is missing.
        job: The job's process.
        not_started: Why the command could not be executed.
        witness: The witness.
        takeover: The recorder was killed, and the witness went on.
        end: How the job ended.
        limits: Its resource limits, as last seen.
        last_lines: What the job wrote last, oldest line first: all that was kept at its end, or the last line
            that was noted before.
        signals: The signals to the recorder, oldest first.
        pids: The processes of the job that were noted.
        clock: The wall clock during the run.
        events: All records but the samples, oldest first.
        samples: Its samples.
        lost: Records that the disk did not take.
        damage: What of its log could not be read.
    """

    folder: Path
    start: Start
    job: Job | None
    not_started: NotStarted | None
    witness: WitnessReady | None
    takeover: Takeover | None
    end: End | None
    limits: Limits | None
    last_lines: tuple[str, ...]
    signals: tuple[SignalSeen, ...]
    pids: frozenset[int]
    clock: Clock
    events: tuple[Event, ...]
    samples: Samples
    lost: int
    damage: Damage

    def __repr__(self) -> str:
        return shortened(f"<Recording {self.folder}: {' '.join(self.command)}, {self.samples!r}>")

    @property
    def last_ms(self) -> int:
        """The time of the newest record, milliseconds since the start."""
        newest = [self.samples.times[-1]] if len(self.samples) else []
        return max([*newest, *(each.at_ms for each in self.events)])

    @property
    def command(self) -> tuple[str, ...]:
        """The command and its arguments; empty if unknown."""
        return self.start.command


def load(folder: Path | str, *, samples: bool = True, show_secrets: bool = True) -> Recording:
    """Read a run, or the newest run of a folder that can be read.

    A log without a record, which a recorder leaves that was killed as it began, is passed over.

    Args:
        folder: The folder of one run, or of several.
        samples: Whether to read all samples, or only the newest, which is enough to compare deaths.
        show_secrets: Whether passwords, tokens and keys stand in the texts as they were written; otherwise
            they are hidden, as far as they can be told from other words.

    Raises:
        LogError: there is no log, or nothing of it can be read.
    """
    redactor = NOTHING if show_secrets else SECRETS
    *older, newest = runs(Path(folder))
    try:
        return _load(newest, redactor, samples=samples)
    except LogError:
        for run in reversed(older):
            with contextlib.suppress(LogError):
                return _load(run, redactor, samples=samples)
        raise


def runs(folder: Path) -> list[Path]:
    """Return the folders of the runs in a folder, oldest first; of the folder of a run, itself.

    Raises:
        LogError: there is none.
    """
    with contextlib.suppress(OSError):
        if (folder / log.LOG).is_file():
            return [folder]
    try:
        named = [each for each in folder.glob(log.RUN_NAME) if log.is_run_name(each.name)]
        found = sorted(
            (each for each in named if (each / log.LOG).is_file()), key=lambda each: int(each.name)
        )
        why = "holds no recorded run" if folder.is_dir() else "does not exist"
    except OSError as error:
        found, why = [], f"cannot be read: {error.strerror}"
    if not found:
        raise LogError(f"{folder} {why}; name the folder given to heisenlab record -o")
    return found


def _load(folder: Path, redactor: Redactor, *, samples: bool) -> Recording:
    records, damage = log.read(folder, samples=samples)
    times = array("q")
    columns = [array("q") for _ in Sample._fields]
    events: list[Event] = []
    for record in records:
        values = record.data
        if abs(record.time) >= INTEGER_MAX:
            continue
        if record.kind != SAMPLE:
            event = parse(record)
            if event is not None:
                events.append(redactor.event(event))
        elif isinstance(values, list) and len(values) == _SAMPLE_FIELDS:
            times.append(record.time)
            for column, value in zip(columns, _row(values), strict=True):
                column.append(value)
    sampled = Samples(times, dict(zip(Sample._fields, columns, strict=True)))
    if not (len(sampled) or events):
        raise LogError(f"{folder} holds a log without a single record of a run")
    return _recording(folder, tuple(events), sampled, damage)


def _row(values: list[Any]) -> array[int]:
    """Return a sample as integers, -1 for what is damaged."""
    try:
        return array("q", values)
    except (TypeError, OverflowError):
        return array("q", [value if is_whole(value) else -1 for value in values])


def _recording(folder: Path, events: tuple[Event, ...], samples: Samples, damage: Damage) -> Recording:
    start = _newest(events, Start) or Start()
    if (start.schema or SCHEMA) > SCHEMA:
        raise LogError(
            f"{folder} was recorded by a newer heisenlab (schema {start.schema}, this one reads {SCHEMA})"
        )
    job, tail, line = _newest(events, Job), _newest(events, LastLines), _newest(events, LastLine)
    end, limits = _newest(events, End), _newest(events, Limits)
    noted = [job, *_all(events, Child)]
    last_lines = (line.text,) if line and line.text is not None else ()
    return Recording(
        folder=folder,
        start=start,
        job=job,
        not_started=_newest(events, NotStarted),
        witness=_newest(events, WitnessReady),
        takeover=_newest(events, Takeover),
        end=end,
        limits=limits if end is None or end.limits in (None, Limits()) else end.limits,
        last_lines=tail.last if tail else last_lines,
        signals=_all(events, SignalSeen),
        pids=frozenset(each.pid for each in noted if each is not None and each.pid is not None),
        clock=Clock(start.wall_ms or 0, start.zone_s or 0, _all(events, ClockStep)),
        events=events,
        samples=samples,
        lost=sum(each.count or 0 for each in _all(events, Lost)),
        damage=damage,
    )


def _all(events: tuple[Event, ...], wanted: type[_E]) -> tuple[_E, ...]:
    return tuple(each for each in events if isinstance(each, wanted))


def _newest(events: tuple[Event, ...], wanted: type[_E]) -> _E | None:
    return next((each for each in reversed(events) if isinstance(each, wanted)), None)
