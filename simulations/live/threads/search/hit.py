"""What a search hands on: a failing schedule, and what is known of its place in the order of "least"."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

    from simulations.choices import Plan
    from simulations.live.threads.control.failures import Failure
    from simulations.live.threads.search.exhaustive import Rank
    from simulations.live.threads.search.explain import Moment
    from simulations.live.threads.search.plans import Asked
    from simulations.live.threads.search.reduction import Beginning
    from simulations.live.threads.search.strategies import Decisions


class Story(NamedTuple):
    """What happened in a run.

    Attributes:
        failure: How it failed; None if it did not.
        asked: Every choice.
        moments: What the threads did to what they share.
        plan: What was not nominal.
        threads: The threads of the steps that another thread could notice, in order.
        epoch: How often the focus had been chosen, on which the numbers of the steps depend.
    """

    failure: Failure | None
    asked: Sequence[Asked]
    moments: Sequence[Moment]
    plan: Plan
    threads: Beginning
    epoch: int


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
