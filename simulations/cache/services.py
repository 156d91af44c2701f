"""The code that a web team writes around a database and a cache server, in eight designs.

Each has `read` and `write`, and is called by many threads at once. Only what stands between the requests
differs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, Protocol, get_args

if TYPE_CHECKING:
    from collections.abc import Callable

    from simulations.cache.servers import Database, Event, Platform, Store

__all__ = ["AsShipped", "Service"]

Design = Literal[
    "as_shipped",
    "lock_around_fill",
    "delete_twice",
    "time_to_live",
    "write_through",
    "leases",
    "versions",
    "single_flight",
]
DESIGNS: Final[tuple[Design, ...]] = get_args(Design)

DELETE_AGAIN_MS: Final = 50
TTL_MS: Final = 60_000
LEASE_WAIT_MS: Final = 10


class Service(Protocol):
    """What a client calls."""

    def read(self, key: str) -> int:
        """Return the value of a row."""

    def write(self, key: str, value: int) -> None:
        """Change the value of a row."""


@dataclass(frozen=True)
class AsShipped:
    """Read through the cache, invalidate on write: what every team writes, and what the bug lives in."""

    database: Database
    store: Store

    def read(self, key: str) -> int:
        """See `Service`."""
        value = self.store.get(key)
        if value is None:
            value = self.database.read(key).value
            self.store.set(key, value)
        return value

    def write(self, key: str, value: int) -> None:
        """See `Service`."""
        self.database.write(key, value)
        self.store.delete(key)


class LockAroundFill:
    """Folk fix: one filler at a time. It stops stampedes; the writer never asks for the lock."""

    def __init__(self, database: Database, store: Store, platform: Platform) -> None:
        self._database = database
        self._store = store
        self._filling = platform.lock("the fill lock")

    def read(self, key: str) -> int:
        """See `Service`."""
        value = self._store.get(key)
        if value is None:
            with self._filling:
                value = self._database.read(key).value
                self._store.set(key, value)
        return value

    def write(self, key: str, value: int) -> None:
        """See `Service`."""
        self._database.write(key, value)
        self._store.delete(key)


@dataclass(frozen=True)
class DeleteTwice:
    """Folk fix: delete before the write, and again a little later; a reader can pause for longer."""

    database: Database
    store: Store
    platform: Platform

    def read(self, key: str) -> int:
        """See `Service`."""
        value = self.store.get(key)
        if value is None:
            value = self.database.read(key).value
            self.store.set(key, value)
        return value

    def write(self, key: str, value: int) -> None:
        """See `Service`."""
        self.store.delete(key)
        self.database.write(key, value)
        self.platform.sleep(DELETE_AGAIN_MS, "the second delete")
        self.store.delete(key)


@dataclass(frozen=True)
class TimeToLive:
    """Folk fix: entries expire. Staleness comes to an end, and until then it is as bad as before."""

    database: Database
    store: Store

    def read(self, key: str) -> int:
        """See `Service`."""
        value = self.store.get(key)
        if value is None:
            value = self.database.read(key).value
            self.store.set(key, value, TTL_MS)
        return value

    def write(self, key: str, value: int) -> None:
        """See `Service`."""
        self.database.write(key, value)
        self.store.delete(key)


@dataclass(frozen=True)
class WriteThrough:
    """Folk fix: writers put the new value into the cache themselves, in whatever order they get there."""

    database: Database
    store: Store

    def read(self, key: str) -> int:
        """See `Service`."""
        value = self.store.get(key)
        if value is None:
            value = self.database.read(key).value
            self.store.add(key, value)
        return value

    def write(self, key: str, value: int) -> None:
        """See `Service`."""
        self.database.write(key, value)
        self.store.set(key, value)


@dataclass(frozen=True)
class Leases:
    """Fix: who misses gets a token, a delete takes it back, and only a valid token fills the cache.

    After Nishtala et al., "Scaling Memcache at Facebook", NSDI 2013, section 3.2.1.
    """

    database: Database
    store: Store
    platform: Platform

    def read(self, key: str) -> int:
        """See `Service`."""
        while True:
            value, token = self.store.get_or_lease(key)
            if value is not None:
                return value
            if token is not None:
                value = self.database.read(key).value
                self.store.set_with_lease(key, value, token)
                return value
            self.platform.poll(LEASE_WAIT_MS, "the lease")

    def write(self, key: str, value: int) -> None:
        """See `Service`."""
        self.database.write(key, value)
        self.store.delete(key)


@dataclass(frozen=True)
class Versions:
    """Fix: rows carry a version, and the cache never goes back to an earlier one."""

    database: Database
    store: Store

    def read(self, key: str) -> int:
        """See `Service`."""
        value = self.store.get(key)
        if value is None:
            value, version = self.database.read(key)
            self.store.set_if_newer(key, value, version)
        return value

    def write(self, key: str, value: int) -> None:
        """See `Service`."""
        version = self.database.write(key, value)
        self.store.set_if_newer(key, value, version)


@dataclass
class Flight:
    """One read of the database, for all threads that want the same."""

    landed: Event
    value: int = 0


class SingleFlight:
    """Fix: one read of the database at a time, whose value is kept if nothing was written meanwhile."""

    def __init__(self, database: Database, store: Store, platform: Platform) -> None:
        self._database = database
        self._store = store
        self._platform = platform
        self._lock = platform.lock("the lock")
        self._generations: dict[str, int] = {}
        self._flights: dict[tuple[str, int], Flight] = {}

    def read(self, key: str) -> int:
        """See `Service`."""
        value = self._store.get(key)
        if value is not None:
            return value
        with self._lock:
            generation = self._generations.get(key, 0)
            flight = self._flights.get((key, generation))
            mine = flight is None
            if flight is None:
                flight = self._flights[key, generation] = Flight(self._platform.event("the flight"))
        if not mine:
            flight.landed.wait()
            return flight.value
        flight.value = self._database.read(key).value
        with self._lock:
            del self._flights[key, generation]
            if self._generations.get(key, 0) == generation:
                self._store.set(key, flight.value)
        flight.landed.set()
        return flight.value

    def write(self, key: str, value: int) -> None:
        """See `Service`."""
        self._database.write(key, value)
        with self._lock:
            self._generations[key] = self._generations.get(key, 0) + 1
            self._store.delete(key)


_MAKERS: Final[dict[Design, Callable[[Database, Store, Platform], Service]]] = {
    "as_shipped": lambda database, store, _: AsShipped(database, store),
    "lock_around_fill": LockAroundFill,
    "delete_twice": DeleteTwice,
    "time_to_live": lambda database, store, _: TimeToLive(database, store),
    "write_through": lambda database, store, _: WriteThrough(database, store),
    "leases": Leases,
    "versions": lambda database, store, _: Versions(database, store),
    "single_flight": SingleFlight,
}


def build(design: Design, database: Database, store: Store, platform: Platform) -> Service:
    """Return a service of some design around its servers."""
    return _MAKERS[design](database, store, platform)
