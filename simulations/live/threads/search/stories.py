"""Runs a schedule and writes down everything that is said of it later."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulations.live.threads.control.failures import Kind
from simulations.live.threads.search.explain import Story, Witness
from simulations.live.threads.search.follower import Follower, together
from simulations.live.threads.search.plans import Recorder
from simulations.live.threads.search.strategies import Fixed

if TYPE_CHECKING:
    from simulations.live.threads.control.strategy import Strategy
    from simulations.live.threads.search.session import Session
    from simulations.live.threads.search.strategies import Decisions


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
