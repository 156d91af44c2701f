"""Where the code of the bench lives, and what things are called there, changes no verdict.

`python -m tests.quality.threads.layouts` tries the whole bench.
"""

import pytest

from tests.quality.threads.layouts import LAYOUTS, judged, programs_in
from tests.quality.threads.thread_programs import PROGRAMS

QUICK = ("account_transfer", "stack", "wrong_lock", "lock_order")


@pytest.fixture(scope="module")
def expected():
    return {program.name: judged(program, fixed=False) for program in PROGRAMS if program.name in QUICK}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_verdict_is_the_same_in_every_layout(layout, expected):
    programs = [program for program in programs_in(layout) if program.name in QUICK]
    assert {program.name: judged(program, fixed=False) for program in programs} == expected
    assert {one.verdict for one in expected.values()} == {"found"}
