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
import errno
import os
import re
import select
import stat
import threading
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from simulations.live.recorder.redaction import HIDDEN, NOTHING, Redactor

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

AUTO: Final = "auto"
INHERIT: Final = "inherit"

LINES_KEPT: Final = 12
LINE_CHARACTERS_MAX: Final = 300
LINE_BYTES_MAX: Final = 8 * 1024
"""How much of a line is looked at; what comes after it is only counted."""

_BLOCK_BYTES: Final = 64 * 1024
_FOLLOW_BLOCKS_MAX: Final = 256
"""How much of a file is read along per sample: 16 MiB; of what grows faster only the end is seen."""
_QUIET_MS: Final = 200
_AFTER_THE_END_BYTES_MAX: Final = 2 * 1024 * 1024
"""More than a pipe can hold (1 MiB for an unprivileged user): what the job itself wrote is in it."""


_ESCAPES: Final = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\^_])")
"""Colours, titles and cursor movements (ECMA-48): a last line is words."""


class Tail:
    """Counts lines and keeps the last ones, without what must not be read.

    A line is put together for each source of its own, and hidden text is looked for in whole lines, so it
    does not matter how the output was cut into writes.

    Args:
        redactor: What must not be read.
    """

    __slots__ = ("_last_byte", "_lines", "_redactor", "_rests", "_skipped", "count", "size")

    def __init__(self, redactor: Redactor = NOTHING) -> None:
        self.count = 0
        self.size = 0
        self._redactor = redactor
        self._lines: deque[bytes] = deque(maxlen=LINES_KEPT)
        self._rests: dict[int, bytes] = {}
        self._last_byte: dict[int, bytes] = {}
        self._skipped: set[int] = set()

    def feed(self, block: bytes, source: int = 0) -> None:
        """Take a block of the output of a source."""
        if not block:
            return
        self.size += len(block)
        self.count += block.count(b"\n")
        self._last_byte[source] = block[-1:]
        if source in self._skipped:
            _, line_feed, block = block.partition(b"\n")
            if not line_feed:
                return
            self._skipped.discard(source)
        *lines, rest = (self._rests.pop(source, b"") + block).rsplit(b"\n", LINES_KEPT)
        self._lines.extend(_shown(line.rpartition(b"\n")[2]) for line in lines)
        self._rests[source] = _shown(rest)

    def skip_line(self, source: int) -> None:
        """Leave out what comes up to the next line feed: its beginning was not seen."""
        self._rests.pop(source, None)
        self._skipped.add(source)

    def end_line(self, source: int) -> None:
        """End the unfinished line of a source, which is not continued."""
        self._skipped.discard(source)
        self._lines.append(self._rests.pop(source, b""))

    def is_mid_line(self, source: int) -> bool:
        """Tell whether the last that a source wrote was not the end of a line."""
        return self._last_byte.get(source, b"\n") != b"\n"

    def last(self) -> list[str]:
        """Return the last lines, oldest first; the unfinished ones count."""
        found = [self._words(line)[:LINE_CHARACTERS_MAX] for line in (*self._lines, *self._rests.values())]
        return [text for text in found if text][-LINES_KEPT:]

    def _words(self, line: bytes) -> str:
        if self._redactor and len(line) >= LINE_BYTES_MAX:
            return HIDDEN
        return self._redactor.text(_ESCAPES.sub("", line.decode(errors="replace")).rstrip())


