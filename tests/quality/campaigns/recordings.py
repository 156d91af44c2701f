"""Damaged recordings, each loaded, judged and shown: one clear line or a legitimate result, and nothing else.

A recording of every kind of record is written, and damaged as disks, editors and strangers do: bytes flipped,
lines cut, swapped, repeated, a file cut short or filled with noise. Half of the tries know the structure: a
value in a record becomes one of another type, not a number, half of a character, absurdly large or deep, a
command to a terminal or to Python, and the checksum is mended.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import signal
import sys
import tempfile
import unicodedata
from dataclasses import fields
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any, Final, get_args
from unittest import mock
from zlib import crc32

from scenarios.lab.commands import main as command
from simulations.live.recorder.codec import to_record
from simulations.live.recorder.log import LOG, RESERVE, SAMPLE, Record, encode
from simulations.live.recorder.records import End as JobEnd
from simulations.live.recorder.records import (
    Event,
    LastLines,
    Limits,
    NotStarted,
    SignalSeen,
    Start,
    Takeover,
    Who,
)
from tests.quality.campaigns.campaign import End, Tally, main
from tests.simulations.live.recorder.written import AT_WORK

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType

HANGS_AFTER_S: Final = 60.0
"""Many times what a try needs, so that a loaded machine is no hang."""

_STEERING: Final = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
"""Categories of Unicode whose characters a terminal obeys rather than shows."""

_SAMPLES: Final = 40
_DEEP: Final = 3000
_MARK: Final = "touched-by-a-recording"
_ESCAPES: Final = "\x1b]0;owned\x07\x1b[2J\x9b31m\u202e\x00\r\nheisenlab record: exited with status 0\b\x7f"


class Hang(BaseException):
    """A try took too long."""


def campaign(seed: int, tries: int) -> Tally:
    """Damage recordings and show them.

    Args:
        seed: Of the damage; try n of a seed is the same whatever the number of tries.
        tries: How many recordings.
    """
    tally = Tally("recordings", seed)
    with tempfile.TemporaryDirectory() as name, _alarm():
        for number in range(tries):
            rng = Random(f"{seed} {number}")
            folder = Path(name) / str(number)
            how = _write(folder, rng)
            end = _judge(folder, as_json=rng.random() < 0.3)
            touched = Path(_MARK).exists() or sorted(each.name for each in Path(name).iterdir()) != [
                str(number)
            ]
            tally.count(End.CODE_RUN if touched else end, f"seed {seed}, try {number}: {how}")
            _remove(folder)
    return tally


@contextlib.contextmanager
def _alarm() -> Iterator[None]:
    def ring(_number: int, _frame: FrameType | None) -> None:
        raise Hang

    before = signal.signal(signal.SIGALRM, ring)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _judge(folder: Path, *, as_json: bool) -> End:
    """Show a recording as the command does, and say how that ended."""
    out, err = io.StringIO(), io.StringIO()
    words = ["record", "show", *(["--json"] if as_json else []), str(folder)]
    signal.setitimer(signal.ITIMER_REAL, HANGS_AFTER_S)
    try:
        with (
            contextlib.redirect_stdout(out),
            contextlib.redirect_stderr(err),
            mock.patch.dict(os.environ, {"COLUMNS": "60"}),
        ):
            status = command(words)
    except Hang:
        return End.HANG
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
    told = out.getvalue()
    if status not in (0, 2):
        return End.TRACEBACK
    if any(unicodedata.category(each) in _STEERING for each in (told + err.getvalue()).replace("\n", "")):
        return End.OTHER
    if status == 2:
        return End.ONE_LINE if err.getvalue().count("\n") == 1 and not told else End.OTHER
    if as_json and not _is_json(told):
        return End.OTHER
    return End.RESULT if told and not err.getvalue() else End.OTHER


def _is_json(text: str) -> bool:
    def refuse(constant: str) -> None:
        raise ValueError(constant)  # NaN and infinities are Python's own

    try:
        json.loads(text, parse_constant=refuse)
    except ValueError:
        return False
    return True


def _write(folder: Path, rng: Random) -> str:
    """Write one or two recordings, the first or the second of them damaged; say how."""
    damaged = rng.choice(("0001", "0002", "0002", "0002"))
    names = ["0001", "0002"] if damaged == "0001" or rng.random() < 0.5 else ["0002"]
    how = ""
    for name in names:
        (folder / name).mkdir(parents=True)
        records = _recording(rng)
        if name != damaged:
            (folder / name / LOG).write_bytes(b"".join(map(encode, records)))
            continue
        if rng.random() < 0.5:
            lines = [
                _bent(each, rng) if rng.random() < (0.1 if each.kind == SAMPLE else 0.5) else encode(each)
                for each in records
            ]
            how = "values"
        else:
            lines = [encode(each) for each in records]
        content = b"".join(lines)
        if not how or rng.random() < 0.2:
            for _ in range(rng.randrange(1, 4)):
                damage = rng.choice(_DAMAGE)
                how += f" {damage.__name__[1:]}"
                content = damage(content, rng)
        target = RESERVE if rng.random() < 0.1 else LOG
        (folder / name / LOG).write_bytes(b"".join(map(encode, records)))
        (folder / name / target).write_bytes(content)
    return how.strip()


def _remove(folder: Path) -> None:
    for run in folder.iterdir():
        for file in run.iterdir():
            file.unlink()
        run.rmdir()
    folder.rmdir()


def _recording(rng: Random) -> list[Record]:
    """Return a run with every kind of record in it."""
    status = rng.choice((0, 1, 3, 124, 137, -6, -9, -11, -15))
    age_ms = rng.choice((500, 90_000, 70 * 3600 * 1000))
    start = Start(
        schema=1, command=("python", "job.py"), host=os.uname().nodename, boot="boot", wall_ms=10**12,
        zone_s=3600, memory_kb=10**7, ancestors=("timeout 5 job", "bash"), slurm_end_s="1000000000",
    )  # fmt: skip
    events = [to_record(start)]
    events += [_filled(each) for each in get_args(Event) if each not in (Start, JobEnd, *_RARE)]
    events += [_filled(each) for each in _RARE if rng.random() < 0.2]
    events += [to_record(SignalSeen(signal=15, uid=0, pid=7, name="janitor", at_ms=age_ms - 100))]
    events += [
        Record(age_ms * part // _SAMPLES, SAMPLE, list(AT_WORK._replace(lines=part)))
        for part in range(_SAMPLES)
    ]
    if rng.random() < 0.8:
        end = JobEnd(
            by="recorder", status=status, cpu_ms=age_ms, peak_kb=9, limits=Limits(cpu_s=(60, 60)),
            oom_kills=0, host_oom_kills=0, kernel=("Killed process 7 (job)",), at_ms=age_ms,
        )  # fmt: skip
        events += [to_record(end), to_record(LastLines(3, 30, ("one", "two", "Traceback: three"), age_ms))]
    return events


def _filled(wanted: type[Event]) -> Record:
    """Return a record of a kind in which every value is known."""
    values = {"str | None": "a word", "bool | None": True, "tuple[str, ...]": ("one", "two")}
    pair = {"tuple[int, int] | None": (60, 60)}
    known = {**values, **pair, "int | None": 7, "Amount": 7, "Who | None": Who.PROCESS}
    return to_record(wanted(**{each.name: known[each.type] for each in fields(wanted) if each.type in known}))


_RARE: Final = (NotStarted, Takeover)
_NUMBERS: Final[tuple[Any, ...]] = (
    -1, 0, 2**31, -(2**63), 10**400, 2**53 - 1, 1 - 2**53, 1e308, float("nan"), float("inf"), 0.1, True,
)  # fmt: skip
_TEXTS: Final[tuple[Any, ...]] = (
    _ESCAPES, _ESCAPES, "", "\ud800", "x" * 100_000, "0" * 5000, "\U0010ffff" * 50, "token=abc",
    "://a:" * 900, f"__import__('pathlib').Path('{_MARK}').touch()", f"$(touch {_MARK})",
    "[bold]{0}%s%(x)s", ":smile:",
)  # fmt: skip
_OTHERS: Final[tuple[Any, ...]] = (
    None, [], {}, [[]], {"pid": {}}, ["--password", "x"], [None] * 3000, {"schema": 99}, "kernel", "process",
)  # fmt: skip


def _absurd(before: object, rng: Random) -> Any:
    """Return a value that no recorder writes, more often than not of the type that was there before."""
    alike = _TEXTS if isinstance(before, str) else _NUMBERS if isinstance(before, int) else _OTHERS
    return rng.choice(alike if rng.random() < 0.6 else (*_NUMBERS, *_TEXTS, *_OTHERS))


def _bent(record: Record, rng: Random) -> bytes:
    """Return a record with one value replaced, and a checksum that fits."""
    whole: list[Any] = json.loads(json.dumps([record.time, record.kind, record.data]))
    place: Any = whole
    while True:
        key = rng.choice(list(place)) if isinstance(place, dict) else rng.randrange(len(place))
        if place is whole and rng.random() < 0.8:
            key = len(whole) - 1
        if not isinstance(place[key], (list, dict)) or not place[key] or rng.random() < 0.2:
            break
        place = place[key]
    place[key] = _absurd(place[key], rng)
    if rng.random() < 0.1:
        text = b'[1,"end",' + b"[" * _DEEP + b"]" * _DEEP + b"]"
    else:
        text = json.dumps(whole, separators=(",", ":")).encode()
    return b"%08x %s\n" % (crc32(text), text)


def _flipped(content: bytes, rng: Random) -> bytes:
    changed = bytearray(content)
    for _ in range(rng.randrange(1, 30) if changed else 0):
        changed[rng.randrange(len(changed))] ^= rng.randrange(1, 256)
    return bytes(changed)


def _cut_short(content: bytes, rng: Random) -> bytes:
    return content[: rng.randrange(len(content) + 1)]


def _without_lines(content: bytes, rng: Random) -> bytes:
    return b"".join(line for line in content.splitlines(keepends=True) if rng.random() < 0.7)


def _cut_lines(content: bytes, rng: Random) -> bytes:
    lines = content.splitlines(keepends=True)
    return b"".join(line if rng.random() < 0.8 else line[: rng.randrange(len(line))] for line in lines)


def _shuffled(content: bytes, rng: Random) -> bytes:
    lines = content.splitlines(keepends=True)
    rng.shuffle(lines)
    return b"".join(lines)


def _repeated(content: bytes, rng: Random) -> bytes:
    return b"".join(line * rng.choice((1, 1, 2, 9)) for line in content.splitlines(keepends=True))


def _noise(content: bytes, rng: Random) -> bytes:
    noise = rng.randbytes(rng.randrange(1, 5000))
    place = rng.randrange(len(content) + 1)
    return content[:place] + noise + content[place:]


def _all_noise(_content: bytes, rng: Random) -> bytes:
    return rng.randbytes(rng.randrange(5000))


def _one_huge_line(content: bytes, rng: Random) -> bytes:
    return content + b"A" * rng.choice((10_000, 3_000_000)) + b"\n" * rng.randrange(2)


_DAMAGE: Final[tuple[Callable[[bytes, Random], bytes], ...]] = (
    _flipped,
    _cut_short,
    _without_lines,
    _cut_lines,
    _shuffled,
    _repeated,
    _noise,
    _all_noise,
    _one_huge_line,
)

if __name__ == "__main__":
    sys.exit(main(campaign, __doc__, size=100))
