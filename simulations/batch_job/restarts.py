"""A job that is killed now and then, and goes on: the smallest model that compares checkpoints, on SimPy.

It leaves tests, workers and platform out; the formulas in `simulations.batch_job.analysis` are about this
model, and a simulation of it must agree with them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import simpy

from simulations.errors import LabError

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

__all__ = ["wall_time"]


def wall_time(
    work: float,
    gaps: Iterator[float],
    *,
    restart: float = 0.0,
    interval: float = 0.0,
    cost: float = 0.0,
    deaths_max: int = 100_000,
) -> float:
    """Return how long it takes until a job is done that is killed now and then.

    Args:
        work: How long the job runs if it is not killed, above 0.
        gaps: The time to the first kill, then from each kill to the next; the killer does not look whether
            the job runs. When the iterator ends there are no more kills.
        restart: What a kill costs before the work goes on.
        interval: The work between two checkpoints; 0 means that every kill loses everything.
        cost: How long a checkpoint takes.
        deaths_max: How many kills are simulated before giving up.

    Raises:
        LabError: the job was still not done after `deaths_max` kills, or a time is out of range.
    """
    if work <= 0 or min(restart, interval, cost) < 0:
        raise LabError(
            f"work is above 0 and costs are not below: {work!r}, {restart!r}, {interval!r}, {cost!r}"
        )
    env = simpy.Environment()
    job = env.process(_job(env, work, restart, interval, cost))
    env.process(_killer(env, job, gaps, deaths_max))
    return float(env.run(until=job))  # type: ignore[arg-type]


def _job(
    env: simpy.Environment, work: float, restart: float, interval: float, cost: float
) -> Generator[simpy.Event, Any, float]:
    saved, killed = 0.0, False
    while saved < work:
        try:
            if killed and restart:
                yield env.timeout(restart)
            killed = False
            step = min(interval or work, work - saved)
            yield env.timeout(step + cost)
            saved += step
        except simpy.Interrupt:
            killed = True
    return float(env.now)


def _killer(
    env: simpy.Environment, job: simpy.Process, gaps: Iterator[float], deaths_max: int
) -> Generator[simpy.Event, Any, None]:
    for deaths, gap in enumerate(gaps):
        yield env.timeout(gap)
        if not job.is_alive:
            return
        if deaths >= deaths_max:
            raise LabError(f"the job was killed {deaths_max} times and is not done; it may never be")
        job.interrupt("killed")
