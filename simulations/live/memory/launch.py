"""Start a command in a bent address space: in place of this process, or as a child whose report comes back.

The calling process itself becomes the command, so its process id, parent, terminal, process group, signals
and exit status are the command's. A second process, the watcher, is started beforehand and seizes it. When
the watcher dies, the kernel kills the command (PTRACE_O_EXITKILL); when the command ends, the watcher
reports, lets go of what is left, and ends.
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NoReturn

from simulations.live.memory.errors import RefusedError
from simulations.live.memory.filling import Filling
from simulations.live.memory.options import NOT_EXECUTABLE_STATUS, NOT_FOUND_STATUS, REFUSED_STATUS, Options
from simulations.live.memory.report import report_json

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from simulations.live.memory.report import Report

_ROOT: Final = Path(__file__).parents[3]
_BOOT: Final = """
import sys
sys.path.append(sys.argv[1])
from simulations.live.memory.launch import main
main(sys.argv[2])
"""


def check_system() -> None:
    """Check that the instrument can work on this system.

    Raises:
        RefusedError: It is not Linux on x86-64 with a 64-bit Python.
    """
    if sys.platform == "darwin":
        raise RefusedError(
            "64-bit macOS already keeps the low 4 GiB of every process unmapped: there is nothing to fill"
        )
    if sys.platform != "linux" or platform.machine() not in ("x86_64", "AMD64") or sys.maxsize < 1 << 32:
        raise RefusedError(
            f"this needs Linux on x86-64 and a 64-bit Python, and this is {sys.platform} on "
            f"{platform.machine()}: run it in a Linux virtual machine or container; "
            "the simulated address space works everywhere"
        )


def undo_locale_coercion(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the environment as it was before this Python, in the C locale, set LC_CTYPE (PEP 538)."""
    start = Path("/proc/self/environ")
    result = dict(environment)
    if start.exists() and b"LC_CTYPE=" not in start.read_bytes() and result.get("LC_CTYPE") == "C.UTF-8":
        del result["LC_CTYPE"]
    return result


@dataclass(frozen=True)
class Run:
    """The result of a command that was run to its end.

    Attributes:
        returncode: Exit status, or the negative number of the signal that killed it.
        stdout: What it wrote, where it was captured; else empty.
        stderr: The same for the standard error stream.
        report: The report, as `report_json` makes it; None where the command was refused or was killed with
            the watcher.
    """

    returncode: int
    stdout: str
    stderr: str
    report: dict[str, Any] | None


def run(
    command: Sequence[str],
    filling: Filling,
    options: Options | None = None,
    *,
    capture: bool = True,
    timeout: float | None = None,
) -> Run:
    """Run a command in a bent address space, as a child, and wait for it.

    Args:
        command: The words to run.
        filling: How to bend its address space.
        options: What else.
        capture: Keep what it writes, instead of letting it through.
        timeout: Seconds after which it is killed.

    Raises:
        RefusedError: This is not Linux on x86-64. Other refusals are the run's: return code 2, and the line
            on its stderr.
        subprocess.TimeoutExpired: It did not end in time.
    """
    check_system()
    options = options or Options()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "report.json")
        request = {
            "command": list(command),
            "filling": vars(filling),
            "options": vars(options),
            "report": str(path),
        }
        stream = subprocess.PIPE if capture else None
        done = subprocess.run(
            [sys.executable, "-I", "-S", "-c", _BOOT, str(_ROOT), json.dumps(request)],
            stdout=stream,
            stderr=stream,
            check=False,
            encoding="utf-8",
            errors="replace",
            timeout=timeout,
        )
        report = json.loads(path.read_text(encoding="utf-8")) if path.exists() else None
    return Run(done.returncode, done.stdout or "", done.stderr or "", report)


def main(request: str) -> NoReturn:
    """Become what the request asks for: the entry of the child that `run` starts."""
    asked = json.loads(request)
    sys.exit(
        become(
            asked["command"],
            Filling(**asked["filling"]),
            Options(**asked["options"]),
            report=lambda report: write_report(report, Path(asked["report"])),
        )
    )


def become(
    command: Sequence[str], filling: Filling, options: Options, *, report: Callable[[Report], None]
) -> int:
    """Become `command`, in a bent address space; where that fails, say so and return the exit status for it.

    Args:
        command: The words to run.
        filling: How to bend its address space.
        options: What else.
        report: Called in the watcher when the command has ended, before its parent knows of it; with
            `detach`, after the fill. Only the standard error stream is open then.
    """
    try:
        check_system()
        from simulations.live.memory.seize import replace_process  # noqa: PLC0415  (imports on Linux only)

        replace_process(
            command, filling, options, environment=undo_locale_coercion(os.environ), report=report
        )
    except RefusedError as refusal:
        problem, status = str(refusal), REFUSED_STATUS
    except OSError as error:
        problem = f"cannot run {command[0]}: {error.strerror}" if error.strerror else str(error)
        status = NOT_FOUND_STATUS if isinstance(error, FileNotFoundError) else NOT_EXECUTABLE_STATUS
    sys.stderr.write(f"heisenlab: {problem}\n")
    return status


def write_report(report: Report, path: Path) -> None:
    """Write a report as JSON: a file whole or not at all; a device or a pipe as it comes."""
    text = json.dumps(report_json(report), indent=1) + "\n"
    path = Path(os.path.realpath(path))
    if path.exists() and not path.is_file():  # a rename would put a file in its place
        path.write_text(text, encoding="utf-8")
        return
    beside = path.with_name(f"{path.name}.{os.getpid()}")
    try:
        beside.write_text(text, encoding="utf-8")
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)
