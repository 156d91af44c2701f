"""The pages that are typed into a shell print what they show; `tests.docs.printed` writes it anew."""

import re

import pytest

from tests.docs import printed

pytestmark = pytest.mark.timeout(900)

LESSONS = (printed.ROOT / "docs/lessons.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("path", printed.sessions(), ids=lambda path: path.stem)
def test_every_command_of_a_page_prints_what_stands_below_it(path):
    page = path.read_text(encoding="utf-8")
    for shown, fresh in zip(printed.steps(page), printed.played(path), strict=True):
        assert printed.comparable(fresh.shown) == printed.comparable(shown.shown), fresh.command


@pytest.mark.parametrize(
    "lesson", re.split(r"^## ", LESSONS, flags=re.MULTILINE)[1:], ids=lambda text: text.split("\n")[0]
)
def test_a_lesson_has_a_command_an_output_and_an_exercise(lesson):
    assert lesson.count("```console\n") == 1
    assert any(step.shown for step in printed.steps(lesson))
    assert lesson.count("**Exercise.** ") == 1


def test_no_lesson_of_the_talk_is_missing():
    assert len(re.findall(r"^## ", LESSONS, flags=re.MULTILINE)) == 11


def test_what_differs_from_run_to_run_is_left_out_of_the_comparison_and_nothing_else():
    shown = "2026-11-28T21:27:16+00:00\n46 to search, 1456 to minimise\ntime  0.57 s\ndigest  c0ffee12 = 1"
    fresh = "2027-01-01T01:02:03+00:00\n7 to search, 8 to minimise\ntime  10.57 s\ndigest  c0ffee12 = 1"
    assert printed.comparable(shown) == printed.comparable(fresh)
    assert printed.comparable(shown) != printed.comparable(fresh.replace("ee12", "ee13"))
