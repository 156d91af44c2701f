"""The marker `bug`: which bug a test is about, and what reports call its variants."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import pytest

from scenarios.lab import catalogue
from scenarios.lab.pytest_plugin.rows import AS_SHIPPED
from scenarios.lab.scenario import Scenario, Variant
from simulations.errors import LabError

MARKER: Final = "bug"


@dataclass(frozen=True)
class Bug:
    """What the marker of a test says.

    Attributes:
        scenario: The scenario that the test is about.
        finds: The name of the property that the test is to make fail; None where it demonstrates nothing.
    """

    scenario: Scenario
    finds: str | None


BUG: Final = pytest.StashKey[Bug | None]()
"""Where a test that is set up keeps what its marker says."""


def name_of(node: pytest.Item) -> str | None:
    """Return the name of the scenario that a test is marked with, without importing it."""
    marker = node.get_closest_marker(MARKER)
    if marker is None or not marker.args:
        return None
    named = marker.args[0]
    return named.name if isinstance(named, Scenario) else str(named)


def bug_of(node: pytest.Item) -> Bug | None:
    """Return what a test is marked with, or None where it has no such marker.

    Raises:
        LabError: the marker is not used as it should be, or there is no such scenario or property.
    """
    marker = node.get_closest_marker(MARKER)
    if marker is None:
        return None
    if len(marker.args) != 1 or set(marker.kwargs) - {"finds"}:
        raise LabError('the marker is used as bug("invalid-mode") or bug("invalid-mode", finds="property")')
    named = marker.args[0]
    scenario = named if isinstance(named, Scenario) else catalogue.get(str(named))
    finds = marker.kwargs.get("finds")
    known = [check.__name__ for check in scenario.properties]
    if finds is not None and finds not in known:
        raise LabError(f"{scenario.name} has no property {finds!r}; it has {', '.join(known)}")
    return Bug(scenario, finds)


def shown(scenario: Scenario, variant: Variant, *, hide: bool) -> str:
    """Return how reports call a variant; where causes are hidden, a repair is known by its number."""
    if not hide or variant.name == AS_SHIPPED:
        return f"{scenario.name}-{variant.name}"
    return f"{scenario.name}-repair-{scenario.variants.index(variant)}"
