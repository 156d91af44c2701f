"""Runs one schedule of each class, so that none is left that could end in another way."""

from __future__ import annotations

import functools
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from simulations.errors import NondeterminismError
from simulations.live.threads.control.failures import Kind
from simulations.live.threads.control.limits import NEVER
from simulations.live.threads.search.exhaustive import Ranked
from simulations.live.threads.search.follower import Follower
from simulations.live.threads.search.hit import Hit
from simulations.live.threads.search.reduction import Reduction
from simulations.live.threads.search.session import FOCUS_ROUNDS_MAX
from simulations.live.threads.search.stories import tell
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
        time_outs: Where waits had a time-out; taken to pass only where no thread could go on.
        complete: Whether a schedule of each class was run, and none failed.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._reduction = Reduction()
        self._others = list(_OTHERS)
        self._nominal: Follower | None = None
        self._rounds = 0
        self._passed = self._repeated = False
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
            if self._is_to_be_repeated(last=beginning is None):
                if beginning is not None:
                    self._reduction.put_back()
                self._repeated = True
                hit = self._run(Follower(), repeats=True)
                continue
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
    def classes(self) -> int:
        """How many classes of schedules were run; one where threads did nothing that depends on others."""
        return self._reduction.classes

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

    def _is_to_be_repeated(self, *, last: bool) -> bool:
        """Return whether the nominal schedule is to be run again now.

        A proof and a long search rest on that it does the same again. What is found early does not: it is run
        again by itself, and so is the nominal schedule where the finding is minimised.
        """
        many = self._reduction.classes >= REPEATED_FROM
        return self._nominal is not None and not self._repeated and (last or many)

    def _begin_anew(self) -> None:
        self._reduction, self._nominal, self._repeated = Reduction(), None, False

    def _run(self, follower: Follower, *, repeats: bool = False) -> Hit | None:
        """Run a schedule, and learn from it.

        Args:
            follower: The schedule.
            repeats: Whether it is the nominal one, which has been run before and did not fail.
        """
        session = self._session
        failure = session.followed(follower, counts=not repeats)
        if session.lets_go(counted=not repeats):
            self._begin_anew()
            return None
        if session.adopted(counted=not repeats) and (failure is None or self._nominal is None):
            self._rounds += 1
            self._passed = self._passed or (failure is None and self._nominal is None and not session.stuck)
            if self._rounds <= FOCUS_ROUNDS_MAX:
                self._begin_anew()
                return None
            self.hindrances[_NEW_CODE] = None
        if failure is not None and (repeats or (self._nominal is None and self._passed)):
            raise outlived(failure)
        if failure is not None:
            hit = replace(_hit(session, failure, follower), passed=self._nominal is not None)
            if hit.rank is None and hit.passed and not self._repeated:
                refuse_outlived(session)
            return hit
        self.time_outs |= follower.time_outs
        self.hindrances |= dict.fromkeys(session.hindrances)
        if follower.strayed:
            self.hindrances[_STRAYED] = None
        if session.cut:
            self.hindrances[SPENT if session.expired else CUT] = None
            return None
        if self._nominal is None:
            self._nominal = follower
        elif repeats:
            if follower.did != self._nominal.did:
                self.hindrances[_OUTLIVES] = None
            return None
        self._reduction.ran(follower.steps, branches=follower.branches)
        return None


REPEATED_FROM: Final = 12
"""After this many classes it is seen to that the nominal schedule does the same when it is run again."""
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
_STRAYED: Final = "an order of steps could not be followed: no thread could be paused in front of one of them"
_NEW_CODE: Final = "each run came to code that was not there before, so that not all of it was under control"
_OUTLIVES: Final = (
    "the same schedule did something else when it was run again: state outlives a run, or a thread outside "
    "of the exploration changes it; make it anew in setup"
)


def outlived(failure: Failure) -> NondeterminismError:
    """Return the error that says that the nominal schedule fails, and did not before."""
    return NondeterminismError(
        f"the nominal schedule passed, and failed when it was run again ({failure.summary}): state outlives "
        f"a run, or a thread outside of the exploration changes it; make it anew in setup"
    )


def refuse_outlived(session: Session) -> None:
    """Run the nominal schedule again, which has been run before and did not fail.

    Raises:
        NondeterminismError: it fails.
    """
    failure = session.followed(Follower(), counts=False)
    if failure is not None:
        raise outlived(failure)


def _hit(session: Session, failure: Failure, follower: Follower) -> Hit:
    """Return a failing schedule as one that switches only where it can matter, if it fails so too."""
    session.narrow()
    if failure.kind is Kind.LIVELOCK:
        # A thread that waits for what no thread changes touches nothing that conflicts.
        return Hit(failure, tuple(follower.decided), everywhere=True)
    # Where nothing was decided nothing is: to follow steps would pause a thread right before it has to wait.
    again = Follower(tuple(step.thread for step in follower.steps) if follower.decided else ())
    ranked = Ranked(again)
    # Of few decisions it is often least, and then it need not be run once more to be told.
    story = tell(session, again, ranked) if len(follower.decided) == 1 else None
    seen = session.retold(again, ranked) if story is None else story.failure
    if seen is not None and seen.signature == failure.signature:
        return Hit(failure, tuple(again.decided), rank=ranked.rank, story=story)
    return Hit(failure, tuple(follower.decided), everywhere=True)
