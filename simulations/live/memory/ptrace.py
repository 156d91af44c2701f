"""The few ptrace requests that the instrument needs; and system calls made inside a stopped program.

Linux on x86-64 only. The numbers are those of `<sys/ptrace.h>` and `<asm/unistd_64.h>`; ptrace(2) describes
the stops.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import functools
import os
import signal
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

CONT: Final = 7
SINGLESTEP: Final = 9
DETACH: Final = 17
SYSCALL: Final = 24
SEIZE: Final = 0x4206
INTERRUPT: Final = 0x4207
LISTEN: Final = 0x4208
_PEEKTEXT: Final = 1
_POKETEXT: Final = 4
_GETREGS: Final = 12
_SETREGS: Final = 13
_GETSIGINFO: Final = 0x4202
_GETSIGMASK: Final = 0x420A
_SETSIGMASK: Final = 0x420B

TRACESYSGOOD: Final = 0x1
TRACEFORK: Final = 0x2
TRACEVFORK: Final = 0x4
TRACECLONE: Final = 0x8
TRACEEXEC: Final = 0x10
EXITKILL: Final = 0x100000
EVENT_EXEC: Final = 4
EVENT_STOP: Final = 128
SYSCALL_STOP: Final = signal.SIGTRAP | 0x80

SYS_WRITE: Final = 1
SYS_MMAP: Final = 9
SYS_MUNMAP: Final = 11
SYS_EXIT_GROUP: Final = 231
_SYSCALL_INSTRUCTION: Final = 0x050F
_WALL: Final = 0x40000000
_WORD: Final = (1 << 64) - 1
_ERROR_MAX: Final = 4095
_ENDS: Final = (os.CLD_EXITED, os.CLD_KILLED, os.CLD_DUMPED)

_NAMES: Final = (
    *("r15", "r14", "r13", "r12", "rbp", "rbx", "r11", "r10", "r9", "r8", "rax", "rcx", "rdx", "rsi", "rdi"),
    *("orig_rax", "rip", "cs", "eflags", "rsp", "ss", "fs_base", "gs_base", "ds", "es", "fs", "gs"),
)
"""The fields of `struct user_regs_struct`, in its order."""

GENERAL: Final = (
    "rax",
    "rbx",
    "rcx",
    "rdx",
    "rsi",
    "rdi",
    "rbp",
    "rsp",
    *(f"r{number}" for number in range(8, 16)),
)
"""Registers that may hold an address."""


class _UserRegs(ctypes.Structure):
    _fields_ = [(name, ctypes.c_ulonglong) for name in _NAMES]


class Fault(NamedTuple):
    """Why a thread was stopped by a signal.

    Attributes:
        code: `si_code`; positive where the kernel raised the signal, 0x80 where the address is
            unknown.
        address: The address that was touched.
    """

    code: int
    address: int


@functools.cache
def _ptrace() -> Callable[..., int]:
    function = ctypes.CDLL(None, use_errno=True).ptrace
    function.restype = ctypes.c_long
    function.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
    return function


def request(number: int, tid: int, address: int = 0, data: int = 0) -> int:
    """Make one ptrace request.

    Raises:
        OSError: As ptrace(2) says; ProcessLookupError where the thread is gone or not stopped.
    """
    ctypes.set_errno(0)
    result = _ptrace()(number, tid, address, data)
    failure = ctypes.get_errno()
    if result == -1 and failure:
        raise OSError(failure, os.strerror(failure))
    return result


def registers(tid: int) -> dict[str, int]:
    """Return the general registers of a stopped thread, by name."""
    block = _UserRegs()
    request(_GETREGS, tid, 0, ctypes.addressof(block))
    return {name: getattr(block, name) for name in _NAMES}


def set_registers(tid: int, values: dict[str, int]) -> None:
    """Set all general registers of a stopped thread."""
    block = _UserRegs(**values)
    request(_SETREGS, tid, 0, ctypes.addressof(block))


def fault(tid: int) -> Fault:
    """Return what the kernel says about the signal at which a thread stands."""
    block = (ctypes.c_ubyte * 128)()
    request(_GETSIGINFO, tid, 0, ctypes.addressof(block))
    raw = bytes(block)
    return Fault(int.from_bytes(raw[8:12], "little", signed=True), int.from_bytes(raw[16:24], "little"))


def read_memory(tid: int, address: int, size: int) -> bytes:
    """Return up to `size` bytes of a stopped thread's memory; fewer, or none, where it is not readable."""
    try:
        memory = os.open(f"/proc/{tid}/mem", os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return b""
    try:
        return os.pread(memory, size, address)
    except (OSError, OverflowError):
        return b""
    finally:
        os.close(memory)


@contextlib.contextmanager
def calls_inside(pid: int) -> Iterator[Callable[..., int]]:
    """Let a program that stands at its exec event make system calls; put everything back at the end.

    Yields a function `call(number, *arguments)` that returns what the kernel returned, a negative errno on
    failure. Signals are held back meanwhile; only SIGKILL gets through, as a ProcessLookupError.
    """
    request(SYSCALL, pid)  # out of the execve, whose return would overwrite the registers
    _wait(pid)
    deferred: list[int] = []
    saved = registers(pid)
    mask = ctypes.c_uint64()
    request(_GETSIGMASK, pid, 8, ctypes.addressof(mask))
    held = ctypes.c_uint64(_WORD & ~(1 << (signal.SIGTRAP - 1)))
    request(_SETSIGMASK, pid, 8, ctypes.addressof(held))
    word = request(_PEEKTEXT, pid, saved["rip"]) & _WORD
    request(_POKETEXT, pid, saved["rip"], (word & ~0xFFFF) | _SYSCALL_INSTRUCTION)

    def call(number: int, *arguments: int) -> int:
        values = dict(saved, rax=number, orig_rax=_WORD)
        for name, value in zip(("rdi", "rsi", "rdx", "r10", "r8", "r9"), arguments, strict=False):
            values[name] = value & _WORD
        set_registers(pid, values)
        while True:
            request(SINGLESTEP, pid)
            stop = _wait(pid)
            if stop != signal.SIGTRAP:
                deferred.append(stop)
                continue
            after = registers(pid)
            if after["rip"] != saved["rip"]:
                break
        result = after["rax"]
        return result - (1 << 64) if result >= (1 << 64) - _ERROR_MAX else result

    try:
        yield call
    finally:
        with contextlib.suppress(ProcessLookupError):
            request(_POKETEXT, pid, saved["rip"], word)
            set_registers(pid, saved)
            request(_SETSIGMASK, pid, 8, ctypes.addressof(mask))
            for number in deferred:
                os.kill(pid, number & 0x7F)


def _wait(pid: int) -> int:
    """Wait for the next stop; return its signal. An end is left for `next_event` to find, and raises."""
    event = os.waitid(os.P_PID, pid, os.WEXITED | os.WSTOPPED | os.WNOWAIT | _WALL)
    if event is None or event.si_code in _ENDS:
        raise ProcessLookupError(errno.ESRCH, f"process {pid} ended")
    _, status = os.waitpid(pid, _WALL)
    return os.WSTOPSIG(status)


def next_event() -> tuple[int, bool] | None:
    """Wait for the next traced thread with an event; None when none is left.

    Returns the thread and whether it has ended. The event is not consumed: the parent of a process that has
    ended hears of it only after `take_event`, so what is reported before that is reported before the shell
    goes on.
    """
    try:
        event = os.waitid(os.P_ALL, 0, os.WEXITED | os.WSTOPPED | os.WNOWAIT | _WALL)
    except ChildProcessError:
        return None
    if event is None:
        return None
    return event.si_pid, event.si_code in _ENDS


def take_event(tid: int, options: int = 0) -> tuple[int, int]:
    """Consume an event of a thread, or with -1 of any; returns what `os.waitpid` does."""
    return os.waitpid(tid, _WALL | options)
