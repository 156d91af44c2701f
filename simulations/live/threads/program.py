"""What is explored, and how much may be spent on it: two values, made and validated once."""

from __future__ import annotations

import functools
import inspect
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

from simulations.live.threads.control.points import GRANULARITIES
from simulations.live.threads.errors import ThreadsError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from simulations.live.threads.control.points import Granularity

Searcher = Literal["portfolio", "random", "pct", "exhaustive", "replay"]
"""How schedules are searched: `portfolio`, by a proof first, then by small deviations, then by chance;
`random`, by random walks; `pct`, by probabilistic concurrency testing; `exhaustive`, until every schedule is
covered; `replay`, the schedule of a given plan."""

SEARCHERS: Final = ("portfolio", "random", "pct", "exhaustive", "replay")
MINIMISE_MAX: Final = 20_000
"""How many runs may be spent on minimising a schedule."""
WALL_LIMIT: Final = 10.0
"""After this many seconds without a sign of a thread, the run is an error."""


@dataclass(frozen=True)
class Program:
    """A program of threads, as it is explored.

    Attributes:
        setup: Makes the state that the threads share; called anew for every schedule.
        workers: The name of each thread, and what it calls with the state.
        check: Called with the state when every thread has ended; returns False or raises if it is wrong.
        granularity: Where threads may be switched: `access` (in front of whatever two threads touch and one
            changes), `sync` (at operations on primitives only) or `gil` (where this interpreter switches).
        scope: The modules whose accesses count, by name; None is everything but the standard library.
            Operations on primitives are under control everywhere.
        wall_limit: After this many seconds without a sign of a thread, the run is an error.

    Raises:
        ThreadsError: a value cannot work; the message says which, and the way out.
    """

    setup: Callable[[], Any]
    workers: tuple[tuple[str, Callable[[Any], object]], ...]
    check: Callable[[Any], object] | None = None
    granularity: Granularity = "access"
    scope: tuple[str, ...] | None = None
    wall_limit: float = WALL_LIMIT

    def __post_init__(self) -> None:
        if not callable(self.setup):
            raise ThreadsError(f"setup must be a function that makes the shared state, not {self.setup!r}")
        if inspect.isgeneratorfunction(self.setup):
            raise ThreadsError(
                f"setup {_name_of(self.setup)} is a generator function, so calling it runs nothing; pass a "
                f"plain function that returns the shared state"
            )
        if self.check is not None and not callable(self.check):
            raise ThreadsError(f"check must be a function of the shared state, not {self.check!r}")
        if self.granularity not in GRANULARITIES:
            raise ThreadsError(
                f"granularity={self.granularity!r} is unknown; use one of {', '.join(GRANULARITIES)}"
            )
        if not self.workers:
            raise ThreadsError("there are no workers; pass at least one function that takes the shared state")
        for _, worker in self.workers:
            _check_worker(worker)

    @classmethod
    def of(
        cls,
        setup: Callable[[], Any],
        workers: Sequence[Callable[[Any], object]] | Mapping[str, Callable[[Any], object]],
        check: Callable[[Any], object] | None = None,
        *,
        granularity: Granularity = "access",
        scope: Sequence[str] | None = None,
        wall_limit: float = WALL_LIMIT,
    ) -> Program:
        """Return a program whose workers may have no names yet; each is then called like its function."""
        return cls(
            setup,
            _named(workers),
            check,
            granularity=granularity,
            scope=None if scope is None else tuple(scope),
            wall_limit=wall_limit,
        )

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the threads, in order."""
        return tuple(name for name, _ in self.workers)

    @property
    def roots(self) -> list[Callable[..., Any]]:
        """What the program consists of: everything that a run calls."""
        return [self.setup, *(worker for _, worker in self.workers), *([self.check] if self.check else [])]


@dataclass(frozen=True)
class Budget:
    """How a search goes, and when it gives up.

    Attributes:
        searcher: `portfolio`, `random`, `pct`, `exhaustive` (every schedule in the order of "least", up to
            `max_preemptions`), or `replay`.
        max_schedules: How many schedules may be run, from 1.
        seed: Chooses the random schedules.
        max_preemptions: The greatest number of pauses of a thread that could go on; None is no limit.
        seconds: How much wall-clock time may pass; None is no limit.
        minimise_max: How many runs may be spent on minimising what was found.

    Raises:
        ThreadsError: a value cannot work; the message says which, and the way out.
    """

    searcher: Searcher = "portfolio"
    max_schedules: int = 1_000
    seed: int = 0
    max_preemptions: int | None = None
    seconds: float | None = None
    minimise_max: int = MINIMISE_MAX

    def __post_init__(self) -> None:
        if self.searcher not in SEARCHERS:
            raise ThreadsError(f"searcher={self.searcher!r} is unknown; use one of {', '.join(SEARCHERS)}")
        if type(self.max_schedules) is not int or self.max_schedules < 1:
            raise ThreadsError(f"max_schedules={self.max_schedules!r}: at least 1 schedule must be run")
        preemptions = self.max_preemptions
        if preemptions is not None and (type(preemptions) is not int or preemptions < 0):
            raise ThreadsError(
                f"max_preemptions={preemptions!r}: use a whole number from 0, or None for no limit"
            )
        if self.seconds is not None and not (isinstance(self.seconds, (int, float)) and self.seconds > 0):
            raise ThreadsError(f"seconds={self.seconds!r}: use a number above 0, or None for no limit")

    @property
    def provable(self) -> bool:
        """Whether a proof over all schedules answers what is asked."""
        return self.searcher in {"portfolio", "exhaustive"} and self.max_preemptions is None


def _check_worker(worker: Any) -> None:
    if not callable(worker):
        raise ThreadsError(f"a worker must be a function that takes the shared state, not {worker!r}")
    if inspect.isgeneratorfunction(worker):
        kind, way_out = "generator", "exhausts it"
    elif inspect.iscoroutinefunction(worker):
        kind, way_out = "coroutine", "calls asyncio.run"
    else:
        return
    raise ThreadsError(
        f"worker {_name_of(worker)} is a {kind} function, so calling it runs nothing; wrap it in a plain "
        f"function that {way_out}"
    )


def _name_of(function: Any) -> str:
    plain = function.func if isinstance(function, functools.partial) else function
    return str(getattr(plain, "__name__", type(plain).__name__))


def _named(workers: Any) -> tuple[tuple[str, Callable[[Any], object]], ...]:
    """Return the workers with a name each, no two of which are the same."""
    items: list[tuple[str | None, Any]]
    if isinstance(workers, dict):
        items = list(workers.items())
    elif callable(workers):
        raise ThreadsError("workers is one function; pass a list of functions, such as [worker, worker]")
    else:
        items = [(None, worker) for worker in workers]
    named: dict[str, Callable[[Any], object]] = {}
    for given, worker in items:
        name = str(given) if given is not None else _name_of(worker)
        if name == "<lambda>":
            name = "thread"
        unique, number = name, 1
        while unique in named:
            number += 1
            unique = f"{name}-{number}"
        named[unique] = worker
    return tuple(named.items())
