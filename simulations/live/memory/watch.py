"""Follow a program from its exec to its end: fill it before its first instruction, explain what kills it.

The watcher is a process of its own, and a stranger to the program: not its parent, not in its session, with
none of its files. So the program's parent, terminal, signals and exit status are what they are without it. It
must keep up with every stop of every thread, and it never lets a signal get lost.
"""

from __future__ import annotations

import contextlib
import functools
import os
import re
import resource
import signal
import time
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from simulations.live.memory import ptrace
from simulations.live.memory.crash import Crash, diagnose, return_addresses
from simulations.live.memory.elf import is_privileged, is_x86_64
from simulations.live.memory.errors import RefusedError
from simulations.live.memory.filling import (
    MMAP_FLAGS,
    STACK_GUARD,
    Bounds,
    Filling,
    check_address_limit,
    gap_plan,
    kernel_setting,
    miss_chance,
    taken,
)
from simulations.live.memory.layout import GIB, PAGE, TOP, Span, read_layout
from simulations.live.memory.options import REFUSED_STATUS
from simulations.live.memory.report import Program, Report, signal_name

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from simulations.live.memory.layout import Region

OPTIONS: Final = (
    ptrace.TRACESYSGOOD
    | ptrace.TRACEFORK
    | ptrace.TRACEVFORK
    | ptrace.TRACECLONE
    | ptrace.TRACEEXEC
    | ptrace.EXITKILL
)

_STOPS: Final = (signal.SIGSTOP, signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU)
_FAULTS: Final = (signal.SIGSEGV, signal.SIGBUS)
_ANYWHERE: Final = MMAP_FLAGS & ~0x100000
_CAPTURE_CALLS_MAX: Final = 20_000
_PLAIN_FAULTS_MAX: Final = 100
_CRASHES_MAX: Final = 100
_PYTHON_LINES_MAX: Final = 8
_LETTING_GO_SECONDS_MAX: Final = 2.0
_PYTHON_THREAD: Final = re.compile(
    r"^(?:Current thread .*|Stack )\(most recent call first\):\n((?:  .*\n)+)", re.MULTILINE
)
"""What Python's faulthandler writes of the thread that crashed; without a GIL it gives no number."""


@dataclass
class _Capture:
    """What a thread writes between a fault and its death: a faulthandler's words, if it has one."""

    text: bytearray = field(default_factory=bytearray)
    calls: int = 0


@dataclass
class _Process:
    """A traced process: its program, what was taken from it, and the fault that may have been its last."""

    path: str = ""
    filler: tuple[Span, ...] = ()
    crash: Crash | None = None
    capture: _Capture | None = None
    faults: int = 0


