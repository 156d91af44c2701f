"""What is known exactly, or by formula, about jobs that die: a simulation must agree with it.

All times are in one unit of the caller's choice. Failures are exponential with a mean life `mean` unless a
function says otherwise. Where nothing is random there is no mean life, and these formulas are wrong: see
`weekly_sweep_wall`.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final, NamedTuple

from simulations.errors import LabError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = [
    "checkpointed_wall",
    "daly_interval",
    "graham_bounds",
    "mmc_wait",
    "random_phase_sweep",
    "restart_wall",
    "weekly_sweep_wall",
]

_BISECTIONS: Final = 200


def _positive(**values: float) -> None:
    for name, value in values.items():
        if not (value > 0 and math.isfinite(value)):
            raise LabError(f"{name} must be a finite number above 0, not {value!r}")


def restart_wall(work: float, mean: float, restart: float = 0.0) -> float:
    """Return the expected time until a job that starts from scratch after each failure is done.

    `mean * e^(restart/mean) * (e^(work/mean) - 1)`; that of `checkpointed_wall` with one interval as long as
    the job and no checkpoint.

    Args:
        work: How long the job runs if nothing fails.
        mean: The mean time to failure.
        restart: What a failure costs before the work starts again; it can fail as well.

    Raises:
        LabError: a time is not positive.
    """
    return checkpointed_wall(work, work, 0.0, mean, restart)


def checkpointed_wall(work: float, interval: float, cost: float, mean: float, restart: float = 0.0) -> float:
    """Return the expected time until a job that checkpoints is done.

    `mean * e^(restart/mean) * (e^((interval + cost)/mean) - 1) * work/interval`: J. T. Daly, "A higher order
    estimate of the optimum checkpoint interval for restart dumps", Future Generation Computer Systems 22,
    2006.

    Args:
        work: How long the job runs if nothing fails and nothing is saved.
        interval: The work between two checkpoints.
        cost: How long a checkpoint takes.
        mean: The mean time to failure.
        restart: What a failure costs before the work goes on.

    Raises:
        LabError: a time is not positive.
    """
    _positive(work=work, interval=interval, mean=mean)
    if min(cost, restart) < 0:
        raise LabError(f"cost and restart must be 0 or more, not {cost!r} and {restart!r}")
    return mean * math.exp(restart / mean) * math.expm1((interval + cost) / mean) * work / interval


def young_interval(cost: float, mean: float) -> float:
    """Return the first-order optimum, `sqrt(2 cost mean)`.

    J. W. Young, "A first order approximation to the optimum checkpoint interval", CACM 17 (1974).

    Raises:
        LabError: a time is not positive.
    """
    _positive(cost=cost, mean=mean)
    return math.sqrt(2 * cost * mean)


def daly_interval(cost: float, mean: float) -> float:
    """Return Daly's estimate of the best interval.

    Equation 37 of the paper named at `checkpointed_wall`; the mean life itself where a checkpoint costs twice
    as much or more.

    Raises:
        LabError: a time is not positive.
    """
    _positive(cost=cost, mean=mean)
    if cost >= 2 * mean:
        return mean
    ratio = cost / (2 * mean)
    return math.sqrt(2 * cost * mean) * (1 + math.sqrt(ratio) / 3 + ratio / 9) - cost


def exact_interval(cost: float, mean: float) -> float:
    """Return the interval at which `checkpointed_wall` is least: `mean * (1 + W0(-e^(-cost/mean - 1)))`.

    W0 is the main branch of Lambert's function; it is found here by bisection, since `x = interval/mean`
    solves `(1 - x) e^x = e^(-cost/mean)` between 0 and 1, where the left side falls.

    Raises:
        LabError: a time is not positive.
    """
    _positive(cost=cost, mean=mean)
    wanted = math.exp(-cost / mean)
    low, high = 0.0, 1.0
    for _ in range(_BISECTIONS):
        middle = (low + high) / 2
        if (1 - middle) * math.exp(middle) > wanted:
            low = middle
        else:
            high = middle
    return mean * low


def erlang_c(servers: int, load: float) -> float:
    """Return the probability that a customer of an M/M/c queue has to wait.

    Args:
        servers: The number of servers, from 1.
        load: The arrival rate times the mean service time; below `servers`.

    Raises:
        LabError: the queue would grow without end.
    """
    if servers < 1 or not 0 < load < servers:
        raise LabError(f"the load must be above 0 and below the {servers} servers, not {load!r}")
    blocked = 1.0
    for busy in range(1, servers + 1):
        blocked = load * blocked / (busy + load * blocked)
    return blocked / (1 - load / servers * (1 - blocked))


def mmc_wait(servers: int, arrivals: float, service: float) -> float:
    """Return the mean wait in an M/M/c queue.

    Args:
        servers: The number of servers, from 1.
        arrivals: Customers in a unit of time.
        service: The mean service time.

    Raises:
        LabError: the queue would grow without end.
    """
    load = arrivals * service
    return erlang_c(servers, load) * service / (servers - load)


class Bounds(NamedTuple):
    """What the makespan of a list schedule lies between."""

    low: float
    high: float


def graham_bounds(times: Sequence[float], workers: int) -> Bounds:
    """Return the bounds on the makespan of any list schedule.

    At least the mean load and the longest test; at most `sum/workers + (1 - 1/workers) * longest`, and so at
    most `2 - 1/workers` times the best. R. L. Graham, "Bounds for certain multiprocessing anomalies", Bell
    System Technical Journal 45 (1966).

    Raises:
        LabError: there is no test or no worker.
    """
    if not times or workers < 1:
        raise LabError(f"bounds need at least one test and one worker, not {len(times)} and {workers}")
    share, longest = math.fsum(times) / workers, max(times)
    return Bounds(max(share, longest), share + (1 - 1 / workers) * longest)


def graham_tight(workers: int) -> tuple[int, ...]:
    """Return tests in an order in which their list schedule takes `2 - 1/workers` times the best."""
    return (1,) * (workers * (workers - 1)) + (workers,)


class Odds(NamedTuple):
    """What a sweep that comes once a period does to a job."""

    wall: float
    first_dies: float


def random_phase_sweep(work: float, period: float) -> Odds:
    """Return the expected time until the job is done, and the probability that its first run dies.

    The sweep comes once a period and kills what it finds. The launch falls anywhere in the period with equal
    probability, and a rerun starts at once, hence just after a sweep: `work + work^2 / (2 period)`.

    Args:
        work: How long the job runs; at most `period`.
        period: The time between two sweeps.

    Raises:
        LabError: the job is longer than a period: it never ends.
    """
    _positive(work=work, period=period)
    if work > period:
        raise LabError(f"a job of {work} never ends under a sweep each {period}")
    return Odds(work + work * work / (2 * period), work / period)


def weekly_sweep_wall(
    work: float, age_at_sweep: float, period: float, relaunch: Callable[[float], float]
) -> float | None:
    """Return the time until a job is done under a sweep by the calendar; None if it never is.

    There is nothing random in it, which is why the formulas with a mean life are wrong here.

    Args:
        work: How long the job runs.
        age_at_sweep: How old the job is when the first sweep comes.
        period: The time between two sweeps.
        relaunch: From the time of death, counted from the first launch, to that of the next launch.
    """
    start, sweep = 0.0, age_at_sweep
    phases: set[float] = set()
    while True:
        if start + work <= sweep:
            return start + work
        start = relaunch(sweep)
        while sweep <= start:
            sweep += period
        phase = round(sweep - start, 9)
        if phase in phases:
            return None
        phases.add(phase)
