"""The environment of the machine: where noise is asked about, under which label, and how probable it is.

Three sources, each a question to the `Chooser`, in this order within a clock:

* `cpu0.bit2`, for each flip-flop in each clock: is it upset? A particle, a supply dip, a discharge.
* `cpu0.command`, for each processor in each clock: is its command replaced by another for this clock?
* `cpu0.latch2`, for each flip-flop that differs between the old and the new code of a mode change: does it
  keep the old value? A command that is not synchronised to the clock is enough; no particle is needed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from simulations.choices import UNIFORM, NoiseModel
from simulations.mode_machine.workload import Command

if TYPE_CHECKING:
    from fractions import Fraction

    from simulations.choices import ChoicePoint, Rate

__all__ = ["ROUGH", "UNSYNCHRONISED", "in_words", "noise_model", "upset_label"]

REPLACEMENTS: Final = tuple(
    (sent, *(command for command in range(len(Command)) if command != sent)) for sent in range(len(Command))
)
"""For each command, the options of a glitch: itself, then the others in the order of `Command`."""


def upset_label(processor: int, bit: int) -> str:
    """Return the label of the question whether a flip-flop is upset."""
    return f"cpu{processor}.bit{bit}"


def glitch_label(processor: int) -> str:
    """Return the label of the question whether a command is replaced."""
    return f"cpu{processor}.command"


def latch_label(processor: int, bit: int) -> str:
    """Return the label of the question whether a flip-flop keeps its old value in a mode change."""
    return f"cpu{processor}.latch{bit}"


def noise_model(
    name: str, *, upset: float | Fraction = 0, glitch: float | Fraction = 0, latch: Rate = 0
) -> NoiseModel:
    """Return the probabilities of the three sources.

    Args:
        name: Stands in reports.
        upset: The probability that one flip-flop is upset in one clock, each independent of every other.
        glitch: The probability that one command is replaced in one clock, by each of the others alike.
        latch: The probability that a flip-flop keeps its old value when its processor changes mode; `UNIFORM`
            is one half.
    """
    return NoiseModel(name, {"cpu*.bit*": upset, "cpu*.command": glitch, "cpu*.latch*": latch})


UPSETS: Final = noise_model("upsets", upset=0.01)
"""Far more often than in any real machine, so that a short run has about one."""

ROUGH: Final = noise_model("rough", upset=0.005, glitch=0.005, latch=0.02)
"""All three sources, for a random search."""

UNSYNCHRONISED: Final = noise_model("unsynchronised", latch=UNIFORM)
"""Every command comes at the worst moment; no upset, no glitch."""


def in_words(point: ChoicePoint) -> str:
    """Say an answer that was not nominal: "bit 2 of cpu0 is upset at clock 1"."""
    processor, _, what = point.label.partition(".")
    if what.startswith("bit"):
        return f"bit {what.removeprefix('bit')} of {processor} is upset at clock {point.time}"
    if what.startswith("latch"):
        return f"bit {what.removeprefix('latch')} of {processor} latches its old value at clock {point.time}"
    return (
        f"the command to {processor} is replaced (by the other number {point.option}) at clock {point.time}"
    )
