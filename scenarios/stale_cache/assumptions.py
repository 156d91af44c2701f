"""What the scenario takes for granted, how a run shows it, and a world in which each does not hold."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from scenarios.lab.scenario import Assumption, Scenario, Variant
from simulations.cache.servers import Entry, Store
from simulations.cache.system import run
from simulations.cache.workload import Workload

if TYPE_CHECKING:
    from collections.abc import Callable

    from simulations.cache.servers import Database
    from simulations.cache.services import Service
    from simulations.cache.system import Run
    from simulations.cache.variants import System
    from simulations.choices import Chooser

_HALF_REQUESTS: Final = frozenset({"store.check version", "store.check token", "store.put"})


def requests_are_whole(variant: Variant, run: Run, chooser: Chooser) -> None:
    """No request is handled in two steps with a switch in between."""
    half = [event for event in run.trace if event.action in _HALF_REQUESTS]
    assert not half, f"{half[0].actor} was switched within {half[0].action}"


def no_request_is_lost(variant: Variant, run: Run, chooser: Chooser) -> None:
    """Every request to delete is answered by the server."""
    lost = [event for event in run.trace if event.action == "store.lost delete"]
    assert not lost, f"the delete of {lost[0].actor} was lost"


def every_value_is_new(variant: Variant, run: Run, chooser: Chooser) -> None:
    """No value is written twice."""
    assert len(set(run.written)) == len(run.written), f"written were {run.written}"


def one_process_serves(variant: Variant, run: Run, chooser: Chooser) -> None:
    """All clients call one service, whose locks and generations they share."""
    assert not isinstance(run.workload, _SeveralProcesses), "each client has a process of its own"


def all_writes_go_through_the_service(variant: Variant, run: Run, chooser: Chooser) -> None:
    """Who writes to the database has to do with the cache, too."""
    for event in run.trace:
        if event.action == "database.write":
            asked = [each for each in run.trace if each.actor == event.actor and "store." in each.action]
            assert asked, f"{event.actor} wrote to the database and left the cache alone"


class _InTwoSteps(Store):
    """A cache server that compares and then sets, and handles other requests in between."""

    def set_if_newer(self, key: str, value: int, version: int) -> bool:
        newer = self._platform.call("store.check version", self._is_newer, key, version)
        if newer:
            self._platform.call("store.put", self._put, key, value, version)
        return newer

    def set_with_lease(self, key: str, value: int, token: int) -> bool:
        valid = self._platform.call("store.check token", self._is_valid, key, token)
        if valid:
            self._platform.call("store.put", self._put, key, value, 0)
        return valid

    def _is_newer(self, key: str, version: int) -> bool:
        entry = self._entries.get(key)
        return entry is None or version > entry.version

    def _is_valid(self, key: str, token: int) -> bool:
        return self._leases.get(key) == token

    def _put(self, key: str, value: int, version: int) -> None:
        self._entries[key] = Entry(value, version, None)
        self._leases.pop(key, None)


class _Forgetful(Store):
    """A cache server to which no delete arrives."""

    def delete(self, key: str) -> None:
        self._platform.call("store.lost delete", lambda _: None, key)


@dataclass(frozen=True)
class _Direct:
    """A job that writes to the database past the service."""

    service: Service
    database: Database

    def read(self, key: str) -> int:
        return self.service.read(key)

    def write(self, key: str, value: int) -> None:
        self.database.write(key, value)


class _SeveralProcesses(Workload):
    """A workload whose clients are served by a process each."""


class _OneValue(Workload):
    """A workload in which every write writes 0, which is there from the beginning."""

    @property
    def values(self) -> tuple[tuple[int, ...], ...]:
        return tuple((0,) * len(written) for written in super().values)


def _on(scenario: Scenario, workload: type[Workload]) -> Scenario:
    return replace(scenario, ladder=tuple(workload(each.clients) for each in scenario.ladder))


def _with_store(store_type: type[Store]) -> Callable[[Scenario], Scenario]:
    def broken(scenario: Scenario) -> Scenario:
        def on_that_server(system: System, workload: Workload, chooser: Chooser) -> Run:
            return run(system, workload, chooser, store_type=store_type)

        return replace(scenario, run=on_that_server)

    return broken


def _with_a_process_each(scenario: Scenario) -> Scenario:
    def apart(system: System, workload: Workload, chooser: Chooser) -> Run:
        return run(system, workload, chooser, service_for=lambda _name, make, _database: make())

    return replace(_on(scenario, _SeveralProcesses), run=apart)


def _with_direct_writers(scenario: Scenario) -> Scenario:
    def past(system: System, workload: Workload, chooser: Chooser) -> Run:
        return run(
            system, workload, chooser, service_for=lambda _name, make, database: _Direct(make(), database)
        )

    return replace(scenario, run=past)


ASSUMPTIONS: Final = (
    Assumption(
        "atomic",
        "A server handles one request at a time; threads are switched between requests only.",
        requests_are_whole,
        _with_store(_InTwoSteps),
    ),
    Assumption(
        "faults",
        "Neither server fails, loses a request, or evicts an entry.",
        no_request_is_lost,
        _with_store(_Forgetful),
    ),
    Assumption(
        "one row",
        "All clients read and write one row, and every value that is written is new.",
        every_value_is_new,
        lambda scenario: _on(scenario, _OneValue),
    ),
    Assumption(
        "process",
        "Locks, and the generations of a single flight, are within one process; leases and versions are not.",
        one_process_serves,
        _with_a_process_each,
    ),
    Assumption(
        "writers",
        "All writes to the database go through the service.",
        all_writes_go_through_the_service,
        _with_direct_writers,
    ),
)
