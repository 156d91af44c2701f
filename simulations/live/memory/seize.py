"""Become the command: the calling process is seized by a watcher, then replaced.

Linux only; `launch` imports this after it has checked the system.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import os
import signal
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Final, NoReturn

from simulations.live.memory import ptrace
from simulations.live.memory.elf import check_program, find_program
from simulations.live.memory.errors import RefusedError
from simulations.live.memory.watch import OPTIONS, Watch

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from simulations.live.memory.filling import Filling
    from simulations.live.memory.options import Options
    from simulations.live.memory.report import Report

_SET_PTRACER: Final = 0x59616D61
_READY: Final = b"ready"


def replace_process(
    command: Sequence[str],
    filling: Filling,
    options: Options,
    *,
    environment: Mapping[str, str],
    report: Callable[[Report], None],
) -> NoReturn:
    """Become `command`, in a bent address space; return only by raising.

    Args:
        command: The words to run.
        filling: How to bend its address space.
        options: What else.
        environment: Its environment.
        report: Called in the watcher when the command has ended, before its parent knows of it; with
            `detach`, after the fill. Only the standard error stream is open then.

    Raises:
        RefusedError: It cannot be done here.
        FileNotFoundError: The command does not exist.
        PermissionError: The command may not be run.
    """
    program = find_program(command[0], environment)
    check_program(program)
    if os.getpid() == 1:
        _let_a_child_go_on()
    environment = dict(environment)
    if options.python_lines:
        environment.setdefault("PYTHONFAULTHANDLER", "1")
    watch = Watch(os.getpid(), tuple(command), filling, follow=options.follow, reserve=options.reserve)
    _seize_self(watch, options, report)
    for name in ("SIGPIPE", "SIGXFSZ"):  # Python ignores them, which an exec would pass on
        signal.signal(getattr(signal, name), signal.SIG_DFL)
    os.execve(program, list(command), environment)  # noqa: S606  (to run what the user names is the purpose)


def _let_a_child_go_on() -> None:
    """Return in a child. The first process of a container takes every other, and so the watcher, with it."""
    child = os.fork()
    if child == 0:
        return
    from_terminal = {signal.SIGINT, signal.SIGQUIT, signal.SIGTSTP} if os.isatty(0) else set()
    for number in signal.valid_signals() - from_terminal - {signal.SIGCHLD, signal.SIGKILL, signal.SIGSTOP}:
        signal.signal(number, lambda received, _frame: os.kill(child, received))
    while True:
        pid, status = os.wait()
        if pid == child:
            os._exit(os.WEXITSTATUS(status) if os.WIFEXITED(status) else 128 + os.WTERMSIG(status))


def _seize_self(watch: Watch, options: Options, report: Callable[[Report], None]) -> None:
    """Start the watcher, and wait until it has seized this process."""
    _occupy_standard_streams()
    to_watcher, from_launcher = os.pipe()
    to_launcher, from_watcher = os.pipe()
    between = os.fork()
    if between == 0:
        os.setsid()  # out of the command's session: its terminal's signals are not for the watcher
        if os.fork():  # the watcher must not be a child of the command, which may wait for all its children
            os._exit(0)
        _watcher(watch, options, report, to_watcher, from_watcher)
    with contextlib.suppress(ChildProcessError):  # SIGCHLD is ignored, and the system has waited itself
        os.waitpid(between, 0)
    os.close(from_watcher)
    os.close(to_watcher)
    watcher = int(os.read(to_launcher, 64) or b"0")
    # Yama lets only a parent trace, or a named process. Where there is no Yama it fails, and nothing is lost.
    ctypes.CDLL(None).prctl(_SET_PTRACER, ctypes.c_ulong(watcher), 0, 0, 0)
    os.write(from_launcher, _READY)
    answer = os.read(to_launcher, 64)
    os.close(to_launcher)
    os.close(from_launcher)
    if answer != _READY:
        raise RefusedError(_forbidden(int(answer or b"0")))


def _occupy_standard_streams() -> None:
    """Fill each closed standard stream until the exec, or a pipe of ours would take its number."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)


def _watcher(
    watch: Watch, options: Options, report: Callable[[Report], None], to_watcher: int, from_watcher: int
) -> NoReturn:
    """Be the watcher until its end."""
    status = 1
    try:
        os.chdir("/")
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
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
    except BrokenPipeError:  # what was to be watched has ended already, as by Ctrl-C
        pass
    except BaseException:  # noqa: BLE001  (a process of its own: nothing else would report it)
        traceback.print_exc()
    finally:
        os._exit(status)


def _watch(watch: Watch, report: Callable[[Report], None], *, detach: bool) -> None:
    if not watch.until_exec():
        return
    if detach:
        _tell(report, watch.report(None))
    else:
        watch.until_end()
        status, release = watch.end()
        _tell(report, watch.report(status))
        release()
    watch.let_go()


def _tell(report: Callable[[Report], None], found: Report) -> None:
    """Report; a disk that is full must not end the watcher, with which the kernel would kill the command."""
    try:
        report(found)
    except OSError as error:
        with contextlib.suppress(OSError):
            os.write(2, f"heisenlab: cannot write the report: {error}\n".encode(errors="backslashreplace"))


def _hold_only(keep: set[int]) -> None:
    """Close every file but these: an end of a pipe held here would keep its reader waiting."""
    for name in os.listdir("/proc/self/fd"):  # noqa: PTH208  (numbers, not paths)
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
    """Return why ptrace was refused, and what to do."""
    tracer = Path("/proc/self/status").read_text(encoding="ascii").split("TracerPid:\t")[1].split("\n")[0]
    yama = Path("/proc/sys/kernel/yama/ptrace_scope")
    scope = yama.read_text(encoding="ascii").strip() if yama.exists() else "0"
    if tracer != "0":
        why = f"process {tracer} traces this one already, and only one can: run it outside strace or gdb"
    elif scope in ("2", "3"):
        why = f"kernel.yama.ptrace_scope is {scope}: set it to 1 (`sysctl kernel.yama.ptrace_scope=1`)"
    else:
        why = "a seccomp filter, as containers have it, or a security module forbids it: allow SYS_PTRACE"
    return (
        f"ptrace is not allowed here ({os.strerror(number) if number else 'the watcher died'}); {why}; "
        "for Python code, `heisenlab memory pytest --in-process` and fill_low() need no ptrace"
    )
