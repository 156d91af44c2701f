"""Runs a schedule and writes down everything that is said of it later."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from simulations.live.threads.control.failures import Kind
from simulations.live.threads.search.explain import Witness
from simulations.live.threads.search.follower import Follower, together
from simulations.live.threads.search.plans import Recorder
from simulations.live.threads.search.strategies import Fixed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from simulations.choices import Plan
    from simulations.live.threads.control.failures import Failure
    from simulations.live.threads.control.strategy import Strategy
    from simulations.live.threads.search.explain import Moment
    from simulations.live.threads.search.plans import Asked
    from simulations.live.threads.search.reduction import Beginning
    from simulations.live.threads.search.session import Session
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


def story(session: Session, decisions: Decisions) -> Story:
    """Run a schedule once more and write everything down."""
    follower = Follower((), Fixed(decisions))
    return tell(session, follower, follower)


def tell(session: Session, follower: Follower, strategy: Strategy) -> Story:
    """Run the schedule of a strategy, of which a follower takes note, and write everything down."""
    recorder = Recorder(strategy)
    witness = Witness(session.scheduler)
    failure = session.watched(recorder, together(witness.access, follower.access), "observe")
    threads = tuple(step.thread for step in follower.steps)
    moments = witness.shared()
    if not moments and failure is not None and failure.kind is Kind.LIVELOCK:
        moments = witness.spinning()
    return Story(failure, recorder.asked, moments, recorder.plan(), threads, session.epoch)
