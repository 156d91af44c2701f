"""The database: what it costs to plan and to run the report query of a version.

An exhaustive planner (dynamic programming over sets of tables) looks at every pair of connected, disjoint
sets that a join could put together. How many there are depends on the shape of the query alone, so effort is
*counted* here, and turned into time by a table that was measured on PostgreSQL.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final, Literal, get_args

import simpy

from simulations.errors import LabError

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Iterator, Sequence

__all__ = ["EXHAUSTIVE", "GREEDY", "measured", "pairs", "planning_ms", "waits"]

Shape = Literal["chain", "cycle", "star", "clique"]
Planner = Literal["exhaustive", "greedy"]

EXHAUSTIVE: Final[Planner] = "exhaustive"
"""The planner that looks at every pair of sets that could be joined: dynamic programming."""

GREEDY: Final[Planner] = "greedy"
"""The planner that joins the best two of what is left at each step, which bounds its effort."""

TABLES_COUNTED_MAX: Final = 14
"""The largest graph that is counted by enumeration: a clique of 14 has 2.4 million pairs."""

GREEDY_PAIR_US: Final = 5
"""What a pair costs a greedy planner, in microseconds: that of a small star in the measured table."""


def edges(shape: Shape, tables: int) -> tuple[tuple[int, int], ...]:
    """Return the join conditions of a query, as pairs of table numbers.

    Raises:
        LabError: there is no such shape, or no table.
    """
    if tables < 1:
        raise LabError(f"a query joins at least one table, not {tables}")
    if shape == "chain":
        return tuple((table, table + 1) for table in range(tables - 1))
    if shape == "cycle":
        closing = ((tables - 1, 0),) if tables > 2 else ()
        return edges("chain", tables) + closing
    if shape == "star":
        return tuple((0, table) for table in range(1, tables))
    if shape == "clique":
        return tuple((left, right) for right in range(tables) for left in range(right))
    raise LabError(f"there is no query of shape {shape!r}; there are {', '.join(get_args(Shape))}")


def count_pairs(tables: int, conditions: Sequence[tuple[int, int]]) -> int:
    """Count the pairs of connected, disjoint sets of tables with a join condition between them.

    This is the number of joins that dynamic programming without cross products has to look at, each unordered
    pair once. The enumeration is DPccp: G. Moerkotte and T. Neumann, "Analysis of Two Existing and One New
    Dynamic Programming Algorithm for the Generation of Optimal Bushy Join Trees without Cross Products", VLDB
    2006.

    Args:
        tables: How many tables, 1 to `TABLES_COUNTED_MAX`.
        conditions: The join conditions, as pairs of table numbers from 0.

    Raises:
        LabError: there are too many tables to enumerate; use `star_pairs` and its like.
    """
    if not 1 <= tables <= TABLES_COUNTED_MAX:
        raise LabError(f"pairs are counted for 1 to {TABLES_COUNTED_MAX} tables, not {tables}")
    beside = [0] * tables
    for left, right in conditions:
        beside[left] |= 1 << right
        beside[right] |= 1 << left
    return sum(_complements(beside, first) for first in _connected(beside))


def _around(beside: Sequence[int], members: int) -> int:
    found = 0
    for table, others in enumerate(beside):
        if members >> table & 1:
            found |= others
    return found & ~members


def _subsets(members: int) -> Iterator[int]:
    """Yield the subsets of a set that are not empty."""
    subset = members
    while subset:
        yield subset
        subset = (subset - 1) & members


def _grown(beside: Sequence[int], members: int, excluded: int) -> Iterator[int]:
    """Yield the connected sets that hold `members` and, besides, nothing that is excluded."""
    around = _around(beside, members) & ~excluded
    for more in _subsets(around):
        yield members | more
        yield from _grown(beside, members | more, excluded | around)


def _connected(beside: Sequence[int]) -> Iterator[int]:
    for table in reversed(range(len(beside))):
        yield 1 << table
        yield from _grown(beside, 1 << table, (2 << table) - 1)


def _complements(beside: Sequence[int], first: int) -> int:
    """Count the connected sets that join with `first` and whose lowest table lies above its lowest."""
    lowest = first & -first
    excluded = (lowest * 2 - 1) | first
    around = _around(beside, first) & ~excluded
    count = 0
    for table in reversed(range(len(beside))):
        if around >> table & 1:
            below = ((2 << table) - 1) & around
            count += 1 + sum(1 for _ in _grown(beside, 1 << table, excluded | below))
    return count


def pairs(shape: Shape, tables: int) -> int:
    """Return what `count_pairs` would count, by the closed forms of the paper named there."""
    n = tables
    if shape == "chain":
        return (n * n * n - n) // 6
    if shape == "cycle":
        return (n * n * n - 2 * n * n + n) // 2 if n > 2 else n - 1
    if shape == "star":
        return (n - 1) * (1 << n) // 4
    if shape == "clique":
        return (int(3**n) - (2 << n) + 1) // 2
    raise LabError(f"there is no query of shape {shape!r}; there are {', '.join(get_args(Shape))}")


def greedy_pairs(tables: int) -> int:
    """Return the joins that a greedy planner looks at: all pairs of what is left, at each step anew."""
    return sum(left * (left - 1) // 2 for left in range(2, tables + 1))


@dataclass(frozen=True)
class Measured:
    """How long PostgreSQL took to plan one query.

    Attributes:
        shape: The shape of the query; `class` is one equivalence class, which joins everything to everything.
        tables: How many tables it joined.
        seconds: The planning time on a quiet core.
    """

    shape: str
    tables: int
    seconds: float


@lru_cache(maxsize=1)
def measured() -> tuple[Measured, ...]:
    """Return the planning times that were measured on PostgreSQL 15.18; the file says how."""
    text = files("simulations.batch_job").joinpath("data/postgresql_planning.csv").read_text(encoding="utf-8")
    rows = csv.DictReader(line for line in text.splitlines() if not line.startswith("#"))
    return tuple(Measured(row["shape"], int(row["tables"]), float(row["seconds"])) for row in rows)


def pair_us(tables: int) -> float:
    """Return what one pair of a star query costs the exhaustive planner, in microseconds.

    It is the measured time over the counted pairs. The cost of a pair is not a constant: it grows fortyfold
    from 12 to 19 tables, as the planner outgrows the caches of the processor. A size between two that
    were measured takes the cost of the larger; beyond the table each further table costs as much more as the
    last one did.
    """
    stars = {row.tables: row.seconds for row in measured() if row.shape == "star"}
    sizes = sorted(stars)
    cost = {size: stars[size] * 1e6 / pairs("star", size) for size in sizes}
    if tables <= sizes[-1]:
        return cost[next(size for size in sizes if size >= tables)]
    growth = cost[sizes[-1]] / cost[sizes[-2]]
    last = cost[sizes[-1]]
    for _ in range(tables - sizes[-1]):
        last = last * growth
    return last


@lru_cache(maxsize=256)
def planning_ms(planner: Planner, tables: int) -> int:
    """Return how long it takes to plan a star query, in whole ms: what `EXPLAIN` alone takes.

    Args:
        planner: `exhaustive` looks at every pair; `greedy` joins the best two at each step, as PostgreSQL's
            genetic planner and the greedy fall-backs of other databases bound their search.
        tables: How many tables the query joins.

    Raises:
        LabError: there is no such planner.
    """
    if planner == EXHAUSTIVE:
        return round(pairs("star", tables) * pair_us(tables) / 1000)
    if planner == GREEDY:
        return round(greedy_pairs(tables) * GREEDY_PAIR_US / 1000)
    raise LabError(f"there is no planner {planner!r}; there are {', '.join(get_args(Planner))}")


def execution_ms(tables: int) -> int:
    """Return how long a planned report runs, in ms: 50 for each table, which is an assumption."""
    return 50 * tables


def waits(requests: Iterable[tuple[float, float]], connections: int) -> list[float]:
    """Return how long each request waits for a connection, in the order in which they get one. By SimPy.

    Args:
        requests: For each the time since the one before, and how long it holds its connection.
        connections: The size of the pool, from 1.
    """
    env = simpy.Environment()
    pool = simpy.Resource(env, capacity=connections)
    waited: list[float] = []

    def request(hold: float) -> Generator[simpy.Event, Any, None]:
        came = env.now
        with pool.request() as connection:
            yield connection
            waited.append(env.now - came)
            yield env.timeout(hold)

    def source() -> Generator[simpy.Event, Any, None]:
        for gap, hold in requests:
            yield env.timeout(gap)
            env.process(request(hold))

    env.process(source())
    env.run()
    return waited
