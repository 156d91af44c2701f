"""The database and the cache server, each of which does one request at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

__all__ = ["Database", "Entry", "Event", "Lease", "Platform", "Row", "Store"]

T = TypeVar("T")


class Event(Protocol):
    """What one thread sets and others wait for."""

    def set(self) -> object:
        """Let all threads go on that wait, or will."""

    def wait(self) -> object:
        """Wait until it is set."""


class Platform(Protocol):
    """What the services stand on: a network, a clock, locks. Under a chooser, or that of the host."""

    @property
    def now_ms(self) -> int:
        """The time in milliseconds."""

    def call(self, request: str, operation: Callable[..., T], *args: Any, wait_ms: int = 0) -> T:
        """Have a server do an operation, all at once, `wait_ms` after the request was made."""

    def sleep(self, ms: int, what: str) -> None:
        """Wait for `ms` milliseconds; `what` says for what."""

    def poll(self, ms: int, what: str) -> None:
        """Wait for `ms` milliseconds before asking again for what another thread has."""

    def lock(self, name: str) -> AbstractContextManager[object]:
        """Return a lock within the process of the service."""

    def event(self, name: str) -> Event:
        """Return an event within the process of the service."""


class Row(NamedTuple):
    """A row of the database: its value, and how often it was written."""

    value: int
    version: int


class Database:
    """One table. Every write counts the row's version up, as a trigger or an ORM does.

    Args:
        platform: How it is reached.
        latency_ms: How long a request takes to arrive.
    """

    def __init__(self, platform: Platform, latency_ms: int) -> None:
        self._platform = platform
        self._latency_ms = latency_ms
        self._rows: dict[str, Row] = {}
        self.written: list[int] = []
        """The values in the order in which they were written."""

    def read(self, key: str) -> Row:
        """Return a row; one that was never written holds 0 at version 0."""
        return self._platform.call("database.read", self.row, key, wait_ms=self._latency_ms)

    def write(self, key: str, value: int) -> int:
        """Write a row and return its new version."""
        return self._platform.call("database.write", self._write, key, value, wait_ms=self._latency_ms)

    def row(self, key: str) -> Row:
        """Look at a row from outside."""
        return self._rows.get(key, Row(0, 0))

    def _write(self, key: str, value: int) -> int:
        version = self.row(key).version + 1
        self._rows[key] = Row(value, version)
        self.written.append(value)
        return version


class Entry(NamedTuple):
    """What the cache server keeps for a key; `expires_ms` None is never."""

    value: int
    version: int
    expires_ms: int | None


class Lease(NamedTuple):
    """The answer to a read with a lease: a value, or a token for one fill, or neither: come back later."""

    value: int | None
    token: int | None


class Store:
    """The cache server: get, set, add and delete as in memcached, with leases and with versions."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self._entries: dict[str, Entry] = {}
        self._leases: dict[str, int] = {}
        self._tokens = 0

    def get(self, key: str) -> int | None:
        """Return the value, or None on a miss."""
        return self._platform.call("store.get", self._get, key)

    def set(self, key: str, value: int, ttl_ms: int | None = None) -> None:
        """Keep a value, for `ttl_ms` milliseconds where given."""
        self._platform.call("store.set", self._set, key, value, ttl_ms)

    def add(self, key: str, value: int) -> bool:
        """Keep a value unless there is one."""
        return self._platform.call("store.add", self._add, key, value)

    def set_if_newer(self, key: str, value: int, version: int) -> bool:
        """Keep a value unless there is one of the same or a later version."""
        return self._platform.call("store.set_if_newer", self._set_if_newer, key, value, version)

    def delete(self, key: str) -> None:
        """Forget the value, and take the lease back."""
        self._platform.call("store.delete", self._delete, key)

    def get_or_lease(self, key: str) -> Lease:
        """Return the value; on a miss a token for the client that comes first, and nothing for all others."""
        return self._platform.call("store.get_or_lease", self._get_or_lease, key)

    def set_with_lease(self, key: str, value: int, token: int) -> bool:
        """Keep a value if the token is still valid."""
        return self._platform.call("store.set_with_lease", self._set_with_lease, key, value, token)

    def look(self, key: str, *, later_ms: int = 0) -> int | None:
        """Look from outside at what a read would get, now or `later_ms` milliseconds later."""
        entry = self._entries.get(key)
        if entry is None or (
            entry.expires_ms is not None and self._platform.now_ms + later_ms >= entry.expires_ms
        ):
            return None
        return entry.value

    def _get(self, key: str) -> int | None:
        return self.look(key)

    def _set(self, key: str, value: int, ttl_ms: int | None) -> None:
        self._entries[key] = Entry(value, 0, None if ttl_ms is None else self._platform.now_ms + ttl_ms)

    def _add(self, key: str, value: int) -> bool:
        return self._entries.setdefault(key, entry := Entry(value, 0, None)) is entry

    def _set_if_newer(self, key: str, value: int, version: int) -> bool:
        entry = self._entries.get(key)
        newer = entry is None or version > entry.version
        if newer:
            self._entries[key] = Entry(value, version, None)
        return newer

    def _delete(self, key: str) -> None:
        self._entries.pop(key, None)
        self._leases.pop(key, None)

    def _get_or_lease(self, key: str) -> Lease:
        value = self.look(key)
        if value is not None or key in self._leases:
            return Lease(value, None)
        self._tokens += 1
        self._leases[key] = self._tokens
        return Lease(None, self._tokens)

    def _set_with_lease(self, key: str, value: int, token: int) -> bool:
        valid = self._leases.get(key) == token
        if valid:
            self._set(key, value, None)
            del self._leases[key]
        return valid
