import itertools

import pytest

from simulations.batch_job.restarts import wall_time
from simulations.errors import LabError


def test_a_job_that_nobody_kills_takes_its_work_and_its_checkpoints():
    assert wall_time(72, iter(())) == wall_time(72, iter(()), restart=5) == 72
    assert wall_time(72, iter(()), interval=10, cost=1) == 72 + 8


def test_a_kill_loses_everything_without_checkpoints():
    assert wall_time(72, iter([70.0])) == 70 + 72
    assert wall_time(72, iter([70.0]), restart=5) == 70 + 5 + 72


def test_and_what_was_not_saved_with_them():
    assert wall_time(72, iter([70.5]), interval=10, cost=1) == 70.5 + (72 - 60) + 2


def test_a_restart_can_be_killed_too():
    assert wall_time(10, iter([4.0, 1.0]), restart=3) == 4 + 1 + 3 + 10


def test_a_job_that_is_never_done_is_given_up():
    with pytest.raises(LabError, match="killed 50 times and is not done"):
        wall_time(72, itertools.repeat(70.0), deaths_max=50)
