"""A real job under the real recorder, to be watched and ended by a test."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import psutil

from simulations.live import recorder
from simulations.live.recorder import LogError
from simulations.live.recorder.codec import kind

if TYPE_CHECKING:
    from pathlib import Path

RECORD = (sys.executable, "-m", "scenarios.lab.commands", "record")
PATIENCE_S = 120.0


def wait_for(condition, what):
    """Ask again and again, without a guess how long it takes."""
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        found = condition()
        if found:
            return found
        os.sched_yield()
    raise AssertionError(f"{what} did not happen within {PATIENCE_S} s")


def newest(recording, wanted):
    """Return the newest record of a kind, such as `end`."""
    return next((each for each in reversed(recording.events) if kind(each) == wanted), None)


class LiveRun:
    """A command under the recorder."""

    def __init__(self, folder: Path, command: list[str], options: tuple[str, ...] = (), **popen) -> None:
        self.folder = folder
        popen = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "stdin": subprocess.DEVNULL, **popen}
        self.process = subprocess.Popen(
            [*RECORD, "-o", str(folder), *options, "--", *command], text=True, **popen
        )

    def read(self):
        return recorder.load(self.folder)

    def wait_for_record(self, wanted):
        def there():
            try:
                return newest(self.read(), wanted)
            except LogError:
                return None

        return wait_for(there, f"a record of kind {wanted}")

    def pid(self, wanted):
        return self.wait_for_record(wanted).pid

    def finish(self):
        """Wait for the recorder; return its status, what it passed on, and what it printed."""
        out, err = self.process.communicate(timeout=PATIENCE_S)
        return self.process.returncode, out, err

    def judge(self):
        return recorder.verdict(self.read())


def kill_if_ours(pid):
    try:
        process = psutil.Process(pid)
        if process.create_time() >= psutil.Process().create_time():
            process.kill()
    except psutil.Error:
        pass
