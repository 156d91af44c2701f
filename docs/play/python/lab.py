"""The lab as a page calls it: values that JSON can say go in, and such values come out."""

from __future__ import annotations

import json
from typing import Any, Final

import scenarios
from scenarios.lab import hunt as hunts
from scenarios.lab import replay as replays
from scenarios.lab.finding import from_json
from simulations.live import threads

from . import typed

_FILE: Final = "page.py"


def hunt(scenario: str, variant: str = "as-shipped", searcher: str = "exhaustive") -> dict[str, Any]:
    """Hunt for a bug; return the hunt as `heisenlab hunt --json` prints it, and what its file would hold.

    Args:
        scenario: The name of the scenario.
        variant: The name of the variant.
        searcher: The name of the searcher.
    """
    done = hunts.hunt(scenario, variant, searcher=searcher)
    finding = done.finding and done.finding.to_json()
    said: dict[str, Any] = json.loads(json.dumps({"hunt": done.to_json(), "finding": finding}))
    return said


def replay(finding: dict[str, Any]) -> dict[str, Any]:
    """Run a finding again, as `heisenlab replay FILE --json` does.

    Args:
        finding: What its file holds.
    """
    return replays.replay(from_json(finding)).to_json()


def names() -> list[str]:
    """Return the names of all scenarios."""
    return list(scenarios.catalogue())


def explore(source: str, setup: str, workers: list[str], check: str, **options: Any) -> dict[str, Any]:
    """Explore code that was typed into a page; return the exploration as JSON-able data, with its `text`.

    Args:
        source: The code, such as a class.
        setup: An expression: what makes the state that the threads share, such as `Account`.
        workers: For each thread an expression: what it calls with the state.
        check: An expression: what is called with the state at the end.
        options: As for `simulations.live.threads.explore`.
    """
    space = typed.module(source, _FILE).__dict__
    done = threads.explore(
        *(eval(setup, space), [eval(worker, space) for worker in workers], eval(check, space)),  # noqa: S307  (likewise)
        **options,
    )
    return {**done.to_json(), "text": str(done)}
