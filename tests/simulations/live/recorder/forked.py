"""`heisenlab record` many times over, each in a process forked from one that has imported it already."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass

SERVER = """
import json, os, sys, tempfile
from scenarios.lab.commands import main, record, record_display
from simulations.live import recorder
from simulations.live.recorder import launch
for case in json.load(sys.stdin):
    with tempfile.TemporaryFile() as out:
        pid = os.fork()
        if pid == 0:
            os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
            os.dup2(out.fileno(), 1)
            os.dup2(out.fileno(), 2)
            os.closerange(3, 64)
            exec(case["before"], {"os": os})
            if case["recorded"]:
                os._exit(main(["record", *case["words"]]))
            import signal
            for number in (signal.SIGPIPE, signal.SIGXFSZ):
                signal.signal(number, signal.SIG_DFL)
            os.execvp(case["words"][0], case["words"])
        _, status = os.waitpid(pid, 0)
        out.seek(0)
        print(json.dumps([os.waitstatus_to_exitcode(status), out.read().decode(errors="replace")]))
"""


@dataclass(frozen=True)
class Case:
    """One run.

    Attributes:
        words: The arguments of `heisenlab record`, or a command that is run without it.
        before: Python that is executed in the process before.
        recorded: Whether it is recorded.
    """

    words: list[str]
    before: str = ""
    recorded: bool = True


def run_all(cases, **popen):
    """Return the status and the output of each case; both outputs go to one file."""
    asked = json.dumps(
        [
            {"words": [*map(str, each.words)], "before": each.before, "recorded": each.recorded}
            for each in cases
        ]
    )
    done = subprocess.run(
        [sys.executable, "-c", SERVER],
        input=asked,
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ},
        **popen,
    )
    return [tuple(json.loads(line)) for line in done.stdout.splitlines()]
