"""The witness, which goes on recording when the recorder is killed, and its child, the sentinel.

The recorder is the parent of the job: it samples, passes output and signals on, and learns how the job ended.
The *witness* sleeps beside it, in a session of its own, and takes over when the recorder is killed: the
output still flows, the samples go on, and the end is noted. It is not the parent of the job, and learns the
exit status only where the kernel says it to others than the parent (Linux 6.15 and later). The *sentinel*
stays in the job's process group, and so tells a signal to the whole group from a signal to the recorder
alone, which must be passed on.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from simulations.live.recorder import accounting, output, signals
from simulations.live.recorder.log import Log
from simulations.live.recorder.records import Takeover, WitnessReady

if TYPE_CHECKING:
    from pathlib import Path

    from simulations.live.recorder.watch import Watch

_PR_SET_PDEATHSIG: Final = 1
_DESCRIPTORS_MAX: Final = 64
_PID_BYTES: Final = 10


class Witness:
    """The recorder's end of the pipe to its witness, which takes over when it closes without a farewell.

    Args:
        pid: The witness; -1 if none could be started.
        speak: The pipe; -1 if there is none.
    """

    __slots__ = ("_speak", "pid")

    def __init__(self, pid: int, speak: int) -> None:
        self.pid = pid
        self._speak = speak

    def tell(self, words: str) -> None:
        """Send a line; it does not matter if the witness has gone."""
        with contextlib.suppress(OSError):
            os.write(self._speak, words.encode() + b"\n")

    def dismiss(self) -> None:
        """Say farewell: all is done."""
        self.tell("end")
        self.abandon()

    def abandon(self) -> None:
        """Close the pipe without a farewell."""
        if self._speak >= 0:
            os.close(self._speak)
            self._speak = -1


def start_witness(
    watch: Watch, folder: Path | None, wiring: output.Wiring
) -> tuple[Witness, signals.Sentinel]:
    """Start the witness and its sentinel as orphans, so that the job is the recorder's only child.

    (Where the recorder is process 1, as in a container, orphans are its own children.) Where no process can
    be made there is neither, and the job runs without them.
    """
    opened: list[int] = []
    try:
        opened += os.pipe()
        opened += os.pipe()
        middle = os.fork()
    except OSError:
        for fd in opened:
            os.close(fd)
        return Witness(-1, -1), signals.Sentinel(-1)
    listen, speak, hear, report = opened
    if middle:
        os.close(listen)
        os.close(report)
        os.waitpid(middle, 0)
        return Witness(int(os.read(hear, _PID_BYTES) or b"-1"), speak), signals.Sentinel(hear)
    try:
        if pid := os.fork():
            os.write(report, b"%*d" % (_PID_BYTES, pid))
            os._exit(0)
        witness = os.getpid()
        if _fork_or_not() == 0:
            ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)
            if os.getppid() != witness:  # it was killed before this was asked for
                os._exit(0)
            os.closerange(0, report)
            os.closerange(report + 1, report + _DESCRIPTORS_MAX)
            signals.stand_sentinel(report)
        for fd in (speak, hear, report, *(channel.ours for channel in wiring.channels)):
            os.close(fd)
        os.setsid()
        os.chdir("/")
        watch.handed_to(Log(folder, create=False), [channel.source for channel in wiring.channels])
        watch.note(WitnessReady(os.getpid()))
        _stand_by(listen, watch, wiring.channels)
    finally:
        os._exit(0)


def _fork_or_not() -> int:
    """Fork; where no process can be made, go on as the parent of none."""
    try:
        return os.fork()
    except OSError:
        return -1


def _stand_by(listen: int, watch: Watch, channels: tuple[output.Channel, ...]) -> None:
    """Wait until the recorder ends, in peace or not; then do what is left to do."""
    job = pidfd = -1
    left = {channel.source: channel for channel in channels}
    with os.fdopen(listen) as speech:
        for line in speech:
            verb, *rest = line.split()
            if verb == "job":
                job = int(rest[0])
                with contextlib.suppress(OSError):
                    pidfd = os.pidfd_open(job)
            elif verb == "closed":
                os.close(left.pop(int(rest[0])).source)
            elif verb == "end":
                output.pass_on_rest(list(left.values()), watch.tail)
                return
    watch.note(Takeover(job))
    watch.sync()
    copying = output.Copying(list(left.values()), watch.tail, lambda _: None)
    if pidfd >= 0:
        copying.run_here(lambda: signals.readable_within(pidfd, 0))
        watch.attempt(lambda: _watch_to_the_end(watch, job, pidfd), None)
    rest_of_it = copying.finish()
    watch.attempt(watch.note_tail, None)
    watch.close()
    output.pass_on_rest(rest_of_it, watch.tail)


def _watch_to_the_end(watch: Watch, job: int, pidfd: int) -> None:
    """Sample a job that is not our child until it ends, and note how, as far as the kernel says."""
    watch.begin([job], job, not_ours=frozenset())
    watch.tick()
    while not signals.readable_within(pidfd, watch.pause()):
        watch.tick()
    wait_status = accounting.wait_status_of(job, pidfd)
    watch.note(
        replace(
            watch.final_readings(job),
            by="witness",
            status=None if wait_status is None else os.waitstatus_to_exitcode(wait_status),
            core=None if wait_status is None else os.WCOREDUMP(wait_status),
        )
    )
