"""What the front page shows is what is printed today; `python -m tests.docs.printed` writes it anew."""

import pytest

from tests.docs import printed

pytestmark = pytest.mark.timeout(900)  # all tests of the scenarios run once, beside whatever else runs

PAGE = printed.README.read_text(encoding="utf-8")


@pytest.mark.parametrize("program", [*printed.programs(PAGE)], ids=lambda program: program.name)
def test_a_program_prints_what_stands_behind_it(program):
    if "transitions" in program.source:
        pytest.importorskip("transitions", reason="the library transitions is not installed")
    assert printed.output_of(program) == program.shown


def test_there_are_programs():
    assert len(list(printed.programs(PAGE))) >= 3


@pytest.fixture(scope="module")
def summary():
    return printed.summary_of_scenarios()


def test_the_summary_is_that_of_a_run(summary):
    fresh = printed.without_numbers(printed.plain(summary))
    assert printed.without_numbers(printed.summary_shown(PAGE)) == fresh


def test_the_picture_shows_the_same(summary):
    shown = printed.without_numbers(printed.text_in(printed.PICTURE.read_text(encoding="utf-8")))
    assert shown == ["$ pytest scenarios/", *printed.without_numbers(printed.plain(summary))]


def test_the_picture_asks_no_foreign_host():
    assert "url(" not in printed.PICTURE.read_text(encoding="utf-8").replace("url(#", "")
