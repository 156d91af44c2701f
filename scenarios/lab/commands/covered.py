"""What is printed of a hunt as JSON where causes and fixes are hidden."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from scenarios.lab.verdict import Minimality

if TYPE_CHECKING:
    from scenarios.lab.hunt import Hunt


def hunt_data(result: Hunt) -> dict[str, Any]:
    """Return a hunt as JSON-able data; null is what is hidden."""
    data = {**result.to_json(), "says": result.covered_says, "plan": None, "plan_in_words": None}
    data["input"] = None
    if result.finding is not None:
        data["minimality"] = Minimality.read(result.finding.minimality).value
    return data
