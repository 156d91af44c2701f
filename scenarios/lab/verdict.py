"""The result of a hunt as values, and the sentences that are made from them.

A verdict, what a search covered, and the sense in which a plan is minimal are decided as values; the words
are made here, last, and no decision is read back from them.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

from simulations.errors import LabError
from simulations.terminal_text import shown

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["NOTHING", "Coverage", "Minimality", "Verdict", "nothing_found"]

_LABELS_SHOWN_MAX: Final = 4


class Verdict(StrEnum):
    """How a hunt ended."""

    FOUND = "found"
    """A property failed; the failing run was minimised."""
    EXHAUSTED = "exhausted"
    """Every plan up to the bound was run and none failed; a proof of what the coverage states."""
    GAVE_UP = "gave up"
    """The budget is spent, or the searcher had nothing more to propose. It is never called "holds"."""


@dataclass(frozen=True)
class Coverage:
    """What a search has gone through without a gap.

    Attributes:
        deviations: Every plan of at most this many deviations was run on every input, and none failed. None
            where not even the nominal runs are complete, as in a search that samples.
        labels: The labels of the choice points that those runs asked at, in order of appearance.
        inputs: The inputs they were run on, from small to large.
        complete: Whether this reaches the bound that the search was given.
    """

    deviations: int | None = None
    labels: tuple[str, ...] = ()
    inputs: tuple[Any, ...] = ()
    complete: bool = False


NOTHING: Final = Coverage()
"""The coverage of a search that samples."""


class Minimality(StrEnum):
    """In what sense a failing run is minimal."""

    LEAST = "least"
    """No run below it fails in the same way, on no input of the ladder."""
    LEAST_AT_INPUT = "least at this input"
    """No plan below it fails in the same way at its input; the failure does not show on the ladder."""
    LEAST_OVER_LABELS = "least over labels"
    """No plan below it that deviates only at the labels named fails in the same way; the others were not
    tried, since the budget ran out."""
    ONE_MINIMAL = "1-minimal"
    """None of its deviations can be dropped; the budget ran out."""
    INTERRUPTED = "not minimised: interrupted"
    """It is the run that the search found; minimising was interrupted."""
    BY_HAND = "not minimised: made by hand"
    """Its plan was made in the debugger."""

    def in_words(self, labels: Sequence[str] = ()) -> str:
        """Return the text that a finding holds.

        Args:
            labels: The labels that were tried; for `LEAST_OVER_LABELS` only.
        """
        return f"{self} {', '.join(labels)}" if labels else str(self)

    @classmethod
    def read(cls, text: str) -> Minimality:
        """Return the value whose `in_words` a finding holds.

        Raises:
            LabError: the text is none of them.
        """
        for sense in cls:
            named_labels = sense is cls.LEAST_OVER_LABELS and text.startswith(f"{sense} ")
            if text == sense or named_labels:
                return sense
        raise LabError(f"a finding is {', '.join(cls)}, not {shown(text)}; hunt again")

    @classmethod
    def labels_in(cls, text: str) -> str:
        """Return the labels that the text of a finding names, separated by commas; there may be none."""
        return text.removeprefix(str(cls.read(text))).strip()

    @property
    def is_least(self) -> bool:
        """Whether everything below it was run, at the input and the labels that it states."""
        return self in {Minimality.LEAST, Minimality.LEAST_AT_INPUT, Minimality.LEAST_OVER_LABELS}


def nothing_found(coverage: Coverage, runs: int, rate_below: float | None, *, spoilers: bool = True) -> str:
    """Say in one sentence what a hunt that found nothing has shown.

    Args:
        coverage: What the search went through.
        runs: How many runs it took.
        rate_below: The bound on the rate of failing runs, with 95 % confidence, or None.
        spoilers: Whether labels and inputs are named, which tell what the world asks.
    """
    if not coverage.complete:
        bound = (
            f"; so the rate of failing runs is below {rate_below:.2g} with 95 % confidence"
            if rate_below is not None
            else ""
        )
        return f"nothing found in {runs} runs{bound}"
    labels, inputs = coverage.labels, coverage.inputs
    plural = "" if coverage.deviations == 1 else "s"
    holds = f"every plan of at most {coverage.deviations} deviation{plural} holds ({runs} runs)"
    if not spoilers:
        return f"{holds}, on {len(inputs)} input{'s'[: len(inputs) != 1]}"
    more = f", ... {labels[-1]}" if len(labels) > _LABELS_SHOWN_MAX else ""
    on = repr(inputs[0]) if len(inputs) == 1 else f"all {len(inputs)} inputs up to {inputs[-1]!r}"
    return f"{holds}, at {len(labels)} labels ({', '.join(labels[:_LABELS_SHOWN_MAX])}{more}), on {on}"
