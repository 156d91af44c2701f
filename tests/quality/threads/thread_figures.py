"""The figures of the guide: every program of the bench with 20 seeds, every twin for 3000 schedules.

Run it with `python -m tests.quality.threads.thread_figures`; it takes some minutes. Where frontrun is installed
(`pip install frontrun==0.7.0`), it is run on the same programs beside it.
"""

import argparse
import importlib.util
import statistics
import time

from simulations.threads import explore
from tests.quality.threads.thread_programs import PROGRAMS


def figures_of(program, seeds, twin_schedules):
    made = program.make(False)
    needed, preemptions, seconds = [], set(), []
    least = True
    for seed in range(seeds):
        started = time.perf_counter()
        result = explore(made.setup, made.workers, made.check, seed=seed)
        seconds.append(time.perf_counter() - started)
        if result.found:
            needed.append(result.schedules)
            preemptions.add(result.preemptions)
            least = least and result.minimality.startswith("least")
    twin = program.make(True)
    repaired = explore(twin.setup, twin.workers, twin.check, max_schedules=twin_schedules)
    print(
        f"{program.name:45} found {len(needed):2}/{seeds}  schedules {statistics.median(needed or [0]):5.0f} "
        f"(max {max(needed or [0])})  preemptions {sorted(preemptions)} {'least' if least else 'not confirmed'}  "
        f"{statistics.median(seconds):6.2f} s  twin: {repaired.verdict} after {repaired.schedules}",
        flush=True,
    )


def frontrun_on(program):
    """Return what frontrun's own exploration of the same program says, and how long it took."""
    from frontrun import explore_interleavings

    made = program.make(False)
    started = time.perf_counter()
    result = explore_interleavings(
        setup=made.setup,
        threads=list(made.workers.values()),
        invariant=lambda state: made.check is None or made.check(state) is not False,
        max_attempts=1_000,
    )
    return result, time.perf_counter() - started


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--twins", type=int, default=3_000)
    parser.add_argument("names", nargs="*")
    options = parser.parse_args()
    for program in PROGRAMS:
        if options.names and program.name not in options.names:
            continue
        figures_of(program, options.seeds, options.twins)
        if importlib.util.find_spec("frontrun") is not None:
            print("    frontrun:", *frontrun_on(program))


if __name__ == "__main__":
    main()
