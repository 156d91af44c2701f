"""Watch it shrink: the page shows what Hypothesis did, step by step, and ends where the line ends."""

import pytest

from docs.play.python import shrink
from simulations.errors import LabError
from tests.docs.play.reading import Reading, natively


@pytest.mark.parametrize("name", shrink.TESTS)
def test_each_test_fails_and_takes_some_steps_to_its_least(name):
    watched = shrink.watched(name)
    assert len(watched.kept) > 3
    assert "".join(Reading(shrink.show({"test": name})).says).endswith(watched.least)


def test_the_line_ends_in_what_the_page_shows(tmp_path):
    page = Reading(shrink.show({}))
    assert page.digest == natively(page, tmp_path)


def test_stepping_from_the_beginning_goes_through_all_that_were_kept_and_back():
    watched = shrink.watched("order")
    page = Reading(shrink.show({"test": "order", "at": "0"}))
    assert "none has failed" in page.says[0]
    numbers = []
    while "ArrowRight" in page.moves:
        state = page.moves["ArrowRight"]
        numbers.append(int(state["at"]))
        page = Reading(shrink.show(state))
    assert numbers[: len(watched.kept)] == [each.number for each in watched.kept]
    back = Reading(shrink.show(page.moves["ArrowLeft"]))
    assert back.moves["ArrowRight"]["at"] == str(numbers[-1])


def test_in_the_middle_no_later_test_case_is_drawn():
    watched = shrink.watched("total")
    number = watched.kept[1].number
    kept = [each for each in watched.kept if each.number <= number]
    chart = shrink._until(watched, kept, number)
    assert max(point.x for series in chart.series for point in series.points) == number
    assert (chart.x, chart.y) == (watched.picture().x, watched.picture().y)


@pytest.mark.parametrize("state", [{"test": "me"}, {"at": "-1"}, {"at": "x"}])
def test_a_state_that_does_not_exist_is_an_error_of_one_line(state):
    with pytest.raises(LabError):
        shrink.show(state)


@pytest.mark.parametrize(("at", "start"), [("0", "0"), ("9", "9"), (None, "0")])
def test_play_goes_on_from_where_it_is_and_from_the_end_begins_anew(at, start):
    page = Reading(shrink.show({"test": "order", **({"at": at} if at else {})}))
    assert page.moves[" "] == {"test": "order", "at": start}
    assert 'data-plays="ArrowRight"' in page.html
