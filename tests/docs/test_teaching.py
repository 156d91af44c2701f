"""The teacher's kit adds up: the minutes of its tracks, and a run for each lesson that refutes something."""

import re

import pytest

from tests.docs import printed

PAGE = (printed.ROOT / "docs/guide/teaching.md").read_text(encoding="utf-8")
LESSONS = re.split(r"^### ", PAGE.partition("\n## The lessons")[2].partition("\n## ")[0], flags=re.MULTILINE)[
    1:
]
MINUTES = {
    int(number): int(minutes)
    for lesson in LESSONS
    for number, minutes in re.findall(r"^(\d)\..*\((\d+) minutes\)$", lesson.partition("\n")[0])
}


def rows(heading):
    table = PAGE.partition(heading)[2].partition("|\n\n")[0]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()[4:]]


def test_the_ten_lessons_are_there_with_their_minutes():
    assert [*MINUTES] == [*range(10)]


def test_the_workshop_takes_three_hours_and_gives_each_lesson_its_time():
    parts = rows("**A workshop of three hours**")
    assert sum(int(minutes) for _, minutes in parts) == 180
    for part, minutes in parts:
        for number in re.findall(r"^lesson (\d)", part):
            assert MINUTES[int(number)] == int(minutes)


def test_each_lecture_of_the_course_takes_ninety_minutes_and_each_lesson_is_in_one():
    lectures = rows("**A course of six lectures** of 90 minutes")
    seen = []
    for _, lessons, minutes, exercises in lectures:
        numbers = [int(number) for number in lessons.split(",")]
        assert int(minutes) == sum(MINUTES[number] for number in numbers)
        assert int(minutes) + int(exercises) == 90
        seen += numbers
    assert len(lectures) == 6
    assert sorted(seen) == [*range(10)]


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.partition("\n")[0])
def test_what_students_say_is_refuted_by_a_run(lesson):
    sayings = re.findall(r'\*"[^*]+"\*', lesson)
    assert sayings
    assert lesson.count("```console\n") == len(sayings)
    assert all(
        printed.steps(block)[-1].shown for block in re.findall(r"```console\n.*?```", lesson, re.DOTALL)
    )
