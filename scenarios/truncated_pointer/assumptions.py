"""What the scenario takes for granted, how a run shows it, and a world in which each does not hold."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, TypeVar

from scenarios.lab.scenario import Assumption, Scenario, Variant
from simulations.address_space.space import WINDOWS
from simulations.address_space.system import run

if TYPE_CHECKING:
    from collections.abc import Sequence

    from simulations.address_space.system import Run
    from simulations.address_space.variants import System
    from simulations.address_space.workload import Session
    from simulations.choices import Chooser

T = TypeVar("T")

BITS: Final = 47
WIDER_BITS: Final = 56
"""The user's half of the address space with five levels of page tables."""
_PATH: Final = "path.document"
_LAND: Final = "land.document"


def every_pointer_may_take_the_old_path(variant: Variant, run: Run, chooser: Chooser) -> None:
    """For each document that was opened it was asked which path its pointer takes."""
    opened = sum(event.action == "open" for event in run.trace)
    asked = sum(label == _PATH for label in chooser.labels)
    assert asked == opened, f"{opened} documents were opened, and {asked} pointers could take the old path"


def images_lie_where_they_always_lie(variant: Variant, run: Run, chooser: Chooser) -> None:
    """The islands of the space are those of a system without address randomisation."""
    assert variant.system.layout.islands == WINDOWS.islands, "an image lies elsewhere"


def addresses_have_47_bits(variant: Variant, run: Run, chooser: Chooser) -> None:
    """No document lies above 2 to the power of 47."""
    assert run.highest <= 1 << BITS, f"a document ends at {run.highest:#x}"


class _LowOnly:
    """A chooser by which only a pointer to low memory ever takes the old path."""

    def __init__(self, chooser: Chooser) -> None:
        self._chooser = chooser
        self._high = False
        self.at = chooser.at

    def pick(self, label: str, options: Sequence[T], *, forced: bool = False) -> T:
        if label == _PATH and self._high:
            return options[0]
        answer = self._chooser.pick(label, options, forced=forced)
        if label == _LAND:
            self._high = answer is not options[0]
        return answer


def _with_a_path_that_looks(scenario: Scenario) -> Scenario:
    """The old path is taken by pointers to low memory only."""

    def looking(system: System, session: Session, chooser: Chooser) -> Run:
        low: Any = _LowOnly(chooser)
        return run(system, session, low)

    return replace(scenario, run=looking)


def _with_layout(scenario: Scenario, **change: Any) -> Scenario:
    variants = tuple(
        replace(variant, system=replace(variant.system, layout=replace(variant.system.layout, **change)))
        for variant in scenario.variants
    )
    return replace(scenario, variants=variants)


def _with_moved_images(scenario: Scenario) -> Scenario:
    """Every image lies 16 MiB higher, as where the system moves them."""
    moved = tuple(island._replace(start=island.start + (1 << 24)) for island in WINDOWS.islands[:-1])
    return _with_layout(scenario, islands=moved)


def _with_wider_addresses(scenario: Scenario) -> Scenario:
    """Addresses have 56 bits, and what is as wide as a pointer keeps a tag in the upper ones."""
    wider = _with_layout(scenario, top=1 << WIDER_BITS)
    variants = tuple(
        replace(variant, system=replace(variant.system, cut="mask-47"))
        if variant.system.cut == "none"
        else variant
        for variant in wider.variants
    )
    return replace(wider, variants=variants)


ASSUMPTIONS: Final = (
    Assumption(
        "paths",
        "The path that a pointer takes does not depend on where it points.",
        every_pointer_may_take_the_old_path,
        _with_a_path_that_looks,
    ),
    Assumption(
        "islands",
        "Images lie at fixed addresses below 2 GiB, as without address randomisation.",
        images_lie_where_they_always_lie,
        _with_moved_images,
    ),
    Assumption(
        "reads",
        "A use reads through the pointer; the damage that a write would do is not modelled.",
        why_not="a world that has contents of memory, and writes to them, would be needed",
    ),
    Assumption(
        "pages",
        "Every byte of a document is mapped until the document is closed, and none afterwards.",
        why_not="an allocator that keeps the memory of closed documents mapped would be needed",
    ),
    Assumption(
        "bits",
        "An address has at most 47 bits: no 5-level paging, no tags.",
        addresses_have_47_bits,
        _with_wider_addresses,
    ),
)
