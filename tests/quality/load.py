"""A hunt, `pytest scenarios/` and the default tests beside busy loops: each passes as often as it is run.

`python -m tests.quality.load --busy 4 --times 5` runs the three of them so; `--only hunt` one of them, and
`-- COMMAND` another one, which must end with `--status`. It prints how each run ended, how many loops were
busy to its end and with how much processor time, and exits with 1 where one ended otherwise or a loop did.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import psutil

from simulations.text_columns import aligned
from tests.quality.campaigns.campaign import Ended, heisenlab, program

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

HOURS_MAX: Final = 1.0
"""When a run is taken to hang."""
TAIL_LINES: Final = 30
"""How much is shown of what a failed run printed last."""

SPINS: Final = """
import os
parent = int(os.environ["PARENT"])
while os.getppid() == parent:
    sum(range(100_000))
"""
"""A busy loop that ends with the process that started it, also where that is killed."""

ROOT: Final = Path(__file__).parents[2]
TESTS: Final = (sys.executable, "-m", "pytest", "-q")


@dataclass(frozen=True)
class Job:
    """A command and the exit status that it must have."""

    name: str
    command: tuple[str, ...]
    status: int


JOBS: Final = (
    Job("hunt", tuple(heisenlab("hunt", "vanishing-job")), 1),
    Job("scenarios", (*TESTS, "scenarios"), 0),
    Job("tests", (*TESTS, "-n", "2"), 0),
)


@dataclass(frozen=True)
class Run:
    """One run of a job beside busy loops.

    Attributes:
        job: What was run.
        ended: How it ended.
        seconds: How long it took.
        busy: How many busy loops there were to its end.
        busy_seconds: Their processor time meanwhile.
    """

    job: Job
    ended: Ended
    seconds: float
    busy: int
    busy_seconds: float

    @property
    def passed(self) -> bool:
        """Whether it ended as it must."""
        return self.ended.status == self.job.status

    def row(self, number: int) -> tuple[str, ...]:
        """Return the row of the table."""
        how = "did not end" if self.ended.status is None else f"exit status {self.ended.status}"
        loops = f"{self.busy}, {self.busy_seconds:.0f} s"
        return self.job.name, str(number), "passed" if self.passed else how, f"{self.seconds:.0f} s", loops


@contextlib.contextmanager
def busy(count: int) -> Iterator[list[subprocess.Popen[bytes]]]:
    """Keep so many processes busy for as long as the block lasts.

    They stay in one session: where Linux shares a processor among sessions (`sched_autogroup_enabled`), a
    loop with a session of its own would weigh as much as a whole test run.
    """
    loops: list[subprocess.Popen[bytes]] = []
    try:
        loops.extend(
            subprocess.Popen(
                [sys.executable, "-S", "-c", SPINS],
                env={**os.environ, "PARENT": str(os.getpid())},
                stdin=subprocess.DEVNULL,
                process_group=0,  # the terminal's Ctrl-C is for this process, which ends them
            )
            for _ in range(count)
        )
        yield loops
    finally:
        for loop in loops:
            loop.kill()
        for loop in loops:
            loop.wait()


def run(job: Job, loops: Sequence[subprocess.Popen[bytes]]) -> Run:
    """Run a job once."""
    before, began = processor_time(loops), time.monotonic()
    ended = program(job.command, seconds_max=HOURS_MAX * 3600, cwd=ROOT)
    seconds, spent = time.monotonic() - began, processor_time(loops) - before
    return Run(job, ended, seconds, sum(loop.poll() is None for loop in loops), spent)


def processor_time(loops: Sequence[subprocess.Popen[bytes]]) -> float:
    """Return the processor time of all loops that there are, in seconds."""
    return sum(sum(psutil.Process(loop.pid).cpu_times()[:2]) for loop in loops if loop.poll() is None)


def table(runs: Sequence[Run]) -> str:
    """Return how each run ended, and a line with how many passed of each job."""
    rows = [("command", "run", "ended", "took", "beside it")]
    counts: dict[str, int] = {}
    for each in runs:
        counts[each.job.name] = counts.get(each.job.name, 0) + 1
        rows.append(each.row(counts[each.job.name]))
    passed = {name: sum(each.passed for each in runs if each.job.name == name) for name in counts}
    told = ", ".join(f"{name} {passed[name]} of {count}" for name, count in counts.items())
    return "\n".join([*aligned(rows, gap=2), f"passed: {told}"])


def main(argv: Sequence[str] | None = None) -> int:
    """Run the jobs; return 0 where all passed."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--busy", type=int, default=4, metavar="N", help="busy processes; default: 4")
    parser.add_argument("--times", type=int, default=5, metavar="T", help="runs of each; default: 5")
    parser.add_argument("--only", choices=[job.name for job in JOBS], action="append", help="default: all")
    parser.add_argument("--status", type=int, default=0, metavar="S", help="of COMMAND; default: 0")
    parser.add_argument("command", nargs="*", metavar="COMMAND", help="run this instead, after --")
    args = parser.parse_args(argv)
    jobs = [job for job in JOBS if job.name in (args.only or [job.name])]
    if args.command:
        jobs = [Job(Path(args.command[0]).name, tuple(args.command), args.status)]
    runs: list[Run] = []
    with busy(args.busy) as loops:
        for job in jobs:
            for number in range(args.times):
                runs.append(run(job, loops))
                sys.stderr.write(f"{job.name}, {number + 1} of {args.times}: {runs[-1].row(0)[2]}\n")
                if not runs[-1].passed:
                    last = (runs[-1].ended.out + runs[-1].ended.err).splitlines()[-TAIL_LINES:]
                    sys.stderr.write("".join(f"  {line}\n" for line in last))
    sys.stdout.write(f"{table(runs)}\n")
    return 0 if runs and all(each.passed and each.busy == args.busy for each in runs) else 1


def ended_by(number: int, _frame: Any) -> None:
    """Leave the block in which the loops are, so that they end too."""
    sys.exit(128 + number)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, ended_by)
    signal.signal(signal.SIGINT, ended_by)
    sys.exit(main())
