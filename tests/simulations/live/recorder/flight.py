"""A real job under the real recorder, to be watched and ended by a test."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import psutil

from simulations.live.recorder import recording
from simulations.live.recorder.log import LogError
from simulations.live.recorder.recording import number, present
from simulations.live.recorder.verdict import judge

if TYPE_CHECKING:
    from pathlib import Path

RECORD = (sys.executable, "-m", "scenarios.lab.commands", "record")
PATIENCE_S = 20.0


def wait_for(condition, what):
    """Ask again and again, without a guess how long it takes."""
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        found = condition()
        if found:
            return found
        os.sched_yield()
    raise AssertionError(f"{what} did not happen within {PATIENCE_S} s")


class Flight:
    """A command under the recorder."""

    def __init__(self, folder: Path, command: list[str], options: tuple[str, ...] = (), **popen) -> None:
        self.folder = folder
        popen = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "stdin": subprocess.DEVNULL, **popen}
        self.process = subprocess.Popen(
            [*RECORD, "-o", str(folder), *options, "--", *command], text=True, **popen
        )

    def read(self):
        return recording.load(recording.runs(self.folder)[-1])

    def wait_for_record(self, kind):
        def there():
            try:
                return self.read().last(kind)
            except LogError:
                return None

        return wait_for(there, f"a record of kind {kind}")

    def pid(self, kind):
        return number(self.wait_for_record(kind).data, "pid")

    def finish(self):
        """Wait for the recorder; return its status, what it passed on, and what it printed."""
        out, err = self.process.communicate(timeout=PATIENCE_S)
        return self.process.returncode, out, err

    def judge(self):
        found = self.read()
        return judge(found, present(found))


def kill_if_ours(pid):
    try:
        process = psutil.Process(pid)
        if process.create_time() >= psutil.Process().create_time():
            process.kill()
    except psutil.Error:
        pass
