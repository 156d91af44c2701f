"""The clients as threads under a chooser: one run of a system, and what is known of it afterwards."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeVar

from simulations.cache.environment import Controlled
from simulations.cache.servers import Database, Store
from simulations.cache.services import build
from simulations.cache.workload import KEY, READ, THINK, THINK_MS
from simulations.drawing.displayed import DisplayedByWorld
from simulations.errors import LabError
from simulations.live.threads.control.chosen import ChosenThreads
from simulations.trace import Trace

if TYPE_CHECKING:
    from collections.abc import Callable

    from simulations.cache.services import Service
    from simulations.cache.variants import System
    from simulations.cache.workload import Workload
    from simulations.choices import Chooser

__all__ = ["Run", "run"]

T = TypeVar("T")

LATER_MS: Final = 3_600_000
"""An hour: whatever expires has expired by then."""


@dataclass(frozen=True)
class Operation:
    """A read or a write as its client sees it.

    Attributes:
        client: Who.
        kind: `r` or `w`.
        value: What was read or written.
        called: Before which event of the trace it was called.
        returned: After which event it returned.
    """

    client: str
    kind: str
    value: int
    called: int
    returned: int

    def __str__(self) -> str:
        return f"{self.client} {'reads' if self.kind == READ else 'writes'} {self.value}"


@dataclass(frozen=True)
class Run(DisplayedByWorld):
    """What is known after a run.

    Attributes:
        system: What was run.
        workload: What the clients did.
        trace: What happened: requests as `<server>.<operation>` with arguments and answer, in virtual ms.
        history: The operations of the clients, in the order in which they returned.
        written: The values of the row in the database, in order, from the first, 0.
        cached: What a read would find in the cache at the end; None is a miss.
        cached_later: What it would find an hour later, if nothing else happens.
    """

    system: System
    workload: Workload
    trace: Trace
    history: tuple[Operation, ...]
    written: tuple[int, ...]
    cached: int | None
    cached_later: int | None

    def __repr__(self) -> str:
        ended = f"cache {self.cached}, database {self.stored}"
        return f"<Run of {self.workload}: {ended}; {len(self.trace)} events>"

    @property
    def stored(self) -> int:
        """The value in the database at the end."""
        return self.written[-1]


def run(
    system: System,
    workload: Workload,
    chooser: Chooser,
    *,
    store_type: type[Store] = Store,
    service_for: Callable[[str, Callable[[], Service], Database], Service] | None = None,
) -> Run:
    """Run the clients, each in a thread of its own; the chooser says which of them goes on.

    Args:
        system: The service and its servers.
        workload: What the clients do.
        chooser: Who answers. It is asked after each request that a client has made (`reader after
            database.read`), where one waits (`writer waits for database.write`), and where one ends.
        store_type: The cache server, for one that is worse than it should be.
        service_for: Returns the service that a client calls, given its name, what makes another service, and
            the database; None means that all call the same one.

    Raises:
        LabError: the clients wait for each other for ever, or ask without an end.
    """
    threads, trace = ChosenThreads(chooser), Trace()
    platform = Controlled(threads, trace)
    database, store = Database(platform, system.database_ms), store_type(platform)

    def make() -> Service:
        return build(system.design, database, store, platform)

    service = make()
    history: list[Operation] = []
    failure = threads.run(
        {
            client[0]: _work(
                threads,
                trace,
                service_for(client[0], make, database) if service_for else service,
                history,
                client,
            )
            for client in zip(workload.names, workload.clients, workload.values, strict=True)
        }
    )
    if failure is not None:
        raise LabError(f"the clients do not come to an end: {failure}")
    cached, later = store.look(KEY), store.look(KEY, later_ms=LATER_MS)
    return Run(system, workload, trace, tuple(history), (0, *database.written), cached, later)


def _work(
    threads: ChosenThreads,
    trace: Trace,
    service: Service,
    history: list[Operation],
    client: tuple[str, str, tuple[int, ...]],
) -> Callable[[], None]:
    """Return what a client does: its name, its steps, and the values that it writes are given."""
    name, steps, values = client

    def work() -> None:
        to_write = iter(values)
        for number, step in enumerate(steps):
            if step == THINK:
                threads.sleep(THINK_MS, "its next step", long=True)
                continue
            if number and steps[number - 1] != THINK:
                threads.between("its last step")
            called = len(trace)
            if step == READ:
                value = service.read(KEY)
                trace.record(threads.now_ms, name, "reads", value)
            else:
                value = next(to_write)
                service.write(KEY, value)
                trace.record(threads.now_ms, name, "has written", value)
            history.append(Operation(name, step, value, called, len(trace)))

    return work
