"""From a failing schedule to the least one, and whether this interpreter can show it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from simulations.live.threads.report import Minimality, Possible
from simulations.live.threads.search.portfolio import OBSERVATIONS

if TYPE_CHECKING:
    from simulations.live.threads.control.failures import Failure
    from simulations.live.threads.search.session import Hit, Session
    from simulations.live.threads.search.strategies import Decisions

GIL_MAX: Final = 400
"""How many runs may be spent on showing a finding where this interpreter really switches."""
DELAY_BOUND_THREADS: Final = 6
"""From this many threads on, schedules are minimised by delay bounding too."""
GROWTHS_MAX: Final = 8
"""How often minimising begins anew because a run has shown another place at which a switch matters."""
RUNS_MIN: Final = 20
"""How many runs may be spent however long they are."""
POINTS_SPENT_MAX: Final = 500_000
"""How many points the runs may have together beyond that."""
POINTS_A_THREAD: Final = 100
"""As many points take as long as a thread that is started, handed the baton and ended."""


class Minimal(NamedTuple):
    """A schedule that was minimised.

    Attributes:
        decisions: The schedule.
        minimality: How it is known to be least.
        below: The number of preemptions up to which no schedule fails; None where that is unknown.
    """

    decisions: Decisions
    minimality: Minimality
    below: int | None = None


def minimise(session: Session, hit: Hit, runs_max: int) -> Minimal:
    """Return the least schedule that fails as this one does, as far as the budget of runs goes."""
    if not hit.decisions:
        return Minimal((), Minimality.NOMINAL)
    if hit.least is not None:
        return Minimal(hit.decisions, Minimality.LEAST)
    if not runs_max:
        return Minimal(hit.decisions, Minimality.NOT_MINIMISED)

    def wanted(failure: Failure) -> bool:
        return failure.signature == hit.failure.signature

    decisions, rank = session.dropped(hit.decisions, wanted)
    runs_max = _affordable(session, runs_max)
    many = len(session.program.workers) >= DELAY_BOUND_THREADS
    left = runs_max * 3 // 4 if many else runs_max
    for _ in range(GROWTHS_MAX):
        result = session.enumerate(schedules_max=left, bound=None, full=True, below=rank, wanted=wanted)
        if result.failure is not None and result.rank is not None:
            decisions, rank = result.decisions, result.rank
        if not result.grown:
            break
        recounted = session.recounted(decisions, result.grown)
        if recounted is None:
            return Minimal(decisions, Minimality.ONE_MINIMAL)
        decisions, rank = recounted
    if not result.grown and (result.failure is not None or result.complete):
        return Minimal(decisions, Minimality.LEAST)
    if many:
        delayed = session.enumerate(
            schedules_max=runs_max - left,
            bound=None,
            full=False,
            below=rank,
            wanted=wanted,
            by_deviations=True,
        )
        if delayed.failure is not None and delayed.rank is not None and delayed.rank < rank:
            return Minimal(delayed.decisions, Minimality.DELAY_BOUNDED)
        if delayed.failure is None and delayed.complete:
            return Minimal(decisions, Minimality.DELAY_BOUNDED)
    return Minimal(decisions, Minimality.ONE_MINIMAL, result.gone_through)


def possible(session: Session, failure: Failure, preemptions: int) -> Possible:
    """Return whether a finding shows where this interpreter really switches threads.

    The session switches threads there from then on.
    """
    if session.granularity == "gil" or preemptions == 0:
        return Possible.HERE

    def wanted(other: Failure) -> bool:
        return other.signature == failure.signature

    session.regrain("gil")
    hit = session.observe(0, session.schedules + OBSERVATIONS)
    if hit is not None and wanted(hit.failure):
        return Possible.HERE
    result = session.enumerate(
        schedules_max=_affordable(session, GIL_MAX), bound=preemptions + 1, full=True, wanted=wanted
    )
    if result.failure is not None:
        return Possible.HERE
    if result.complete or (result.gone_through is not None and result.gone_through >= preemptions):
        return Possible.ELSEWHERE
    return Possible.NOT_SEEN


def _affordable(session: Session, runs: int) -> int:
    """Return how many runs may be spent where runs are long: a limit that does not depend on the clock."""
    if session.scheduler.uncontrolled:
        return min(runs, RUNS_MIN)  # where threads really wait, runs are slow
    length = session.steps + POINTS_A_THREAD * len(session.program.workers)
    return min(runs, max(RUNS_MIN, POINTS_SPENT_MAX // length))
