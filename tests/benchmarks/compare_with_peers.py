"""Programs of the bench under `simulations.live.threads.explore`, frontrun and interleave-test, one table.

    python -m tests.benchmarks.compare_with_peers [--programs NAME ...|all] [--draws N] [--twins]

frontrun (pypi.org/project/frontrun, MPL-2.0) and interleave-test (pypi.org/project/interleave-test, MIT,
Python 3.12 and later) explore threads too; they are not dependencies. Without them only our columns are
printed.

What is compared. Every cell is one call in a fresh process, started when the imports are done, of the same
`setup`, the same workers and the same check, with a budget of 1000 schedules and `--seconds-max` seconds:

- ours: `explore(...)`, all else as it comes (portfolio, granularity `access`). Seconds `first` is a call with
  `minimise_max=0`: until a failing schedule is reported, not minimised, which is what the others do. Seconds
  `least` is another call, until the least schedule is reported. Both include the test if this interpreter can
  show it, and what happened in words. Preemptions and switches are those of the least schedule.
- dpor: `frontrun.explore(...)`, its default: systematic, preemption bound 2, real clock.
- dpor, virtual: the same with `clock="virtual"`; ours is always in virtual time, and waits need it.
- random: `strategy="random"`, `max_attempts=1000`, at opcodes, schedules of up to 300 turns (its default).
- pct and walk: `interleave_test.explore(...)`, `strategy="pct"` or `"random"`, opcodes, `iterations=1000`;
  its threads are started with its `spawn`.

How many schedules a random search takes is chance, so each cell is measured with `--draws` seeds, ours too;
those of what draws nothing differ in time only. What is shown is the median draw, a draw that did not find
counting as slower than any that did: a program is found if more than half of the draws find it.

Below the table stands, for each of them, how many bugs it found; and how our time, to the least and to the
first failing schedule, compares with its time where both found: the median of the ratios, how many programs
of a hundred are at most 1, the greatest. The same is said beside the faster of the two as they come (dpor,
walk), and beside the fastest of all, which nobody knows beforehand. Seconds are those of the processor, since
a busy machine spoils others. A false pass is the word "holds", or our "exhausted", in any draw, for a program
that has the bug; with `--twins` the repaired twins are run too, and a find there is a false alarm.

frontrun's granularity is the opcode (random) or the conflicting access and the lock (dpor); ours the access
that two threads share. frontrun runs under its command, as it asks for, and with `reproduce_on_failure=0`, so
that its seconds are not those of replays. interleave-test says "not found" where nothing was.

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
import math
import re
import statistics
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
INTERLEAVE_TEST = "interleave-test==0.1.0"
INTERLEAVED = {"pct": "pct", "walk": "random"}
"""The strategies of interleave-test."""
DRAWING = {"random", *INTERLEAVED}
"""What finds or does not by chance."""
AS_THEY_COME = ("dpor", "walk")
"""What each of the others does where no strategy is named."""
GOALS = (1.0, 80, 3.0)
"""Beside the faster one: the median of the ratios, programs of a hundred that are at most 1, the greatest."""
BY_NAME = {program.name: program for program in PROGRAMS}
FILES = {module.__file__ for module in (bench, *MODULES)}
"""Where an exception of a program is raised, and none of frontrun's own."""
ROW = "{:34} | {:8} {:>9} {:>8} {:>8} {:>11} {:>8}"
BESIDE = " | {:13} {:13} {:>5} {:>9} {:>8} {:>8}"


# -- one measurement, in a process of its own
# --------------------------------------------------------------------------------------------------


def switches(threads: Sequence[object]) -> int:
    return sum(one != other for one, other in itertools.pairwise(threads))


def ours(name: str, mode: str, seconds_max: float, seed: int, *, fixed: bool) -> dict[str, Any]:
    from simulations.live.threads import explore

    made = BY_NAME[name].make(fixed)
    options = {} if mode == "ours, least" else {"minimise_max": 0}
    started = time.process_time()
    result = explore(
        made.setup,
        made.workers,
        made.check,
        max_schedules=SCHEDULES_MAX,
        seed=seed,
        seconds=seconds_max,
        **options,
    )
    seconds = time.process_time() - started
    shown = re.findall(r"Note over (T\d+)", result.mermaid)
    return {
        "verdict": result.verdict,
        "schedules": result.schedules,
        "seconds": seconds,
        "preemptions": result.preemptions,
        "switches": switches(shown) if shown else None,
    }