def _shown(line: bytes) -> bytes:
    """Return what of a line a terminal shows: what follows its last carriage return, if anything does."""
    ended = line.endswith(b"\r")
    return line.removesuffix(b"\r").rpartition(b"\r")[2][:LINE_BYTES_MAX] + b"\r" * ended


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
        errors_from: The source or the followed descriptor in which standard error is seen; -1 if in none.
    """

    how: str
    channels: tuple[Channel, ...]
    stdout: int
    stderr: int
    followed: tuple[int, ...]
    errors_from: int


def wire(mode: str) -> Wiring:
    """Decide how the output of a job is seen, and open what that needs; where it cannot be had, it is unseen.

    Args:
        mode: `AUTO` or `INHERIT`.

    Raises:
        OSError: standard output or standard error is closed.
    """
    ends: dict[tuple[int, int, int], tuple[int, Channel | None, int, str]] = {}
    targets = []
    for fd in (1, 2):
        info = os.fstat(fd)
        key = (info.st_dev, info.st_ino, info.st_rdev)
        if key not in ends:
            ends[key] = (fd, None, -1, "passed on unseen")
            if mode == AUTO:
                with contextlib.suppress(OSError):
                    ends[key] = _end(fd, info.st_mode)
        target, channel, followed, how = ends[key]
        targets.append((target if target >= 0 else fd, how))
        errors_from = channel.source if channel else followed
    return Wiring(
        how=f"standard output {targets[0][1]}, standard error {targets[1][1]}",
        channels=tuple(channel for _, channel, _, _ in ends.values() if channel),
        stdout=targets[0][0],
        stderr=targets[1][0],
        followed=tuple(followed for _, _, followed, _ in ends.values() if followed >= 0),
        errors_from=errors_from,
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
            _set_raw(ours)
            channel = Channel(source, fd, ours, terminal=True)
            resize([channel])
            return ours, channel, -1, "a terminal, passed on"
    source, ours = os.pipe()
    return ours, Channel(source, fd, ours, terminal=False), -1, "passed on"


def _set_raw(fd: int) -> None:
    import tty  # noqa: PLC0415  (not there on every system on which a recording can be read)

    tty.setraw(fd)


def resize(channels: Sequence[Channel]) -> bool:
    """Give the job's terminal the size of the real one; tell whether there is such a terminal."""
    import fcntl  # noqa: PLC0415  (not there on every system on which a recording can be read)
    import termios  # noqa: PLC0415  (as above)

    terminals = [channel for channel in channels if channel.terminal]
    for channel in terminals:
        with contextlib.suppress(OSError):
            size = fcntl.ioctl(channel.sink, termios.TIOCGWINSZ, bytes(8))
            fcntl.ioctl(channel.source, termios.TIOCSWINSZ, size)
    return bool(terminals)


