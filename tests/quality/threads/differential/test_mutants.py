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
    """Yield random programs and regressions in turn, the regressions about primitives and threads first."""
    chance = Random(0)
    for number in range(PROGRAMS_MAX):
        yield decoded(chance.randbytes(150), 8)
        if number < len(REGRESSIONS):
            yield REGRESSIONS[-1 - number].program


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
