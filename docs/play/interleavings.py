"""Every interleaving of a reader and a writer of the stale cache, run by the real world, as JSON.

For browsers that cannot run threads: a page that has this table can still let its reader choose who goes on,
since every choice that can be made has been made. `docs.play.build` writes it to `interleavings.json`:

    {variant: [{"plan": [...], "asked": [[label, options, option, forced, time], ...],
                "events": [[time, actor, action, detail], ...], "digest": "...",
                "failure": null or {"by": "...", "message": "..."}}, ...]}

A run is found by its answers, the third item of each question: the runs that agree with the answers given so
far are those that are still possible, and they all ask the same next.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Final

import scenarios
from scenarios.lab.execution import execute
from simulations.cache.workload import Workload
from simulations.choices import exhaustive

if TYPE_CHECKING:
    from scenarios.lab.execution import Outcome
    from scenarios.lab.scenario import Variant
    from simulations.choices import Chooser

READER_AND_WRITER: Final = Workload(("r", "w"))
DEVIATIONS_MAX: Final = 30
"""More than any of these runs asks questions, so that nothing is left out; `interleavings` looks."""


def interleavings(variant: Variant) -> list[dict[str, Any]]:
    """Return all runs of a variant with a reader and a writer, in the order of "least".

    Args:
        variant: A variant of the stale cache.
    """
    scenario = scenarios.get("stale-cache")
    run = partial(execute, scenario, variant, READER_AND_WRITER)
    found = [_run(outcome, chooser) for outcome, chooser in exhaustive(run, DEVIATIONS_MAX)]
    assert all(len(each["asked"]) < DEVIATIONS_MAX for each in found)  # noqa: S101  (an invariant)
    return found


def table() -> dict[str, list[dict[str, Any]]]:
    """Return the interleavings of every variant of the stale cache, by its name."""
    return {variant.name: interleavings(variant) for variant in scenarios.get("stale-cache").variants}


def _run(outcome: Outcome, chooser: Chooser) -> dict[str, Any]:
    failure = outcome.failure
    return {
        "plan": chooser.plan.to_json(),
        "asked": [
            [point.label, point.options, point.option, point.forced, point.time] for point in chooser.points
        ],
        "events": [list(event) for event in outcome.run.trace],
        "digest": outcome.run.trace.digest(),
        "failure": failure and {"by": failure.by, "message": failure.message},
    }
