"""A folder of its own for a lesson, and commands that run in it: nothing is left in the reader's folder.

`python` and `heisenlab` are those of the lesson, whatever the path of the reader says.
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
import tempfile
import weakref
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from simulations.errors import LabError

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Terminal"]

SECONDS_MAX: Final = 120.0
"""How long a command may take."""
_PYTHON: Final = (sys.executable, "-B")
_PROGRAMS: Final = {
    "python": _PYTHON,
    "heisenlab": (*_PYTHON, "-m", "scenarios.lab.commands"),
    "pytest": (*_PYTHON, "-m", "pytest", "-q", "-p", "no:cacheprovider"),
}
_WOULD_CHANGE_IT: Final = (
    *("FORCE_COLOR", "GIT_", "PYTEST_", "SOURCE_DATE_EPOCH"),
    *("PYTHONOPTIMIZE", "PYTHONPYCACHEPREFIX", "PYTHONSAFEPATH"),
)
"""How variables of the reader begin with which a lesson would show something else."""
_LAB: Final = Path(__file__).resolve().parents[3]
"""The folder in which this laboratory lies, in a checkout or in an installation."""


@dataclass(frozen=True)
class Ran:
    """A command that was run.

    Attributes:
        status: Its exit status.
        text: What it printed on both streams, with `~` for the folder of the terminal.
    """

    status: int
    text: str

    def __str__(self) -> str:
        return self.text


class Terminal:
    """A folder that is removed with it, and commands that run there.

    Attributes:
        folder: Where it is.
    """

    def __init__(self) -> None:
        self.folder: Final = Path(tempfile.mkdtemp(prefix="heisenlab-")).resolve()
        weakref.finalize(self, shutil.rmtree, self.folder, ignore_errors=True)

    def write(self, path: str, text: str, *, keep_time: bool = False) -> Path:
        """Write a file into the folder, and return where it is; folders above it are made.

        Args:
            path: Where, from the folder.
            text: What it holds.
            keep_time: Keep the time of the file that was there, as a tool that copies times does.

        Raises:
            LabError: the path leads out of the folder.
        """
        place = (self.folder / path).resolve()
        if not place.is_relative_to(self.folder):
            raise LabError(f"{path} is not in the folder of the lesson; name a path inside")
        place.parent.mkdir(parents=True, exist_ok=True)
        before = place.stat() if keep_time else None
        place.write_text(text, encoding="utf-8")
        if before is not None:
            os.utime(place, ns=(before.st_atime_ns, before.st_mtime_ns))
        return place

    def run(self, command: str, *, at: str = ".", path: Sequence[str] = (), **variables: str) -> Ran:
        """Run a command, and return what it printed.

        Args:
            command: Words as in a shell, without anything else that a shell does.
            at: The folder in which it runs.
            path: Folders in which Python looks for modules, after that of the lab.
            variables: Environment variables.

        Raises:
            LabError: there is no such program (in a browser there is none), or it took longer than
                `SECONDS_MAX`.
        """
        if sys.platform == "emscripten":
            raise LabError(f"{command} needs a computer of your own: in a browser there are no programs")
        words = [part for word in shlex.split(command) for part in _PROGRAMS.get(word, (word,))]
        above = os.environ.get("PYTHONPATH", "")
        places = [str(self.folder / each) for each in path]
        environment = {
            name: said for name, said in os.environ.items() if not name.startswith(_WOULD_CHANGE_IT)
        }
        environment["PYTHONPATH"] = os.pathsep.join(filter(None, (str(_LAB), *places, above)))
        environment |= {"NO_COLOR": "1", "COLUMNS": "88", **variables}
        try:
            done = subprocess.run(
                words,
                cwd=self.folder / at,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                encoding="utf-8",
                errors="replace",
                timeout=SECONDS_MAX,
            )
        except FileNotFoundError as error:
            raise LabError(f"there is no {words[0]} here: {error.strerror}; install it") from error
        except subprocess.TimeoutExpired as error:
            raise LabError(f"{command} took longer than {SECONDS_MAX:.0f} seconds") from error
        return Ran(done.returncode, done.stdout.replace(str(self.folder), "~").rstrip())
