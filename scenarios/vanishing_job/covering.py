"""90,000 permutations, reduced: arrays in which every pair or triple of levels occurs, and our own counter.

The arrays are data, made once with covertable 3.2.0. A generator can be wrong without a warning: allpairspy
2.5.1, asked for triples of these factors, returns 703 rows in which 11,161 triples are missing (its issue
thombashi/allpairspy#12). So whatever made an array, count what it covers.
"""

from __future__ import annotations

from functools import lru_cache
from importlib.resources import files
from itertools import combinations
from math import prod
from typing import TYPE_CHECKING, Final, TypeAlias

from simulations.batch_job.kernel import schedule
from simulations.batch_job.workload import HOUR_MS, bulk
from simulations.errors import LabError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from simulations.batch_job.workload import Job

__all__ = [
    "FACTORS",
    "LEVELS",
    "combinations_in",
    "covering_array",
    "hours",
    "number_of",
    "rows_min",
    "uncovered",
]

FACTORS: Final = {"version": 100, "platform": 6, "database": 5, "browser": 5, "language": 3, "mode": 2}
"""What the tests permute, and at how many levels: 100 x 6 x 5 x 5 x 3 x 2 = 90,000."""

LEVELS: Final = tuple(FACTORS.values())
"""The number of levels of each factor, in the order of `FACTORS`."""

Row: TypeAlias = tuple[int, ...]
"""The level of each factor in one test, from 0."""


@lru_cache(maxsize=2)
def covering_array(strength: int) -> tuple[Row, ...]:
    """Return rows of levels in which every combination of levels of any two (or three) factors occurs.

    Args:
        strength: 2 for pairs, 3 for triples.

    Raises:
        LabError: there is no array of that strength.
    """
    if strength not in (2, 3):
        raise LabError(f"there are covering arrays of strength 2 and 3, not {strength!r}")
    text = files("scenarios.vanishing_job").joinpath(f"data/strength_{strength}.csv").read_text("ascii")
    return tuple(tuple(map(int, line.split(","))) for line in text.splitlines())


def combinations_in(levels: Sequence[int], strength: int) -> int:
    """Return the number of combinations of levels, over all choices of `strength` factors."""
    return sum(prod(chosen) for chosen in combinations(levels, strength))


def uncovered(rows: Sequence[Sequence[int]], levels: Sequence[int], strength: int) -> int:
    """Count the combinations of levels that occur in no row."""
    covered = sum(
        len({tuple(row[column] for column in columns) for row in rows})
        for columns in combinations(range(len(levels)), strength)
    )
    return combinations_in(levels, strength) - covered


def rows_min(levels: Sequence[int], strength: int) -> int:
    """Return the least possible number of rows: the product of the largest `strength` numbers of levels."""
    return prod(sorted(levels)[-strength:])


def number_of(row: Sequence[int]) -> int:
    """Return the number of the test in a job of 90,000 that a row stands for; the version counts fastest."""
    number = 0
    for level, size in zip(reversed(row), reversed(LEVELS), strict=True):
        number = number * size + level
    return number


def hours(job: Job, rows: Sequence[Row]) -> float:
    """Return the duration of a job that runs only these rows, in hours.

    Raises:
        LabError: the job does not have the 90,000 tests that the rows are about.
    """
    if (job.tests, job.versions) != (prod(LEVELS), FACTORS["version"]):
        raise LabError(f"the rows are about 90,000 tests of 100 versions, not {job.tests} of {job.versions}")
    queue = [number_of(row) for row in rows]
    return schedule(bulk(job), queue, job.workers, job.connections).makespan_ms / HOUR_MS
