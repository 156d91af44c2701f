"""The results of earlier runs of something that asks questions, kept by the answers that it was given.

A run without any other source of chance ends in the same way whenever it is given the same answers. So its
questions and answers are kept as a tree, with the result of the run at the end of each branch. Going down the
tree asks the chooser what the run itself would ask, in the same order, and only where an answer is new is
anything left to run.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, TypeVar

from simulations.choices import Chooser

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

R = TypeVar("R")
T = TypeVar("T")


class _Question(NamedTuple):
    """A question, with the time at which it was asked, and where each answer to it led."""

    time: int
    label: str
    options: Sequence[Any]
    forced: bool
    led_to: dict[Any, _Question | _End]


class _End(NamedTuple):
    """The result of a run that had no more questions."""

    result: Any


class _GoingOn(Chooser):
    """Gives the answers that were given already, passes every other question on, and takes note of it."""

    __slots__ = ("_chooser", "_given", "_time", "notes")

    def __init__(self, chooser: Chooser, given: list[Any]) -> None:
        super().__init__()
        self._chooser = chooser
        self._given = iter(given)
        self._time = 0
        self.notes: list[tuple[_Question, Any]] = []

    def at(self, time: int) -> None:
        self._time = time

    def pick(self, label: str, options: Sequence[T], *, forced: bool = False) -> T:
        for answer in self._given:
            known: T = answer
            return known
        self._chooser.at(self._time)
        fresh = self._chooser.pick(label, options, forced=forced)
        self.notes.append((_Question(self._time, label, options, forced, {}), fresh))
        return fresh


@dataclass
class Remembered(Generic[R]):
    """The runs of one function of a chooser.

    Attributes:
        runs_max: How many are kept; later ones are run anew each time.
    """

    runs_max: int
    _runs: int = 0
    _roots: dict[Any, _Question | _End] = field(default_factory=dict)

    def result(self, chooser: Chooser, run: Callable[[Chooser], R]) -> R:
        """Return the result of a run with the answers of a chooser.

        Args:
            chooser: Answers. It is asked every question of the run, each after `at`.
            run: The same function each time. It must depend on nothing but the answers, and set the time of
                each question with `at`. What it returns is shared, and may not be changed.
        """
        given: list[Any] = []
        led_to, answer = self._roots, None
        while (known := led_to.get(answer)) is not None:
            if isinstance(known, _End):
                result: R = known.result
                return result
            chooser.at(known.time)
            answer = chooser.pick(known.label, known.options, forced=known.forced)
            given.append(answer)
            led_to = known.led_to
        going_on = _GoingOn(chooser, given)
        result = run(going_on)
        if self._runs < self.runs_max:
            self._runs += 1
            for question, fresh in going_on.notes:
                led_to[answer] = question
                led_to, answer = question.led_to, fresh
            led_to[answer] = _End(result)
        return result
