"""From a failing schedule to the least one, and whether this interpreter can show it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from simulations.live.threads.control.failures import Kind
from simulations.live.threads.report import Minimality, Possible
from simulations.live.threads.search.exhaustive import Ranked
from simulations.live.threads.search.follower import Follower, nothing
from simulations.live.threads.search.portfolio import OBSERVATIONS
from simulations.live.threads.search.strategies import Fixed

if TYPE_CHECKING:
    from collections.abc import Callable

    from simulations.live.threads.control.failures import Failure
    from simulations.live.threads.control.sites import Site
    from simulations.live.threads.search.exhaustive import Rank
    from simulations.live.threads.search.explain import Witness
    from simulations.live.threads.search.hit import Hit
    from simulations.live.threads.search.reduction import Beginning
    from simulations.live.threads.search.session import Session
    from simulations.live.threads.search.strategies import Decisions

GIL_MAX: Final = 400
"""How many runs may be spent on showing a finding where this interpreter really switches."""
GIL_TIMES: Final = 3
"""So many times as many may be spent as it took to find and minimise it, but at least `GIL_AT_ONCE`."""
GIL_AT_ONCE: Final = 24
"""After so many runs none has more preemptions than the finding."""
GIL_LIVELOCK_MAX: Final = 8
"""How many runs may be spent on showing a livelock: each goes round and round for thousands of points."""
DELAY_BOUND_THREADS: Final = 6
"""From this many threads on, schedules are minimised by delay bounding too."""
GROWTHS_MAX: Final = 8
"""How often minimising begins anew because a run has shown another place at which a switch matters."""
RUNS_MIN: Final = 20
"""How many runs may be spent however long they are."""
POINTS_SPENT_MAX: Final = 500_000
"""How many points the runs may have together beyond that."""
GIL_RUNS_MIN: Final = 4
GIL_POINTS_SPENT_MAX: Final = 30_000
"""The same for what is spent on showing a finding."""
POINTS_A_THREAD: Final = 30
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


def minimise(
    session: Session, hit: Hit, runs_max: int, nominal: Callable[[], Witness] | None = None
) -> Minimal:
    """Return the least schedule that fails as this one does, as far as the budget of runs goes.

    Args:
        session: The session that found it.
        hit: The failing schedule.
        runs_max: The budget.
        nominal: Makes a witness of the nominal schedule, which is run each time that the order begins.
    """
    if not hit.decisions:
        return Minimal((), Minimality.NOMINAL)
    if hit.least is not None:
        return Minimal(hit.decisions, Minimality.LEAST)
    if not runs_max:
        return Minimal(hit.decisions, Minimality.NOT_MINIMISED)

    def wanted(failure: Failure) -> bool:
        return failure.signature == hit.failure.signature

    decisions, rank = _dropped(session, hit, wanted)
    if session.expired:
        return Minimal(decisions, Minimality.NOT_MINIMISED)
    runs_max = _affordable(session, runs_max)
    many = len(session.program.workers) >= DELAY_BOUND_THREADS
    left = runs_max * 3 // 4 if many else runs_max
    for _ in range(GROWTHS_MAX):
        result = session.enumerate(
            schedules_max=left, bound=None, full=True, below=rank, wanted=wanted, nominal=nominal
        )
        if result.failure is not None and result.rank is not None:
            decisions, rank = result.decisions, result.rank
        if not result.grown:
            break
        recounted = _recounted(session, decisions, result.grown)
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


def _dropped(session: Session, hit: Hit, wanted: Callable[[Failure], bool]) -> tuple[Decisions, Rank]:
    """Leave out what a failing schedule does not need: half of its decisions first, at last each.

    That it needs some decision is known: without any it would be the nominal one.
    """
    decisions, rank = hit.decisions, hit.rank
    size = max(len(decisions) // 2, 1)
    while size and not session.expired:
        end = len(decisions)
        while end > 0 and not session.expired:
            kept = (*decisions[: max(end - size, 0)], *decisions[end:])
            strategy = Fixed(kept)
            ranked = Ranked(strategy)
            failure = session.watched(ranked, nothing, "watch") if kept else None
            if failure is not None and wanted(failure):
                decisions, rank = tuple(strategy.decided), ranked.rank
            end = min(end - size, len(decisions))
        size //= 2
    if rank is None:
        ranked = Ranked(Fixed(decisions))
        session.watched(ranked, nothing, "watch")
        rank = ranked.rank
    return decisions, rank


def _recounted(
    session: Session, decisions: Decisions, grown: frozenset[Site]
) -> tuple[Decisions, Rank] | None:
    """Return a schedule as it is counted with more places to switch at; None if it fails no more."""
    told = Follower((), Fixed(decisions))
    session.retold(told)
    session.set_focus(session.focus() | grown)
    again = Follower(tuple(step.thread for step in told.steps))
    ranked = Ranked(again)
    if session.retold(again, ranked) is None:
        return None
    return tuple(again.decided), ranked.rank


def possible(session: Session, failure: Failure, preemptions: int, threads: Beginning) -> Possible:
    """Return whether a finding shows where this interpreter really switches threads.

    The session switches threads there from then on.

    Args:
        session: The session that found it.
        failure: How it failed.
        preemptions: How many preemptions its least schedule has.
        threads: The threads of the steps of that schedule, in order.
    """
    if session.granularity == "gil" or preemptions == 0:
        return Possible.HERE
    if session.expired:
        return Possible.NOT_SEEN

    def wanted(other: Failure) -> bool:
        return other.signature == failure.signature

    session.regrain("gil")
    if session.has_conflicts:
        shown = session.switched(threads)
        if failure.kind is Kind.LIVELOCK:
            session.widen()  # a thread that waits for what no thread changes touches nothing that conflicts
    else:
        hit = session.observe(0, session.schedules + OBSERVATIONS)
        shown = None if hit is None else hit.failure
    if shown is not None and wanted(shown):
        return Possible.HERE
    if failure.kind is Kind.LIVELOCK:
        worth = GIL_LIVELOCK_MAX
    else:
        worth = min(GIL_MAX, max(GIL_AT_ONCE, GIL_TIMES * session.schedules))
    affordable = _affordable(session, worth, GIL_RUNS_MIN, GIL_POINTS_SPENT_MAX)
    result = session.enumerate(
        schedules_max=affordable,
        bound=preemptions + 1,
        full=True,
        wanted=wanted,
        enough=(preemptions, GIL_AT_ONCE),
    )
    if result.failure is not None:
        return Possible.HERE
    if session.cuts:
        return Possible.NOT_SEEN
    if result.complete or (result.gone_through is not None and result.gone_through >= preemptions):
        return Possible.ELSEWHERE
    return Possible.NOT_SEEN


def _affordable(session: Session, runs: int, least: int = RUNS_MIN, points: int = POINTS_SPENT_MAX) -> int:
    """Return how many runs may be spent where runs are long: a limit that does not depend on the clock."""
    if session.scheduler.kernel.uncontrolled:
        return min(runs, RUNS_MIN)  # where threads really wait, runs are slow
    length = session.steps + POINTS_A_THREAD * len(session.program.workers)
    return min(runs, max(least, points // length))
