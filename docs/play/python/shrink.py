"""Watch it shrink: every test case that Hypothesis ran for a test, and how the simplest failing one fell.

A state is the name of the `test`, and `at`, up to which of the test cases is shown; without it all are.
"""

from __future__ import annotations

import dataclasses
import shlex
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from scenarios.lab.teaching.shrinking import watch
from simulations.drawing.marks import Point, Shape
from simulations.drawing.page import fragment
from simulations.errors import LabError

from . import elements, typed

if TYPE_CHECKING:
    from scenarios.lab.teaching.shrinking import Example, Watched
    from simulations.drawing.marks import Chart

    from .elements import State

_FILE: Final = "watched.py"
WORDS_MAX: Final = 6
"""How many of the simplest that failed are spelt out, the last ones."""
_HEAD: Final = "from hypothesis import given\nfrom hypothesis import strategies as st\n\n\n"
TESTS: Final = {
    "total": _HEAD
    + """\
@given(st.lists(st.integers(0, 900)))
def test(prices):
    assert sum(prices) < 1000
""",
    "separator": _HEAD
    + """\
@given(st.lists(st.text("abc,;"), min_size=1))
def test(fields):
    assert ",".join(fields).split(",") == fields
""",
    "order": _HEAD
    + """\
@given(st.lists(st.integers()))
def test(numbers):
    assert numbers == sorted(numbers)
""",
    "spread": _HEAD
    + """\
@given(st.lists(st.integers(), min_size=1))
def test(numbers):
    assert max(numbers) - min(numbers) < 100
""",
}
"""By name the file that holds the test."""


@lru_cache(maxsize=len(TESTS))
def watched(name: str) -> Watched:
    """Run a test, and return what Hypothesis did with it.

    Args:
        name: One of `TESTS`.
    """
    return watch(typed.module(TESTS[name], _FILE).test)


def show(state: State) -> str:
    """Return the page in a state, as HTML.

    Args:
        state: `test` and `at`.
    """
    name = state.get("test", next(iter(TESTS)))
    if name not in TESTS:
        raise LabError(f"there is no test {name}; there are {', '.join(TESTS)}")
    whole = watched(name)
    last = len(whole.examples)
    said = state.get("at", str(last))
    if not said.isascii() or not said.isdecimal():
        raise LabError(f"test cases are counted from 0, and not {said}")
    at = min(int(said), last)
    kept = [each for each in whole.kept if each.number <= at]
    return "".join(
        [
            elements.says(_says(kept, at, last)),
            _steps(name, whole, at),
            fragment(_until(whole, kept, at)),
            f"<h2>The test: {_FILE}</h2>\n{elements.listing(TESTS[name])}",
            elements.natively(_line(), whole.least, what="What it ends in, here and there"),
            elements.paragraph("On another computer it may take other test cases to get there."),
        ]
    )


def _says(kept: list[Example], at: int, last: int) -> str:
    place = f"{at} of {last} test cases"
    if not kept:
        return f"{place}: none has failed yet."
    return f"{place}: the simplest that fails is {kept[-1].words}"


def _steps(name: str, whole: Watched, at: int) -> str:
    numbers = [each.number for each in whole.kept]
    places = [0, *numbers, len(whole.examples)]
    before = [place for place in places if place < at]
    after = [place for place in places if place > at]
    start = at if after else 0
    links = [elements.move("play", _state(name, start), key=" ", plays="ArrowRight")]
    if before:
        links.append(elements.move("from the beginning", _state(name, 0), key="Home"))
        links.append(elements.move("a step back", _state(name, before[-1]), key="ArrowLeft"))
    if after:
        links.append(elements.move("to the next that is simpler", _state(name, after[0]), key="ArrowRight"))
        links.append(elements.move("to the end", {"test": name}, key="End"))
    return elements.moves("steps", links)


def _state(name: str, at: int) -> State:
    return {"test": name, "at": str(at)}


def _until(whole: Watched, kept: list[Example], at: int) -> Chart:
    """Return the picture up to a test case, on the axes of the whole."""
    drawn = whole.picture()
    series = []
    for each in drawn.series:
        points = tuple(point for point in each.points if point.x <= at)
        if each.shape is Shape.POINTS:
            series.append(dataclasses.replace(each, points=points, detail=str(len(points))))
        else:
            points += (Point(at, points[-1].y),) if points else ()
            series.append(dataclasses.replace(each, points=points, detail=f"{len(kept)} were kept"))
    words = tuple(f"{each.number}: {each.words}" for each in kept[-WORDS_MAX:])
    return dataclasses.replace(drawn, series=tuple(series), said=words)


def _line() -> str:
    module = _FILE.removesuffix(".py")
    program = (
        "from scenarios.lab.teaching.shrinking import watch; "
        f"import {module}; print(watch({module}.test).least)"
    )
    return shlex.join(["python", "-c", program])


def _form() -> str:
    options = "".join(f"<option>{elements.text(name)}</option>" for name in TESTS)
    return f'<label>The test <select name="test" data-change>{options}</select></label>\n'


PAGE: Final = elements.Page(
    name="shrink",
    title="Watch it shrink",
    sentences=(
        "Hypothesis looks for a test case that fails, and then for ever simpler ones that fail, too.",
        "Each dot is a test case that it ran, and the line is the simplest failing one until then.",
        "Let it play, pause it, or go along the line step by step, and read what each step changes.",
    ),
    try_this="Go to the beginning, say which test case will be the last, and step until you see it.",
    form=_form(),
)
