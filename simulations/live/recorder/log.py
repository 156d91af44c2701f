r"""The recorder's log: append-only lines, each with its own checksum, that outlive their writer.

A record is one line, `CRC JSON\n`: eight hexadecimal digits of the CRC-32 of the JSON text, a space, and the
array `[milliseconds since the start, kind, data]`. Several processes may append to one log, because a record
is one `write` to a file opened with `O_APPEND`. A reader needs nothing else to judge a record, so every kind
of damage costs the damaged lines only:

* the writer is killed: the kernel keeps what `write` accepted; at most one line is torn;
* the host goes down: what was synchronised is kept, at most the last `SYNC_S` seconds are lost;
* the disk is full: records wait in memory, the newest `WAITING_MAX` of them, and those that matter (all but
  samples) go at once into the *reserve*, a file whose blocks were written beforehand, so that overwriting it
  needs no space. On a copy-on-write file system (btrfs, ZFS) even that may be refused.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import time
import zlib
from collections import deque
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Final, NamedTuple, TypeAlias

from simulations.errors import LabError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

Json: TypeAlias = "Mapping[str, Json] | Sequence[Json] | str | int | float | bool | None"

SCHEMA: Final = 1
"""The version of what stands in the records."""

RUN_NAME: Final = "[0-9][0-9][0-9][0-9]*"
"""How the folders of runs are called, as a pattern; after it only digits, in all at most `RUN_DIGITS_MAX`."""

RUN_DIGITS_MAX: Final = 9

LOG: Final = "log"
RESERVE: Final = "reserve"
SAMPLE: Final = "s"
SYNC_S: Final = 10.0
WAITING_MAX: Final = 600
RESERVE_BYTES: Final = 64 * 1024
WITNESS_AT: Final = 48 * 1024
"""Where in the reserve the second writer begins, so that the two never overwrite each other."""

_CRC_DIGITS: Final = 8
_LINE_BYTES_MAX: Final = 1024 * 1024
"""No record is as long: what is, is damage."""

_OWNER_ONLY: Final = 0o600
"""A log holds command lines and output."""

_RESCUED_MAX: Final = 30


class LogError(LabError):
    """A log cannot be made or read.

    Common causes: the folder cannot be written; the path names something that `heisenlab record` did not
    write; the log was damaged throughout, or written by a newer version.
    """


@dataclass(frozen=True)
class Record:
    """One line of a log.

    Attributes:
        time: Milliseconds since the start of the run, suspended time included.
        kind: Its kind, such as `start`, `s` (a sample), `signal` or `end`.
        data: What it says, as JSON; `simulations.live.recorder.records` says what.
    """

    time: int
    kind: str
    data: Json


@dataclass(frozen=True)
class Damage:
    """What of a log could not be read.

    Attributes:
        lines: Whole lines whose checksum was wrong.
        torn_bytes: The length of a last line that was cut short; 0 if there is none.
    """

    lines: int
    torn_bytes: int


def encode(record: Record) -> bytes:
    """Return a record as the line that stands in the log."""
    text = json.dumps([record.time, record.kind, record.data], separators=(",", ":")).encode("ascii")
    return b"%08x %s\n" % (zlib.crc32(text), text)


def decode(line: bytes) -> Record | None:
    """Return the record of a line without its line feed, or None if the line is damaged."""
    if not _checks(line):
        return None
    try:
        match json.loads(line[_CRC_DIGITS + 1 :]):
            case [int(elapsed), str(kind), data]:
                return Record(elapsed, kind, data)
    except (ValueError, RecursionError):
        pass
    return None


class _Waiting(NamedTuple):
    """A line that the disk has not taken yet.

    Attributes:
        line: The line.
        sample: It is a sample, which is lost before anything else is.
        saved: It stands in the reserve.
    """

    line: bytes
    sample: bool
    saved: bool


class Log:
    """The writing end of a log. Never raises for the state of the disk once it is open.

    Args:
        folder: The folder of the run; None if there is none, and nothing is kept.
        create: Make the folder, the log and the reserve; otherwise a second writer joins.

    Attributes:
        without_reserve: Why there is no reserve; empty if there is one, or a second writer joined.

    Raises:
        LogError: the log cannot be made or opened.
    """

    __slots__ = (
        "_fd",
        "_lost",
        "_reserve",
        "_reserve_at",
        "_reserve_end",
        "_synced",
        "_torn",
        "_waiting",
        "without_reserve",
    )

    def __init__(self, folder: Path | None, *, create: bool) -> None:
        self._fd = self._reserve = -1
        self.without_reserve = ""
        if folder:
            try:
                self._open(folder, create=create)
            except OSError as error:
                raise LogError(
                    f"no log can be kept in {folder}: {error.strerror}; choose another folder (-o)"
                ) from error
        self._reserve_at, self._reserve_end = (0, WITNESS_AT) if create else (WITNESS_AT, RESERVE_BYTES)
        self._waiting: deque[_Waiting] = deque()
        self._lost = 0
        self._synced = time.monotonic()
        self._torn = not create

    def _open(self, folder: Path, *, create: bool) -> None:
        flags = os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC | (os.O_CREAT | os.O_EXCL if create else 0)
        if create:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._fd = os.open(folder / LOG, flags, _OWNER_ONLY)
        try:
            if create:
                _fill_reserve(folder / RESERVE)
            self._reserve = os.open(folder / RESERVE, os.O_WRONLY | os.O_CLOEXEC)
        except OSError as error:
            self.without_reserve = (error.strerror or "") if create else ""
            if create:
                with contextlib.suppress(OSError):
                    (folder / RESERVE).unlink()

    def append(self, record: Record) -> None:
        """Append a record, or keep it for later if the disk does not take it now."""
        line = encode(record)
        if self._flush(record.time) and self._write(line):
            return
        sample = record.kind == SAMPLE
        self._waiting.append(_Waiting(line, sample, not sample and self._save(line)))
        if len(self._waiting) > WAITING_MAX:
            oldest_sample = next((place for place, each in enumerate(self._waiting) if each.sample), 0)
            self._lost += not self._waiting[oldest_sample].saved
            del self._waiting[oldest_sample]

    def sync(self, *, now: bool = False) -> None:
        """Force what was written to the disk, at most each `SYNC_S` seconds unless `now`."""
        if now or time.monotonic() - self._synced >= SYNC_S:
            for fd in (self._fd, self._reserve):
                with contextlib.suppress(OSError, ValueError):  # a ValueError if it is not open
                    os.fdatasync(fd)
            self._synced = time.monotonic()

    def close(self, elapsed: int) -> None:
        """Write what waits, into the reserve where it must be, and close.

        Args:
            elapsed: Milliseconds since the start of the run.
        """
        if not self._flush(elapsed):
            unsaved = [each.line for each in self._waiting if not each.saved]
            rescued = sum(self._save(line) for line in unsaved[-_RESCUED_MAX:])
            self._save(encode(Record(elapsed, "lost", self._lost + len(unsaved) - rescued)))
        self.sync(now=True)
        for fd in (self._fd, self._reserve):
            with contextlib.suppress(OSError):
                os.close(fd)

    def _flush(self, elapsed: int) -> bool:
        while self._waiting:
            if not self._write(self._waiting[0].line):
                return False
            self._waiting.popleft()
        if self._lost:
            lost, self._lost = self._lost, 0
            if not self._write(encode(Record(elapsed, "lost", lost))):
                self._lost = lost
                return False
        return True

    def _write(self, line: bytes) -> bool:
        block = b"\n" + line if self._torn else line
        try:
            self._torn = os.write(self._fd, block) != len(block)
        except OSError:
            return False
        return not self._torn

    def _save(self, line: bytes) -> bool:
        if self._reserve_at + len(line) > self._reserve_end:
            return False
        try:
            written = os.pwrite(self._reserve, line, self._reserve_at)
        except OSError:
            return False
        self._reserve_at += len(line)
        return written == len(line)


def _fill_reserve(path: Path) -> None:
    """Write real blocks: a sparse file would need space when the disk is full."""
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, _OWNER_ONLY)
    try:
        blank = b"\n" * RESERVE_BYTES
        if os.write(fd, blank) != len(blank):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        os.fdatasync(fd)
    finally:
        os.close(fd)


def read(folder: Path, *, samples: bool = True) -> tuple[Iterator[Record], Damage]:
    """Return the records of a run in the order of their times, and what could not be read.

    Args:
        folder: The folder of the run.
        samples: Whether to decode all samples, which takes seconds for a long run, or only the newest.

    Raises:
        LogError: there is no log, or not one record in it can be read.
    """
    try:
        with (folder / LOG).open("rb") as file:
            lines, damage = _whole_lines(file)
    except OSError as error:
        raise LogError(
            f"no log can be read in {folder}: {error.strerror}; name the folder given to heisenlab record -o"
        ) from error
    reserve: list[bytes] = []
    with contextlib.suppress(OSError):
        if (folder / RESERVE).is_file():
            with (folder / RESERVE).open("rb") as file:
                reserve, _ = _whole_lines(file)
    if reserve:
        lines = sorted(dict.fromkeys([*lines, *reserve]), key=_time_of)
    if not lines:
        raise LogError(f"{folder / LOG} holds no readable record: it is empty, damaged throughout, or no log")
    if not samples:
        newest = next((line for line in reversed(lines) if _is_sample(line)), None)
        lines = [line for line in lines if line is newest or not _is_sample(line)]
    return filter(None, map(decode, lines)), damage


def _whole_lines(file: IO[bytes]) -> tuple[list[bytes], Damage]:
    """Keep the lines as bytes: decoded, the samples of 72 hours would fill the memory."""
    kept: list[bytes] = []
    damaged = torn_bytes = unfinished_bytes = 0
    while line := file.readline(_LINE_BYTES_MAX):
        text = line.rstrip(b"\n")
        if not line.endswith(b"\n") and len(line) == _LINE_BYTES_MAX:
            unfinished_bytes += len(line)
        elif unfinished_bytes:
            damaged += 1
            unfinished_bytes = 0
        elif text and _checks(text):
            kept.append(text)
        elif text and line.endswith(b"\n"):
            damaged += 1
        elif text:
            torn_bytes = len(text)
    return kept, Damage(damaged, torn_bytes + unfinished_bytes)


def _checks(line: bytes) -> bool:
    text = line[_CRC_DIGITS + 1 :]
    if not text:  # the checksum of nothing is 0, which a torn line can spell
        return False
    try:
        return int(line[:_CRC_DIGITS], 16) == zlib.crc32(text)
    except ValueError:
        return False


def _is_sample(line: bytes) -> bool:
    return line.startswith(b'"%s"' % SAMPLE.encode(), line.find(b",") + 1)


def _time_of(line: bytes) -> int:
    record = decode(line)
    return record.time if record else 0


def is_run_name(name: str) -> bool:
    """Tell whether a folder is called like that of a run: 4 digits, or more where there were so many runs."""
    return name.isascii() and name.isdecimal() and 4 <= len(name) <= RUN_DIGITS_MAX
