"""The bugs: one folder each. `scenarios.catalogue()` lists them, `scenarios.get(name)` returns one."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from scenarios.lab.scenario import Scenario

__all__ = ["catalogue", "get"]

# The engine is imported when it is first used: a command whose engine does not import in some old version can
# then still say so with its exit status, which is what `git bisect run` needs.


def catalogue() -> dict[str, Scenario]:
    """Return all scenarios by name: see `scenarios.lab.catalogue.catalogue`."""
    from scenarios.lab import catalogue as engine  # noqa: PLC0415

    return engine.catalogue()


def get(name: str) -> Scenario:
    """Return one scenario, such as `get("invalid-mode")`: see `scenarios.lab.catalogue.get`.

    Raises:
        LabError: there is none of that name.
    """
    from scenarios.lab import catalogue as engine  # noqa: PLC0415

    return engine.get(name)
