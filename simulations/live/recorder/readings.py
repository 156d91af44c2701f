"""What Linux knows of a process and its descendants, at a price that can be paid each second.

A walk over all processes of a host costs time in proportion to the host; `/proc/PID/task/*/children` costs
time in proportion to the job. Where the kernel does not offer it (CONFIG_PROC_CHILDREN), one pass over the
parents of all processes takes its place.
"""

from __future__ import annotations

import os
from collections import defaultdict
from pathlib import Path
from typing import Final, NamedTuple

from simulations.live.recorder.redaction import HIDDEN, NOTHING, Redactor

PROC: Final = "/proc"
_SYSTEM: Final = hasattr(os, "sysconf")
"""Without it there is no /proc either; recordings can be read all the same."""

TICK_MS: Final = 1000 // os.sysconf("SC_CLK_TCK") if _SYSTEM else 10
PAGE_KB: Final = os.sysconf("SC_PAGE_SIZE") // 1024 if _SYSTEM else 4
TREE_MAX: Final = 4096
"""How many descendants are counted at most: a fork bomb must not become the recorder's own."""

COMMAND_MAX: Final = 160
_ARGUMENTS_BYTES: Final = 256 * 1024
"""How much of a command line is looked through for what must not be read; a longer one is hidden whole."""

_READ_BYTES: Final = 4096


class Stat(NamedTuple):
    """A line of `/proc/PID/stat`.

    Attributes:
        state: One letter; Z is a process that has ended and was not waited for.
        ppid: The parent.
        cpu_ms: User and system time so far, milliseconds.
        threads: Threads.
        start: When it began, in clock ticks since the host booted; with the pid it names a process for good.
        vsize_kb: Virtual size, KiB.
        rss_kb: Resident memory, KiB.
        terminal: The device number of its controlling terminal; 0 if it has none.
        name: The name of its program, at most 15 characters.
    """

    state: str
    ppid: int
    cpu_ms: int
    threads: int
    start: int
    vsize_kb: int
    rss_kb: int
    terminal: int
    name: str

    @property
    def lives(self) -> bool:
        """Whether it has not ended: it is no zombie."""
        return self.state not in "ZX"


class Usage(NamedTuple):
    """What else a process used; zeros where the system does not let the recorder look.

    Attributes:
        files: Open files.
        read_kb: Read from storage so far, KiB.
        write_kb: Written to storage so far, KiB.
        switches: Times that it gave up the processor by itself.
        preempted: Times that the processor was taken from it.
    """

    files: int
    read_kb: int
    write_kb: int
    switches: int
    preempted: int


def read(path: str, size: int = _READ_BYTES) -> bytes:
    """Return the beginning of a file, at least `size` bytes if it has them; nothing if it cannot be read."""
    try:
        fd = os.open(path, os.O_RDONLY | getattr(os, "O_CLOEXEC", 0))
    except OSError:
        return b""
    try:
        text = part = os.read(fd, _READ_BYTES)
        while part and len(text) < size:
            part = os.read(fd, _READ_BYTES)
            text += part
    except OSError:
        return b""
    else:
        return text
    finally:
        os.close(fd)


def stat(pid: int) -> Stat | None:
    """Return the state of a process, or None if there is no such process."""
    text = read(f"{PROC}/{pid}/stat")
    end = text.rfind(b")")
    if end < 0:
        return None
    part = text[end + 2 :].split(None, 22)
    return Stat(
        state=part[0].decode(),
        ppid=int(part[1]),
        cpu_ms=(int(part[11]) + int(part[12])) * TICK_MS,
        threads=int(part[17]),
        start=int(part[19]),
        vsize_kb=int(part[20]) // 1024,
        rss_kb=int(part[21]) * PAGE_KB,
        terminal=int(part[4]),
        name=text[text.find(b"(") + 1 : end].decode(errors="replace"),
    )


def usage(pid: int) -> Usage:
    """Return what else a process used."""
    io = _fields(read(f"{PROC}/{pid}/io"))
    status = _fields(read(f"{PROC}/{pid}/status").partition(b"\nvoluntary_ctxt_switches")[2])
    return Usage(
        files=open_files(pid),
        read_kb=io.get(b"read_bytes", 0) // 1024,
        write_kb=io.get(b"write_bytes", 0) // 1024,
        switches=status.get(b"", 0),
        preempted=status.get(b"nonvoluntary_ctxt_switches", 0),
    )


def _fields(text: bytes) -> dict[bytes, int]:
    found = {}
    for line in text.splitlines():
        name, _, value = line.partition(b":")
        found[name] = int(value)
    return found


def open_files(pid: int) -> int:
    """Return the number of open files of a process; since Linux 6.2 its folder says so without a listing."""
    folder = f"{PROC}/{pid}/fd"
    try:
        return os.stat(folder).st_size or len(os.listdir(folder))  # noqa: PTH116, PTH208  (pathlib is 3 times slower)
    except OSError:
        return 0


def children(pid: int) -> list[int]:
    """Return the children of a process, of all its threads."""
    try:
        threads = os.listdir(f"{PROC}/{pid}/task")  # noqa: PTH208  (pathlib is slower, and this is each second)
    except OSError:
        return []
    found: list[int] = []
    for thread in threads:
        found += map(int, read(f"{PROC}/{pid}/task/{thread}/children", TREE_MAX * 8).split())
    return found


def has_children_files() -> bool:
    """Tell whether the kernel offers `/proc/PID/task/TID/children`."""
    return Path(f"{PROC}/self/task/{os.getpid()}/children").exists()


def descendants(roots: list[int], *, but: frozenset[int] = frozenset()) -> list[int]:
    """Return the roots and everything below them, at most `TREE_MAX` processes.

    Args:
        roots: Where to begin.
        but: What is left out, with all that is below it, unless it is a root.
    """
    below = children if has_children_files() else _children_by_scan().__getitem__
    found = dict.fromkeys(roots)
    upcoming = list(found)
    while upcoming and len(found) < TREE_MAX:
        for child in below(upcoming.pop()):
            if child not in found and child not in but:
                found[child] = None
                upcoming.append(child)
    return list(found)[:TREE_MAX]


def _children_by_scan() -> dict[int, list[int]]:
    found: dict[int, list[int]] = defaultdict(list)
    for name in os.listdir(PROC):  # noqa: PTH208  (as above)
        if name.isdecimal() and (process := stat(int(name))):
            found[process.ppid].append(int(name))
    return found


def command_line(pid: int, redactor: Redactor = NOTHING) -> str:
    """Return the command line of a process, at most `COMMAND_MAX` characters; its name for a zombie.

    Args:
        pid: The process.
        redactor: What must not be read; it is hidden before the rest is cut short.
    """
    arguments = read(f"{PROC}/{pid}/cmdline", _ARGUMENTS_BYTES if redactor else 0).split(b"\0")
    if redactor and sum(map(len, arguments)) >= _ARGUMENTS_BYTES:
        return HIDDEN
    text = " ".join(redactor.command([each.decode(errors="replace") for each in arguments])).strip()
    if not text:
        process = stat(pid)
        text = redactor.text(f"[{process.name}]") if process else ""
    return text[:COMMAND_MAX]


def boot_id() -> str:
    """Return the identity of the running boot of this host; empty where it is unknown."""
    return read(f"{PROC}/sys/kernel/random/boot_id").decode().strip()
