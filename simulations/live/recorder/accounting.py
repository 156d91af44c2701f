"""The kernel's accounts of a job: limits, memory, messages, and the status of a process that is not ours.

Some are read before the job and after it, and compared; some can be read of a zombie only.
"""

from __future__ import annotations

import contextlib
import os
import re
import struct
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from simulations.live.recorder.readings import PROC, read
from simulations.live.recorder.records import Limits

if TYPE_CHECKING:
    from collections.abc import Iterable

CGROUPS: Final = Path("/sys/fs/cgroup")

_UNLIMITED: Final = b"unlimited"

_KERNEL_WORDS: Final = re.compile(
    r"out of memory|oom-kill|killed process|segfault|general protection|traps:|blocked for more than"
    r"|I/O error|remounting filesystem read-only|fork rejected",
    re.IGNORECASE,
)
_NO_LIMIT_BYTES: Final = 2**62
"""Version 1 of control groups writes no limit as a number near 2**63."""

KERNEL_LINES_MAX: Final = 12
_KERNEL_READS_MAX: Final = 100_000


def limits(pid: int) -> Limits:
    """Return the finite resource limits of a process.

    They can be read of a zombie as well, so after its death and before it is waited for.
    """
    found: dict[bytes, tuple[int, int]] = {}
    for line in read(f"{PROC}/{pid}/limits").splitlines():
        soft, hard, *_ = (*line[26:].split(), b"", b"")
        if _is_limit(soft) and _is_limit(hard) and (soft, hard) != (_UNLIMITED, _UNLIMITED):
            found[line[:26].rstrip()] = _limit(soft), _limit(hard)
    return Limits(
        cpu_s=found.get(b"Max cpu time"),
        file_bytes=found.get(b"Max file size"),
        data_bytes=found.get(b"Max data size"),
        processes=found.get(b"Max processes"),
        files=found.get(b"Max open files"),
        address_bytes=found.get(b"Max address space"),
    )


def _is_limit(text: bytes) -> bool:
    return text == _UNLIMITED or text.isdigit()


def _limit(text: bytes) -> int:
    return -1 if text == _UNLIMITED else int(text)


class Cgroup(NamedTuple):
    """Where the kernel accounts the memory of a process.

    Attributes:
        folder: The folder of the control group; empty where there is none that can be read.
        version: 1 or 2; 0 where there is none.
    """

    folder: str
    version: int


def memory_cgroup(pid: int, mount: Path = CGROUPS) -> Cgroup:
    """Return the control group that accounts the memory of a process."""
    paths = {}
    for line in read(f"{PROC}/{pid}/cgroup").decode(errors="replace").splitlines():
        _, controllers, path = line.split(":", 2)
        for controller in controllers.split(","):
            paths[controller] = path.removesuffix(" (deleted)").lstrip("/")
    if "memory" in paths and (folder := mount / "memory" / paths["memory"]).is_dir():
        return Cgroup(str(folder), 1)
    if "" in paths and (folder := mount / paths[""]).joinpath("memory.events").is_file():
        return Cgroup(str(folder), 2)
    return Cgroup("", 0)


class Memory(NamedTuple):
    """What a control group and the host say about memory; None is unknown.

    Attributes:
        oom_kills: Processes of the group, or of one below it, that an out-of-memory killer ended.
        used_kb: What the group uses, KiB.
        limit_kb: What the group and the groups above it may use, KiB; None if there is no limit.
        host_oom_kills: Processes of the whole host that the kernel ended because memory ran out.
    """

    oom_kills: int | None
    used_kb: int | None
    limit_kb: int | None
    host_oom_kills: int | None


def memory(cgroup: Cgroup) -> Memory:
    """Read the counters of a control group and of the host.

    Sources: Linux, Documentation/admin-guide/cgroup-v2.rst (memory.events: "The number of processes belonging
    to this cgroup killed by any kind of OOM killer"), cgroup-v1/memory.rst, and /proc/vmstat.
    """
    events = "memory.oom_control" if cgroup.version == 1 else "memory.events"
    return Memory(
        oom_kills=_counter(read(f"{cgroup.folder}/{events}"), b"oom_kill") if cgroup.folder else None,
        used_kb=used_kb(cgroup),
        limit_kb=_limit_kb(cgroup),
        host_oom_kills=_counter(read(f"{PROC}/vmstat", 64 * 1024), b"oom_kill"),
    )


