"""Programs of the bench under `simulations.live.threads.explore` and under frontrun, one table.

    python -m tests.benchmarks.compare_with_frontrun [--programs NAME ...] [--seconds-max S] [--seed N]

frontrun (pypi.org/project/frontrun, MPL-2.0) explores threads too; it is not a dependency. Where it is not
installed, only our columns are printed.

What is compared. Every cell is one call in a fresh process, started when the imports are done, of the same
`setup`, the same workers and the same check, with a budget of 1000 schedules and `--seconds-max` seconds:

- ours: `explore(...)`, all else as it comes (portfolio, granularity `access`). Seconds `found` is a call with
  `minimise_max=0`: until a failing schedule is reported, not minimised. Seconds `least` is another call,
  until the least schedule is reported. Both include the test if this interpreter can show it. Preemptions
  and switches are those of the least schedule.
- dpor: `frontrun.explore(...)`, its default: systematic, preemption bound 2, real clock.
- dpor, virtual: the same with `clock="virtual"`; ours is always in virtual time, and waits need it.
- random: `strategy="random"`, `max_attempts=1000`, at opcodes, schedules of up to 300 turns (its default).
  One seed is one draw: how many schedules it takes is chance, also in ours. `--seed` draws again.

frontrun's granularity is the opcode (random) or the conflicting access and the lock (dpor); ours the access
that two threads share. frontrun runs under its command, as it asks for, and with `reproduce_on_failure=0`, so
that its seconds are not those of replays. It is given the programs that have a bug, nothing else; "holds" is
therefore a miss.

What cannot be compared exactly:

- Switches are neighbours in the list of turns that belong to different threads, forced ones included. Of
  frontrun they are counted in `counterexample`. For random that list is the schedule as drawn, which
  may be longer than the run, so the number is marked `<=`. Of ours they are counted in the sequence diagram,
  which shows what another thread could notice; `-` if a least schedule shows nothing to count.
- frontrun's dpor hands an exception of a worker on instead of reporting a counterexample. That is a
  find: "raised", with the calls of `setup` for schedules, and no switches.
- "inconclusive" is frontrun's own word, "gave up" ours; "time" is a process that was ended from outside.
"""

from __future__ import annotations

import argparse
import importlib.util
import itertools
import json
import re
import subprocess
import sys
import time
import traceback
from typing import TYPE_CHECKING, Any

from tests.quality.threads import bench
from tests.quality.threads.thread_programs import MODULES, PROGRAMS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

FRONTRUN = "frontrun==0.7.0"
SCHEDULES_MAX = 1_000
GRACE = 10
"""Seconds that a process gets above its limit, to start and to end by itself."""

SMALL = (
    "account_transfer",
    "check_then_act_on_a_dict",
    "stack",
    "double_checked_locking",
    "reorder_3",
    "aba_on_a_linked_stack",
    "use_before_initialisation",
    "lock_order",
    "dining_philosophers_3",
    "lost_wake_up",
    "wrong_notify",
    "semaphore_as_mutex_released_twice",
)
MODES: dict[str, dict[str, Any]] = {
    "dpor": {"strategy": "dpor", "max_executions": SCHEDULES_MAX},
    "dpor, virtual": {"strategy": "dpor", "max_executions": SCHEDULES_MAX, "clock": "virtual"},
    "random": {"strategy": "random", "max_attempts": SCHEDULES_MAX},
}
BY_NAME = {program.name: program for program in PROGRAMS}
FILES = {module.__file__ for module in (bench, *MODULES)}
"""Where an exception of a program is raised, and none of frontrun's own."""
ROW = "{:34} | {:8} {:>9} {:>7} {:>7} {:>11} {:>8}"
BESIDE = " | {:13} {:13} {:>9} {:>7} {:>8}"


# -- one measurement, in a process of its own
# --------------------------------------------------------------------------------------------------


def switches(threads: Sequence[object]) -> int:
    return sum(one != other for one, other in itertools.pairwise(threads))


def ours(name: str, mode: str, seconds_max: float, seed: int) -> dict[str, Any]:
    from simulations.live.threads import explore

    made = BY_NAME[name].make(False)
    options = {} if mode == "ours, least" else {"minimise_max": 0}
    started = time.perf_counter()
    result = explore(
        made.setup,
        made.workers,
        made.check,
        max_schedules=SCHEDULES_MAX,
        seed=seed,
        seconds=seconds_max,
        **options,
    )
    seconds = time.perf_counter() - started
    shown = re.findall(r"Note over (T\d+)", result.mermaid)
    return {
        "verdict": result.verdict,
        "schedules": result.schedules,
        "seconds": seconds,
        "preemptions": result.preemptions,
        "switches": switches(shown) if shown else None,
    }