def theirs(name: str, mode: str, seconds_max: float, seed: int, *, fixed: bool) -> dict[str, Any]:
    import frontrun

    made = BY_NAME[name].make(fixed)
    check = made.check or (lambda _: True)
    calls = []

    def setup():
        calls.append(1)
        return made.setup()

    options = MODES[mode] | ({"seed": seed} if mode == "random" else {})
    started = time.process_time()
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
        seconds = time.process_time() - started
        last = traceback.extract_tb(error.__traceback__)[-1]
        if last.filename not in FILES:
            raise
        return {"verdict": "found, raised", "schedules": len(calls), "seconds": seconds}
    seconds = time.process_time() - started
    verdict = {True: "holds", False: "found", None: "inconclusive"}[result.property_holds]
    found = {"verdict": verdict, "schedules": result.num_explored, "seconds": seconds}
    if result.counterexample is not None:
        count = switches(result.counterexample)
        found["switches"] = f"<={count}" if mode == "random" else count
    return found


def interleaved(name: str, mode: str, seconds_max: float, seed: int, *, fixed: bool) -> dict[str, Any]:
    import interleave_test

    made = BY_NAME[name].make(fixed)

    def model():
        state = made.setup()
        tasks = [interleave_test.spawn(worker, state) for worker in made.workers.values()]
        for task in tasks:
            task.join()
        if made.check is not None and not made.check(state):
            raise AssertionError

    started = time.process_time()
    result = interleave_test.explore(
        model,
        iterations=SCHEDULES_MAX,
        seed=seed,
        strategy=INTERLEAVED[mode],
        timeout=seconds_max,
        raise_on_failure=False,
    )
    seconds = time.process_time() - started
    found = {"verdict": "not found", "schedules": result.schedules_run, "seconds": seconds}
    if result.failure is not None:
        found |= {"verdict": "found", "switches": switches(result.failure.schedule.choices)}
    return found


# -- the table
# --------------------------------------------------------------------------------------------------


def measured(
    name: str, mode: str, options: argparse.Namespace, *, seed: int = 0, fixed: bool = False
) -> dict[str, Any]:
    """Measure in a fresh process, which says what came of it in the last line that it prints."""
    wrapper = ["-m", "frontrun.cli", sys.executable] if mode in MODES else []
    twin = ["--fixed"] if fixed else []
    arguments = ["--measure", mode, "--programs", name]
    limits = ["--seconds-max", str(options.seconds_max), "--seed", str(seed)]
    command = [sys.executable, *wrapper, "-m", __spec__.name, *arguments, *limits, *twin]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=options.seconds_max + GRACE)
    except subprocess.TimeoutExpired:
        return {"verdict": "time"}
    if done.returncode != 0 or not done.stdout:
        sys.stderr.write(f"{name}, {mode}: exit code {done.returncode}\n{done.stderr[-2000:]}\n")
        return {"verdict": "error"}
    return json.loads(done.stdout.splitlines()[-1])


def drawn(name: str, mode: str, options: argparse.Namespace) -> dict[str, Any]:
    """Measure with several seeds, until it is known what the median is; return that, and what all were."""
    draws: list[dict[str, Any]] = []
    missed = 0
    for seed in range(options.seed, options.seed + options.draws):
        draws.append(measured(name, mode, options, seed=seed))
        missed += not finds(draws[-1])
        if missed > options.draws // 2 or (missed and mode not in DRAWING):
            break
    draws.sort(key=lambda found: (not finds(found), found.get("seconds", math.inf)))
    middle = draws[-1] if missed > options.draws // 2 else draws[len(draws) // 2]
    share = f"{len(draws) - missed}/{len(draws)}"
    return middle | {"share": share, "verdicts": [found["verdict"] for found in draws]}


def cells(found: dict[str, Any], *names: str) -> Iterable[str]:
    for name in names:
        value = found.get(name)
        yield "-" if value is None else f"{value:.4f}" if isinstance(value, float) else str(value)


Measured = dict[str, dict[str, dict[str, Any]]]
"""By the program and the mode."""


def print_rows(name: str, modes: Sequence[str], options: argparse.Namespace, all_of: Measured) -> None:
    first, least = drawn(name, "ours", options), drawn(name, "ours, least", options)
    all_of[name] = {"ours": least | {"first": first.get("seconds", math.inf)}}
    until, end = cells(first, "verdict", "schedules", "seconds"), cells(least, "seconds")
    row = ROW.format(name, *until, *end, *cells(least, "preemptions", "switches"))
    for mode in modes:
        found = all_of[name][mode] = drawn(name, mode, options)
        beside = cells(found, "verdict", "share", "schedules", "seconds", "switches")
        sys.stdout.write(row + BESIDE.format(mode, *beside) + "\n")
        row = ROW.format(*[""] * 7)
    if not modes:
        sys.stdout.write(row + "\n")
    sys.stdout.flush()


