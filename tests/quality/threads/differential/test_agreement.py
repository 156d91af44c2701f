"""The explorer agrees with the interpreter on random programs, in every layout.

Nothing is shrunk here, since that takes minutes; `python -m tests.quality.threads.differential` does it.
"""

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.quality.threads.differential.compare import compare
from tests.quality.threads.differential.programs import programs
from tests.quality.threads.differential.source import LAYOUTS, render

PROGRAMS = 100
STEPS_MAX = 8
SCHEDULES_MAX = 200
SECONDS_MAX = 1.0


@settings(
    max_examples=PROGRAMS,
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.generate],
)
@given(programs(STEPS_MAX), st.sampled_from(LAYOUTS))
def test_exhaustive_exploration_sees_exactly_the_reachable_ends(program, layout):
    outcome = compare(program, layout, schedules_max=SCHEDULES_MAX, seconds_max=SECONDS_MAX)
    source = render(program, layout)
    assert not outcome.verdict.wrong, (
        f"{outcome.verdict.value}: {outcome.detail}\n{source.library}{source.main}"
    )
