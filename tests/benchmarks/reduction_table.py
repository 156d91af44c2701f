"""How many schedules a proof takes: here, in naive enumeration, under frontrun's DPOR, and as published.

    python -m tests.benchmarks.reduction_table [--frontrun PYTHON] [--seconds-max S] [--only published|right]

Every cell is a call in a fresh process. Columns:

- here: `explore(..., searcher="exhaustive")`, that is until the program is proved;
- naive: all orders of the steps that touch what two threads touch and one changes, as many steps as each
  thread does in the nominal run, whether or not a thread would have to wait;
- frontrun: `frontrun.explore(strategy="dpor", preemption_bound=None, stop_on_first=False)`, up to 2,000
  executions. frontrun (pypi.org/project/frontrun, MPL-2.0) is not a dependency: `--frontrun` names the Python
  of an environment in which `frontrun==0.7.*` is installed;
- optimum: the number of classes of schedules, as published (see `tests.quality.threads.published_programs`).

A second table has the programs that are right and that `explore` proves at default budgets.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any, Final

from tests.quality.threads.published_programs import PUBLISHED
from tests.quality.threads.right_programs import RIGHT

ROOT: Final = Path(__file__).parents[2]
EXECUTIONS_MAX: Final = 2_000
SCHEDULES_MAX: Final = 20_000
GRACE_S: Final = 20
PROGRAMS: Final[dict[str, Any]] = {program.name: program for program in (*PUBLISHED, *RIGHT)}
ROW: Final = "{:34} {:>10} {:>12} {:>16} {:>8} {:>8}\n"


def here(name: str, seconds_max: float) -> dict[str, Any]:
    """Prove a program."""
    from simulations.live.threads import explore

    program = PROGRAMS[name]
    published = program in PUBLISHED
    options: dict[str, Any] = (
        {"searcher": "exhaustive", "max_schedules": SCHEDULES_MAX, "seconds": seconds_max}
        if published
        else {}
    )
    began = time.process_time()
    result = explore(program.setup, list(program.workers), getattr(program, "check", None), **options)
    seconds = time.process_time() - began
    return {"verdict": result.verdict, "schedules": result.schedules, "seconds": seconds}


def naive(name: str, seconds_max: float) -> dict[str, Any]:
    """Count the orders of the steps of the nominal run."""
    from simulations.live.threads.program import Program
    from simulations.live.threads.search.follower import Follower
    from simulations.live.threads.search.session import Session

    program = PROGRAMS[name]
    workers = tuple((f"thread{number}", worker) for number, worker in enumerate(program.workers))
    with Session(Program(program.setup, workers, None, wall_limit=seconds_max)) as session:
        follower = Follower()
        session.followed(follower)
        while session.adopted():
            follower = Follower()
            session.followed(follower)
    threads: dict[int, set[int]] = {}
    written: set[int] = set()
    for step in follower.steps:
        for thing, _, writes in step.touches:
            threads.setdefault(thing, set()).add(step.thread)
            if writes:
                written.add(thing)
    shared = {thing for thing in written if len(threads[thing]) > 1}
    counts = Counter(
        step.thread for step in follower.steps if any(touch[0] in shared for touch in step.touches)
    )
    orders = math.factorial(counts.total())
    for count in counts.values():
        orders //= math.factorial(count)
    return {"verdict": "counted", "schedules": orders}


def frontrun(name: str, seconds_max: float) -> dict[str, Any]:
    """Explore a program under frontrun, which is there in an environment of its own."""
    import frontrun as theirs

    program = PROGRAMS[name]
    began = time.monotonic()
    result = theirs.explore(
        setup=program.setup,
        workers=list(program.workers),
        invariant=lambda _: True,
        preemption_bound=None,
        stop_on_first=False,
        max_executions=EXECUTIONS_MAX,
        total_timeout=seconds_max,
        reproduce_on_failure=0,
    )
    verdict = {True: "exhausted", False: "found", None: "gave up"}[result.property_holds]
    if result.num_explored >= EXECUTIONS_MAX or time.monotonic() - began >= seconds_max:
        verdict = "gave up"
    return {"verdict": verdict, "schedules": result.num_explored}


MEASURES: Final = {"here": here, "naive": naive, "frontrun": frontrun}


def measured(measure: str, name: str, options: argparse.Namespace) -> dict[str, Any]:
    """Measure in a fresh process, which says what came of it in the last line that it prints."""
    command = [sys.executable]
    if measure == "frontrun":
        command = [options.frontrun, "-m", "frontrun.cli", options.frontrun]
    limits = ["--seconds-max", str(options.seconds_max)]
    command += ["-m", "tests.benchmarks.reduction_table", "--measure", measure, "--program", name, *limits]
    try:
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            cwd=ROOT,
            env=os.environ | {"PYTHONPATH": str(ROOT)},
            timeout=options.seconds_max + GRACE_S,
        )
    except subprocess.TimeoutExpired:
        return {"verdict": "time"}
    if done.returncode != 0 or not done.stdout:
        sys.stderr.write(f"{name}, {measure}: exit code {done.returncode}\n{done.stderr[-2000:]}\n")
        return {"verdict": "error"}
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def cell(found: dict[str, Any]) -> str:
    """Return a number of schedules as it stands in the table."""
    if "schedules" not in found:
        return str(found["verdict"])
    count = found["schedules"]
    text = f"{count:,}" if count < 10**9 else f"{count:.0e}"
    return text if found["verdict"] in ("exhausted", "counted") else f">= {text}, {found['verdict']}"


def main() -> None:
    """Print the tables."""
    description, _, rest = (__doc__ or "").partition("\n")
    parser = argparse.ArgumentParser(
        description=description, epilog=rest, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--frontrun", metavar="PYTHON", help="the Python of an environment with frontrun")
    parser.add_argument("--seconds-max", type=float, default=60, metavar="S", help="for each cell")
    parser.add_argument("--only", choices=["published", "right"], help="one table")
    parser.add_argument("--measure", choices=list(MEASURES), help=argparse.SUPPRESS)
    parser.add_argument("--program", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        found = MEASURES[options.measure](options.program, options.seconds_max)
        sys.stdout.write(json.dumps(found) + "\n")
        return
    sys.stdout.write(ROW.format("program", "here", "naive", "frontrun's DPOR", "optimum", "CPU s"))
    programs = [
        *(PUBLISHED if options.only != "right" else []),
        *(RIGHT if options.only != "published" else []),
    ]
    for program in programs:
        ours = measured("here", program.name, options)
        theirs = cell(measured("frontrun", program.name, options)) if options.frontrun else "-"
        sys.stdout.write(
            ROW.format(
                program.name,
                cell(ours),
                cell(measured("naive", program.name, options)),
                theirs,
                getattr(program, "optimal", "-"),
                f"{ours.get('seconds', 0):.1f}",
            )
        )
        sys.stdout.flush()


if __name__ == "__main__":
    main()
