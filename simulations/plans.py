"""Plans: what was not nominal in a run, as a value that can be ordered, shrunk, saved and said aloud."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from simulations.drawing.displayed import Displayed
from simulations.errors import PlanError
from simulations.terminal_text import shown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator


class Deviation(NamedTuple):
    """An answer that was not nominal.

    Attributes:
        label: The label of the choice point, made of kind and actor, such as `cpu0.bit2`.
        occurrence: How often that label had been asked before in the run, from 0.
        option: The index of the answer among the options, from 1.
    """

    label: str
    occurrence: int
    option: int

    def __str__(self) -> str:
        return f"{self.label} takes option {self.option} at occurrence {self.occurrence}"


class Plan(Displayed):
    """A sparse set of deviations, in the order in which they were asked. The empty plan is the nominal run.

    Two plans with the same deviations are equal whatever their order: they give the same run.

    Args:
        deviations: The deviations; at most one for each label and occurrence.

    Raises:
        PlanError: two deviations answer the same question, or one is not a deviation at all.
    """

    __slots__ = ("_by_key", "deviations")

    def __init__(self, deviations: Iterable[Deviation] = ()) -> None:
        self.deviations = tuple(Deviation(*deviation) for deviation in deviations)
        self._by_key: dict[tuple[str, int], int] = {}
        for deviation in self.deviations:
            _check(deviation)
            key = (deviation.label, deviation.occurrence)
            if key in self._by_key:
                raise PlanError(
                    f"the plan answers {shown(deviation.label)} at occurrence {deviation.occurrence} twice; "
                    f"keep one"
                )
            self._by_key[key] = deviation.option

    def __len__(self) -> int:
        return len(self.deviations)

    def __iter__(self) -> Iterator[Deviation]:
        return iter(self.deviations)

    def __eq__(self, other: object) -> bool:
        return self._by_key == other._by_key if isinstance(other, Plan) else NotImplemented

    def __hash__(self) -> int:
        return hash(frozenset(self._by_key.items()))

    def __repr__(self) -> str:
        return f"Plan([{', '.join(repr(tuple(deviation)) for deviation in self.deviations)}])"

    def __str__(self) -> str:
        return self.in_words()

    def in_words(self, phrase: Callable[[Deviation], str] = str) -> str:
        """Return the plan in words.

        Args:
            phrase: Describes one deviation in the words of the world.
        """
        if not self.deviations:
            return "everything nominal"
        return "everything nominal, except: " + "; ".join(phrase(deviation) for deviation in self.deviations)

    def to_json(self) -> list[list[str | int]]:
        """Return the plan as `[[label, occurrence, option], ...]`, ready for `json.dumps`."""
        return [list(deviation) for deviation in self.deviations]

    @classmethod
    def from_json(cls, data: object) -> Plan:
        """Read what `to_json` wrote.

        Raises:
            PlanError: the data have another form.
        """
        if not isinstance(data, list):
            raise PlanError(f"a plan is a list of [label, occurrence, option], not {shown(data)}")
        for item in data:
            if not (isinstance(item, list) and len(item) == len(Deviation._fields)):
                raise PlanError(f"a deviation is [label, occurrence, option], not {shown(item)}")
        return cls(Deviation(*item) for item in data)

    def without(self, deviation: Deviation) -> Plan:
        """Return the plan with one deviation fewer."""
        return Plan(kept for kept in self.deviations if kept != deviation)


def _check(deviation: Deviation) -> None:
    label, occurrence, option = deviation
    if not isinstance(label, str) or not label:
        raise PlanError(f"the label of a deviation is a text that is not empty, not {shown(label)}")
    if type(occurrence) is not int or occurrence < 0:
        raise PlanError(f"the occurrence of {shown(label)} is a whole number from 0, not {shown(occurrence)}")
    if type(option) is not int or option < 1:
        raise PlanError(
            f"the option of {shown(label)} is a whole number from 1 (0 is nominal), not {shown(option)}"
        )
