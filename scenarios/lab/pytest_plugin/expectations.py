"""Whether the result of a hunt is the one that its variant is documented to have."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scenarios.lab.scenario import Exhausted, Finds, Variant
from scenarios.lab.verdict import Minimality

if TYPE_CHECKING:
    from scenarios.lab.hunt import Hunt


def disagreement(variant: Variant, hunt: Hunt) -> str | None:
    """Return how the result of a hunt differs from what its variant expects, or None where it does not."""
    expect, finding = variant.expect, hunt.finding
    if isinstance(expect, Finds):
        return _not_as_documented(variant, expect, hunt)
    if finding is not None and not _beyond(variant, len(finding.plan)):
        return f"the {variant.kind} broke: {finding.plan_in_words} ({finding.by}: {finding.message})"
    if isinstance(expect, Exhausted) and hunt.searcher == "exhaustive" and hunt.verdict == "gave up":
        return (
            f"not proved: {hunt.says}, but every plan of at most {expect.deviations} deviations was to be "
            f"run; give it a larger budget"
        )
    return None


def _beyond(variant: Variant, deviations: int) -> bool:
    """Return whether a plan of `deviations` deviations lies beyond what the variant is said to withstand."""
    return isinstance(variant.expect, Exhausted) and deviations > variant.expect.deviations


def _not_as_documented(variant: Variant, expect: Finds, hunt: Hunt) -> str | None:
    finding = hunt.finding
    if finding is None:
        lost = "detection was lost" if variant.kind == "as shipped" else "the folk fix was not broken"
        return f"{lost}: {hunt.says}; documented is that {expect.by} fails at {expect.least}"
    if finding.by != expect.by:
        return (
            f"another property fails than documented: {finding.by} ({finding.message}), not {expect.by}, at "
            f"{finding.plan_in_words}"
        )
    if finding.plan != expect.least:
        return (
            f"another least plan than documented: {finding.plan!r} ({finding.plan_in_words}, "
            f"{finding.minimality}), not {expect.least!r}"
        )
    if not Minimality.read(finding.minimality).is_least:
        return f"minimising gave up: the plan is only {finding.minimality}; give it a larger budget"
    return None
