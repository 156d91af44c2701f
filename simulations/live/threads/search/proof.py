"""Runs one schedule of each class, so that none is left that could end in another way."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Final, NamedTuple

from simulations.errors import NondeterminismError
from simulations.live.threads.control.limits import NEVER
from simulations.live.threads.search.follower import Follower
from simulations.live.threads.search.reduction import Reduction
from simulations.live.threads.search.session import FOCUS_ROUNDS_MAX, Hit
from simulations.live.threads.search.strategies import Turns, Walk

if TYPE_CHECKING:
    from collections.abc import Callable

    from simulations.live.threads.control.failures import Failure
    from simulations.live.threads.control.scheduler import Strategy
    from simulations.live.threads.search.session import Session


class Proof(NamedTuple):
    """How far a proof came.

    Attributes:
        hit: A schedule that fails; None if none did.
        complete: Whether a schedule of each class was run.
        conflicts: Whether two threads touched the same thing at all, and at least one wrote it.
        hindrances: What stands in the way of a proof: why some schedule may have been missed.
        time_outs: Where waits ended with their time; taken to happen only where no thread could go on.
    """

    hit: Hit | None
    complete: bool
    conflicts: bool = True
    hindrances: tuple[str, ...] = ()
    time_outs: tuple[str, ...] = ()


def prove(session: Session, schedules_max: int) -> Proof:
    """Run a schedule of each class until one fails, none is left, or the budget is spent.

    Classes that differ from the nominal run in few reversals come first. From then on threads are switched
    only where the runs have shown that it can matter.

    Raises:
        NondeterminismError: the nominal schedule fails when it is run again, and did not before.
    """
    reduction = Reduction()
    others = list(_OTHERS)
    rounds = 0
    hindrances: dict[str, None] = {}
    time_outs: dict[str, None] = {}
    nominal: Follower | None = None
    hit = None
    while hit is None and (beginning := reduction.following()) is not None:
        if session.schedules >= schedules_max or session.expired:
            hindrances[_SPENT] = None
            break
        follower = Follower(beginning)
        if reduction.classes >= OTHERS_FROM and others:
            follower = Follower((), others.pop(0)())
            reduction.put_back()
        failure = session.followed(follower)
        if session.adopted() and (failure is None or nominal is None):
            rounds += 1
            if rounds <= FOCUS_ROUNDS_MAX:
                reduction, nominal = Reduction(), None
                continue
            hindrances[_NEW_CODE] = None
        if failure is not None:
            hit = _hit(session, failure, follower)
            break
        time_outs |= follower.time_outs
        hindrances |= dict.fromkeys(session.hindrances)
        if session.cut:
            hindrances[_CUT] = None
            break
        if nominal is None:
            nominal = follower
            if not _is_repeatable(session, nominal):
                hindrances[_OUTLIVES] = None
                break
        reduction.ran(follower.steps)
    if hit is None:
        session.narrow()
    return Proof(
        hit, hit is None and not hindrances, session.has_conflicts, tuple(hindrances), tuple(time_outs)
    )


OTHERS_FROM: Final = 12
"""After this many classes some runs go another way altogether: with many threads there are many classes that
differ from the nominal run in one reversal, and what needs a thread to come late is far away."""
_OTHERS: Final[tuple[Callable[[], Strategy], ...]] = (
    lambda: Turns(NEVER >> 1, backwards=True),
    lambda: Turns(1, backwards=False),
    lambda: Turns(1, backwards=True),
    lambda: Turns(2, backwards=False),
    lambda: Turns(3, backwards=True),
    *(functools.partial(Walk, seed, mean) for seed, mean in enumerate((2.0, 4.0, 8.0, 16.0, 3.0, 6.0))),
)
_SPENT: Final = "the budget was spent"
_CUT: Final = "a run was cut short, since it did not come to an end"
_NEW_CODE: Final = "each run came to code that was not there before, so that not all of it was under control"
_OUTLIVES: Final = (
    "the same schedule did something else when it was run again: state outlives a run; make it anew in setup"
)


def _is_repeatable(session: Session, nominal: Follower) -> bool:
    """Run the nominal schedule again; return whether the same was done.

    Raises:
        NondeterminismError: it fails, and did not before.
    """
    again = Follower()
    failure = session.followed(again, counts=False)
    if failure is not None:
        raise NondeterminismError(
            f"the nominal schedule passed, and failed when it was run again ({failure.summary}): state "
            f"outlives a run; make it anew in setup"
        )
    return again.did == nominal.did


def _hit(session: Session, failure: Failure, follower: Follower) -> Hit:
    """Return a failing schedule as one that switches only where it can matter, if it fails so too."""
    session.narrow()
    again = Follower(tuple(step.thread for step in follower.steps))
    seen = session.retold(again)
    if seen is not None and seen.signature == failure.signature:
        return Hit(failure, tuple(again.decided))
    return Hit(failure, tuple(follower.decided), everywhere=True)
