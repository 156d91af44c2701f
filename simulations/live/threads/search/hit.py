"""What a search hands on: a failing schedule, and what is known of its place in the order of "least"."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from simulations.live.threads.control.failures import Failure
    from simulations.live.threads.search.exhaustive import Rank
    from simulations.live.threads.search.explain import Story
    from simulations.live.threads.search.strategies import Decisions


@dataclass(frozen=True)
class Hit:
    """A failing schedule.

    Attributes:
        failure: How it failed.
        decisions: The schedule.
        everywhere: Whether its steps are counted with a point in front of every access.
        least: Its rank, if every lesser schedule was run.
        rank: Its rank as steps are counted now, if it was run again so, and failed alike.
        passed: Whether the nominal schedule was run before it, and did not fail.
        story: What happened in it, where that was written down.
        by_audit: Whether an audit found it, whose schedules switch threads at any instruction.
    """

    failure: Failure
    decisions: Decisions
    everywhere: bool = False
    least: Rank | None = None
    rank: Rank | None = None
    passed: bool = False
    story: Story | None = None
    by_audit: bool = False