def copy(
    channels: Sequence[Channel], tail: Tail, closed: Callable[[int], None], has_ended: Callable[[], bool]
) -> list[Channel]:
    """Pass the output on until every writer has closed it, or the job has ended and what it left is copied.

    Args:
        channels: What to pass on.
        tail: What counts the lines.
        closed: Called with a source whose sink is gone: no process may hold that source any more, so that
            the job gets SIGPIPE as it would without the recorder.
        has_ended: Tells whether the job has ended; what still writes then is a process that it left behind.
            It is asked at least each 200 milliseconds.

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
        ended = has_ended()
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
    copy(channels, tail, lambda _: None, lambda: False)


def _pass_on(channel: Channel, tail: Tail, closed: Callable[[int], None]) -> bool:
    try:
        block = os.read(channel.source, _BLOCK_BYTES)
    except OSError:  # EIO: the last writer to the terminal has gone
        return False
    tail.feed(block, channel.source)
    view = memoryview(block)
    while view:
        try:
            view = view[os.write(channel.sink, view) :]
        except BlockingIOError:
            ready = select.poll()
            ready.register(channel.sink, select.POLLOUT)
            ready.poll()
        except OSError:
            closed(channel.source)
            return False
    return bool(block)


_LOG: Final = -1
"""The source of the lines of the file that is named by its path."""


class Follower:
    """Reads along in files that others write: one that is open, or one named by its path.

    Only a regular file is read: what is read from a pipe or a device is missing there for whom it was meant.

    Args:
        opened: Descriptors at the place from which to read.
        path: A file that may appear, be replaced (log rotation) or be cut short at any time.
        tail: What counts the lines.
    """

    __slots__ = ("_opened", "_path", "_path_fd", "tail")

    def __init__(self, opened: Sequence[int], path: Path | None, tail: Tail) -> None:
        self._opened = list(opened)
        self._path = path
        self._path_fd = -1
        self.tail = tail
        with contextlib.suppress(OSError, ValueError):
            if path is not None:
                self._path_fd = _open_regular(path)
                os.lseek(self._path_fd, 0, os.SEEK_END)

    def catch_up(self) -> None:
        """Read what has been written since the last call."""
        for fd in self._opened:
            self._read(fd, fd)
        if self._path_fd >= 0:
            self._read(self._path_fd, _LOG)
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
            fresh = _open_regular(self._path)
        except (OSError, ValueError):
            return
        if self._path_fd >= 0:
            os.close(self._path_fd)
            self.tail.end_line(_LOG)
        self._path_fd = fresh
        self._read(fresh, _LOG)

    def _read(self, fd: int, source: int) -> None:
        with contextlib.suppress(OSError):
            size = os.fstat(fd).st_size
            if size < os.lseek(fd, 0, os.SEEK_CUR):
                os.lseek(fd, 0, os.SEEK_SET)
                self.tail.end_line(source)
            for _ in range(_FOLLOW_BLOCKS_MAX):
                block = os.read(fd, _BLOCK_BYTES)
                self.tail.feed(block, source)
                if len(block) < _BLOCK_BYTES:
                    return
            if os.lseek(fd, 0, os.SEEK_CUR) < size - _BLOCK_BYTES:
                os.lseek(fd, size - _BLOCK_BYTES, os.SEEK_SET)
                self.tail.skip_line(source)


def cannot_be_followed(path: Path) -> str:
    """Say why a job's log file cannot be read along; empty if it can, or is not there yet."""
    try:
        os.close(_open_regular(path))
    except FileNotFoundError:
        return ""
    except OSError as error:
        return error.strerror or str(error)
    except ValueError:  # a null character in the name
        return "no name of a file"
    return ""


def _open_regular(path: Path) -> int:
    """Open a regular file for reading and nothing else: a pipe or a device may act on being opened."""
    if not stat.S_ISREG(path.stat().st_mode):
        raise OSError(errno.EINVAL, "it is no regular file")
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY)
    if not stat.S_ISREG(os.fstat(fd).st_mode):  # it was replaced meanwhile
        os.close(fd)
        raise OSError(errno.EINVAL, "it is no regular file")
    return fd


class Copying:
    """Passes output on in a thread of its own, so that a slow reader never delays a sample.

    Where no thread can be made, `run_here` does the same in the thread that calls it.

    Args:
        channels: What to pass on.
        tail: What counts the lines.
        closed: As in `copy`.
    """

    __slots__ = ("_copy", "_ending", "_left", "_thread")

    def __init__(self, channels: Sequence[Channel], tail: Tail, closed: Callable[[int], None]) -> None:
        self._ending = threading.Event()
        self._left: list[Channel] = []

        def run(has_ended: Callable[[], bool]) -> None:
            self._left = copy(channels, tail, closed, has_ended)

        self._copy = run
        self._thread = threading.Thread(target=run, args=(self._ending.is_set,), name="output", daemon=True)
        with contextlib.suppress(RuntimeError, MemoryError):  # no thread can be made
            self._thread.start()

    def run_here(self, has_ended: Callable[[], bool]) -> None:
        """Pass the output on in this thread if there is no other; returns when that is done.

        Args:
            has_ended: As in `copy`.
        """
        if self._thread.ident is None:
            self._copy(has_ended)

    def finish(self) -> list[Channel]:
        """Wait until what the job wrote is passed on; return the channels that others still hold."""
        self._ending.set()
        while self._thread.is_alive():
            self._thread.join(timeout=1)
        return self._left
