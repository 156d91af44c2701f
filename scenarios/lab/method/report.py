"""A finding as sheets for a page that can be mailed: story, words, pictures, fingerprint, replay command."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scenarios.lab.catalogue import get
from scenarios.lab.execution import execute
from scenarios.lab.finding import decode_input
from scenarios.lab.method.explain import (
    EQUAL,
    around,
    facts_of,
    fingerprint_rows,
    parting_rows,
    replay_command,
)
from scenarios.lab.pictures import pictures_of
from scenarios.lab.replay import replay
from simulations.choices import nominal
from simulations.drawing.sheet import Covered, Facts, Lines, Sheet
from simulations.trace import first_difference

if TYPE_CHECKING:
    from scenarios.lab.finding import Finding
    from scenarios.lab.replay import Replay
    from scenarios.lab.scenario import Scenario

__all__ = ["finding_sheets"]


def finding_sheets(finding: Finding, *, saved_as: str, scenario: Scenario | None = None) -> tuple[Sheet, ...]:
    """Return a finding as sheets; it is run again for them.

    Args:
        finding: The finding.
        saved_as: Where it is, for the command that replays it.
        scenario: The scenario, where the catalogue does not have it.

    Raises:
        LabError: it cannot be replayed by this version.
    """
    scenario = scenario or get(finding.scenario)
    again = replay(finding, scenario)
    return (
        _story(finding, scenario),
        Sheet(
            title="What was found",
            blocks=(
                Facts(
                    (
                        ("fails", f"{finding.by}: {finding.message}"),
                        *((fact.name, ", ".join(fact.values)) for fact in facts_of(finding, scenario, again)),
                    )
                ),
            ),
        ),
        _run(finding, scenario, again),
        Sheet(title="What it was found with", blocks=(Facts(tuple(fingerprint_rows(finding))),)),
        Sheet(
            title="Replay",
            blocks=(Lines(f"$ {replay_command(saved_as)}"), Facts((("digest", finding.digest),))),
        ),
    )


def _story(finding: Finding, scenario: Scenario) -> Sheet:
    story = scenario.story
    told = (("who", story.who), ("symptom", story.symptom), ("believed", story.believed))
    cause = Facts((("root cause", story.root_cause), ("lesson", story.lesson)))
    variant = scenario.variant(finding.variant)
    return Sheet(
        title="The story",
        blocks=(
            Facts((*told, (variant.name, variant.summary))),
            Covered("root cause and lesson", "guess first", cause),
        ),
    )


def _run(finding: Finding, scenario: Scenario, again: Replay) -> Sheet:
    """Return the failing run beside one that passes, and where it parts from the nominal run."""
    variant, given = scenario.variant(finding.variant), decode_input(scenario, finding.input)
    failing = again.outcome.run.trace
    usual = execute(scenario, variant, given, nominal()).run.trace
    parting = first_difference(failing, usual)
    failed = again.outcome.failure is not None
    drawn = pictures_of(scenario, variant, given, finding.plan, again.outcome) if failed else ()
    rows = parting_rows(parting, scenario) if parting else [("", EQUAL)]
    return Sheet(
        title="Where it parts from the nominal run",
        blocks=(
            Facts(tuple(rows)),
            around(failing, parting, scenario),
        ),
        pictures=drawn,
    )
