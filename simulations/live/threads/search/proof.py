"""Runs one schedule of each class, so that none is left that could end in another way."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from simulations.live.threads.search.follower import Follower
from simulations.live.threads.search.reduction import Reduction
from simulations.live.threads.search.session import Hit

if TYPE_CHECKING:
    from simulations.live.threads.control.failures import Failure
    from simulations.live.threads.search.session import Session


class Proof(NamedTuple):
    """How far a proof came.

    Attributes:
        hit: A schedule that fails; None if none did.
        complete: Whether a schedule of each class was run.
    """

    hit: Hit | None
    complete: bool


def prove(session: Session, schedules_max: int) -> Proof:
    """Run a schedule of each class until one fails, none is left, or the budget is spent.

    Classes that differ from the nominal run in few reversals come first. From then on threads are switched
    only where the runs have shown that it can matter.
    """
    reduction = Reduction()
    complete = True
    hit = None
    while (beginning := reduction.following()) is not None:
        if session.schedules >= schedules_max or session.expired:
            complete = False
            break
        follower = Follower(beginning)
        failure = session.followed(follower)
        if failure is not None:
            hit = _hit(session, failure, follower)
            break
        if session.adopted():
            reduction = Reduction()
            continue
        if session.undecided:
            complete = False
            break
        reduction.ran(follower.steps)
    if hit is None:
        session.narrow()
    return Proof(hit, complete and hit is None)


def _hit(session: Session, failure: Failure, follower: Follower) -> Hit:
    """Return a failing schedule as one that switches only where it can matter, if it fails so too."""
    session.narrow()
    again = Follower(tuple(step.thread for step in follower.steps))
    seen = session.retold(again)
    if seen is not None and seen.signature == failure.signature:
        return Hit(failure, tuple(again.decided))
    return Hit(failure, tuple(follower.decided), everywhere=True)