class Watch:
    """A traced program, and all that it starts. The caller has seized `main`, which has not run yet."""

    def __init__(
        self, main: int, command: tuple[str, ...], filling: Filling, *, follow: bool, reserve: int
    ) -> None:
        self.main = main
        self.command = command
        self.filling = filling
        self.follow = follow
        self.reserve = reserve
        self.programs: list[Program] = []
        self._crashes: list[Crash] = []
        self._unfilled: list[str] = []
        self._notes: list[str] = []
        self._processes: dict[int, _Process] = {}
        self._threads: dict[int, int] = {main: main}
        self._captures: dict[int, _Capture] = {}

    def report(self, status: int | None) -> Report:
        """Return the report as of now."""
        return Report(
            self.command,
            self.filling,
            status,
            tuple(self.programs),
            tuple(self._crashes),
            tuple(self._unfilled),
            tuple(self._notes),
        )

    def until_exec(self) -> bool:
        """Wait until the program has been started and filled; return False when it ended before."""
        while not self.programs:
            if not self._step():
                return False
        return True

    def until_end(self) -> None:
        """Follow the program until it has ended; its parent does not know of it yet."""
        while self._step():
            pass

    def _step(self) -> bool:
        """Deal with one event; return False when the main program has ended."""
        event = ptrace.next_event()
        if event is None:
            return False
        tid, ended = event
        if ended and tid == self.main:
            return False
        tid, status = ptrace.take_event(tid)
        if ended:
            self._ended(tid, status)
        else:
            with contextlib.suppress(ProcessLookupError):  # killed meanwhile: its end is the next event
                self._stopped(tid, status)
        return True

    def end(self) -> tuple[int, Callable[[], None]]:
        """Return the main program's wait status, and what to call to let its parent know."""
        event = os.waitid(os.P_PID, self.main, os.WEXITED | os.WNOWAIT)
        assert event is not None  # noqa: S101  (without WNOHANG it waits)
        killed = event.si_code in (os.CLD_KILLED, os.CLD_DUMPED)
        status = event.si_status if killed else event.si_status << 8
        self._conclude(self.main, killed=killed)

        def release() -> None:
            with contextlib.suppress(ChildProcessError):
                ptrace.take_event(self.main)
            self._threads.pop(self.main, None)

        return status, release

    def let_go(self) -> None:
        """Detach from every thread that is left, so that it lives on as it would have without the watcher."""
        for tid in self._threads:
            with contextlib.suppress(OSError):
                ptrace.request(ptrace.INTERRUPT, tid)
        deadline = time.monotonic() + _LETTING_GO_SECONDS_MAX
        while time.monotonic() < deadline:
            try:
                tid, status = ptrace.take_event(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if tid == 0:
                time.sleep(0.001)
            elif os.WIFSTOPPED(status):
                number = os.WSTOPSIG(status)
                signalled = not status >> 16 and number != ptrace.SYSCALL_STOP
                with contextlib.suppress(OSError):
                    ptrace.request(ptrace.DETACH, tid, 0, number if signalled else 0)

    def _stopped(self, tid: int, status: int) -> None:
        number, event = os.WSTOPSIG(status), status >> 16
        process = self._process_of(tid)
        if event == ptrace.EVENT_EXEC:
            self._exec(tid)
        elif event == ptrace.EVENT_STOP and number in _STOPS:
            ptrace.request(ptrace.LISTEN, tid)
        elif event:
            self._resume(tid)
        elif number == ptrace.SYSCALL_STOP:
            self._capture(tid)
            self._resume(tid)
        else:
            if number in _FAULTS:
                self._fault(tid, process, number)
            self._resume(tid, number)

    def _resume(self, tid: int, number: int = 0) -> None:
        ptrace.request(ptrace.SYSCALL if tid in self._captures else ptrace.CONT, tid, 0, number)

    def _process_of(self, tid: int) -> _Process:
        """Return the process of a thread; one that was forked shares what was taken from its parent."""
        pid = self._threads.get(tid)
        if pid is None or pid not in self._processes:
            pid, parent = _family(tid)
            self._threads[tid] = pid
            origin = self._processes.get(parent, _Process())
            self._processes.setdefault(pid, _Process(origin.path, origin.filler))
        return self._processes[pid]

    def _exec(self, pid: int) -> None:
        """Fill a new program before its first instruction; its old threads and mappings are gone."""
        for tid in [tid for tid, owner in self._threads.items() if owner == pid and tid != pid]:
            del self._threads[tid]
        self._captures.pop(pid, None)
        path = _program_of(pid)
        self._processes[pid] = _Process(path)
        if is_privileged(path):
            self._notes.append(f"{path} ran without its privilege (set-user-id, capabilities), being traced")
        if pid != self.main and not self.follow:
            self._unfilled.append(Path(path).name)
            del self._processes[pid], self._threads[pid]
            ptrace.request(ptrace.DETACH, pid)
            return
        try:
            self._fill(pid, path)
        except (RefusedError, PermissionError) as refusal:
            self._notes.append(f"{Path(path).name} (pid {pid}) was not filled: {refusal}")
        self._resume(pid)

    def _fill(self, pid: int, path: str) -> None:
        if not is_x86_64(f"/proc/{pid}/exe"):
            raise RefusedError("it is no 64-bit x86-64 program")
        regions = read_layout(pid)
        with ptrace.calls_inside(pid) as call:
            try:
                program = fill_stopped(pid, path, regions, self.filling, call, reserve=self.reserve)
            except RefusedError as refusal:
                if pid == self.main and not self.programs:
                    with contextlib.suppress(OSError):
                        os.write(2, f"heisenlab: {refusal}\n".encode(errors="backslashreplace"))
                    call(ptrace.SYS_EXIT_GROUP, REFUSED_STATUS)
                raise
        self._processes[pid].filler = program.filled
        self.programs.append(program)

    def _fault(self, tid: int, process: _Process, number: int) -> None:
        code, address = ptrace.fault(tid)
        if code <= 0:  # sent by a program, perhaps by a handler that repeats the first one
            return
        in_filler = any(address in span for span in process.filler)
        if process.faults >= _PLAIN_FAULTS_MAX and not in_filler:
            return  # a program that lives with faults, as those of Java and Go do
        try:
            regions = read_layout(tid)
        except RefusedError:  # a program may forbid to be looked at
            return
        registers = ptrace.registers(tid)
        stack = ptrace.read_memory(tid, registers["rsp"], PAGE)
        crash = diagnose(
            pid=self._threads[tid],
            program=process.path,
            signal=signal_name(number),
            code=code,
            address=address,
            regions=regions,
            in_filler=in_filler,
            instruction_pointer=registers["rip"],
            callers=return_addresses(stack, regions, functools.partial(ptrace.read_memory, tid)),
            registers={name: registers[name] for name in ptrace.GENERAL},
        )
        if not crash.telling:
            process.faults += 1
        if crash.telling or process.crash is None or not process.crash.telling:
            process.crash = crash
            if crash.telling or "python" in process.path:  # whose handler writes lines in any case
                process.capture = self._captures[tid] = _Capture()

    def _capture(self, tid: int) -> None:
        """Keep what a thread writes that enters or leaves a system call."""
        capture = self._captures[tid]
        capture.calls += 1
        if capture.calls % 2:
            values = ptrace.registers(tid)
            if values["orig_rax"] == ptrace.SYS_WRITE:
                capture.text += ptrace.read_memory(tid, values["rsi"], min(values["rdx"], PAGE))
        if capture.calls >= _CAPTURE_CALLS_MAX:
            del self._captures[tid]

    def _ended(self, tid: int, status: int) -> None:
        self._captures.pop(tid, None)
        self._threads.pop(tid, None)
        if tid in self._processes:
            self._conclude(tid, killed=os.WIFSIGNALED(status))

    def _conclude(self, pid: int, *, killed: bool) -> None:
        """Keep the fault that a process died of, or that it should not have survived."""
        process = self._processes.pop(pid, None)
        if process is None or process.crash is None or not (killed or process.crash.telling):
            return
        if len(self._crashes) == _CRASHES_MAX:
            self._notes.append(f"more than {_CRASHES_MAX} crashes: the others are left out")
        if len(self._crashes) < _CRASHES_MAX:
            lines = python_lines(process.capture.text.decode(errors="replace")) if process.capture else ()
            self._crashes.append(replace(process.crash, python=lines, survived=not killed))


def fill_stopped(
    pid: int,
    path: str,
    regions: Sequence[Region],
    filling: Filling,
    call: Callable[..., int],
    *,
    reserve: int,
) -> Program:
    """Bend the address space of a program that stands at its exec.

    Args:
        pid: Its process.
        path: Its file.
        regions: Its layout.
        filling: How to bend it.
        call: Makes a system call inside it.
        reserve: Mappings left to the program itself.

    Raises:
        RefusedError: It cannot be done here.
    """
    start = time.perf_counter()
    bounds = _bounds(pid, filling, call)
    plan = gap_plan(regions, taken(filling, regions, bounds), bounds.maps_max, reserve=reserve)
    filled, left_open = [], list(plan.leave)
    for gap in plan.fill:
        result = call(ptrace.SYS_MMAP, gap.start, gap.size, 0, MMAP_FLAGS, -1, 0)
        if result == gap.start:
            filled.append(gap)
            continue
        left_open.append(gap)
        if result > 0:
            call(ptrace.SYS_MUNMAP, result, gap.size)
    if plan.fill and not filled:
        why = os.strerror(-result) if result < 0 else "it put it elsewhere"
        raise RefusedError(
            f"the kernel refused to map {plan.fill[0]} ({why}): look for a limit on address space, such as a "
            "container's, and for a kernel older than 4.17"
        )
    took = round((time.perf_counter() - start) * 1e6)
    return Program(pid, path, tuple(filled), tuple(left_open), miss_chance(regions), took)


def _bounds(pid: int, filling: Filling, call: Callable[..., int]) -> Bounds:
    if filling.kind != "plain":
        check_address_limit(resource.prlimit(pid, resource.RLIMIT_AS)[0])
    stack = resource.prlimit(pid, resource.RLIMIT_STACK)[0]
    if stack == resource.RLIM_INFINITY:
        if filling.kind in ("squeeze", "story"):
            raise RefusedError(
                "not enough room for the stack: `ulimit -s` is unlimited, so the kernel places memory "
                f"upwards from the middle, not where --{filling.kind} leaves room: run `ulimit -s 8192` first"
            )
        stack = GIB
    room, floor, maps_max = (
        stack + STACK_GUARD,
        kernel_setting("mmap_min_addr"),
        kernel_setting("max_map_count"),
    )
    if filling.kind != "story":
        return Bounds(floor, room, TOP, maps_max)
    probe = call(ptrace.SYS_MMAP, 0, PAGE, 0, _ANYWHERE, -1, 0)
    if probe < 0:
        raise RefusedError(
            f"the kernel refused to map one page in process {pid} ({os.strerror(-probe)}): raise its limits"
        )
    call(ptrace.SYS_MUNMAP, probe, PAGE)
    return Bounds(floor, room, probe + PAGE, maps_max)


def _program_of(pid: int) -> str:
    """Return the file that a process runs; for a file that it may run but not read, its name only."""
    try:
        return str(Path(f"/proc/{pid}/exe").readlink())
    except PermissionError:
        return Path(f"/proc/{pid}/comm").read_text(encoding="utf-8", errors="replace").strip()


def _family(tid: int) -> tuple[int, int]:
    """Return the process that a thread belongs to, and its parent."""
    try:
        text = Path(f"/proc/{tid}/status").read_text(encoding="ascii", errors="replace")
    except OSError:
        return tid, 0
    fields = dict(line.split(":", 1) for line in text.splitlines() if ":" in line)
    return int(fields["Tgid"]), int(fields["PPid"])


def python_lines(text: str) -> tuple[str, ...]:
    """Return the frames of the thread that crashed, innermost first, as Python's faulthandler wrote them."""
    match = _PYTHON_THREAD.search(text)
    if match is None:
        return ()
    frames = [line.strip() for line in match[1].splitlines()]
    return tuple(line for line in frames if line.startswith("File "))[:_PYTHON_LINES_MAX]
