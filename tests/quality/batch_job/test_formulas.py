"""Every formula of `simulations.batch_job.analysis` inside the interval of a simulation.

Null hypothesis of each test: the simulated mean is what the formula says. It is rejected where the mean lies
more than four standard errors away, which happens by chance in 1 of 15,000 comparisons, hence to one of the
21 here in 1 of 700 choices of seeds. The seeds are fixed, and each comparison has streams of its own. Each
test also shows its power: a formula that is off by what is named there is rejected on the same sample.
"""

import itertools
import math
from statistics import fmean, stdev

import pytest

from simulations.batch_job.analysis import (
    checkpointed_wall,
    daly_interval,
    graham_bounds,
    mmc_wait,
    random_phase_sweep,
    restart_wall,
)
from simulations.batch_job.database import waits
from simulations.batch_job.environment import AILMENTS, CHANCES, LAUNCHES, LIFE
from simulations.batch_job.kernel import schedule
from simulations.batch_job.restarts import wall_time
from simulations.batch_job.system import run
from simulations.batch_job.variants import AS_SHIPPED
from simulations.batch_job.workload import HOUR_MS, Bulk, Job
from simulations.choices import random, substream

ERRORS = 4


def _lives(draw, mean):
    while True:
        yield -mean * math.log(1 - draw.random())


def _within(sample, value):
    return abs(fmean(sample) - value) <= ERRORS * stdev(sample) / math.sqrt(len(sample))


@pytest.mark.parametrize(("mean", "restart"), [(72, 0), (72, 4), (150, 0), (150, 4)])
def test_restart_from_scratch(mean, restart):
    draw = substream(5, f"restart from scratch {mean} {restart}")
    sample = [wall_time(72, _lives(draw, mean), restart=restart) for _ in range(6_000)]
    expected = restart_wall(72, mean, restart)
    assert _within(sample, expected)
    assert not _within(sample, 1.06 * expected)
    assert not _within(sample, 0.94 * expected)


@pytest.mark.parametrize(
    ("mean", "interval", "restart"), [(72, 3.41, 0.25), (24, 1.95, 0.25), (24, 6, 0.25), (12, 0.5, 1)]
)
def test_checkpoints(mean, interval, restart):
    draw = substream(5, f"checkpoints {mean} {interval} {restart}")
    cost, work = 5 / 60, 24 * interval  # whole intervals, as the formula has it
    sample = [
        wall_time(work, _lives(draw, mean), restart=restart, interval=interval, cost=cost)
        for _ in range(2_000)
    ]
    expected = checkpointed_wall(work, interval, cost, mean, restart)
    assert _within(sample, expected)
    assert not _within(sample, 1.05 * expected)


def test_the_best_interval_beats_a_third_and_the_threefold_of_it():
    mean, cost = 12, 5 / 60
    best = daly_interval(cost, mean)
    means = []
    for factor in (1, 1 / 3, 3):
        draw = substream(5, f"intervals {factor}")
        work = 72
        sample = [
            wall_time(work, _lives(draw, mean), interval=factor * best, cost=cost) for _ in range(2_000)
        ]
        means.append((fmean(sample), stdev(sample) / math.sqrt(len(sample))))
    (least, error), *others = means
    for other, its_error in others:
        assert other - least > ERRORS * math.hypot(error, its_error)


@pytest.mark.parametrize(("connections", "load"), [(1, 0.6), (4, 2.8), (20, 17)])
def test_the_connection_pool_is_an_m_m_c_queue(connections, load):
    # Independent replications, since waits in one queue are correlated; the first quarter of each is warm-up.
    sample = []
    for replication in range(60):
        draw = substream(5, f"pool {connections} {load} {replication}")
        gaps, holds = _lives(draw, 1 / load), _lives(draw, 1.0)
        waited = waits(itertools.islice(zip(gaps, holds, strict=False), 3_000), connections)
        sample.append(fmean(waited[750:]))
    expected = mmc_wait(connections, load, 1.0)
    assert _within(sample, expected)
    assert not _within(sample, 1.5 * expected)


def test_every_list_schedule_lies_within_grahams_bounds():
    # No chance of a false alarm: the bounds are a theorem.
    reached = 0
    for seed in range(300):
        draw = substream(seed, "graham")
        workers = draw.randrange(1, 9)
        times = [draw.randrange(1, 100) for _ in range(draw.randrange(1, 60))]
        none = [0] * len(times)
        makespan = schedule(Bulk(times, none, none), range(len(times)), workers, 1).makespan_ms
        low, high = graham_bounds(times, workers)
        assert low <= makespan + 1e-9
        assert makespan <= high + 1e-9
        reached += makespan > low + 0.5 * (high - low)
    assert reached >= 10  # the upper half of the interval is not a formality


def _under_a_weekly_sweep(draw):
    return wall_time(72, itertools.chain([168 * draw.random()], itertools.repeat(168.0)))


def test_a_sweep_with_a_random_phase():
    draw = substream(5, "random phase")
    sample = [_under_a_weekly_sweep(draw) for _ in range(8_000)]
    odds = random_phase_sweep(72, 168)
    died = [float(wall > 72) for wall in sample]
    assert _within(sample, odds.wall)
    assert _within(died, odds.first_dies)
    assert not _within(died, 1.1 * odds.first_dies)


def test_formulas_with_a_mean_life_are_rejected_against_a_calendar():
    draw = substream(5, "calendar against hazard")
    sample = [_under_a_weekly_sweep(draw) for _ in range(8_000)]
    assert not _within(sample, restart_wall(72, 168))
    assert _within(sample, random_phase_sweep(72, 168).wall)


def test_how_often_a_week_of_life_ends_at_hour_70():
    # Under the noise model of the scenario, exactly: launched in that slot, untagged, a sweep that acts, the
    # clocks unchanged, and no trouble before: nothing at the start but perhaps the one ailment that kills
    # nobody, nothing at hours 10 to 60. At hour 70 itself a spot reclaim and a budget give notice and come
    # too late; the other three causes meet the sweep in the same millisecond, and either is first.
    trouble = LIFE.rates["trouble"]
    nothing = 1 - trouble
    harmless = nothing + trouble / (len(AILMENTS) - 1)
    at_hour_70 = nothing + trouble * (2 + 3 / 2) / (len(CHANCES) - 1)
    unchanged = 1 - sum(LIFE.rates["clock"])
    expected = (
        LIFE.rates["owner_tag"]
        * LIFE.rates["sweep"]
        / len(LAUNCHES)
        * harmless
        * nothing**6
        * at_hour_70
        * unchanged
    )
    died = []
    for seed in range(20_000):
        last = run(AS_SHIPPED, Job(), random(LIFE, seed)).attempts[0]
        died.append(float(last.cause == "sweep" and last.end_ms - last.start_ms == 70 * HOUR_MS))
    assert _within(died, expected)
    assert not _within(died, 1.2 * expected)
