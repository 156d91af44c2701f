"""The figures of the guide: every program of the bench with 20 seeds, every twin for 3000 schedules.

Run it with `python -m tests.quality.threads.thread_figures`; it takes some minutes.
"""

import argparse
import statistics
import sys
import time

from simulations.live.threads import explore
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
    sys.stdout.write(
        f"{program.name:45} found {len(needed):2}/{seeds}  schedules {statistics.median(needed or [0]):5.0f} "
        f"(max {max(needed or [0])})  preemptions {sorted(preemptions)} "
        f"{'least' if least else 'not confirmed'}  "
        f"{statistics.median(seconds):6.2f} s  "
        f"twin: {repaired.verdict} after {repaired.schedules}\n"
    )
    sys.stdout.flush()


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


if __name__ == "__main__":
    main()
