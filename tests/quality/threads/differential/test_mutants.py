"""The differential test notices an explorer that is wrong."""

from random import Random

import pytest

from tests.quality.threads.differential.compare import compare
from tests.quality.threads.differential.mutants import MUTANTS
from tests.quality.threads.differential.programs import decoded
from tests.quality.threads.differential.regressions import REGRESSIONS
from tests.quality.threads.differential.source import LAYOUTS

PROGRAMS_MAX = 100
"""As many as the short form of the test tries."""
SCHEDULES_MAX = 200


def _programs():
    """Yield the regressions in an order in which each kind comes soon, then random programs."""
    chance = Random(0)
    yield from (regression.program for regression in chance.sample(REGRESSIONS, len(REGRESSIONS)))
    yield from (decoded(chance.randbytes(150), 8) for _ in range(PROGRAMS_MAX))


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.__name__)
def test_a_mutant_is_killed(mutant):
    for number, program in enumerate(_programs()):
        layout = LAYOUTS[number % len(LAYOUTS)]
        with mutant():
            outcome = compare(program, layout, schedules_max=SCHEDULES_MAX)
        # A program about which the explorer is wrong anyhow shows nothing.
        if outcome.verdict.wrong and not compare(program, layout, schedules_max=SCHEDULES_MAX).verdict.wrong:
            return
    pytest.fail("no program showed it")
