"""Hypothesis and the deterministic thread scheduler together: inputs and schedules in one search.

Two ways, both measured. `holds_in_schedules` runs a few schedules inside each example, fixed by the input,
so that Hypothesis draws and shrinks inputs only; that is what finds a bug which needs an input *and* a
schedule. `schedules` is a strategy for those who want Hypothesis to draw the schedule: one short list,
drawn up front, since a draw at every point leaves three to five switches where one is enough.
"""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final, TypeVar

from hypothesis import strategies as st
from hypothesis.internal.scrutineer import Tracer

from simulations.live.threads import Program, explore, run_decisions
from simulations.live.threads.program import WALL_LIMIT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from simulations.live.threads import Decisions, Granularity, Searcher

__all__ = ["holds_in_schedules", "run_schedule", "schedules"]

S = TypeVar("S")

SCHEDULES_PER_EXAMPLE: Final = 20
"""20 schedules in each example find two keys that must be equal and an interleaving, with 10 of 10 seeds."""
MINIMISE_IN_EXAMPLE: Final = 200
"""How many runs an example may spend on minimising; Hypothesis runs a failing example often."""


def holds_in_schedules(
    setup: Callable[[], S],
    workers: Sequence[Callable[[S], object]] | Mapping[str, Callable[[S], object]],
    check: Callable[[S], object] | None = None,
    *,
    schedules: int = SCHEDULES_PER_EXAMPLE,
    searcher: Searcher = "portfolio",
    granularity: Granularity = "access",
    scope: Sequence[str] | None = None,
    wall_limit: float = WALL_LIMIT,
) -> None:
    """Assert that a program holds in a few schedules, which depend on nothing but the program and its input.

    Call it at the end of a test with `@given`; the same example runs the same schedules again, so that
    Hypothesis shrinks the input and replays the failure.

    Args:
        setup: This and the others are those of `simulations.live.threads.explore`.
        workers: See `Program`.
        check: See `Program`.
        schedules: How many schedules each example may run, from 1.
        searcher: See `Budget`.
        granularity: See `Program`.
        scope: See `Program`.
        wall_limit: See `Program`.

    Raises:
        AssertionError: a schedule fails; the message shows the least one.
        ThreadsError: an argument cannot work.
    """
    __tracebackhide__ = True
    with _unexplained():
        found = explore(
            setup,
            workers,
            check,
            searcher=searcher,
            granularity=granularity,
            max_schedules=schedules,
            scope=scope,
            wall_limit=wall_limit,
            minimise_max=MINIMISE_IN_EXAMPLE,
        )
        found.raise_if_found()


@contextmanager
def _unexplained() -> Iterator[None]:
    """Keep Hypothesis from tracing each line of the explorer, which takes most of the time of a failing test.

    It traces to explain which lines of a test only fail; those outside the block are still told apart. Any
    other trace function, such as that of coverage or of a debugger, stays.
    """
    trace = sys.gettrace()
    if not isinstance(getattr(trace, "__self__", None), Tracer):
        yield
        return
    sys.settrace(None)
    try:
        yield
    finally:
        sys.settrace(trace)


def schedules(
    *, threads: int, points: int = 40, switches: int = 4
) -> st.SearchStrategy[tuple[tuple[int, int], ...]]:
    """Return a strategy that draws a schedule: a short list of `(point, thread)`, in the order of the points.

    Args:
        threads: How many threads there are, from 1.
        points: Up to which point of the run threads may be switched, from 1; `Exploration.points` says how
            many a nominal run has.
        switches: The greatest number of switches.
    """
    switch = st.tuples(st.integers(1, points), st.integers(0, threads - 1))
    drawn = st.lists(switch, max_size=switches, unique_by=lambda pair: pair[0])
    return drawn.map(lambda pairs: tuple(sorted(pairs)))


def run_schedule(
    setup: Callable[[], Any],
    workers: Sequence[Callable[[Any], object]] | Mapping[str, Callable[[Any], object]],
    schedule: Decisions,
    check: Callable[[Any], object] | None = None,
    *,
    granularity: Granularity = "access",
    scope: Sequence[str] | None = None,
    wall_limit: float = WALL_LIMIT,
) -> None:
    """Run one schedule that `schedules` has drawn, and raise what went wrong.

    A switch that does not apply, because the thread has ended or waits, is left out.

    Args:
        setup: This and the others are those of `simulations.live.threads.explore`.
        workers: See `Program`.
        schedule: What `schedules` has drawn.
        check: See `Program`.
        granularity: See `Program`.
        scope: See `Program`.
        wall_limit: See `Program`.

    Raises:
        AssertionError: the program fails under this schedule.
    """
    program = Program.of(setup, workers, check, granularity=granularity, scope=scope, wall_limit=wall_limit)
    with _unexplained():
        failure = run_decisions(program, schedule)
    if failure is not None:
        raise AssertionError(failure.summary) from failure.error
