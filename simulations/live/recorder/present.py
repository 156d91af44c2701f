"""What this host says today about a run: is it still going on?"""

from __future__ import annotations

import platform
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import psutil

from simulations.live.recorder import readings

if TYPE_CHECKING:
    from simulations.live.recorder.recording import Recording


@dataclass(frozen=True)
class Present:
    """What this host can say today about a run whose end was not noted.

    Attributes:
        here: This is the host on which the run was recorded.
        same_boot: It has not been booted since.
        alive: The job itself is still running.
        silent_ms: How long ago the newest record was made; None if unknown.
        booted_s: When this host was booted, seconds since 1970.
    """

    here: bool
    same_boot: bool
    alive: bool
    silent_ms: int | None
    booted_s: float


def present(recording: Recording) -> Present:
    """Ask this host about a run."""
    start, job = recording.start, recording.job
    here = start.host == platform.node()
    same_boot = here and start.boot == readings.boot_id() != ""
    process = readings.stat(job.pid) if same_boot and job and job.pid is not None else None
    alive = process is not None and job is not None and process.start == job.start and process.lives
    silent_ms = None
    if same_boot and start.booted_ms is not None:
        now_ms = time.clock_gettime_ns(time.CLOCK_BOOTTIME) // 1_000_000
        silent_ms = now_ms - start.booted_ms - recording.last_ms
    return Present(here, same_boot, alive, silent_ms, psutil.boot_time())
