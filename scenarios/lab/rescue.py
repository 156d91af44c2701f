"""Saves a finding where it was meant to go or, where that is not possible, somewhere else."""

from __future__ import annotations

import os
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from scenarios.lab.finding import FindingError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scenarios.lab.finding import Finding


@dataclass(frozen=True)
class Saved:
    """What became of a finding that was to be saved.

    Attributes:
        place: The file that holds it; None where there is none.
        problem: Why that is not the file that was asked for; None where it is.
    """

    place: Path | None
    problem: str | None = None

    def __str__(self) -> str:
        copy = (
            f"a copy is in {self.place}" if self.place else "there is no copy: keep the plan that was printed"
        )
        return f"{self.problem}; {copy}" if self.problem else f"saved in {self.place}"


def save(finding: Finding, path: str) -> Saved:
    """Save a finding; where that fails, beside the place, in the current folder, or in the temporary one."""
    try:
        finding.save(path)
    except FindingError as error:
        problem = str(error)
    else:
        return Saved(Path(path))
    for place in _places(Path(path), finding.digest[:12]):
        with suppress(FindingError):
            finding.save(place)
            return Saved(place, problem)
    return Saved(None, problem)


def _places(wanted: Path, mark: str) -> Iterator[Path]:
    name = f"{wanted.stem[:100] or 'finding'}-{mark}.json"
    if not _is_a_device(wanted):
        is_link = os.path.islink(wanted)  # noqa: PTH114  (that of a path raises where a name is too long)
        yield Path(os.path.realpath(wanted) if is_link else wanted).parent / name
    yield Path(name)
    with suppress(OSError):  # there is no folder for temporary files
        yield Path(tempfile.gettempdir(), name)


def _is_a_device(path: Path) -> bool:
    """Whether a path leads to a device, a pipe or a socket, whose folder is the system's."""
    try:
        return path.exists() and not path.is_file() and not path.is_dir()
    except OSError:  # a name that is too long
        return False
