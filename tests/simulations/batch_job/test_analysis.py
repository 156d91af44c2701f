import math

import pytest

from simulations.batch_job.analysis import (
    checkpointed_wall,
    daly_interval,
    erlang_c,
    exact_interval,
    graham_bounds,
    graham_tight,
    mmc_wait,
    random_phase_sweep,
    restart_wall,
    weekly_sweep_wall,
    young_interval,
)
from simulations.batch_job.kernel import kernel
from simulations.batch_job.restarts import wall_time
from simulations.batch_job.workload import Bulk
from simulations.errors import LabError

HOUR = 60.0


def test_72_hours_of_work_with_a_mean_life_of_72_hours_take_124_from_scratch():
    assert restart_wall(72, 72) == pytest.approx(72 * (math.e - 1))
    assert restart_wall(72, 72) == pytest.approx(123.7, abs=0.05)


def test_and_76_with_checkpoints_of_five_minutes():
    interval = daly_interval(5 / 60, 72)
    assert interval == pytest.approx(3.41, abs=0.01)
    assert checkpointed_wall(72, interval, 5 / 60, 72, restart=0.25) == pytest.approx(75.8, abs=0.1)


@pytest.mark.parametrize(("mean", "minutes"), [(24 * HOUR, 117), (6 * HOUR, 57), (15, 9.1)])
def test_the_exact_optimum_is_what_daly_published(mean, minutes):
    # Daly 2006, captions of the figures: checkpoints of 5 minutes, restarts of 10, 500 hours of work.
    assert exact_interval(5, mean) == pytest.approx(minutes, rel=0.01)


@pytest.mark.parametrize("mean", [24 * HOUR, 6 * HOUR, HOUR])
def test_daly_is_closer_to_the_optimum_than_young_and_no_neighbour_is_better(mean):
    best = exact_interval(5, mean)
    assert abs(daly_interval(5, mean) - best) < abs(young_interval(5, mean) - best)
    least = checkpointed_wall(100, best, 5, mean)
    assert all(checkpointed_wall(100, best * factor, 5, mean) > least for factor in (0.9, 0.99, 1.01, 1.1))


def test_where_a_checkpoint_costs_twice_the_mean_life_the_interval_is_the_mean_life():
    assert daly_interval(30, 15) == 15


def test_one_server_waits_as_the_textbook_says():
    assert erlang_c(1, 0.8) == pytest.approx(0.8)
    assert mmc_wait(1, 0.8, 1) == pytest.approx(4)


def test_four_servers_wait_as_the_textbook_says():
    # Erlang's C for 4 servers and a load of 3.2: 0.5964; for 2 servers and a load of 1: 1/3.
    assert erlang_c(2, 1) == pytest.approx(1 / 3)
    assert erlang_c(4, 3.2) == pytest.approx(0.5964, abs=1e-4)


def test_grahams_tight_instance_reaches_the_bound_and_the_best_order_does_not():
    for workers in (2, 3, 8):
        times = graham_tight(workers)
        none = (0,) * len(times)
        worst = kernel(Bulk(times, none, none), range(len(times)), workers, 1)
        turned = times[::-1]
        best = kernel(Bulk(turned, none, none), range(len(times)), workers, 1)
        assert worst is not None
        assert best is not None
        assert worst.makespan_ms == graham_bounds(times, workers).high == 2 * workers - 1
        assert best.makespan_ms == graham_bounds(times, workers).low == workers


def test_a_sweep_with_a_random_phase_kills_a_first_run_as_often_as_the_job_is_long():
    odds = random_phase_sweep(72, 168)
    assert odds.first_dies == pytest.approx(72 / 168)
    assert odds.wall == pytest.approx(72 + 72 * 72 / 336)


def test_launched_each_friday_against_a_monday_sweep_it_is_never_done():
    assert weekly_sweep_wall(72, 70, 168, relaunch=lambda death: death + 98) is None


def test_launched_again_at_once_it_is_done_before_the_next_monday():
    assert weekly_sweep_wall(72, 70, 168, relaunch=lambda death: death) == 142


def test_formulas_with_a_mean_life_are_wrong_against_a_calendar():
    # One sweep a week is a mean life of 168 hours to whoever counts kills.
    believed = restart_wall(72, 168)
    assert believed == pytest.approx(89.9, abs=0.1)
    assert wall_time(72, iter([70.0, 168.0])) == weekly_sweep_wall(72, 70, 168, lambda death: death) == 142
    assert wall_time(72, iter([98.0, 168.0])) == 72
    assert weekly_sweep_wall(72, 70, 168, relaunch=lambda death: death + 98) is None


@pytest.mark.parametrize(
    ("ask", "arguments"),
    [
        (restart_wall, (0, 72)),
        (restart_wall, (72, math.inf)),
        (restart_wall, (72, 72, -1)),
        (young_interval, (-5, 72)),
        (daly_interval, (5, 0)),
        (erlang_c, (0, 1)),
        (erlang_c, (4, 4)),
        (graham_bounds, ([], 4)),
        (random_phase_sweep, (200, 168)),
        (wall_time, (0, iter(()))),
    ],
)
def test_what_makes_no_sense_is_refused(ask, arguments):
    with pytest.raises(LabError):
        ask(*arguments)
