"""Runs one schedule of each class, so that none is left that could end in another way."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Final

from simulations.errors import NondeterminismError
from simulations.live.threads.control.failures import Kind
from simulations.live.threads.control.limits import NEVER
from simulations.live.threads.search.exhaustive import rank_of
from simulations.live.threads.search.follower import Follower
from simulations.live.threads.search.hits import Hit
from simulations.live.threads.search.plans import Recorder
from simulations.live.threads.search.reduction import Reduction
from simulations.live.threads.search.session import FOCUS_ROUNDS_MAX
from simulations.live.threads.search.strategies import Turns, Walk

if TYPE_CHECKING:
    from collections.abc import Callable

    from simulations.live.threads.control.failures import Failure
    from simulations.live.threads.control.strategy import Strategy
    from simulations.live.threads.search.session import Session


class Proof:
    """Runs a schedule of each class until one fails or none is left; it can be taken up again.

    Classes that differ from the nominal run in few reversals come first.

    Attributes:
        hindrances: What stands in the way of a proof: why some schedule may have been missed.
        time_outs: Where waits ended with their time; taken to happen only where no thread could go on.
        complete: Whether a schedule of each class was run, and none failed.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._reduction = Reduction()
        self._others = list(_OTHERS)
        self._nominal: Follower | None = None
        self._rounds = 0
        self._passed = False
        self.hindrances: dict[str, None] = {}
        self.time_outs: dict[str, None] = {}
        self.complete = False

    def advance(self, schedules_max: int) -> Hit | None:
        """Go on until a schedule fails, none is left, or this many have been run in all; return what failed.

        From then on threads are switched only where the runs have shown that it can matter.

        Raises:
            NondeterminismError: the nominal schedule fails when it is run again, and did not before.
        """
        hit = None
        while hit is None and not self._stopped and not self.complete:
            beginning = self._reduction.following()
            if beginning is None:
                self.complete = not self.hindrances
                break
            if self._session.schedules >= schedules_max or self._session.expired:
                self._reduction.put_back()
                break
            hit = self._run(self._other() or Follower(beginning))
        if hit is None:
            self._session.narrow()
        return hit

    def is_near(self, schedules: int) -> bool:
        """Whether the proof may be complete after so many more schedules, as far as can be seen."""
        return not self.complete and not self._stopped and self._reduction.waiting <= schedules

    @property
    def _stopped(self) -> bool:
        """Whether to go on would say nothing: runs do not end, or are not repeated."""
        return CUT in self.hindrances or _OUTLIVES in self.hindrances

    def _other(self) -> Follower | None:
        """Return another way than the beginning that was proposed last, now and then."""
        if self._reduction.classes < OTHERS_FROM or not self._others:
            return None
        self._reduction.put_back()
        return Follower((), self._others.pop(0)())

    def _run(self, follower: Follower) -> Hit | None:
        session = self._session
        failure = session.followed(follower)
        if session.lets_go():
            self._reduction, self._nominal = Reduction(), None
            return None
        if session.adopted() and (failure is None or self._nominal is None):
            self._rounds += 1
            self._passed = self._passed or (failure is None and self._nominal is None and not session.stuck)
            if self._rounds <= FOCUS_ROUNDS_MAX:
                self._reduction, self._nominal = Reduction(), None
                return None
            self.hindrances[_NEW_CODE] = None
        if failure is not None and self._nominal is None and self._passed:
            raise _outlived(failure)
        if failure is not None:
            return _hit(session, failure, follower)
        self.time_outs |= follower.time_outs
        self.hindrances |= dict.fromkeys(session.hindrances)
        if session.cut:
            self.hindrances[SPENT if session.expired else CUT] = None
            return None
        if self._nominal is None:
            self._nominal = follower
            if not _is_repeatable(session, follower):
                self.hindrances[_OUTLIVES] = None
        self._reduction.ran(follower.steps, branches=follower.branches)
        return None


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
SPENT: Final = "the budget was spent"
"""Why a search that found nothing gave up, where nothing else stood in its way."""
CUT: Final = "a run was cut short, since it did not come to an end"
_NEW_CODE: Final = "each run came to code that was not there before, so that not all of it was under control"
_OUTLIVES: Final = (
    "the same schedule did something else when it was run again: state outlives a run, or a thread outside "
    "of the exploration changes it; make it anew in setup"
)


def _outlived(failure: Failure) -> NondeterminismError:
    return NondeterminismError(
        f"the nominal schedule passed, and failed when it was run again ({failure.summary}): state outlives "
        f"a run, or a thread outside of the exploration changes it; make it anew in setup"
    )


def _is_repeatable(session: Session, nominal: Follower) -> bool:
    """Run the nominal schedule again; return whether the same was done.

    Raises:
        NondeterminismError: it fails, and did not before.
    """
    again = Follower()
    failure = session.followed(again, counts=False)
    if failure is not None:
        raise _outlived(failure)
    return again.did == nominal.did


def _hit(session: Session, failure: Failure, follower: Follower) -> Hit:
    """Return a failing schedule as one that switches only where it can matter, if it fails so too."""
    session.narrow()
    if failure.kind is Kind.LIVELOCK:
        # A thread that waits for what no thread changes touches nothing that conflicts.
        return Hit(failure, tuple(follower.decided), everywhere=True)
    again = Follower(tuple(step.thread for step in follower.steps))
    recorder = Recorder(again)
    seen = session.retold(again, recorder)
    if seen is not None and seen.signature == failure.signature:
        return Hit(failure, tuple(again.decided), rank=rank_of(recorder))
    return Hit(failure, tuple(follower.decided), everywhere=True)
