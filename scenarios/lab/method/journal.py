"""The lab journal: who tried what, when, what was expected, and what came out. One line of JSON each.

It is written only where the user names a file. Lines are appended in one piece under a lock, so several
programs can write to one journal; a line that was damaged all the same is left out by a reader, who is told.
"""

from __future__ import annotations

import contextlib
import dataclasses
import getpass
import json
import os
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from scenarios.lab.files import read_at_most
from simulations.errors import LabError
from simulations.terminal_text import shortened

if TYPE_CHECKING:
    from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows has none; appending in one piece has to do
    fcntl = None  # type: ignore[assignment]

VARIABLE: Final = "HEISENLAB_JOURNAL"
"""The environment variable that names the journal where no option does."""
_BYTES_MAX: Final = 64 * 2**20
FORMAT: Final = "heisenlab journal"
"""What each line says it is."""
SCHEMA: Final = 1


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One experiment.

    Attributes:
        when: The time in UTC, to the second, such as 2026-11-28T18:00:00+00:00.
        who: The name of the user.
        what: What was done, such as `hunt invalid-mode / as-shipped`.
        prediction: What was expected before, or None.
        outcome: What came out, in one sentence.
        command: How to do it again.
    """

    when: str
    who: str
    what: str
    prediction: str | None
    outcome: str
    command: str

    def to_json(self) -> dict[str, Any]:
        """Return the entry as JSON-able data."""
        return {"format": FORMAT, "schema": SCHEMA, **dataclasses.asdict(self)}


@dataclass(frozen=True)
class Journal:
    """What a file holds.

    Attributes:
        entries: In the order in which they were written.
        damaged: The numbers, from 1, of the lines that are no entries.
    """

    entries: tuple[Entry, ...]
    damaged: tuple[int, ...]


def entry(what: str, outcome: str, *, command: str, prediction: str | None = None) -> Entry:
    """Return an entry of this user at this time."""
    try:
        who = getpass.getuser()
    except (KeyError, OSError, ImportError):  # a user without a name, in a container
        who = "unknown"
    when = datetime.now(UTC).isoformat(timespec="seconds")
    return Entry(when=when, who=who, what=what, prediction=prediction, outcome=outcome, command=command)


def check_appendable(path: Path) -> None:
    """Check that a journal could be written to, so that a long search does not end in an error.

    Raises:
        LabError: it cannot.
    """
    os.close(_opened(path))


def append(path: Path, new: Entry) -> None:
    """Append an entry as one whole line.

    Raises:
        LabError: the file cannot be written.
    """
    line = json.dumps(new.to_json()).encode() + b"\n"
    descriptor = _opened(path)
    try:
        if fcntl is not None:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        size = os.fstat(descriptor).st_size
        if size and _last_byte(descriptor) != b"\n":
            line = b"\n" + line  # the last writer was cut short; its line is not mixed with this one
        if os.write(descriptor, line) != len(line):
            raise LabError(f"cannot write {path}: the disk is full; the last line is cut short")
    except OSError as error:
        raise LabError(f"cannot write {path}: {error.strerror}; name another --journal") from error
    finally:
        os.close(descriptor)


def _last_byte(descriptor: int) -> bytes:
    """Return the last byte of a file that holds one; what is written next is appended all the same."""
    os.lseek(descriptor, -1, os.SEEK_END)
    return os.read(descriptor, 1)


def _opened(path: Path) -> int:
    try:
        return os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o644)
    except OSError as error:
        raise LabError(f"cannot write {path}: {error.strerror}; name another --journal") from error


def read(path: Path) -> Journal:
    """Read a journal; lines that are no entries are left out, and named.

    Raises:
        LabError: the file cannot be read, or holds lines, of which not one is an entry.
    """
    lines = read_at_most(path, _BYTES_MAX, "a journal").split(b"\n")
    entries, damaged = [], []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        found = _entry_of(line)
        if found is None:
            damaged.append(number)
        else:
            entries.append(found)
    if damaged and not entries:
        raise LabError(f"{shortened(str(path))} is no journal: not one of its lines is an entry")
    return Journal(tuple(entries), tuple(damaged))


def _entry_of(line: bytes) -> Entry | None:
    with contextlib.suppress(ValueError, RecursionError):
        data = json.loads(line)
        if not isinstance(data, dict) or data.get("format") != FORMAT or data.get("schema") != SCHEMA:
            return None
        fields: dict[str, Any] = {each.name: data.get(each.name) for each in dataclasses.fields(Entry)}
        needed = {key: value for key, value in fields.items() if key != "prediction"}
        whole = all(isinstance(value, str) for value in needed.values())
        if whole and isinstance(fields["prediction"], str | None):
            return Entry(**fields)
    return None
