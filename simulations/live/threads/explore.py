"""Explores the schedules of a program: observe, search, make least, explain."""

from __future__ import annotations

import asyncio
import dataclasses
import functools
import inspect
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final, Literal, TypeVar

from simulations.errors import NondeterminismError
from simulations.live.threads.errors import ThreadsError
from simulations.live.threads.report import Exploration, Replay, Verdict
from simulations.live.threads.search import explain
from simulations.live.threads.search.explorer import EXPLORING, Explorer, Hit
from simulations.live.threads.search.plans import Asked, Recorder, in_words
from simulations.live.threads.search.strategies import Decisions, Fixed, Pct, Searching, Turns, Walk

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from simulations.choices import Plan
    from simulations.live.threads.control.hooks import Granularity
    from simulations.live.threads.control.scheduler import Failure

S = TypeVar("S")
Searcher = Literal["portfolio", "random", "pct", "exhaustive", "replay"]

SEARCHERS: Final = ("portfolio", "random", "pct", "exhaustive", "replay")
GRANULARITIES: Final = ("sync", "access", "gil")
MINIMISE_MAX: Final = 20_000
"""How many runs may be spent on making a schedule least."""
GIL_MAX: Final = 400
"""How many runs may be spent on showing a finding where this interpreter really switches."""
DELAY_BOUND_THREADS: Final = 6
"""From so many threads on, schedules are made least by delay bounding."""
WALL_LIMIT: Final = 10.0

