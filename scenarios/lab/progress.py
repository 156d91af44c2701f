"""How far a hunt has come, kept in a file, so that the same hunt goes on after whatever ended it.

A hunt depends on its options and the code, so what it has done needs no more than a few numbers: how many
runs have passed, and what they taught that later runs depend on. Runs that have passed are not run again, but
for these: a search with Hypothesis goes the same way again from its seed, and an enumeration runs its
levels below the highest again, since those plans say what there is to extend. Runs are counted as if nothing
had happened, and the result is the one of a hunt that was never interrupted.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from time import monotonic
from typing import TYPE_CHECKING, Any, Final

from scenarios.lab.files import read_at_most
from scenarios.lab.finding import FindingError, write_whole
from scenarios.lab.finding_fields import COUNT_MAX, FieldError, check_depth
from simulations.errors import LabError
from simulations.terminal_text import shortened, shown

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Mapping

FORMAT: Final = "heisenlab hunt in progress"
SCHEMA: Final = 1
_BYTES_MAX: Final = 64 * 2**20
_KEPT_EVERY_SECONDS: Final = 1.0


@dataclass
class HuntProgress:
    """What a hunt has done.

    Attributes:
        path: The file that keeps it; None where nothing is kept.
        belongs_to: What the hunt depends on: its options and the code.
        parts: What each part of the hunt has noted, by the name of the part.
        every_seconds: The least time between two writes.
        problem: Why the file could not be written any more; the hunt goes on without.
    """

    path: Path | None = None
    belongs_to: Mapping[str, Any] = field(default_factory=dict)
    parts: dict[str, dict[str, Any]] = field(default_factory=dict)
    every_seconds: float = _KEPT_EVERY_SECONDS
    problem: str | None = None
    _due: float = 0.0

    def noted(self, part: str) -> dict[str, Any]:
        """Return what a part has noted; nothing where it has not begun."""
        return self.parts.get(part, {})

    def number(self, part: str, name: str) -> int:
        """Return a count that a part has noted, 0 where there is none."""
        return int(self.noted(part).get(name, 0))

    def note(self, part: str, what: Callable[[], dict[str, Any]]) -> None:
        """Note how far a part is, if that is due; `what` must be JSON-able and hold of this very moment."""
        if self.path is not None and monotonic() >= self._due:
            self.settle(part, what())

    def settle(self, part: str, what: dict[str, Any]) -> None:
        """Note something now."""
        self.parts = {**self.parts, part: what}
        self.write()

    def begin_minimising(self, found: dict[str, Any]) -> None:
        """Note which run is minimised; what was noted of minimising another one does not count."""
        if self.noted("found") != found:
            self.parts = {name: what for name, what in self.parts.items() if name == "search"}
            self.settle("found", found)

    def write(self) -> None:
        """Write the file, whole or not at all."""
        if self.path is None:
            return
        body = {
            "format": FORMAT,
            "schema": SCHEMA,
            "belongs_to": self.belongs_to,
            "parts": self.parts,
        }
        try:
            write_whole(self.path, json.dumps({**body, "checksum": _checksum(body)}) + "\n")
        except FindingError as error:
            self.problem, self.path = str(error), None
        self._due = monotonic() + self.every_seconds


def resumed(
    path: str | os.PathLike[str],
    belongs_to: Mapping[str, Any],
    *,
    every_seconds: float = _KEPT_EVERY_SECONDS,
) -> HuntProgress:
    """Return the progress that a file holds, or that of a hunt that begins where there is no file.

    Args:
        path: The file.
        belongs_to: What the hunt depends on, JSON-able.
        every_seconds: The least time between two writes, from 0.

    Raises:
        LabError: the file is something else, was damaged, belongs to another hunt, or cannot be written.
    """
    progress = HuntProgress(Path(path), belongs_to, every_seconds=every_seconds)
    where = shortened(str(path))
    content = read_at_most(path, _BYTES_MAX, "a state file", missing=b"")
    if content:
        progress.parts = _parts(content, where, belongs_to)
    progress.write()
    if progress.problem is not None:
        raise LabError(f"{shortened(progress.problem)}; name another state file")
    return progress


def _parts(content: bytes, where: str, belongs_to: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    try:
        data = json.loads(content)
    except (ValueError, RecursionError):
        data = None
    if not isinstance(data, dict) or (data.get("format"), data.get("schema")) != (FORMAT, SCHEMA):
        raise LabError(
            f"{where} is no state file of a hunt that can be resumed, or was damaged; name another file"
        )
    body = {key: value for key, value in data.items() if key != "checksum"}
    try:
        check_depth(body)
    except FieldError as error:
        raise LabError(f"{where} was damaged: {error}; name another file") from error
    if data.get("checksum") != _checksum(body):
        raise LabError(f"{where} was damaged: its checksum does not fit; name another file")
    then, now = data.get("belongs_to"), json.loads(json.dumps(belongs_to))
    if not isinstance(then, dict) or not isinstance(data.get("parts"), dict):
        raise LabError(f"{where} holds what no hunt notes; name another file")
    if then != now:
        changed = ", ".join(
            f"{name} was {shown(then.get(name))}, is {shown(value)}"
            for name, value in now.items()
            if then.get(name) != value
        )
        raise LabError(f"{where} belongs to another hunt ({changed}); name another file")
    parts: dict[str, dict[str, Any]] = data["parts"]
    if not all(_is_noted(part) for part in parts.values()):
        raise LabError(f"{where} holds what no hunt notes; name another file")
    return parts


def _is_noted(part: object) -> bool:
    """Whether a part of a hunt may have noted this: its counts are counts, and so on."""
    return isinstance(part, dict) and all(
        name in _NOTED and _NOTED[name](value) for name, value in part.items()
    )


def _is_count(value: object) -> bool:
    return type(value) is int and 0 <= value <= COUNT_MAX


def _are_texts(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(each, str) for each in value)


def _is_a_state_of_random(value: object) -> bool:
    match value:
        case [version, [*words], None]:
            try:
                Random().setstate((version, tuple(words), None))
            except (TypeError, ValueError, OverflowError):
                return False
            return True
    return False


def _are_questions(value: object) -> bool:
    """Whether labels are mapped to how often each was asked and how many options it had, from 1."""
    return isinstance(value, dict) and all(
        isinstance(pair, list) and len(pair) == 2 and all(_is_count(number) and number for number in pair)
        for pair in value.values()
    )


_NOTED: Final[Mapping[str, Callable[[object], bool]]] = {
    "done": _is_count,
    "runs": _is_count,
    "ended": lambda value: value is True,
    "labels": _are_texts,
    "rng": _is_a_state_of_random,
    "seen": _are_questions,
    "input": lambda _: True,  # these two are compared with what is found anew, and used for nothing else
    "plan": lambda _: True,
}


def _checksum(body: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()
