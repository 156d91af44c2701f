"""From the result of a search to its report: confirm, minimise, and write down what happened."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from simulations.errors import NondeterminismError
from simulations.live.threads.report import Exploration, Minimality, Possible, Replay, Verdict
from simulations.live.threads.search import explain
from simulations.live.threads.search.minimise import minimise, possible
from simulations.live.threads.search.plans import in_words
from simulations.live.threads.search.proof import outlived, refuse_outlived
from simulations.live.threads.search.stories import story

if TYPE_CHECKING:
    from collections.abc import Sequence

    from simulations.live.threads.control.failures import Failure
    from simulations.live.threads.program import Budget
    from simulations.live.threads.report import Coverage, Told
    from simulations.live.threads.search.hit import Hit
    from simulations.live.threads.search.reduction import Beginning
    from simulations.live.threads.search.session import Session
    from simulations.live.threads.search.strategies import Decisions


_NEAREST_MAX: Final = 8
"""How many schedules are run to find one that passes and is near."""


def not_found(session: Session, budget: Budget, coverage: Coverage) -> Exploration:
    """Report a search that found nothing: all that was asked for was gone through, or it gave up."""
    exhausted = coverage.reaches(budget.max_preemptions)
    return Exploration(
        Verdict.EXHAUSTED if exhausted else Verdict.GAVE_UP,
        session.schedules,
        coverage,
        threads=session.program.names,
        points=session.points,
    )


def found(session: Session, hit: Hit, budget: Budget, coverage: Coverage) -> Exploration:
    """Report a failing schedule, minimised and explained.

    Raises:
        NondeterminismError: it does not fail when it is run again.
    """
    schedules, points = session.schedules, session.points
    if hit.by_audit:
        return _without_a_plan(session, hit, coverage, _AUDITED)
    if hit.rank is None and not _confirmed(session, hit):
        return _without_a_plan(session, hit, coverage, _TIME_WAS_UP)
    before = session.schedules
    witnesses: list[explain.Witness] = []

    def nominal() -> explain.Witness:
        witnesses.append(explain.Witness(session.scheduler))
        return witnesses[-1]

    minimal = minimise(
        session,
        hit,
        0 if budget.searcher == "replay" else budget.minimise_max,
        nominal if len(hit.decisions) == 1 else None,
    )
    minimising = session.schedules - before
    if hit.passed and hit.rank is not None and not minimal.decisions:
        # A thread that spins may fail by itself where fewer places count; else state outlives a run.
        refuse_outlived(session)
        session.narrow()
    known = hit.story if minimal.decisions == hit.decisions else None
    if known is None or known.epoch != session.epoch:  # or its steps would be counted in another way
        known = story(session, minimal.decisions)
        if session.cut and session.expired:
            return _without_a_plan(session, hit, coverage, _TIME_WAS_UP)
    failure, asked, moments = known.failure, known.asked, known.moments
    if failure is None:
        raise _depends("the least schedule did not fail when it was run under observation")
    threads = tuple(dict.fromkeys([*session.program.names, *(m.place.thread for m in moments)]))
    preemptions = sum(1 for choice in asked if choice.chosen and not choice.forced)
    told = _told(session, minimal.decisions, explain.told(moments, asked, threads, failure), witnesses[-1:])
    return Exploration(
        Verdict.FOUND,
        schedules,
        coverage,
        failure=failure,
        plan=known.plan,
        preemptions=preemptions,
        deviations=len(known.plan),
        words=in_words(asked),
        minimality=minimal.minimality,
        minimising=minimising,
        below=minimal.below,
        possible=_possible(session, failure, preemptions, known.threads),
        lanes=explain.lanes(moments, asked, threads),
        mermaid=explain.mermaid(moments, asked, threads),
        conflict=explain.conflict_text(moments, asked, failure),
        digest=explain.trace_of(moments, failure).digest(),
        threads=threads,
        points=points,
        told=told,
    )


def _possible(session: Session, failure: Failure, preemptions: int, threads: Beginning) -> Possible:
    """Return whether this interpreter can show a finding; it may switch in what was taken for one step."""
    found = possible(session, failure, preemptions, threads)
    return Possible.NOT_SEEN if found is Possible.ELSEWHERE and session.atomic else found


_AUDITED: Final = "threads are switched at single instructions, as an audit of the proof did"
_TIME_WAS_UP: Final = "not told, since the time was up before it could be run again"


def _without_a_plan(session: Session, hit: Hit, coverage: Coverage, words: str) -> Exploration:
    """Report a failing schedule that was not run again."""
    return Exploration(
        Verdict.FOUND,
        session.schedules,
        coverage,
        failure=hit.failure,
        words=words,
        minimality=Minimality.NOT_MINIMISED,
        possible=Possible.NOT_SEEN,
        threads=session.program.names,
        points=session.points,
    )


def _told(
    session: Session, decisions: Decisions, failing: Told | None, nominal: Sequence[explain.Witness]
) -> tuple[Told, ...]:
    """Return a failing run and, where there is one with a decision fewer, one that passes.

    Args:
        session: The session that found it.
        decisions: The schedule.
        failing: The failing run.
        nominal: A witness of the nominal run, if there was one.
    """
    if failing is None:
        return ()
    if nominal and nominal[0].passed and len(decisions) == 1:
        passing = explain.told(nominal[0].shared(), (), failing.lanes, None)
        return (failing,) if passing is None else (failing, passing)
    fewer = [(*decisions[:place], *decisions[place + 1 :]) for place in reversed(range(len(decisions)))]
    for rest in fewer[:_NEAREST_MAX]:
        if session.expired:
            break
        failure, asked, moments = story(session, rest)[:3]
        if failure is not None and not rest:
            raise outlived(failure)
        passing = explain.told(moments, asked, failing.lanes, failure)
        if failure is None and passing is not None and not session.cut:
            return (failing, passing)
    return (failing,)


def replayed(session: Session, decisions: Decisions) -> Replay:
    """Report one run of a schedule."""
    failure, asked, moments = story(session, decisions)[:3]
    trace = explain.trace_of(moments, failure)
    return Replay(failure, trace.digest(), explain.lanes(moments, asked, session.program.names))


def _confirmed(session: Session, hit: Hit) -> bool:
    """Run a failing schedule again; return whether there was the time to see it fail."""
    confirmed = session.again(hit.decisions, everywhere=hit.everywhere)
    if session.cut and session.expired:
        return False
    if confirmed is None or confirmed.signature != hit.failure.signature:
        again = "did not" if confirmed is None else f"failed in another way ({confirmed.summary})"
        raise _depends(f"a schedule failed ({hit.failure.summary}) and, run again, {again}")
    return True


def _depends(what: str) -> NondeterminismError:
    return NondeterminismError(
        f"{what}: the program depends on something else too; look for randomness, a clock, a global that "
        f"outlives the run, the order of a set, a thread outside of the exploration"
    )