def finds(found: dict[str, Any]) -> bool:
    return found["verdict"].startswith("found")


def print_totals(modes: Sequence[str], options: argparse.Namespace, all_of: Measured) -> None:
    say = sys.stdout.write
    passes = {"holds", "exhausted"}
    for mode in ("ours", *modes):
        results = [found[mode] for found in all_of.values()]
        alarms = "not tried"
        if options.twins:
            twin = "ours, least" if mode == "ours" else mode
            alarms = str(sum(finds(measured(name, twin, options, fixed=True)) for name in all_of))
        say(
            f"{mode}: found {sum(map(finds, results))} of {len(results)}, false passes "
            f"{sum(not passes.isdisjoint(found['verdicts']) for found in results)}, false alarms {alarms}\n"
        )
    as_they_come = tuple(mode for mode in AS_THEY_COME if mode in modes)
    sides = {mode: (mode,) for mode in modes} | {"the faster as they come": as_they_come}
    for title, several in (sides | {"the fastest of all": tuple(modes)}).items():
        for until in ("least", "first"):
            say(beside_them(title, several, until, all_of))


def beside_them(title: str, several: Sequence[str], until: str, all_of: Measured) -> str:
    """Return how our time compares with that of the fastest of several, where both found."""
    ratios = []
    for found in all_of.values():
        theirs = [found[mode]["seconds"] for mode in several if finds(found[mode])]
        if theirs and finds(found["ours"]):
            ours = found["ours"]["seconds" if until == "least" else "first"]
            ratios.append(ours / max(min(theirs), 1e-4))
    if not ratios:
        return ""
    share = 100 * sum(ratio <= 1 for ratio in ratios) // len(ratios)
    median, greatest = statistics.median(ratios), max(ratios)
    met = median <= GOALS[0] and share >= GOALS[1] and greatest <= GOALS[2]
    goal = f" (goals {'met' if met else 'not met'})" if len(several) > 1 else ""
    return (
        f"our time to the {until} over that of {title}, {len(ratios)} programs: median {median:.2f}, "
        f"at most 1 in {share} %, greatest {greatest:.1f}{goal}\n"
    )


def positive(text: str) -> float:
    value = float(text)
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"{text} is not a number of seconds above 0")
    return value


def odd(text: str) -> int:
    value = int(text)
    if value < 1 or value % 2 == 0:
        raise argparse.ArgumentTypeError(f"{text} is not an odd number from 1")
    return value


def main() -> None:
    description, _, rest = (__doc__ or "").partition("\n")
    parser = argparse.ArgumentParser(
        description=description, epilog=rest, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--programs", nargs="+", metavar="NAME", choices=["all", *sorted(BY_NAME)], default=SMALL
    )
    parser.add_argument("--seconds-max", type=positive, default=20, metavar="S", help="for each cell")
    parser.add_argument("--seed", type=int, default=0, help="the first seed")
    parser.add_argument("--draws", type=odd, default=5, help="with how many seeds, an odd number")
    parser.add_argument("--twins", action="store_true", help="count false alarms on the repaired twins")
    known = ["ours", "ours, least", *MODES, *INTERLEAVED]
    parser.add_argument("--measure", choices=known, help=argparse.SUPPRESS)
    parser.add_argument("--fixed", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        name, limits = options.programs[0], (options.seconds_max, options.seed)
        if options.measure in MODES:
            found = theirs(name, options.measure, *limits, fixed=options.fixed)
        elif options.measure in INTERLEAVED:
            found = interleaved(name, options.measure, *limits, fixed=options.fixed)
        else:
            found = ours(name, options.measure, *limits, fixed=options.fixed)
        sys.stdout.write(json.dumps(found) + "\n")
        return
    modes = list(MODES) if importlib.util.find_spec("frontrun") else []
    if not modes:
        sys.stdout.write(f"frontrun is not installed: `pip install {FRONTRUN}` for its rows.\n")
    if importlib.util.find_spec("interleave_test"):
        modes += INTERLEAVED
    else:
        sys.stdout.write(f"interleave-test is not: `pip install {INTERLEAVE_TEST}` from Python 3.12 on.\n")
    head = ROW.format("program", "ours", "schedules", "s first", "s least", "preemptions", "switches")
    beside = BESIDE.format("beside", "verdict", "found", "schedules", "s", "switches") if modes else ""
    sys.stdout.write(f"{head}{beside}\n")
    all_of: Measured = {}
    for name in sorted(BY_NAME) if "all" in options.programs else options.programs:
        print_rows(name, modes, options, all_of)
    print_totals(modes, options, all_of)


if __name__ == "__main__":
    main()