CAN_HAPPEN: Final = "can happen on this interpreter"
NOT_HERE: Final = "only without the GIL, or on other versions"


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
    """Search for a schedule of real threads under which a program fails, and make it least.

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
        seconds: Gives up after so much wall-clock time; None is no limit.
        scope: The modules whose accesses count, by name; None is everything but the standard library.
            Operations on primitives are under control everywhere.
        plan: The plan to replay.
        wall_limit: After so many seconds without a sign of a thread, the run is an error.
        minimise_max: How many runs may be spent on making what was found least.

    Raises:
        ThreadsError: an argument cannot work; the message says which, and the way out.
        StuckError: a thread blocks in something that cannot be controlled.
        NondeterminismError: the program does not do the same thing again under the same schedule.
        PlanError: the plan does not apply.
    """
    named = _validated(setup, workers, check, searcher, granularity, max_schedules, max_preemptions, seconds)
    if searcher == "replay" and plan is None:
        raise ThreadsError("searcher='replay' needs the plan to replay: pass plan=exploration.plan")
    with Explorer(
        setup, named, check, granularity=granularity, scope=scope, wall_limit=wall_limit, seconds=seconds
    ) as explorer:
        if searcher == "replay" and plan is not None:
            hit, bound, complete = _replayed(explorer, plan, seed), "", _NOTHING
            minimise_max = 0
        else:
            hit, bound, complete = _search(explorer, searcher, max_schedules, seed, max_preemptions)
        if hit is None:
            return _not_found(explorer, bound, complete)
        return _found(explorer, hit, minimise_max)


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
        setup: As for `explore`.
        workers: As for `explore`.
        plan: The plan, as found by `explore` with the same granularity, seed and scope.
        check: As for `explore`.
        granularity: As for `explore`.
        seed: As for `explore`.
        scope: As for `explore`.
        wall_limit: As for `explore`.

    Raises:
        PlanError: the plan does not apply any more; the message says which part.
        ThreadsError: an argument cannot work.
        StuckError: a thread blocks in something that cannot be controlled.
    """
    named = _validated(setup, workers, check, "replay", granularity, 1, None, None)
    with Explorer(
        setup, named, check, granularity=granularity, scope=scope, wall_limit=wall_limit
    ) as explorer:
        _replayed(explorer, plan, seed)
        failure, asked, moments = _watched(explorer, explorer.replayed)
        trace = explain.trace_of(moments, failure)
        return Replay(failure, trace.digest(), explain.lanes(moments, asked, [name for name, _ in named]))


def run_decisions(
    setup: Callable[[], S],
    workers: Sequence[Callable[[S], object]] | Mapping[str, Callable[[S], object]],
    decisions: Decisions,
    check: Callable[[S], object] | None = None,
    *,
    granularity: Granularity = "access",
    scope: Sequence[str] | None = None,
    wall_limit: float = WALL_LIMIT,
) -> Failure | None:
    """Run one schedule, given by steps, and return how it failed. A decision that does not apply is left out.

    Args:
        setup: As for `explore`.
        workers: As for `explore`.
        decisions: At which step which thread goes on, by its number from 0.
        check: As for `explore`.
        granularity: As for `explore`.
        scope: As for `explore`.
        wall_limit: As for `explore`.

    Raises:
        ThreadsError: an argument cannot work.
        StuckError: a thread blocks in something that cannot be controlled.
    """
    named = _validated(setup, workers, check, "replay", granularity, 1, None, None)
    with Explorer(
        setup, named, check, granularity=granularity, scope=scope, wall_limit=wall_limit
    ) as explorer:
        known = explorer.observe(0, OBSERVATIONS)
        if known is not None and not known.decisions:
            return known.failure
        return explorer.fast(Fixed(decisions))


@contextmanager
def uninteresting() -> Iterator[None]:
    """Mark a region in which threads are not to be switched, except where they have to wait.

    Outside an exploration it does nothing.
    """
    explorer = EXPLORING.get()
    run = explorer.scheduler if explorer is not None else None
    if run is None or not run.mine():
        yield
        return
    task = run.current
    before = task.muted
    task.muted = run.mute = True
    try:
        yield
    finally:
        task.muted = before
        if run.current is task:
            run.mute = before


# -- searching
# --------------------------------------------------------------------------------------------------


def _search(
    explorer: Explorer, searcher: Searcher, budget: int, seed: int, max_preemptions: int | None
) -> tuple[Hit | None, str, int | None]:
    """Return what was found; what was gone through in full, in words; and up to how many preemptions."""
    known = explorer.observe(seed, budget)
    if known is not None and not known.decisions:
        return known, "", -1
    found = _tried(explorer, Fixed())
    if found is not None:
        return found, "", -1
    if max_preemptions is not None:
        return _enumerated(explorer, budget, max_preemptions)
    bound, complete = "", _NOTHING
    if searcher == "exhaustive":
        found, bound, complete = _enumerated(explorer, budget, None)
        return found or known, bound, complete
    if searcher == "portfolio":
        found = _sweep(explorer, explorer.schedules + budget * 2 // 5)
        if found is not None:
            return found, "", -1
        small = explorer.schedules + min(budget // 4, SMALL_MAX)
        if explorer.points <= SMALL_POINTS and small < budget:
            found, bound, complete = _enumerated(explorer, small, None)
            if found is not None or complete is None:
                return found or known, bound, complete
    if not explorer.points:
        # Probabilistic concurrency testing spreads its changes over the points of the nominal run.
        found = _tried(explorer, Fixed())
        if found is not None:
            return found, "", -1
        explorer.points = explorer.scheduler.step
    while explorer.schedules < budget and not explorer.expired:
        widened = searcher == "portfolio" and explorer.schedules >= budget - budget // 10
        if widened and not explorer.widened:
            explorer.widen()
        found = _tried(explorer, _proposal(explorer, searcher, seed))
        if found is not None:
            return found, "", -1
    return known, bound, complete


_NOTHING: Final[int | None] = -1
SMALL_MAX: Final = 300
SMALL_POINTS: Final = 60


def _proposal(explorer: Explorer, searcher: Searcher, seed: int) -> Searching:
    """Return the next strategy of a random search; its chance depends on the seed and the run's number."""
    turn = explorer.schedules
    stream = seed * 1_000_003 + turn
    walk = searcher == "random" or (searcher == "portfolio" and turn % 3 == 0)
    if walk:
        return Walk(stream, _MEANS[turn // 3 % len(_MEANS)])
    return Pct(stream, 1 + turn % 4, max(explorer.points, 1))


_MEANS: Final = (1.5, 3.0, 8.0, 30.0)


def _tried(explorer: Explorer, strategy: Searching) -> Hit | None:
    failure = explorer.fast(strategy)
    decided = tuple(strategy.decided)
    if failure is not None:
        return Hit(failure, decided)
    if explorer.hooks.news and explorer.may_learn:
        explorer.learn(decided)
    return None


def _sweep(explorer: Explorer, budget: int) -> Hit | None:
    """Try every single deviation from the nominal run, and strict turns, before anything random."""
    for quantum in (1, 2, 3):
        for backwards in (False, True):
            found = _tried(explorer, Turns(quantum, backwards=backwards))
            if found is not None or explorer.schedules >= budget:
                return found
    done: set[Decisions] = set()
    again = True
    while again:
        again = False
        epoch = explorer.epoch
        for decisions in explorer.single_deviations():
            if explorer.schedules >= budget or explorer.expired:
                return None
            if decisions in done:
                continue
            done.add(decisions)
            found = _tried(explorer, Fixed(decisions))
            if found is not None:
                return found
            if explorer.epoch != epoch:
                again = True
                done.clear()
                break
    return None


def _enumerated(explorer: Explorer, budget: int, bound: int | None) -> tuple[Hit | None, str, int | None]:
    result = explorer.enumerate(schedules_max=max(budget - explorer.schedules, 1), bound=bound, full=True)
    if result.failure is not None:
        return Hit(result.failure, result.decisions, least=result.rank), "", result.complete
    where = f"at granularity {explorer.hooks.granularity}"
    threads = f"{len(explorer.workers)} threads from this set-up"
    if result.complete is None:
        return None, f"every schedule of {threads}, {where}", None
    if result.complete < 0:
        return None, "", -1
    text = f"schedule of {threads} with at most {_counted(result.complete, 'preemption')}, {where}"
    if bound is not None and result.complete >= bound:
        return None, f"every {text}", result.complete
    return None, text, result.complete


# -- reporting
# --------------------------------------------------------------------------------------------------


def _replayed(explorer: Explorer, plan: Plan, seed: int) -> Hit | None:
    explorer.observe(seed, explorer.schedules + OBSERVATIONS)
    failure = explorer.replay(plan)
    return None if failure is None else Hit(failure, explorer.replayed)


OBSERVATIONS: Final = 12


def _not_found(explorer: Explorer, bound: str, complete: int | None) -> Exploration:
    """Report a search that found nothing: all that was asked for was gone through, or it gave up."""
    verdict: Verdict = "gave up" if complete is not None and not bound.startswith("every") else "exhausted"
    return Exploration(
        verdict,
        explorer.schedules,
        bound=bound,
        complete=complete,
        threads=tuple(name for name, _ in explorer.workers),
        points=explorer.points,
    )


def _found(explorer: Explorer, hit: Hit, minimise_max: int) -> Exploration:
    granularity = explorer.hooks.granularity
    report = _report(explorer, hit, minimise_max, explorer.schedules, explorer.points)
    possible = CAN_HAPPEN if granularity == "gil" else _possible(explorer, report)
    return _with_possible(report, possible)


def _watched(
    explorer: Explorer, decisions: Decisions
) -> tuple[Failure | None, list[Asked], list[explain.Moment]]:
    """Run a schedule once more and write everything down."""
    recorder = Recorder(Fixed(decisions))
    witness = explain.Witness(explorer.scheduler)
    failure = explorer.told(recorder, witness.access, "observe")
    return failure, recorder.asked, witness.shared()


def _report(explorer: Explorer, hit: Hit, minimise_max: int, schedules: int, points: int) -> Exploration:
    confirmed = explorer.again(hit.decisions, everywhere=hit.everywhere)
    if confirmed is None or confirmed.signature != hit.failure.signature:
        raise NondeterminismError(
            f"a schedule failed ({hit.failure.summary}) and, run again, "
            f"{'did not' if confirmed is None else f'failed in another way ({confirmed.summary})'}: the "
            f"program depends on something else too; look for randomness, a clock, a global that outlives "
            f"the run, the order of a set"
        )
    before = explorer.schedules
    decisions, minimality = _least(explorer, hit, minimise_max)
    minimising = explorer.schedules - before
    failure, asked, moments = _watched(explorer, decisions)
    if failure is None:
        raise NondeterminismError("the least schedule did not fail when it was run under observation")
    recorder = Recorder(Fixed(decisions))
    explorer.again_with(recorder)
    plan = recorder.plan()
    threads = list(dict.fromkeys([*(n for n, _ in explorer.workers), *(m.place.thread for m in moments)]))
    return Exploration(
        "found",
        schedules,
        failure=failure,
        plan=plan,
        preemptions=sum(1 for choice in asked if choice.chosen and not choice.forced),
        deviations=len(plan),
        words=in_words(asked),
        minimality=minimality,
        minimising=minimising,
        lanes=explain.lanes(moments, asked, threads),
        mermaid=explain.mermaid(moments, asked, threads),
        explanation=explain.conflict_text(moments, asked, failure),
        digest=explain.trace_of(moments, failure).digest(),
        threads=tuple(threads),
        points=points,
    )


def _least(explorer: Explorer, hit: Hit, budget: int) -> tuple[Decisions, str]:
    """Make a schedule least; say how it is known to be."""
    if not hit.decisions:
        return (), "least: the nominal schedule fails"
    if hit.least is not None:
        return hit.decisions, "least: every lesser schedule was run"
    if not budget:
        return hit.decisions, "not made least"

    def wanted(failure: Failure) -> bool:
        return failure.signature == hit.failure.signature

    decisions, rank = explorer.dropped(hit.decisions, wanted)
    budget = _affordable(explorer, budget)
    many = len(explorer.workers) >= DELAY_BOUND_THREADS
    left = budget * 3 // 4 if many else budget
    result = explorer.enumerate(schedules_max=left, bound=None, full=False, below=rank, wanted=wanted)
    if result.failure is not None:
        return result.decisions, "least: every lesser schedule was run"
    if result.complete is None:
        return decisions, "least: every lesser schedule was run"
    if many:
        result = explorer.enumerate(
            schedules_max=budget - left,
            bound=None,
            full=False,
            below=rank,
            wanted=wanted,
            by_deviations=True,
        )
        if result.failure is not None and result.rank is not None and result.rank < rank:
            return result.decisions, "least by delay bounding: every schedule of fewer deviations was run"
        if result.failure is None and result.complete is None:
            return decisions, "least by delay bounding: every schedule of fewer deviations was run"
    complete = (
        f"; none with at most {result.complete} fails"
        if result.complete is not None and result.complete >= 0
        else ""
    )
    return decisions, f"1-minimal: the budget of {budget} runs ran out{complete}"


def _possible(explorer: Explorer, report: Exploration) -> str:
    """Try the finding again where this interpreter really switches threads."""
    if report.failure is None or report.preemptions == 0:
        return CAN_HAPPEN
    signature = report.failure.signature
    explorer.regrain("gil")
    hit = explorer.observe(0, explorer.schedules + OBSERVATIONS)
    if hit is not None and hit.failure.signature == signature:
        return CAN_HAPPEN
    result = explorer.enumerate(
        schedules_max=_affordable(explorer, GIL_MAX),
        bound=(report.preemptions or 0) + 1,
        full=True,
        wanted=lambda failure: failure.signature == signature,
    )
    if result.failure is not None:
        return CAN_HAPPEN
    if result.complete is None or result.complete >= (report.preemptions or 0):
        return NOT_HERE
    return f"{NOT_HERE} (not found in {result.schedules} schedules where this interpreter switches)"


def _affordable(explorer: Explorer, runs: int) -> int:
    """Return how many runs may be spent where runs are long: a limit that does not depend on the clock."""
    return min(runs, max(RUNS_MIN, POINTS_SPENT_MAX // max(explorer.scheduler.step, 1)))


RUNS_MIN: Final = 100
POINTS_SPENT_MAX: Final = 500_000


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}{'s' * (number != 1)}"


def _with_possible(report: Exploration, possible: str) -> Exploration:
    paused = ", ".join(
        _counted(number or 0, noun)
        for number, noun in ((report.preemptions, "preemption"), (report.deviations, "deviation"))
    )
    parts = [
        report.failure.summary if report.failure is not None else "",
        f"Schedule: {report.words}.",
        f"{paused}; {report.minimality}.",
        f"Found in {_counted(report.schedules, 'schedule')}; {possible}.",
        report.explanation,
        report.lanes,
    ]
    text = "\n\n".join(part for part in parts if part)
    return dataclasses.replace(report, possible=possible, explanation=text)


# -- arguments
# --------------------------------------------------------------------------------------------------


def _validated(  # noqa: PLR0917 (they are passed on in the order of `explore`)
    setup: object,
    workers: object,
    check: object,
    searcher: object,
    granularity: object,
    max_schedules: object,
    max_preemptions: object,
    seconds: object,
) -> list[tuple[str, Callable[[Any], object]]]:
    if EXPLORING.get() is not None:
        raise ThreadsError(
            "explore was called inside a worker, a set-up or a check of another explore; call it outside"
        )
    if _loop_runs():
        raise ThreadsError(
            "explore was called in a running event loop, which it would block; call it from a plain "
            "function, or with `await asyncio.to_thread(explore, ...)`"
        )
    if not callable(setup):
        raise ThreadsError(f"setup must be a function that makes the shared state, not {setup!r}")
    if check is not None and not callable(check):
        raise ThreadsError(f"check must be a function of the shared state, not {check!r}")
    if searcher not in SEARCHERS:
        raise ThreadsError(f"searcher={searcher!r} is unknown; use one of {', '.join(SEARCHERS)}")
    if granularity not in GRANULARITIES:
        raise ThreadsError(f"granularity={granularity!r} is unknown; use one of {', '.join(GRANULARITIES)}")
    if type(max_schedules) is not int or max_schedules < 1:
        raise ThreadsError(f"max_schedules={max_schedules!r}: at least 1 schedule must be run")
    if max_preemptions is not None and (type(max_preemptions) is not int or max_preemptions < 0):
        raise ThreadsError(
            f"max_preemptions={max_preemptions!r}: use a whole number from 0, or None for no limit"
        )
    if seconds is not None and not (isinstance(seconds, (int, float)) and seconds > 0):
        raise ThreadsError(f"seconds={seconds!r}: use a number above 0, or None for no limit")
    return _named(workers)


def _loop_runs() -> bool:
    """Whether an event loop would be blocked that has other work; a notebook's waits for its cell anyway."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    shell = sys.modules.get("IPython")
    return shell is None or not hasattr(shell.get_ipython(), "kernel")


def _named(workers: Any) -> list[tuple[str, Callable[[Any], object]]]:
    items: list[tuple[str | None, Any]]
    if isinstance(workers, dict):
        items = list(workers.items())
    elif callable(workers):
        raise ThreadsError("workers is one function; pass a list of functions, such as [worker, worker]")
    else:
        items = [(None, worker) for worker in workers]
    if not items:
        raise ThreadsError("there are no workers; pass at least one function that takes the shared state")
    named: dict[str, Callable[[Any], object]] = {}
    for given, worker in items:
        if not callable(worker):
            raise ThreadsError(f"a worker must be a function that takes the shared state, not {worker!r}")
        if inspect.isgeneratorfunction(worker) or inspect.iscoroutinefunction(worker):
            kind = "generator" if inspect.isgeneratorfunction(worker) else "coroutine"
            raise ThreadsError(
                f"worker {worker.__name__} is a {kind} function, so calling it runs nothing; wrap it in a "
                f"plain function that {'exhausts it' if kind == 'generator' else 'calls asyncio.run'}"
            )
        plain = worker.func if isinstance(worker, functools.partial) else worker
        name = str(given) if given is not None else getattr(plain, "__name__", type(plain).__name__)
        if name == "<lambda>":
            name = "thread"
        unique, number = name, 1
        while unique in named:
            number += 1
            unique = f"{name}-{number}"
        named[unique] = worker
    return list(named.items())