def used_kb(cgroup: Cgroup) -> int | None:
    """Return what a control group uses, KiB, or None if that is unknown."""
    name = "memory.usage_in_bytes" if cgroup.version == 1 else "memory.current"
    used_bytes = _number(read(f"{cgroup.folder}/{name}")) if cgroup.folder else None
    return None if used_bytes is None else used_bytes // 1024


def _limit_kb(cgroup: Cgroup) -> int | None:
    name = "memory.limit_in_bytes" if cgroup.version == 1 else "memory.max"
    found = []
    folder = Path(cgroup.folder)
    while cgroup.version and (folder / name).is_file():
        value = _number(read(str(folder / name)))
        if value is not None and value < _NO_LIMIT_BYTES:
            found.append(value // 1024)
        folder = folder.parent
    return min(found, default=None)


def _counter(text: bytes, name: bytes) -> int | None:
    for line in text.splitlines():
        key, _, value = line.partition(b" ")
        if key == name:
            return _number(value)
    return None


def _number(text: bytes) -> int | None:
    return int(text) if text.strip().isdigit() else None


class KernelLog:
    """The kernel's messages from now on, where this user may read them (`kernel.dmesg_restrict`)."""

    __slots__ = ("_fd",)

    def __init__(self) -> None:
        self._fd = -1
        with contextlib.suppress(OSError):
            self._fd = os.open("/dev/kmsg", os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
            os.lseek(self._fd, 0, os.SEEK_END)

    @property
    def readable(self) -> bool:
        """Whether this user may read it."""
        return self._fd >= 0

    def lines(self) -> list[str]:
        """Return the messages since the last call that may concern a death, the newest `KERNEL_LINES_MAX`."""
        found = []
        for _ in range(_KERNEL_READS_MAX if self.readable else 0):
            try:
                text = os.read(self._fd, 8192).decode(errors="replace")
            except BrokenPipeError:  # messages were overwritten before they were read; the next is there
                continue
            except OSError:
                break
            message = text.partition(";")[2].partition("\n")[0]
            if _KERNEL_WORDS.search(message):
                found.append(message)
        return found[-KERNEL_LINES_MAX:]

    def close(self) -> None:
        """Close the kernel log."""
        if self.readable:
            os.close(self._fd)
            self._fd = -1


def pids_named(lines: Iterable[str]) -> set[int]:
    """Return the pids that out-of-memory messages of the kernel say were killed."""
    return {int(pid) for line in lines for pid in re.findall(r"[Kk]illed process (\d+)", line)}


_PIDFD_GET_INFO: Final = 0xC040FF0B
_PIDFD_INFO_EXIT: Final = 1 << 3
_STATUS_TRIES: Final = 50
_STATUS_PAUSE_S: Final = 0.02


def wait_status_of(pid: int, pidfd: int) -> int | None:
    """Return the wait status of a process that has ended and was another's child, or None if unknown.

    Linux says it from 6.15 on, once the parent has waited for it (`PIDFD_GET_INFO` with `PIDFD_INFO_EXIT`,
    include/uapi/linux/pidfd.h). An older kernel says it only until the parent has.

    Args:
        pid: The process.
        pidfd: A descriptor of it, opened while it lived.
    """
    for _ in range(_STATUS_TRIES):
        status = _status_after_wait(pidfd)
        if status is None:
            status = _status_of_zombie(pid)
        if status is not None:
            return status
        time.sleep(_STATUS_PAUSE_S)
    return None


def _status_after_wait(pidfd: int) -> int | None:
    import fcntl  # noqa: PLC0415  (not there on every system on which a recording can be read)

    buffer = bytearray(struct.pack("<Q", _PIDFD_INFO_EXIT) + bytes(56))
    try:
        fcntl.ioctl(pidfd, _PIDFD_GET_INFO, buffer)
    except OSError:
        return None
    mask, status = struct.unpack_from("<Q", buffer)[0], struct.unpack_from("<i", buffer, 60)[0]
    return int(status) if mask & _PIDFD_INFO_EXIT else None


def _status_of_zombie(pid: int) -> int | None:
    part = read(f"{PROC}/{pid}/stat").rpartition(b")")[2].split()
    return int(part[49]) if part and part[0] == b"Z" else None
