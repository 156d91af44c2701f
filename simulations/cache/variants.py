"""The service as shipped, the well-known repairs that do not hold, and the fixes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from simulations.cache.services import DESIGNS, Design
from simulations.errors import LabError

__all__ = [
    "AS_SHIPPED",
    "DELETE_TWICE",
    "LEASES",
    "LOCK_AROUND_FILL",
    "SINGLE_FLIGHT",
    "TIME_TO_LIVE",
    "VERSIONS",
    "WRITE_THROUGH",
    "System",
]

LATENCY_MS_MAX: Final = 1_000_000


@dataclass(frozen=True)
class System:
    """A service and its servers.

    Attributes:
        design: How the service uses its cache, one of `services.DESIGNS`.
        database_ms: How long a request to the database takes to arrive, in virtual milliseconds, from 0.

    Raises:
        LabError: a value is not one of those.
    """

    design: Design = "as_shipped"
    database_ms: int = 5

    def __post_init__(self) -> None:
        if self.design not in DESIGNS:
            raise LabError(f"a design is one of {', '.join(DESIGNS)}, not {self.design!r}")
        if type(self.database_ms) is not int or not 0 <= self.database_ms <= LATENCY_MS_MAX:
            raise LabError(
                f"the latency of the database is 0 to {LATENCY_MS_MAX} ms, not {self.database_ms!r}"
            )


AS_SHIPPED: Final = System()
"""Read through the cache, invalidate on write."""

LOCK_AROUND_FILL: Final = System("lock_around_fill")
"""Folk fix: a lock around the fill, which the writer does not take."""

DELETE_TWICE: Final = System("delete_twice")
"""Folk fix: delete, write, wait, delete again. A reader can pause for longer."""

TIME_TO_LIVE: Final = System("time_to_live")
"""Folk fix: entries expire, which is when staleness ends, not when it begins."""

WRITE_THROUGH: Final = System("write_through")
"""Folk fix: writers fill the cache; two of them may do so in another order than they wrote the database."""

LEASES: Final = System("leases")
"""Fix: a delete takes back the token without which no client fills the cache."""

VERSIONS: Final = System("versions")
"""Fix: the cache keeps the version of the row and never goes back."""

SINGLE_FLIGHT: Final = System("single_flight")
"""Fix: one read of the database at a time, thrown away if the row was written meanwhile."""
