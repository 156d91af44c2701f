"""How a campaign scales on a cluster: a queueing model, its figures, and what it is fed with.

`python -m tests.quality.method.cluster_scaling` prints the tables of docs/guide/cluster.md. With `--measure`
it first measures, on a cluster of this machine, what a chunk costs the scheduler and how many bytes it moves.

The model (SimPy): one scheduler, which spends `SCHEDULER_MS` on each chunk, in order of arrival, as Dask's is
one event loop; one client that sends chunks ahead, `AHEAD` for each worker, and takes results; workers that
each do one chunk at a time; a network in which a message takes `NETWORK_MS`. Workers die at a rate, and come
back after `RESTART_S`; the chunk that was lost goes back to the scheduler. What it leaves out: the bandwidth
of the network (see the bytes), the scheduler's slowing down as its lists grow, and the start of the workers.
"""

from __future__ import annotations

import argparse
import pickle
import sys
import time
from dataclasses import dataclass
from random import Random

import simpy

from scenarios.lab.method.campaign import campaign, code_stamp
from scenarios.lab.method.cluster import WAITING_PER_WORKER, _checked, cluster
from scenarios.lab.method.many_seeds import hunt_once

SCHEDULER_MS = 1.0
"""What Dask's scheduler spends on a task: "about 1 ms" of overhead a task (Dask documentation, "Best
Practices: Avoid Very Large Graphs"), the order of what `--measure` finds."""
NETWORK_MS = 0.5
"""A message within a data centre, with what serialises it."""
RESTART_S = 30.0
AHEAD = WAITING_PER_WORKER
CHUNKS_PER_WORKER = 20


@dataclass(frozen=True)
class Campaign:
    """What is simulated; times in seconds."""

    workers: int
    chunk_s: float
    scheduler_ms: float = SCHEDULER_MS
    deaths_per_worker_h: float = 0.0
    seed: int = 0


@dataclass(frozen=True)
class Outcome:
    """What came out.

    Attributes:
        speedup: The work that was done, in seconds of one worker, by the time that it took.
        scheduler_busy: The share of the time in which the scheduler was busy.
        done: How many chunks.
        lost: How many chunks were lost with their worker, and done again.
    """

    speedup: float
    scheduler_busy: float
    done: int
    lost: int


def simulate(asked: Campaign) -> Outcome:
    """Simulate a campaign of `CHUNKS_PER_WORKER` chunks for each worker."""
    env, rng = simpy.Environment(), Random(asked.seed)
    scheduler = simpy.Resource(env)
    ready = simpy.Store(env)
    results: list[int] = []
    busy = lost = 0.0
    chunks = asked.workers * CHUNKS_PER_WORKER
    todo = iter(range(chunks))
    over = env.event()

    def passes_the_scheduler():
        nonlocal busy
        with scheduler.request() as turn:
            yield turn
            # Half of what a chunk costs on its way to a worker, half on the way back.
            yield env.timeout(asked.scheduler_ms / 2000)
            busy += asked.scheduler_ms / 2000
        yield env.timeout(NETWORK_MS / 1000)

    def send():
        chunk = next(todo, None)
        if chunk is not None:
            yield from passes_the_scheduler()
            yield ready.put(chunk)

    def finish(chunk):
        yield from passes_the_scheduler()
        results.append(chunk)
        if len(results) == chunks:
            over.succeed()
        yield from send()

    def work():
        nonlocal lost
        rate_s = asked.deaths_per_worker_h / 3600
        while True:
            chunk = yield ready.get()
            lives_s = rng.expovariate(rate_s) if rate_s else float("inf")
            if lives_s < asked.chunk_s:
                yield env.timeout(lives_s)
                lost += 1
                yield ready.put(chunk)
                yield env.timeout(RESTART_S)
                continue
            yield env.timeout(asked.chunk_s)
            env.process(finish(chunk))

    for _ in range(min(chunks, asked.workers * AHEAD)):
        env.process(send())
    for _ in range(asked.workers):
        env.process(work())
    env.run(until=over)
    return Outcome(chunks * asked.chunk_s / env.now, busy / env.now, len(results), int(lost))


def bound(asked: Campaign) -> float:
    """Return what the speed-up cannot exceed: the workers, or the chunks that the scheduler passes."""
    return min(asked.workers, asked.chunk_s / (asked.scheduler_ms / 1000))


def message_bytes() -> tuple[int, int]:
    """Return the size of a chunk with its function, and of its result, as they are pickled."""
    chunk = {
        "source": "invalid-mode", "variant": "as-shipped", "seed": 123_456, "searcher": "hypothesis",
        "budget": None, "deviations": None,
    }  # fmt: skip
    result = hunt_once(chunk)
    return len(pickle.dumps((_checked, (hunt_once, chunk, code_stamp())))), len(pickle.dumps(result))


def nothing(chunk):
    """Take no time, so that what is measured is the way there and back."""
    return chunk


def measure() -> None:
    """Measure a cluster of this machine: chunks that take no time, CPU of this process and the scheduler."""
    with cluster("local:2") as pool:
        campaign(nothing, [*range(50)], pool=pool)
        count, cpu, began = 500, time.process_time(), time.monotonic()
        campaign(nothing, [*range(1000, 1000 + count)], pool=pool)
        spent, took = time.process_time() - cpu, time.monotonic() - began
        cpu = time.process_time()
        time.sleep(took)  # what a cluster costs that has nothing to do
        spent = (spent - (time.process_time() - cpu)) / count
    say(f"client and scheduler, in one process: {spent * 1000:.2f} ms of CPU a chunk ({count} chunks)")


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--measure", action="store_true")
    args = parser.parse_args()
    if args.measure:
        measure()
    sent, returned = message_bytes()
    say(f"a chunk of one hunt: {sent} bytes to the worker, {returned} bytes back (pickled)")
    say("workers | chunk of 0.1 s | 1 s | 10 s | 60 s  (speed-up; share of time the scheduler is busy)")
    for workers in (1, 10, 100, 1000):
        cells = []
        for chunk_s in (0.1, 1.0, 10.0, 60.0):
            out = simulate(Campaign(workers, chunk_s))
            cells.append(f"{out.speedup:.1f} ({out.scheduler_busy:.0%})")
        say(f"{workers} | {' | '.join(cells)}")
    say("1000 workers, chunks of 10 s, each worker lost N times an hour: speed-up, chunks done again")
    for deaths in (0.0, 0.1, 1.0, 10.0):
        out = simulate(Campaign(1000, 10.0, deaths_per_worker_h=deaths))
        say(f"{deaths:g} | {out.speedup:.0f} | {out.lost} of {out.done}")


if __name__ == "__main__":
    main()
