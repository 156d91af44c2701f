"""Which schedules are tried, in which order: the nominal one, small deviations, every short one, chance."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final, NamedTuple

from simulations.live.threads.control.back_end import NATIVE
from simulations.live.threads.report import Coverage
from simulations.live.threads.search.hit import Hit
from simulations.live.threads.search.proof import CUT, SPENT, Proof
from simulations.live.threads.search.strategies import Fixed, Pct, Proposal, Turns, Walk

if TYPE_CHECKING:
    from simulations.choices import Plan
    from simulations.live.threads.program import Budget
    from simulations.live.threads.search.session import Session
    from simulations.live.threads.search.strategies import Decisions

CUTS_MAX: Final = 20
"""After so many runs that did not come to an end a search for what fails gives up."""
OBSERVATIONS: Final = 12
"""How many runs a program is observed for where no budget says otherwise."""
_MEANS: Final = (1.5, 3.0, 8.0, 30.0)
PROOF_FIRST: Final = 250
"""How many schedules a portfolio spends on a proof before it tries what is cheap; most need fewer."""
AUDITS: Final = 24
"""How many random schedules a proof is audited with."""
_AUDIT_MEANS: Final = (4.0, 12.0, 40.0)
"""In how many instructions a switch is expected once."""


class Searched(NamedTuple):
    """The result of a search.

    Attributes:
        hit: The failing schedule; None if none was found.
        coverage: Which schedules were gone through in full.
    """

    hit: Hit | None
    coverage: Coverage


def search(session: Session, budget: Budget) -> Searched:
    """Return a failing schedule, and which schedules were gone through in full."""
    if budget.provable and session.granularity == "access":
        return _prove(session, budget)
    coverage = covered(session)
    known = session.observe(budget.seed, budget.max_schedules)
    if known is not None and not known.decisions:
        return Searched(known, coverage)
    found = _tried(session, Fixed())
    if found is not None:
        return Searched(found, coverage)
    if budget.searcher == "exhaustive" or budget.max_preemptions is not None:
        searched = _enumerated(session, budget.max_schedules, budget.max_preemptions)
        # What observation came upon may need more preemptions than are asked about.
        return (
            searched if budget.max_preemptions is not None else searched._replace(hit=searched.hit or known)
        )
    if budget.searcher == "portfolio":
        found = _sweep(session, session.schedules + budget.max_schedules * 2 // 5)
        small = session.schedules + min(budget.max_schedules // 4, PROOF_FIRST)
        if found is None and small < budget.max_schedules:
            searched = _enumerated(session, small, None)
            if searched.hit is not None or searched.coverage.complete:
                return searched._replace(hit=searched.hit or known)
            coverage = searched.coverage
    return Searched(found or _by_chance(session, budget) or known, coverage)


def _prove(session: Session, budget: Budget) -> Searched:
    """Run a schedule of each class; where those are many, a portfolio tries what is cheap in between."""
    proof = Proof(session)
    everything = budget.max_schedules
    small = everything if budget.searcher == "exhaustive" else min(everything, PROOF_FIRST)
    hit = proof.advance(small)
    while hit is None and small < everything and proof.is_near(everything - small) and not session.expired:
        small = min(everything, small + PROOF_FIRST)
        hit = proof.advance(small)
    if hit is None and not proof.complete and small < everything:
        hit = _sweep(session, small + (everything - small) // 4)
        hit = hit or _by_chance(session, budget, small + (everything - small) // 2)
        hit = hit or proof.advance(everything)
    coverage = replace(
        covered(session, complete=proof.complete),
        vacuous=not session.has_conflicts and proof.classes <= 1,
        hindrances=tuple(proof.hindrances) or (() if proof.complete else (SPENT,)),
        time_outs=tuple(proof.time_outs),
    )
    if hit is None and proof.complete:
        return audited(session, budget, coverage)
    return Searched(hit, coverage)


def audited(session: Session, budget: Budget, coverage: Coverage) -> Searched:
    """Run random schedules at every instruction, without any filter, over what was proved.

    In a browser none is run: a thread that is parked inside a trace function leaves the others untraced.
    """
    for number in range(AUDITS if NATIVE else 0):
        if session.expired:
            break
        failure = session.audit(
            Walk(budget.seed * 1_000_003 + number, _AUDIT_MEANS[number % len(_AUDIT_MEANS)])
        )
        coverage = replace(coverage, audits=number + 1)
        if failure is not None:
            return Searched(Hit(failure, (), by_audit=True), replace(coverage, complete=False))
    return Searched(None, coverage)


def retraced(session: Session, plan: Plan, seed: int) -> Hit | None:
    """Return the schedule of a plan if it fails.

    Raises:
        PlanError: the plan does not apply any more.
    """
    session.observe(seed, session.schedules + OBSERVATIONS)
    failure, decisions = session.replay(plan)
    return None if failure is None else Hit(failure, decisions)


def covered(session: Session, preemptions: int | None = None, *, complete: bool = False) -> Coverage:
    """Return which schedules of a session were gone through."""
    threads = len(session.program.workers)
    hindrances = (*session.hindrances, *((CUT,) if session.cuts and not session.expired else ()))
    return Coverage(preemptions, complete, session.granularity, threads, session.atomic, hindrances)


def _by_chance(session: Session, budget: Budget, schedules_max: int | None = None) -> Hit | None:
    """Try schedules at random until the budget, or part of it, runs out."""
    schedules_max = budget.max_schedules if schedules_max is None else schedules_max
    if not session.points:
        # Probabilistic concurrency testing spreads its changes over the points of the nominal run.
        found = _tried(session, Fixed())
        if found is not None:
            return found
        session.measure()
    while session.schedules < schedules_max and not _is_spent(session):
        late = budget.searcher == "portfolio" and session.schedules >= schedules_max - schedules_max // 10
        if late and not session.widened:
            session.widen()
        found = _tried(session, _proposal(session, budget))
        if found is not None:
            return found
    return None


def _proposal(session: Session, budget: Budget) -> Proposal:
    """Return the next strategy of a random search; its chance depends on the seed and the run's number."""
    turn = session.schedules
    stream = budget.seed * 1_000_003 + turn
    walk = budget.searcher == "random" or (budget.searcher == "portfolio" and turn % 3 == 0)
    if walk:
        return Walk(stream, _MEANS[turn // 3 % len(_MEANS)])
    return Pct(stream, 1 + turn % 4, max(session.points, 1))


def _tried(session: Session, strategy: Proposal) -> Hit | None:
    failure = session.fast(strategy)
    decided = tuple(strategy.decided)
    if failure is not None:
        return Hit(failure, decided)
    session.learn(decided)
    return None


def _is_spent(session: Session) -> bool:
    """Whether no more runs are tried although the budget has some, since each takes too long."""
    return session.expired or session.cuts >= CUTS_MAX


def _sweep(session: Session, schedules_max: int) -> Hit | None:
    """Try every single deviation from the nominal run, and strict turns, before anything random."""
    for quantum in (1, 2, 3):
        for backwards in (False, True):
            found = _tried(session, Turns(quantum, backwards=backwards))
            if found is not None or session.schedules >= schedules_max:
                return found
    done: set[Decisions] = set()
    again = True
    while again:
        again = False
        epoch = session.epoch
        for decisions in session.single_deviations():
            if session.schedules >= schedules_max or _is_spent(session):
                return None
            if decisions in done:
                continue
            done.add(decisions)
            found = _tried(session, Fixed(decisions))
            if found is not None:
                return found
            if session.epoch != epoch:
                again = True
                done.clear()
                break
    return None


def _enumerated(session: Session, schedules_max: int, bound: int | None) -> Searched:
    result = session.enumerate(
        schedules_max=max(schedules_max - session.schedules, 1), bound=bound, full=True
    )
    coverage = covered(session, result.gone_through, complete=result.complete)
    if result.failure is None:
        return Searched(None, coverage)
    return Searched(Hit(result.failure, result.decisions, least=result.rank), coverage)
