"""The same service with real threads that nothing controls: what a stress test gets to see.

    python -m simulations.cache.stress

runs the service as shipped for some seconds at the default switch interval, and at one of 1 us. It is the
story's own experience, not a proof: what it does not see may be there all the same, at any rate below the
one it states.
"""

from __future__ import annotations

import sys
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Self, TypeVar

from simulations.cache.servers import Database, Store
from simulations.cache.services import build
from simulations.cache.variants import AS_SHIPPED, System
from simulations.cache.workload import KEY, READ, THINK, THINK_MS, Workload
from simulations.errors import LabError
from simulations.intervals import rate_below, wilson

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from simulations.cache.services import Service

__all__ = ["Shop", "Stress", "open_shop", "stress"]

T = TypeVar("T")

SECONDS: Final = 10.0
SHORT_INTERVAL_S: Final = 1e-6
READER_AND_WRITER: Final = Workload(("r", "w"))


class RealPlatform:
    """A `Platform` of the host; a server that has one of its own does one request at a time."""

    def __init__(self) -> None:
        self._busy = threading.Lock()

    @property
    def now_ms(self) -> int:
        """See `Platform`."""
        return time.monotonic_ns() // 1_000_000

    def call(
        self,
        request: str,  # noqa: ARG002  (part of `Platform`)
        operation: Callable[..., T],
        *args: Any,
        wait_ms: int = 0,
    ) -> T:
        """See `Platform`."""
        if wait_ms:
            time.sleep(wait_ms / 1000)
        with self._busy:
            return operation(*args)

    def sleep(self, ms: int, what: str) -> None:  # noqa: ARG002  (part of `Platform`)
        """See `Platform`."""
        time.sleep(ms / 1000)

    def poll(self, ms: int, what: str) -> None:
        """See `Platform`."""
        self.sleep(ms, what)

    def lock(self, name: str) -> threading.Lock:  # noqa: ARG002  (part of `Platform`)
        """See `Platform`."""
        return threading.Lock()

    def event(self, name: str) -> threading.Event:  # noqa: ARG002  (part of `Platform`)
        """See `Platform`."""
        return threading.Event()


@dataclass(frozen=True)
class Shop:
    """A service with its servers, on the host."""

    database: Database
    store: Store
    service: Service

    @property
    def stale(self) -> bool:
        """Whether the cache holds another value than the database."""
        return self.store.look(KEY) not in {None, self.database.row(KEY).value}


def open_shop(system: System) -> Shop:
    """Return a new service on the host, with an empty cache.

    Args:
        system: The service; the latency of its database is slept for, in real milliseconds.
    """
    platform = RealPlatform()
    database, store = Database(RealPlatform(), system.database_ms), Store(RealPlatform())
    return Shop(database, store, build(system.design, database, store, platform))


def work(service: Service, steps: str, values: tuple[int, ...]) -> None:
    """Do what a client of a workload does."""
    to_write = iter(values)
    for step in steps:
        if step == THINK:
            time.sleep(THINK_MS / 1000)
        elif step == READ:
            service.read(KEY)
        else:
            service.write(KEY, next(to_write))


@dataclass(frozen=True)
class Stress:
    """The result of a stress test.

    Attributes:
        runs: How often the workload was run.
        stale: How many runs ended with an old value in the cache.
        switch_interval_s: After how many seconds the interpreter takes the turn from a thread that others
            wait for.
        seconds: How long it took.
    """

    runs: int
    stale: int
    switch_interval_s: float
    seconds: float

    @property
    def rate(self) -> tuple[float, float]:
        """The interval of the rate of stale runs at 95 %: Wilson's, or what no stale run excludes.

        It takes the runs to be independent.
        """
        return wilson(self.stale, self.runs) if self.stale else (0.0, rate_below(self.runs))

    def __str__(self) -> str:
        low, high = self.rate
        every = f"{self.switch_interval_s * 1e6:g} us"
        said = f"{self.stale} of {self.runs:,} runs stale at a switch interval of {every}"
        if not self.stale:
            return f"{said}; so the rate is below {high * 1e6:,.0f} per million with 95 % confidence"
        between = f"{low * 1e6:,.0f} to {high * 1e6:,.0f}"
        return f"{said}; so the rate is {between} per million with 95 % confidence"


def stress(
    system: System = AS_SHIPPED,
    workload: Workload = READER_AND_WRITER,
    *,
    seconds: float = SECONDS,
    runs_max: int | None = None,
    switch_interval_s: float | None = None,
) -> Stress:
    """Run a workload again and again with real threads and an empty cache, and count what is stale.

    Args:
        system: The service; the latency of its database is slept for.
        workload: What the clients do; all of them start at once, at a barrier.
        seconds: For how long, above 0.
        runs_max: Stop after this number of runs, from 1.
        switch_interval_s: For `sys.setswitchinterval`, in seconds, above 0; None leaves it as it is. It is
            put back.

    Raises:
        LabError: an argument makes no sense.
        Exception: what a client raised.
    """
    if not seconds > 0:
        raise LabError(f"a stress test takes more than 0 seconds, not {seconds!r}")
    if runs_max is not None and (type(runs_max) is not int or runs_max < 1):
        raise LabError(f"runs_max={runs_max!r}: run it at least once, or say None")
    if switch_interval_s is not None and not switch_interval_s > 0:
        raise LabError(f"a switch interval is more than 0 seconds, not {switch_interval_s!r}")
    with _switching_every(switch_interval_s) as interval, _Crew(workload) as crew:
        began = time.monotonic()
        runs = stale = 0
        while runs != runs_max and (now := time.monotonic()) < began + seconds:
            shop = open_shop(system)
            crew.run(shop)
            runs += 1
            stale += shop.stale
        now = time.monotonic()
    return Stress(runs, stale, interval, now - began)


@contextmanager
def _switching_every(interval_s: float | None) -> Iterator[float]:
    before = sys.getswitchinterval()
    try:
        if interval_s is not None:
            sys.setswitchinterval(interval_s)
        yield sys.getswitchinterval()
    finally:
        sys.setswitchinterval(before)


class _Crew:
    """Threads that work again and again, from a barrier to the next: to start one takes longer than a run."""

    def __init__(self, workload: Workload) -> None:
        self._barrier = threading.Barrier(len(workload.clients) + 1)
        self._shop: Shop | None = None
        self._errors: list[BaseException] = []
        self._threads = [
            threading.Thread(target=self._serve, args=(steps, values), name=name, daemon=True)
            for name, steps, values in zip(workload.names, workload.clients, workload.values, strict=True)
        ]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._barrier.abort()
        for thread in self._threads:
            thread.join()

    def run(self, shop: Shop) -> None:
        self._shop = shop
        self._barrier.wait()
        self._barrier.wait()
        if self._errors:
            raise self._errors[0]

    def _serve(self, steps: str, values: tuple[int, ...]) -> None:
        try:
            while True:
                self._barrier.wait()
                if self._shop is not None:
                    try:
                        work(self._shop.service, steps, values)
                    except Exception as error:  # noqa: BLE001  (raised again in the main thread)
                        self._errors.append(error)
                self._barrier.wait()
        except threading.BrokenBarrierError:
            return


def _main() -> None:
    system = System(database_ms=0)
    for interval in (None, SHORT_INTERVAL_S):
        sys.stdout.write(f"{stress(system, switch_interval_s=interval)}\n")


if __name__ == "__main__":
    _main()