def theirs(name: str, mode: str, seconds_max: float, seed: int) -> dict[str, Any]:
    import frontrun

    made = BY_NAME[name].make(False)
    check = made.check or (lambda _: True)
    calls = []

    def setup():
        calls.append(1)
        return made.setup()

    options = MODES[mode] | ({"seed": seed} if mode == "random" else {})
    started = time.perf_counter()
    try:
        result = frontrun.explore(
            setup=setup,
            workers=list(made.workers.values()),
            invariant=lambda state: bool(check(state)),
            total_timeout=seconds_max,
            reproduce_on_failure=0,
            **options,
        )
    except Exception as error:
        seconds = time.perf_counter() - started
        last = traceback.extract_tb(error.__traceback__)[-1]
        if last.filename not in FILES:
            raise
        return {"verdict": "found, raised", "schedules": len(calls), "seconds": seconds}
    seconds = time.perf_counter() - started
    verdict = {True: "holds", False: "found", None: "inconclusive"}[result.property_holds]
    found = {"verdict": verdict, "schedules": result.num_explored, "seconds": seconds}
    if result.counterexample is not None:
        count = switches(result.counterexample)
        found["switches"] = f"<={count}" if mode == "random" else count
    return found


# -- the table
# --------------------------------------------------------------------------------------------------


def measured(name: str, mode: str, options: argparse.Namespace) -> dict[str, Any]:
    """Measure in a fresh process, which says what came of it in the last line that it prints."""
    wrapper = ["-m", "frontrun.cli", sys.executable] if mode in MODES else []
    arguments = ["--measure", mode, "--programs", name]
    limits = ["--seconds-max", str(options.seconds_max), "--seed", str(options.seed)]
    command = [sys.executable, *wrapper, "-m", __spec__.name, *arguments, *limits]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=options.seconds_max + GRACE)
    except subprocess.TimeoutExpired:
        return {"verdict": "time"}
    if done.returncode != 0 or not done.stdout:
        sys.stderr.write(f"{name}, {mode}: exit code {done.returncode}\n{done.stderr[-2000:]}\n")
        return {"verdict": "error"}
    return json.loads(done.stdout.splitlines()[-1])


def cells(found: dict[str, Any], *names: str) -> Iterable[str]:
    for name in names:
        value = found.get(name)
        yield "-" if value is None else f"{value:.2f}" if isinstance(value, float) else str(value)


def print_rows(name: str, modes: Sequence[str], options: argparse.Namespace) -> None:
    first, least = measured(name, "ours", options), measured(name, "ours, least", options)
    until, end = cells(first, "verdict", "schedules", "seconds"), cells(least, "seconds")
    row = ROW.format(name, *until, *end, *cells(least, "preemptions", "switches"))
    for mode in modes:
        beside = cells(measured(name, mode, options), "verdict", "schedules", "seconds", "switches")
        sys.stdout.write(row + BESIDE.format(mode, *beside) + "\n")
        row = ROW.format(*[""] * 7)
    if not modes:
        sys.stdout.write(row + "\n")
    sys.stdout.flush()


def positive(text: str) -> float:
    value = float(text)
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"{text} is not a number of seconds above 0")
    return value


def main() -> None:
    description, _, rest = (__doc__ or "").partition("\n")
    parser = argparse.ArgumentParser(
        description=description, epilog=rest, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--programs", nargs="+", metavar="NAME", choices=sorted(BY_NAME), default=SMALL)
    parser.add_argument("--seconds-max", type=positive, default=20, metavar="S", help="for each cell")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--measure", choices=["ours", "ours, least", *MODES], help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        name, limits = options.programs[0], (options.seconds_max, options.seed)
        if options.measure in MODES:
            found = theirs(name, options.measure, *limits)
        else:
            found = ours(name, options.measure, *limits)
        sys.stdout.write(json.dumps(found) + "\n")
        return
    modes = list(MODES) if importlib.util.find_spec("frontrun") else []
    if not modes:
        sys.stdout.write(f"frontrun is not installed: `pip install {FRONTRUN}` for its columns.\n")
    head = ROW.format("program", "ours", "schedules", "s found", "s least", "preemptions", "switches")
    beside = BESIDE.format("frontrun", "verdict", "schedules", "s", "switches") if modes else ""
    sys.stdout.write(f"{head}{beside}\n")
    for name in options.programs:
        print_rows(name, modes, options)


if __name__ == "__main__":
    main()
