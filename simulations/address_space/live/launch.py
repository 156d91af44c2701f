"""Start a command in a bent address space: in place of the calling process, or as a child whose report comes back.

The calling process itself becomes the command, so its process id, parent, terminal, process group, signals and exit
status are the command's. A second process, the watcher, is started beforehand and seizes it. When the watcher dies, the kernel
kills the command (PTRACE_O_EXITKILL); when the command ends, the watcher reports, lets go of what is left, and ends.
"""

from __future__ import annotations

import ctypes
import errno
import json
import os
import platform
import signal
import subprocess
import sys
import tempfile
import traceback
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from simulations.address_space.live import ptrace
from simulations.address_space.live.elf import check_program, find_program
from simulations.address_space.live.errors import Refusal
from simulations.address_space.live.filling import RESERVE, Filling
from simulations.address_space.live.report import Report, report_json
from simulations.address_space.live.watch import OPTIONS, Watch

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

NOT_FOUND_STATUS, NOT_EXECUTABLE_STATUS = 127, 126
"""What a shell returns for a command that is not there, or that it may not run."""

_SET_PTRACER = 0x59616D61
_READY = b"ready"
_ROOT = Path(__file__).parents[3]
_BOOT = "import sys; sys.path.append(sys.argv[1]); from simulations.address_space.live.launch import main; main(sys.argv[2])"


@dataclass(frozen=True)
class Options:
    """How to run a command.

    Attributes:
        follow: Also fill programs that the command starts as children. A program that the command turns into by exec,
            as a wrapper script does, is filled in any case.
        detach: Let go after the fill: the command can then be debugged or traced, and no crash is explained.
        reserve: Mappings left to each program, of the `vm.max_map_count` that the kernel allows.
        python_lines: Set PYTHONFAULTHANDLER for the command, where it is not set, so that a crash in Python has a line.
    """

    follow: bool = False
    detach: bool = False
    reserve: int = RESERVE
    python_lines: bool = True


def check_system() -> None:
    """Check that the instrument can work on this system.

    Raises:
        Refusal: It is not Linux on x86-64 with a 64-bit Python.
    """
    if sys.platform == "darwin":
        raise Refusal("64-bit macOS already keeps the low 4 GiB of every process unmapped: there is nothing to fill")
    if sys.platform != "linux" or platform.machine() not in ("x86_64", "AMD64") or sys.maxsize < 1 << 32:
        raise Refusal(
            f"this needs Linux on x86-64 and a 64-bit Python, and this is {sys.platform} on {platform.machine()}: "
            "run it in a Linux virtual machine or container; the simulated address space works everywhere"
        )


def replace_process(
    command: Sequence[str],
    filling: Filling,
    options: Options,
    *,
    environment: Mapping[str, str],
    report: Callable[[Report], None],
) -> NoReturn:
    """Become `command`, in a bent address space. Returns only by raising.

    Args:
        command: The words to run.
        filling: How to bend its address space.
        options: What else.
        environment: Its environment.
        report: Called in the watcher when the command has ended, before its parent knows of it; with `detach`, after the fill.
            Only the standard error stream is open then.

    Raises:
        Refusal: It cannot be done here.
        FileNotFoundError: The command does not exist.
        PermissionError: The command may not be run.
    """
    check_system()
    program = find_program(command[0], environment)
    check_program(program)
    environment = dict(environment)
    if options.python_lines:
        environment.setdefault("PYTHONFAULTHANDLER", "1")
    watch = Watch(os.getpid(), tuple(command), filling, follow=options.follow, reserve=options.reserve)
    _seize_self(watch, options, report)
    for name in ("SIGPIPE", "SIGXFSZ"):  # Python ignores them, which an exec would pass on
        signal.signal(getattr(signal, name), signal.SIG_DFL)
    os.execve(program, list(command), environment)  # noqa: S606 - to run what the user names is the purpose


def _seize_self(watch: Watch, options: Options, report: Callable[[Report], None]) -> None:
    """Start the watcher, and wait until it has seized this process."""
    sys.stdout.flush()
    sys.stderr.flush()
    to_watcher, from_launcher = os.pipe()
    to_launcher, from_watcher = os.pipe()
    between = os.fork()
    if between == 0:
        os.setsid()  # out of the command's session: its terminal's signals are not for the watcher
        if os.fork():  # the watcher must not be a child of the command, which may wait for all its children
            os._exit(0)
        _watcher(watch, options, report, to_watcher, from_watcher)
    os.waitpid(between, 0)
    os.close(from_watcher)
    os.close(to_watcher)
    watcher = int(os.read(to_launcher, 64) or b"0")
    ctypes.CDLL(None).prctl(_SET_PTRACER, ctypes.c_ulong(watcher), 0, 0, 0)  # for Yama; elsewhere it fails harmlessly
    os.write(from_launcher, _READY)
    answer = os.read(to_launcher, 64)
    os.close(to_launcher)
    os.close(from_launcher)
    if answer != _READY:
        raise Refusal(_forbidden(int(answer or b"0")))


