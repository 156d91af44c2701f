"""What the job writes, seen on its way without being changed.

How depends on what standard output and standard error are:

* a regular file: the job gets the file itself, and the recorder reads along (`follow`);
* a terminal: the job gets another terminal of the same size, so that it still finds one, and every byte is
  passed on; its standard input and its controlling terminal stay the real ones;
* anything else: the job gets a pipe, and every byte is passed on.

With `INHERIT` the job gets what there is and nothing is seen, which full-screen programs need.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import select
import stat
import termios
import threading
import tty
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

AUTO: Final = "auto"
INHERIT: Final = "inherit"

LINES_KEPT: Final = 12
LINE_CHARACTERS_MAX: Final = 300
_BLOCK_BYTES: Final = 64 * 1024
_FOLLOW_BLOCKS_MAX: Final = 256
"""How much of a file is read along per sample: 16 MiB; of what grows faster only the end is seen."""
_QUIET_MS: Final = 200
_AFTER_THE_END_BYTES_MAX: Final = 2 * 1024 * 1024
"""More than a pipe can hold (1 MiB for an unprivileged user): what the job itself wrote is in it."""


_ESCAPES: Final = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\^_])")
"""Colours, titles and cursor movements (ECMA-48): a last line is words."""


class Tail:
    """Counts lines and keeps the last ones."""

    __slots__ = ("_lines", "_rest", "count", "size")

    def __init__(self) -> None:
        self.count = 0
        self.size = 0
        self._lines: deque[bytes] = deque(maxlen=LINES_KEPT)
        self._rest = b""

    def feed(self, block: bytes) -> None:
        """Take a block of output."""
        self.size += len(block)
        self.count += block.count(b"\n")
        *lines, rest = (self._rest + block).rsplit(b"\n", LINES_KEPT)
        self._lines.extend(line.rpartition(b"\n")[2] for line in lines)
        self._rest = rest[-4 * LINE_CHARACTERS_MAX :]

    def last(self) -> list[str]:
        """Return the last lines, oldest first; the unfinished one counts."""
        texts = [
            line.rpartition(b"\r")[2] if not line.endswith(b"\r") else line[:-1].rpartition(b"\r")[2]
            for line in (*self._lines, self._rest)
        ]
        plain = [_ESCAPES.sub("", text.decode(errors="replace")) for text in texts]
        found = [text.rstrip()[:LINE_CHARACTERS_MAX] for text in plain]
        return [text for text in found if text][-LINES_KEPT:]


@dataclass(frozen=True)
class Channel:
    """A way from the job to where its output was meant to go.

    Attributes:
        source: The end that the recorder reads.
        sink: Where the bytes go.
        ours: The end that the job writes to; the recorder closes its own copy once the job has it.
        terminal: Whether it is a terminal, whose size must follow the real one.
    """

    source: int
    sink: int
    ours: int
    terminal: bool


@dataclass(frozen=True)
class Wiring:
    """How the output of a job is seen.

    Attributes:
        how: In words, for standard output and standard error.
        channels: What is passed on.
        stdout: The descriptor that becomes the job's standard output.
        stderr: The descriptor that becomes the job's standard error.
        followed: Descriptors of the regular files that are read along.
    """

    how: str
    channels: tuple[Channel, ...]
    stdout: int
    stderr: int
    followed: tuple[int, ...]


def wire(mode: str) -> Wiring:
    """Decide how the output of a job is seen, and open what that needs.

    Args:
        mode: `AUTO` or `INHERIT`.
    """
    ends: dict[tuple[int, int, int], tuple[int, Channel | None, int, str]] = {}
    targets = []
    for fd in (1, 2):
        info = os.fstat(fd)
        key = (info.st_dev, info.st_ino, info.st_rdev)
        if key not in ends:
            ends[key] = _end(fd, info.st_mode) if mode == AUTO else (fd, None, -1, "passed on unseen")
        target, _, _, how = ends[key]
        targets.append((target if target >= 0 else fd, how))
    return Wiring(
        how=f"standard output {targets[0][1]}, standard error {targets[1][1]}",
        channels=tuple(channel for _, channel, _, _ in ends.values() if channel),
        stdout=targets[0][0],
        stderr=targets[1][0],
        followed=tuple(followed for _, _, followed, _ in ends.values() if followed >= 0),
    )


def _end(fd: int, mode: int) -> tuple[int, Channel | None, int, str]:
    """Return the descriptor for the job (-1: the same), the channel, the file to follow, and the words."""
    if stat.S_ISREG(mode):
        try:
            followed = os.open(f"/proc/self/fd/{fd}", os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            return -1, None, -1, "a file that may not be read along"
        os.lseek(followed, 0, os.SEEK_END)
        return -1, None, followed, "a file, read along"
    if os.isatty(fd):
        with contextlib.suppress(OSError):
            source, ours = os.openpty()
            tty.setraw(ours)
            channel = Channel(source, fd, ours, terminal=True)
            resize([channel])
            return ours, channel, -1, "a terminal, passed on"
    source, ours = os.pipe()
    return ours, Channel(source, fd, ours, terminal=False), -1, "passed on"


def resize(channels: Sequence[Channel]) -> bool:
    """Give the job's terminal the size of the real one; tell whether there is such a terminal."""
    terminals = [channel for channel in channels if channel.terminal]
    for channel in terminals:
        with contextlib.suppress(OSError):
            size = fcntl.ioctl(channel.sink, termios.TIOCGWINSZ, bytes(8))
            fcntl.ioctl(channel.source, termios.TIOCSWINSZ, size)
    return bool(terminals)


