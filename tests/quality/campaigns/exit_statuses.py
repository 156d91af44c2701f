"""Exit statuses under the flight recorder: every status and every signal of a job is passed on as it is.

Each try runs one job twice, alone and under `heisenlab record`, and compares what the parent sees: the exit
status, or the signal that ended it. The jobs are all exit statuses, 0 to 255, and all signals that can end a
program, sent by the job to itself; every third is recorded while its output goes nowhere that can be written.
"""

from __future__ import annotations

import shlex
import sys
import tempfile
from random import Random
from typing import Final

from tests.quality.campaigns.campaign import End, Tally, main
from tests.simulations.live.recorder.forked import Case, run_all

_STATUSES: Final = range(256)
_SIGNALS: Final = tuple(number for number in range(1, 65) if number not in (19, 20, 21, 22, 32, 33))
"""19 to 22 stop a program; 32 and 33 belong to the C library."""

_BATCH: Final = 40


def campaign(seed: int, tries: int) -> Tally:
    """Run jobs and compare; 314 tries are all jobs there are.

    Args:
        seed: Of the order of the jobs.
        tries: How many; beyond the number of jobs they begin again.
    """
    tally = Tally("exit statuses", seed)
    jobs = [f"exit {status}" for status in _STATUSES]
    jobs += [
        f"ulimit -c 0; kill -{number} $$; exit 77" for number in _SIGNALS if number not in (19, 20, 21, 22)
    ]
    Random(seed).shuffle(jobs)
    chosen = [jobs[number % len(jobs)] for number in range(tries)]
    with tempfile.TemporaryDirectory() as folder:
        for first in range(0, tries, _BATCH):
            batch = chosen[first : first + _BATCH]
            alone = run_all([Case(["sh", "-c", job], recorded=False) for job in batch])
            recorded = run_all(
                [
                    Case(["--quiet", "-o", folder, "--", "sh", "-c", job], "os.close(1)" * (number % 3 == 0))
                    for number, job in enumerate(batch)
                ]
            )
            for job, before, after in zip(batch, alone, recorded, strict=True):
                same = before == after
                tally.count(End.RESULT if same else End.LOST, f"sh -c {shlex.quote(job)}: {before} {after}")
    return tally


if __name__ == "__main__":
    sys.exit(main(campaign, __doc__, size=314))
