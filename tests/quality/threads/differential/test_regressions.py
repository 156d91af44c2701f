"""The explorer is right about each program that it, or another explorer, was wrong about once."""

import pytest

from tests.quality.threads.differential.compare import compare
from tests.quality.threads.differential.interpreter import answer
from tests.quality.threads.differential.regressions import REGRESSIONS
from tests.quality.threads.differential.source import LAYOUTS, render

BY_NAME = {regression.name: regression for regression in REGRESSIONS}

TRIED = [
    (regression.name, layout)
    for number, regression in enumerate(REGRESSIONS)
    for layout in (LAYOUTS if regression.everywhere else (LAYOUTS[number % len(LAYOUTS)],))
]


def test_their_names_differ():
    assert len(BY_NAME) == len(REGRESSIONS)


@pytest.mark.parametrize("name", BY_NAME)
def test_the_interpreter_knows_what_can_happen(name):
    regression = BY_NAME[name]
    found = answer(regression.program)
    assert {end[0] for end in found.ends} == regression.values
    assert found.deadlock is regression.deadlock


@pytest.mark.parametrize(("name", "layout"), TRIED)
def test_the_explorer_knows_it_too(name, layout):
    program = BY_NAME[name].program
    outcome = compare(program, layout, schedules_max=1_000)
    source = render(program, layout)
    assert not outcome.verdict.wrong, (
        f"{outcome.verdict.value}: {outcome.detail}\n{source.library}{source.main}"
    )