def copy(
    channels: Sequence[Channel], tail: Tail, closed: Callable[[int], None], ending: threading.Event
) -> list[Channel]:
    """Pass the output on until every writer has closed it, or the job has ended and what it left is copied.

    Args:
        channels: What to pass on.
        tail: What counts the lines.
        closed: Called with a source whose sink is gone: no process may hold that source any more, so that
            the job gets SIGPIPE as it would without the recorder.
        ending: Set when the job has ended; what still writes then is a process that it left behind.

    Returns:
        The channels that such processes still hold.
    """
    open_channels = {channel.source: channel for channel in channels}
    poll = select.poll()
    for source in open_channels:
        poll.register(source, select.POLLIN)
    left_bytes = _AFTER_THE_END_BYTES_MAX
    while open_channels and left_bytes > 0:
        size = tail.size
        ready = poll.poll(_QUIET_MS)
        ended = ending.is_set()
        if ended and not ready:
            break
        for source, _ in ready:
            if not _pass_on(open_channels[source], tail, closed):
                poll.unregister(source)
                os.close(source)
                del open_channels[source]
        if ended:
            left_bytes -= tail.size - size
    return list(open_channels.values())


def pass_on_rest(channels: Sequence[Channel], tail: Tail) -> None:
    """Pass on what processes write that the job left behind, until the last of them has ended."""
    copy(channels, tail, lambda _: None, threading.Event())


def _pass_on(channel: Channel, tail: Tail, closed: Callable[[int], None]) -> bool:
    try:
        block = os.read(channel.source, _BLOCK_BYTES)
    except OSError:  # EIO: the last writer to the terminal has gone
        return False
    tail.feed(block)
    view = memoryview(block)
    while view:
        try:
            view = view[os.write(channel.sink, view) :]
        except BlockingIOError:
            select.select([], [channel.sink], [])
        except OSError:
            closed(channel.source)
            return False
    return bool(block)


class Follower:
    """Reads along in files that others write: one that is open, or one named by its path.

    Args:
        opened: Descriptors at the place from which to read.
        path: A file that may appear, be replaced (log rotation) or be cut short at any time.
        tail: What counts the lines.
    """

    __slots__ = ("_opened", "_path", "_path_fd", "_tail")

    def __init__(self, opened: Sequence[int], path: Path | None, tail: Tail) -> None:
        self._opened = list(opened)
        self._path = path
        self._path_fd = -1
        self._tail = tail
        if path is not None and path.exists():
            self._path_fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
            os.lseek(self._path_fd, 0, os.SEEK_END)

    def catch_up(self) -> None:
        """Read what has been written since the last call."""
        for fd in self._opened:
            self._read(fd)
        if self._path_fd >= 0:
            self._read(self._path_fd)
        self._reopen()

    def close(self) -> None:
        """Close the files."""
        for fd in (*self._opened, self._path_fd):
            if fd >= 0:
                os.close(fd)
        self._opened, self._path_fd = [], -1

    def _reopen(self) -> None:
        if self._path is None:
            return
        try:
            now = self._path.stat()
            if self._path_fd >= 0:
                then = os.fstat(self._path_fd)
                if (now.st_dev, now.st_ino) == (then.st_dev, then.st_ino):
                    return
            fresh = os.open(self._path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        except OSError:
            return
        if self._path_fd >= 0:
            os.close(self._path_fd)
        self._path_fd = fresh
        self._read(fresh)

    def _read(self, fd: int) -> None:
        with contextlib.suppress(OSError):
            size = os.fstat(fd).st_size
            if size < os.lseek(fd, 0, os.SEEK_CUR):
                os.lseek(fd, 0, os.SEEK_SET)
            for _ in range(_FOLLOW_BLOCKS_MAX):
                block = os.read(fd, _BLOCK_BYTES)
                self._tail.feed(block)
                if len(block) < _BLOCK_BYTES:
                    return
            os.lseek(fd, max(0, size - _BLOCK_BYTES), os.SEEK_SET)


class Copying:
    """Passes output on in a thread of its own, so that a slow reader never delays a sample.

    Args:
        channels: What to pass on.
        tail: What counts the lines.
        closed: As in `copy`.
    """

    __slots__ = ("_ending", "_left", "_thread")

    def __init__(self, channels: Sequence[Channel], tail: Tail, closed: Callable[[int], None]) -> None:
        self._ending = threading.Event()
        self._left: list[Channel] = []

        def run() -> None:
            self._left = copy(channels, tail, closed, self._ending)

        self._thread = threading.Thread(target=run, name="output", daemon=True)
        self._thread.start()

    def finish(self) -> list[Channel]:
        """Wait until what the job wrote is passed on; return the channels that others still hold."""
        self._ending.set()
        while self._thread.is_alive():
            self._thread.join(timeout=1)
        return self._left
