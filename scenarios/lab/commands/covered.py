"""What is said of a hunt where causes and fixes are hidden: what fails, in how many runs, and the digest."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from scenarios.lab.verdict import Minimality, nothing_found

if TYPE_CHECKING:
    from scenarios.lab.hunt import Hunt

HIDDEN: Final = "(hidden)"
"""What stands in place of a cause."""


def says(result: Hunt) -> str:
    """Return the verdict of a hunt in one sentence, without the plan and without what the world asks."""
    found = result.finding
    if found is not None:
        return f"{deviations(len(found.plan))} ({found.by}: {found.message})"
    return nothing_found(result.coverage, result.search_runs, result.rate_below, spoilers=False)


def facts(result: Hunt) -> tuple[tuple[str, str], ...]:
    """Return the result of a hunt in names and values, with what is hidden covered."""
    found = result.finding
    if found is None:
        cover = {"verdict": says(result)}
    else:
        cover = {
            "plan": deviations(len(found.plan)),
            "minimality": Minimality.read(found.minimality).value,
            "input": HIDDEN,
        }
    return tuple((name, cover.get(name, value)) for name, value in result.facts)


def deviations(number: int) -> str:
    """Return what is said of a plan in place of its words."""
    return f"{number} deviation{'s'[: number != 1]} {HIDDEN}"


def hunt_data(result: Hunt) -> dict[str, Any]:
    """Return a hunt as JSON-able data; null is what is hidden."""
    data = {**result.to_json(), "says": says(result), "plan": None, "plan_in_words": None, "input": None}
    if result.finding is not None:
        data["minimality"] = Minimality.read(result.finding.minimality).value
    return data
