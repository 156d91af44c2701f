"""In what sense a plan is minimal: the value, and the words that stand in findings and reports."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Final


class Sense(Enum):
    """What is known to lie below a plan."""

    LEAST = "least"
    """Nothing below it fails in the same way, over the whole ladder of inputs."""
    LEAST_AT_INPUT = "least at this input"
    """The same at its own input; the failure does not show on the ladder."""
    LEAST_OVER_LABELS = "least over labels"
    """The same, where only the labels of the plan deviate."""
    ONE_MINIMAL = "1-minimal"
    """No single deviation can be dropped; the budget ran out."""
    UNKNOWN = "not minimised"
    """Nothing is known, as of a plan that was made by hand."""

    @property
    def is_proved(self) -> bool:
        """Whether every lesser plan, within what the sense says, was run."""
        return self in {Sense.LEAST, Sense.LEAST_AT_INPUT, Sense.LEAST_OVER_LABELS}


_BEFORE_LABELS: Final = f"{Sense.LEAST_OVER_LABELS.value} "


@dataclass(frozen=True)
class Minimality:
    """A sense, with the labels that it is about where it is about labels.

    Attributes:
        sense: What is known.
        labels: As they stand in the finding, separated by commas; empty for the other senses.
    """

    sense: Sense
    labels: str = ""

    def __str__(self) -> str:
        return f"{self.sense.value} {self.labels}".rstrip()

    @classmethod
    def read(cls, text: str) -> Minimality:
        """Return the value of which a finding holds the words; other words mean `Sense.UNKNOWN`."""
        if text.startswith(_BEFORE_LABELS):
            return cls(Sense.LEAST_OVER_LABELS, text.removeprefix(_BEFORE_LABELS))
        known = {sense.value: sense for sense in Sense}
        return cls(known.get(text, Sense.UNKNOWN))
