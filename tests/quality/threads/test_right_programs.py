"""Programs that are right are proved right at default budgets, where a person would expect it."""

import pytest

from simulations.live.threads import explore
from tests.quality.threads.right_programs import RIGHT

DEAR = {"pool_with_a_semaphore", "executor_with_three_tasks"}
"""Programs that take hundreds of schedules; `python -m tests.benchmarks.reduction_table` proves them."""


def test_their_names_differ():
    assert len({program.name for program in RIGHT}) == len(RIGHT)
    assert {program.name for program in RIGHT} > DEAR


@pytest.mark.parametrize(
    "program", [program for program in RIGHT if program.name not in DEAR], ids=lambda program: program.name
)
def test_is_proved_right(program):
    result = explore(program.setup, program.workers, program.check)
    assert result.verdict == "exhausted", str(result)
    assert not result.coverage.vacuous
