"""A run as its log tells it, whatever became of the recorder."""

from __future__ import annotations

import platform
import time
from array import array
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import psutil

from simulations.live.recorder import log, readings
from simulations.live.recorder.log import SAMPLE, SCHEMA, Damage, Json, LogError, Record
from simulations.live.recorder.sampler import Sample

if TYPE_CHECKING:
    from pathlib import Path

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


@dataclass(frozen=True)
class Recording:
    """A run.

    Attributes:
        folder: Where its log is.
        samples: Its samples.
        events: Its other records, in the order of their times.
        damage: What of its log could not be read.
    """

    folder: Path
    samples: Samples
    events: tuple[Record, ...]
    damage: Damage

    def last(self, kind: str) -> Record | None:
        """Return the newest record of a kind."""
        return next((each for each in reversed(self.events) if each.kind == kind), None)

    def all(self, kind: str) -> list[Record]:
        """Return the records of a kind."""
        return [each for each in self.events if each.kind == kind]

    def data(self, kind: str) -> Mapping[str, Json]:
        """Return what the newest record of a kind tells; nothing if there is none or it is no object."""
        record = self.last(kind)
        return record.data if record and isinstance(record.data, Mapping) else {}

    @property
    def last_ms(self) -> int:
        """The time of the newest record, milliseconds since the start."""
        newest = [self.samples.times[-1]] if len(self.samples) else []
        return max([*newest, *(each.time for each in self.events)])

    @property
    def command(self) -> tuple[str, ...]:
        """The command and its arguments."""
        words = self.data("start").get("command")
        return tuple(map(str, words)) if isinstance(words, list) else ()

    def wall_s(self, elapsed_ms: int) -> float:
        """Return the wall clock's seconds since 1970 at a time of the run, by the clock as it stood then."""
        jumped = sum(number(each.data, "jump_ms") for each in self.all("clock") if each.time <= elapsed_ms)
        return (number(self.data("start"), "wall_ms") + jumped + elapsed_ms) / 1000

    def zone_s(self, elapsed_ms: int) -> int:
        """Return the offset of the host's time zone from UTC, in seconds, at a time of the run."""
        offset = number(self.data("start"), "zone_s")
        for each in self.all("clock"):
            if each.time <= elapsed_ms and isinstance(each.data, Mapping) and "zone_s" in each.data:
                offset = number(each.data, "zone_s")
        return offset

    def local(self, elapsed_ms: int) -> str:
        """Return the local date and time, such as `Mon 2026-03-02 16:00:00`, at a time of the run."""
        moment = time.gmtime(self.wall_s(elapsed_ms) + self.zone_s(elapsed_ms))
        return time.strftime("%a %Y-%m-%d %H:%M:%S", moment)


def number(data: Json, key: str, default: int = 0) -> int:
    """Return an integer of a record, or the default where it is missing or something else."""
    value = data.get(key) if isinstance(data, Mapping) else None
    return value if isinstance(value, int) else default


def text(data: Json, key: str) -> str:
    """Return a text of a record, or an empty one."""
    value = data.get(key) if isinstance(data, Mapping) else None
    return value if isinstance(value, str) else ""


def texts(data: Json, key: str) -> list[str]:
    """Return the texts of a list in a record."""
    value = data.get(key) if isinstance(data, Mapping) else None
    return [each for each in value if isinstance(each, str)] if isinstance(value, list) else []


def load(folder: Path, *, samples: bool = True) -> Recording:
    """Read the log of one run.

    Args:
        folder: The folder of the run.
        samples: Whether to read all samples, or only the newest, which is enough to compare deaths.

    Raises:
        LogError: there is no log, or nothing of it can be read.
    """
    records, damage = log.read(folder, samples=samples)
    times = array("q")
    columns = [array("q") for _ in Sample._fields]
    events = []
    for record in records:
        values = record.data
        if record.kind != SAMPLE:
            events.append(record)
        elif isinstance(values, list) and len(values) == _SAMPLE_FIELDS:
            times.append(record.time)
            for column, value in zip(columns, values, strict=True):
                column.append(value if isinstance(value, int) else -1)
    schema = next((number(each.data, "schema") for each in events if each.kind == "start"), SCHEMA)
    if schema > SCHEMA:
        raise LogError(
            f"{folder} was recorded by a newer heisenlab (schema {schema}, this one reads {SCHEMA})"
        )
    sampled = Samples(times, dict(zip(Sample._fields, columns, strict=True)))
    if not (len(sampled) or events):
        raise LogError(f"{folder} holds a log without a single record of a run")
    return Recording(folder, sampled, tuple(events), damage)


def runs(folder: Path) -> list[Path]:
    """Return the folders of the runs in a folder, oldest first; of the folder of a run, itself.

    Raises:
        LogError: there is none.
    """
    if (folder / log.LOG).is_file():
        return [folder]
    found = sorted(each for each in folder.glob(log.RUN_NAME) if (each / log.LOG).is_file())
    if not found:
        why = "holds no recorded run" if folder.is_dir() else "does not exist"
        raise LogError(f"{folder} {why}; name the folder given to heisenlab record -o")
    return found


@dataclass(frozen=True)
class Present:
    """What this host can say today about a run whose end was not noted.

    Attributes:
        here: This is the host on which the run was recorded.
        same_boot: It has not been booted since.
        alive: The job itself is still running.
        silent_ms: How long ago the newest record was made; -1 where it cannot be told.
        booted_s: When this host was booted, seconds since 1970.
    """

    here: bool
    same_boot: bool
    alive: bool
    silent_ms: int
    booted_s: float


def present(recording: Recording) -> Present:
    """Ask this host about a run: is it still going on?"""
    start, job = recording.data("start"), recording.data("job")
    here = text(start, "host") == platform.node()
    same_boot = here and text(start, "boot") == readings.boot_id() != ""
    process = readings.stat(number(job, "pid")) if same_boot and job else None
    alive = process is not None and process.start == number(job, "start") and process.state not in "ZX"
    silent_ms = -1
    if same_boot:
        now_ms = time.clock_gettime_ns(time.CLOCK_BOOTTIME) // 1_000_000
        silent_ms = now_ms - number(start, "booted_ms") - recording.last_ms
    return Present(here, same_boot, alive, silent_ms, psutil.boot_time())