def _watcher(
    watch: Watch, options: Options, report: Callable[[Report], None], to_watcher: int, from_watcher: int
) -> NoReturn:
    """The whole life of the watcher."""
    status = 1
    try:
        _hold_only({2, to_watcher, from_watcher})
        os.write(from_watcher, str(os.getpid()).encode())
        if os.read(to_watcher, 64) == _READY:
            try:
                ptrace.request(ptrace.SEIZE, watch.main, 0, OPTIONS)
            except OSError as error:
                os.write(from_watcher, str(error.errno).encode())
            else:
                os.write(from_watcher, _READY)
                os.close(from_watcher)
                os.close(to_watcher)
                _watch(watch, report, detach=options.detach)
                status = 0
    except BaseException:  # noqa: BLE001 - a process of its own: nobody else would tell
        traceback.print_exc()
    finally:
        os._exit(status)


def _watch(watch: Watch, report: Callable[[Report], None], *, detach: bool) -> None:
    if not watch.until_exec():
        return
    if detach:
        report(watch.report(None))
    else:
        watch.until_end()
        status, release = watch.end()
        try:
            report(watch.report(status))
        finally:
            release()
    watch.let_go()


def _hold_only(keep: set[int]) -> None:
    """Close every file but these: an end of a pipe held here would keep its reader waiting."""
    for name in os.listdir("/proc/self/fd"):  # noqa: PTH208 - numbers, not paths
        if int(name) not in keep:
            try:
                os.close(int(name))
            except OSError as error:
                if error.errno != errno.EBADF:  # that of the listing itself
                    raise
    for number in (0, 1):
        if os.open(os.devnull, os.O_RDWR) != number:
            raise OSError(errno.EBADF, "standard streams are not free")


def _forbidden(number: int) -> str:
    """Why ptrace was refused, and what to do."""
    tracer = Path("/proc/self/status").read_text(encoding="ascii").split("TracerPid:\t")[1].split("\n")[0]
    yama = Path("/proc/sys/kernel/yama/ptrace_scope")
    scope = yama.read_text(encoding="ascii").strip() if yama.exists() else "0"
    if tracer != "0":
        why = f"process {tracer} is tracing this one already, and only one can: run it outside strace or a debugger"
    elif scope in ("2", "3"):
        why = f"kernel.yama.ptrace_scope is {scope}: set it to 1 (`sysctl kernel.yama.ptrace_scope=1`)"
    else:
        why = "a seccomp filter, as containers have it, or a security module forbids it: allow SYS_PTRACE"
    return (
        f"ptrace is not allowed here ({os.strerror(number) if number else 'the watcher died'}); {why}; "
        "for Python code, `heisenlab memory pytest --in-process` and fill_low() need no ptrace"
    )


def undo_locale_coercion(environment: Mapping[str, str]) -> dict[str, str]:
    """The environment as it was before this Python, started in the C locale, set LC_CTYPE (PEP 538)."""
    start = Path("/proc/self/environ")
    result = dict(environment)
    if start.exists() and b"LC_CTYPE=" not in start.read_bytes() and result.get("LC_CTYPE") == "C.UTF-8":
        del result["LC_CTYPE"]
    return result


@dataclass(frozen=True)
class Run:
    """What came of a command that was run to its end.

    Attributes:
        returncode: Exit status, or the negative number of the signal that killed it.
        stdout: What it wrote, where it was captured; else empty.
        stderr: The same for the standard error stream.
        report: The report, as `report_json` makes it; None where the command was refused or was killed with the watcher.
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
        timeout: Seconds after which it is killed, with all that it started and did not let go.

    Raises:
        Refusal: This is not Linux on x86-64. Other refusals are the run's: return code 2, and the line on its stderr.
        subprocess.TimeoutExpired: It did not end in time.
    """
    check_system()
    options = options or Options()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "report.json")
        request = {"command": list(command), "filling": vars(filling), "options": vars(options), "report": str(path)}
        stream = subprocess.PIPE if capture else None
        done = subprocess.run(
            [sys.executable, "-I", "-c", _BOOT, str(_ROOT), json.dumps(request)],
            stdout=stream,
            stderr=stream,
            check=False,
            text=True,
            errors="replace",
            timeout=timeout,
        )
        report = json.loads(path.read_text(encoding="utf-8")) if path.exists() else None
    return Run(done.returncode, done.stdout or "", done.stderr or "", report)


def main(request: str) -> NoReturn:
    """Entry of the child that `run` starts."""
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
    """As `replace_process`, with this process's environment; where it fails, say so and return the exit status for it."""
    try:
        replace_process(
            command, filling, options, environment=undo_locale_coercion(os.environ), report=report
        )
    except Refusal as refusal:
        problem, status = str(refusal), 2
    except FileNotFoundError as error:
        problem, status = str(error), NOT_FOUND_STATUS
    except OSError as error:
        problem, status = f"cannot run {command[0]}: {error.strerror or error}", NOT_EXECUTABLE_STATUS
    sys.stderr.write(f"heisenlab: {problem}\n")
    return status


def write_report(report: Report, path: Path) -> None:
    """Write a report as JSON, whole or not at all."""
    beside = path.with_name(f"{path.name}.{os.getpid()}")
    beside.write_text(json.dumps(report_json(report), indent=1) + "\n", encoding="utf-8")
    beside.replace(path)
