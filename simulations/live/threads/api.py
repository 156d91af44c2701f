"""What a user calls: explore a program, replay a plan, mark a region."""

from __future__ import annotations

import asyncio
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

from simulations.errors import NondeterminismError
from simulations.live.threads.control.back_end import NATIVE
from simulations.live.threads.errors import ThreadsError
from simulations.live.threads.program import MINIMISE_MAX, WALL_LIMIT, Budget, Program
from simulations.live.threads.search import findings
from simulations.live.threads.search.portfolio import OBSERVATIONS, Searched, covered, retraced, search
from simulations.live.threads.search.session import SESSION, Session
from simulations.live.threads.search.strategies import Fixed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from simulations.choices import Plan
    from simulations.live.threads.control.failures import Failure
    from simulations.live.threads.control.points import Granularity
    from simulations.live.threads.program import Searcher
    from simulations.live.threads.report import Exploration, Replay
    from simulations.live.threads.search.strategies import Decisions

S = TypeVar("S")


def explore(
    setup: Callable[[], S],
    workers: Sequence[Callable[[S], object]] | Mapping[str, Callable[[S], object]],
    check: Callable[[S], object] | None = None,
    *,
    searcher: Searcher = "portfolio",
    granularity: Granularity = "access",
    max_schedules: int = 1_000,
    seed: int = 0,
    max_preemptions: int | None = None,
    seconds: float | None = None,
    scope: Sequence[str] | None = None,
    plan: Plan | None = None,
    wall_limit: float = WALL_LIMIT,
    minimise_max: int = MINIMISE_MAX,
) -> Exploration:
    """Search for a schedule of real threads under which a program fails, and minimise it.

    Args:
        setup: Makes the state that the threads share; called anew for every schedule.
        workers: Each is called with the state in a thread of its own. A mapping gives the threads their
            names.
        check: Called with the state when every thread has ended; returns False or raises if it is wrong.
        searcher: `portfolio` (the default), `random`, `pct`, `exhaustive` (every schedule in the order of
            "least", up to `max_preemptions`), or `replay` (of `plan`).
        granularity: Where threads may be switched: `access` (in front of whatever two threads touch and one
            changes), `sync` (at operations on primitives only) or `gil` (where this interpreter switches).
        max_schedules: How many schedules may be run before it gives up, from 1.
        seed: Chooses the random schedules.
        max_preemptions: The greatest number of pauses of a thread that could go on; None is no limit.
        seconds: Gives up after this much wall-clock time; None is no limit.
        scope: The modules whose accesses count, by name; None is everything but the standard library.
            Operations on primitives are under control everywhere.
        plan: The plan to replay.
        wall_limit: After this many seconds without a sign of a thread, the run is an error.
        minimise_max: How many runs may be spent on minimising what was found.

    Raises:
        ThreadsError: an argument cannot work; the message says which, and the way out.
        StuckError: a thread blocks in something that cannot be controlled.
        NondeterminismError: the program does not do the same thing again under the same schedule.
        PlanError: the plan does not apply.
    """
    _refuse_event_loop()
    budget = Budget(searcher, max_schedules, seed, max_preemptions, seconds, minimise_max)
    program = Program.of(setup, workers, check, granularity=granularity, scope=scope, wall_limit=wall_limit)
    if searcher == "replay" and plan is None:
        raise ThreadsError("searcher='replay' needs the plan to replay: pass plan=exploration.plan")

    def explored(session: Session) -> Exploration:
        if searcher == "replay" and plan is not None:
            hit, coverage = Searched(retraced(session, plan, seed), covered(session))
        else:
            hit, coverage = search(session, budget)
        if hit is None:
            return findings.not_found(session, budget, coverage)
        session.take_time()
        return findings.found(session, hit, budget, coverage)

    return _under_control(Session(program, seconds=seconds), explored)


def replay(
    setup: Callable[[], S],
    workers: Sequence[Callable[[S], object]] | Mapping[str, Callable[[S], object]],
    plan: Plan,
    check: Callable[[S], object] | None = None,
    *,
    granularity: Granularity = "access",
    seed: int = 0,
    scope: Sequence[str] | None = None,
    wall_limit: float = WALL_LIMIT,
) -> Replay:
    """Run the schedule of a plan once.

    Args:
        setup: This and the others are what `explore` found the plan with.
        workers: See `Program`.
        plan: The plan.
        check: See `Program`.
        granularity: See `Program`.
        seed: See `Budget`.
        scope: See `Program`.
        wall_limit: See `Program`.

    Raises:
        PlanError: the plan does not apply any more; the message says which part.
        ThreadsError: an argument cannot work.
        StuckError: a thread blocks in something that cannot be controlled.
    """
    _refuse_event_loop()
    program = Program.of(setup, workers, check, granularity=granularity, scope=scope, wall_limit=wall_limit)

    def replayed(session: Session) -> Replay:
        session.observe(seed, OBSERVATIONS)
        _, decisions = session.replay(plan)
        return findings.replayed(session, decisions)

    return _under_control(Session(program), replayed)


def run_decisions(program: Program, decisions: Decisions) -> Failure | None:
    """Run one schedule, given by steps, and return how it failed. A decision that does not apply is left out.

    Args:
        program: The program.
        decisions: At which step which thread goes on, by its number from 0.

    Raises:
        ThreadsError: it is called inside another exploration.
        StuckError: a thread blocks in something that cannot be controlled.
    """
    _refuse_event_loop()

    def ran(session: Session) -> Failure | None:
        known = session.observe(0, OBSERVATIONS)
        if known is not None and not known.decisions:
            return known.failure
        return session.fast(Fixed(decisions))

    return _under_control(Session(program), ran)


def _under_control(session: Session, use: Callable[[Session], S]) -> S:
    """Return what a session is used for, and leave nothing of it behind.

    An interruption may come as `__exit__` is being called; then it is closed here.
    """
    try:
        with session:
            try:
                return use(session)
            except NondeterminismError as error:
                if session.scheduler.strangers.met:
                    raise NondeterminismError(session.scheduler.strangers.meddled()) from error
                raise
    finally:
        session.close()


@contextmanager
def uninteresting() -> Iterator[None]:
    """Mark a region in which threads are not to be switched, except where they have to wait.

    Outside an exploration it does nothing.
    """
    session = SESSION.get()
    if session is None or not session.scheduler.mine():
        yield
        return
    session.enter_region()
    with session.scheduler.muted():
        yield


def _refuse_event_loop() -> None:
    """Refuse to block an event loop that has other work; a notebook's waits for its cell anyway.

    In a browser nothing is blocked: a thread that waits is parked.
    """
    if not NATIVE:
        return
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return
    shell = sys.modules.get("IPython")
    if shell is None or not hasattr(shell.get_ipython(), "kernel"):
        raise ThreadsError(
            "explore was called in a running event loop, which it would block; call it from a plain "
            "function, or with `await asyncio.to_thread(explore, ...)`"
        )
