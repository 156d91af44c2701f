"""Fill the gaps: the pointer of the page is that of the world, and its counters follow the exact law."""

import pytest

from docs.play.python import gaps
from scenarios.truncated_pointer import SCENARIO
from simulations.address_space.space import GIB
from simulations.address_space.variants import FILL_LIMIT
from simulations.errors import LabError
from tests.docs.play.reading import Reading, natively
from tests.quality.address_space.sampling import agrees


@pytest.mark.parametrize("cut", gaps.CUTS)
@pytest.mark.parametrize("fill", [0, 3, 4, 8, 12, 16])
def test_the_line_gives_the_digest_that_the_page_shows(fill, cut):
    page = Reading(gaps.show({"fill": str(fill), "cut": cut}))
    assert page.digest == natively(page)


def test_the_filled_machine_of_the_scenario_is_one_of_the_settings():
    variant = SCENARIO.variant("filled")
    whole = SCENARIO.run(variant.system, gaps._DOCUMENT, gaps.drawn(gaps._OLD_PATH))
    page = Reading(gaps.show({"fill": str(FILL_LIMIT * 2 // GIB)}))
    assert page.digest == whole.trace.digest()
    assert "crashes" in page.says[0]


@pytest.mark.parametrize(("cut", "first"), [("signed-32", 4), ("unsigned-32", 8), ("none", None)])
def test_a_cut_shows_as_soon_as_what_it_cannot_hold_is_full(cut, first):
    wrong = [fill for fill in range(gaps.FILLS_MAX + 1) if gaps.opened(fill, cut).outcome != "right"]
    assert wrong == ([] if first is None else list(range(first, gaps.FILLS_MAX + 1)))


@pytest.mark.parametrize("cut", gaps.CUTS)
@pytest.mark.parametrize("low", [0, 4, 8, 15])
def test_the_counters_agree_with_the_law_beside_them(low, cut):
    """Null hypothesis: the law. False alarm: 1e-5 each; the seeds are those of the page."""
    law = float(gaps._exact(low, cut).partition("%")[0]) / 100
    assert agrees(gaps.launched(low, cut, gaps.LAUNCHES_MAX), gaps.LAUNCHES_MAX, law)


@pytest.mark.parametrize("state", [{"fill": "17"}, {"fill": "-1"}, {"low": "x"}, {"cut": "in half"}])
def test_a_setting_that_does_not_exist_is_an_error_of_one_line(state):
    with pytest.raises(LabError):
        gaps.show(state)
