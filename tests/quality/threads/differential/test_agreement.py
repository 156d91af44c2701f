"""The explorer agrees with the interpreter on random programs, in every layout.

`python -m tests.quality.threads.differential` tries as many as there is time for.
"""

import pytest

from tests.quality.threads.differential.campaign import SIZES, SMALL, Campaign
from tests.quality.threads.differential.compare import Verdict
from tests.quality.threads.differential.source import LAYOUTS, render

BATCH = len(SIZES) * len(LAYOUTS)
"""As many programs as there are pairs of a size and a layout."""
BATCHES = 2
SCHEDULES_MAX = 200
GAVE_UP_MAX = 4
SMALL_EVERY = 41
SMALL_SCHEDULES_MAX = 1_500
CAMPAIGN = Campaign(seed=0, schedules_max=SCHEDULES_MAX, layouts=LAYOUTS, until=float("inf"))


@pytest.mark.parametrize("batch", range(BATCHES))
def test_exhaustive_exploration_sees_exactly_the_reachable_ends(batch):
    ended = []
    for number in range(batch * BATCH, (batch + 1) * BATCH):
        compared = CAMPAIGN.compared(number)
        if compared.outcome is None:
            continue
        outcome = compared.outcome
        ended.append(outcome.verdict)
        program, layout = CAMPAIGN.program(number)
        source = render(program, layout)
        assert not outcome.verdict.wrong, (
            f"number {number}, {outcome.verdict.value}: {outcome.detail}\n{source.library}{source.main}"
        )
    assert ended.count(Verdict.AGREED) >= BATCH - GAVE_UP_MAX


@pytest.mark.parametrize("number", range(0, len(SMALL), SMALL_EVERY))
def test_it_agrees_about_programs_of_the_small_scope(number):
    campaign = CAMPAIGN._replace(schedules_max=SMALL_SCHEDULES_MAX, small=True)
    outcome = campaign.compared(number).outcome
    assert not outcome.verdict.wrong, outcome.detail


def test_sizes_and_layouts_go_round():
    layouts = [CAMPAIGN.program(number)[1] for number in range(BATCH)]
    pairs = {(number % len(SIZES), layout) for number, layout in enumerate(layouts)}
    assert len(pairs) == BATCH
