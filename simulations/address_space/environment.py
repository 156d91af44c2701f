"""The environment, which answers at the choice points: where a mapping lands, and which path a pointer takes.

Option 0 is nominal: the mapping lands where the policy puts it, and the pointer takes the path on which it
keeps its 64 bits.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from simulations.address_space.space import GIB
from simulations.choices import NoiseModel

if TYPE_CHECKING:
    from fractions import Fraction

    from simulations.address_space.space import Region, Space
    from simulations.choices import ChoicePoint, Chooser

__all__ = ["IN_THE_FIELD", "in_words", "old_path"]

BY_POLICY: Final = "where the policy puts it"
ABOVE_2_GIB: Final = "above 2 GiB"
ABOVE_4_GIB: Final = "above 4 GiB"
AT_THE_TOP: Final = "at the top of the space"

ANYWHERE: Final = (BY_POLICY, ABOVE_2_GIB, ABOVE_4_GIB, AT_THE_TOP)
"""What decides it in the field: how much is open already, a graphics driver, another allocator, a library
that reserves memory at start, address randomisation, `MEM_TOP_DOWN`."""

AS_TESTED: Final = (BY_POLICY,)
"""A test machine: a fresh process, small documents, and always the same place."""

_FLOORS: Final = {ABOVE_2_GIB: 2 * GIB, ABOVE_4_GIB: 4 * GIB}

OLD_PATH: Final = (False, True)
"""Whether a pointer goes through the field that cuts it: by option."""


def land(chooser: Chooser, space: Space, landings: tuple[str, ...], size: int, name: str) -> Region | None:
    """Map `size` bytes where the environment says; None when there is no room there.

    Args:
        chooser: Who answers.
        space: Where.
        landings: The answers to choose from, those of `ANYWHERE`.
        size: In bytes.
        name: Whose it will be; what stands before the first space is the actor of the label.
    """
    answer = chooser.pick(f"land.{name.partition(' ')[0]}", landings)
    if answer in _FLOORS:
        return space.map_above(_FLOORS[answer], size, name)
    return space.map_top(size, name) if answer == AT_THE_TOP else space.map(size, name)


def takes_old_path(chooser: Chooser) -> bool:
    """Ask whether the pointer to a document goes through the field that cuts it."""
    return chooser.pick("path.document", OLD_PATH)


def in_words(point: ChoicePoint) -> str:
    """Say an answer that was not nominal."""
    kind, _, actor = point.label.partition(".")
    if kind == "land":
        return f"{actor} mapping {point.occurrence} lands {ANYWHERE[point.option]}"
    return f"the pointer to document {point.occurrence} takes the old path"


def old_path(probability: float | Fraction) -> NoiseModel:
    """Return the noise model in which only paths deviate: each pointer takes the old one by chance.

    Args:
        probability: That a pointer does, from 0 to 1.
    """
    return NoiseModel(f"old path {probability}", {"path.document": probability})


IN_THE_FIELD: Final = NoiseModel("in the field", {"path.document": 0.02, "land.*": 0.05})
"""Our guess at a week with customers; no figure of the story."""
