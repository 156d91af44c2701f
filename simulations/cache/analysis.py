"""Every interleaving of the abstract steps of a design, counted exactly.

This is a second description of the same designs, which shares no code with the first: no threads, no
scheduler, no services, only what each request does to a state. What the simulation can end in under any
schedule must be what comes out here; and a fix for which nothing stale comes out has none, whatever the
number of preemptions.

Time is left out: nothing expires here, and a thread that polls waits until there is something to be had.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias

from simulations.cache.workload import READ, THINK, WRITE
from simulations.errors import LabError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from simulations.cache.services import Design
    from simulations.cache.workload import Workload

__all__ = ["census"]


class _Shared(NamedTuple):
    """What all threads share: the row, the entry, and what a design needs besides."""

    written: tuple[int, ...] = (0,)
    cached: int | None = None
    cached_version: int = -1
    lease: int | None = None
    locked: int | None = None
    generation: int = 0
    flight: tuple[int, int] | None = None
    landed: tuple[tuple[int, int], ...] = ()


class _Client(NamedTuple):
    """Where a client is: which of its steps, which request of it, and what it holds in its hands."""

    step: int = 0
    request: int = 0
    value: int = 0
    version: int = 0
    flight: tuple[int, int] = (0, 0)
    saw: tuple[tuple[str, int], ...] = ()


_NEXT: Final = None
_RETURN: Final = -1

_Result = tuple[_Shared, _Client, int | None]
"""What a request leads to, and which is next: a number, `_NEXT`, or `_RETURN` for the end of the step."""

_Request: TypeAlias = "Callable[[_Shared, _Client, int], _Result | None]"
"""One request, given the number of the client; None if it has to wait."""


def _get(shared: _Shared, me: _Client, _: int) -> _Result:
    if shared.cached is not None:
        return shared, me._replace(value=shared.cached), _RETURN
    return shared, me, _NEXT


def _read_row(shared: _Shared, me: _Client, _: int) -> _Result:
    return shared, me._replace(value=shared.written[-1], version=len(shared.written) - 1), _NEXT


def _write_row(shared: _Shared, me: _Client, _: int) -> _Result:
    written = (*shared.written, me.value)
    return shared._replace(written=written), me._replace(version=len(written) - 1), _NEXT


def _set(shared: _Shared, me: _Client, _: int) -> _Result:
    return shared._replace(cached=me.value), me, _NEXT


def _add(shared: _Shared, me: _Client, _: int) -> _Result:
    return (shared if shared.cached is not None else shared._replace(cached=me.value)), me, _NEXT


def _delete(shared: _Shared, me: _Client, _: int) -> _Result:
    return shared._replace(cached=None, lease=None), me, _NEXT


def _set_if_newer(shared: _Shared, me: _Client, _: int) -> _Result:
    if me.version > shared.cached_version:
        shared = shared._replace(cached=me.value, cached_version=me.version)
    return shared, me, _NEXT


def _get_or_lease(shared: _Shared, me: _Client, number: int) -> _Result | None:
    if shared.cached is not None:
        return shared, me._replace(value=shared.cached), _RETURN
    if shared.lease is not None:
        return None
    return shared._replace(lease=number), me, _NEXT


def _set_with_lease(shared: _Shared, me: _Client, number: int) -> _Result:
    if shared.lease == number:
        shared = shared._replace(cached=me.value, lease=None)
    return shared, me, _NEXT


def _lock(shared: _Shared, me: _Client, number: int) -> _Result | None:
    return None if shared.locked is not None else (shared._replace(locked=number), me, _NEXT)


def _set_and_unlock(shared: _Shared, me: _Client, _: int) -> _Result:
    return shared._replace(cached=me.value, locked=None), me, _NEXT


def _board(shared: _Shared, me: _Client, number: int) -> _Result | None:
    """Take the lock, join the flight of this generation or begin one, and give the lock back."""
    if shared.locked is not None:
        return None
    flight = shared.flight
    if flight is not None and flight[0] == shared.generation:
        return shared, me._replace(flight=flight), _ARRIVAL
    # A client that has landed and flies again in one generation: no client waits for its first flight now.
    flight = (shared.generation, number)
    landed = tuple(entry for entry in shared.landed if entry[0] != _name(flight))
    return shared._replace(flight=flight, landed=landed), me._replace(flight=flight), _NEXT


def _name(flight: tuple[int, int]) -> int:
    return flight[0] * 1_000 + flight[1]


def _land(shared: _Shared, me: _Client, number: int) -> _Result | None:
    """Take the lock; keep it to fill the cache if nothing was written meanwhile, else give it back."""
    if shared.locked is not None:
        return None
    if shared.flight == me.flight:
        shared = shared._replace(flight=None)
    if shared.generation == me.flight[0]:
        return shared._replace(locked=number), me, _NEXT
    return shared, me, _ANNOUNCEMENT


def _announce(shared: _Shared, me: _Client, _: int) -> _Result:
    landed = tuple(sorted((*shared.landed, (_name(me.flight), me.value))))
    return shared._replace(landed=landed), me, _RETURN


def _arrive(shared: _Shared, me: _Client, _: int) -> _Result | None:
    for flight, value in shared.landed:
        if flight == _name(me.flight):
            return shared, me._replace(value=value), _RETURN
    return None


def _lock_and_count(shared: _Shared, me: _Client, number: int) -> _Result | None:
    if shared.locked is not None:
        return None
    return shared._replace(locked=number, generation=shared.generation + 1), me, _NEXT


def _delete_and_unlock(shared: _Shared, me: _Client, _: int) -> _Result:
    return shared._replace(cached=None, locked=None), me, _NEXT


_INVALIDATE: Final = (_write_row, _delete)
_PROGRAMS: Final[Mapping[Design, tuple[tuple[_Request, ...], tuple[_Request, ...]]]] = {
    "as_shipped": ((_get, _read_row, _set), _INVALIDATE),
    "lock_around_fill": ((_get, _lock, _read_row, _set_and_unlock), _INVALIDATE),
    "delete_twice": ((_get, _read_row, _set), (_delete, _write_row, _delete)),
    "write_through": ((_get, _read_row, _add), (_write_row, _set)),
    "leases": ((_get_or_lease, _read_row, _set_with_lease), _INVALIDATE),
    "versions": ((_get, _read_row, _set_if_newer), (_write_row, _set_if_newer)),
    "single_flight": (
        (_get, _board, _read_row, _land, _set_and_unlock, _announce, _arrive),
        (_write_row, _lock_and_count, _delete_and_unlock),
    ),
}
"""The requests of a read and of a write, in order."""

_ANNOUNCEMENT: Final = 5
_ARRIVAL: Final = 6


class Outcome(NamedTuple):
    """How a run can end.

    Attributes:
        written: The values of the row, in order, from the first, 0.
        cached: What the cache holds; None is nothing.
        saw: For each client, what it has read (`r`) and written (`w`), in order.
    """

    written: tuple[int, ...]
    cached: int | None
    saw: tuple[tuple[tuple[str, int], ...], ...]

    @property
    def stale(self) -> bool:
        """Whether the cache holds another value than the database."""
        return self.cached not in {None, self.written[-1]}

    @property
    def forgets_own_write(self) -> bool:
        """Whether a client reads what is older than what it has itself written."""
        return self._reads_older_than(WRITE)

    @property
    def goes_back_in_time(self) -> bool:
        """Whether a client reads what is older than what it has itself read."""
        return self._reads_older_than(READ)

    def _reads_older_than(self, known: str) -> bool:
        age = {value: position for position, value in enumerate(self.written)}
        return any(
            kind == READ and any(age[value] < age[old] for by, old in seen[:number] if by == known)
            for seen in self.saw
            for number, (kind, value) in enumerate(seen)
        )


@dataclass(frozen=True)
class Census:
    """All interleavings of a design and a workload.

    Attributes:
        interleavings: Their number.
        stale: The number of those that end with an old value in the cache.
        states: The number of different states on the way.
        outcomes: The different ways in which they end.
    """

    interleavings: int
    stale: int
    states: int
    outcomes: frozenset[Outcome]


def census(design: Design, workload: Workload) -> Census:
    """Go through every interleaving of the requests of all clients.

    Args:
        design: One of `services.DESIGNS` but `time_to_live`, which is as shipped but for the time.
        workload: What the clients do; thinking takes no step.

    Raises:
        LabError: the design is not among those.
    """
    if design not in _PROGRAMS:
        raise LabError(f"the analysis knows {', '.join(_PROGRAMS)}, not {design!r}")
    work = tuple(tuple(step for step in steps if step != THINK) for steps in workload.clients)
    known: dict[tuple[_Shared, tuple[_Client, ...]], tuple[int, int]] = {}
    outcomes: set[Outcome] = set()

    def paths(shared: _Shared, clients: tuple[_Client, ...]) -> tuple[int, int]:
        """Return how many ways lead on from a state, and how many of them end stale."""
        state = (shared, clients)
        if state not in known:
            following = _following(design, work, workload.values, shared, clients)
            if not following:
                outcome = Outcome(shared.written, shared.cached, tuple(client.saw for client in clients))
                outcomes.add(outcome)
                known[state] = 1, int(outcome.stale)
            else:
                counts = [paths(*state) for state in following]
                known[state] = sum(all_ for all_, _ in counts), sum(stale for _, stale in counts)
        return known[state]

    interleavings, stale = paths(_Shared(), tuple(_Client() for _ in work))
    return Census(interleavings, stale, len(known), frozenset(outcomes))


def _following(
    design: Design,
    work: tuple[tuple[str, ...], ...],
    values: tuple[tuple[int, ...], ...],
    shared: _Shared,
    clients: tuple[_Client, ...],
) -> list[tuple[_Shared, tuple[_Client, ...]]]:
    states = []
    for number, client in enumerate(clients):
        if client.step == len(work[number]):
            continue
        kind = work[number][client.step]
        program = _PROGRAMS[design][kind != READ]
        me = client
        if kind != READ and client.request == 0:
            me = client._replace(value=values[number][work[number][: client.step].count(kind)])
        result = program[client.request](shared, me, number)
        if result is None:
            continue
        after, me, jump = result
        request = me.request + 1 if jump is _NEXT else jump
        if request in (_RETURN, len(program)):
            # What a client has in its hands is forgotten between its steps, so that equal states are equal.
            me = _Client(step=me.step + 1, saw=(*me.saw, (kind, me.value)))
        else:
            me = me._replace(request=request)
        states.append((after, (*clients[:number], me, *clients[number + 1 :])))
    return states
