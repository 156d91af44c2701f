"""Campaigns on a Dask cluster: a `campaign.Pool` behind the extra `cluster`.

A chunk travels to a worker and its result back, both as JSON-able values; the code does not, so each worker
must have the same heisenlab installed, which it checks before it does anything. A chunk of a worker that is
lost goes to another one. Results come in any order; `campaign` puts them in that of the chunks.
"""

from __future__ import annotations

import re
import warnings
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from scenarios.lab.method.campaign import code_stamp
from simulations.errors import LabError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from distributed import Client

    from scenarios.lab.method.campaign import Chunk, Work

__all__ = ["Cluster", "cluster"]

SECONDS_TO_CONNECT_MAX: Final = 20
"""How long a scheduler may take to answer, in seconds."""
LOSSES_MAX: Final = 5
"""How many workers may be lost under one chunk before it is taken for the cause, as by its memory."""
WAITING_PER_WORKER: Final = 8
"""How many chunks are sent ahead for each thread of a worker, so that the scheduler keeps no long list."""
_WORKERS_MAX: Final = 256


@dataclass(frozen=True)
class Cluster:
    """A pool that is a Dask cluster.

    Attributes:
        client: Connected to its scheduler.
    """

    client: Client

    def map(self, work: Work, chunks: Sequence[Chunk]) -> Iterator[tuple[int, Any]]:
        """Yield the place of each chunk and its result, in the order in which they arrive.

        Args:
            work: A function that the workers can import.
            chunks: The pieces.

        Raises:
            LabError: the workers have other code, or too many of them were lost under one chunk.
            Exception: what the function raised.
        """
        from distributed import KilledWorker, as_completed  # noqa: PLC0415  (an extra)

        try:
            self.client.wait_for_workers(1, timeout=SECONDS_TO_CONNECT_MAX)
        except TimeoutError as error:
            raise LabError("the cluster has no workers; start some: dask worker tcp://...") from error
        stamp = code_stamp()
        upcoming = iter(enumerate(chunks))
        arriving = as_completed([])
        places: dict[Any, int] = {}

        def send() -> None:
            for place, chunk in upcoming:
                # Not pure: Dask must not take a result of another version from its memory.
                future = self.client.submit(_checked, work, chunk, stamp, pure=False)
                places[future] = place
                arriving.add(future)
                return

        try:
            threads = sum(self.client.nthreads().values())
            for _ in range(max(1, threads) * WAITING_PER_WORKER):
                send()
            for future in arriving:
                try:
                    result = future.result()
                except KilledWorker as error:
                    raise LabError(
                        f"{LOSSES_MAX} workers were lost under one chunk, perhaps for want of memory: mend "
                        f"them and run it again with the same state file; what was done is kept"
                    ) from error
                place = places.pop(future)
                send()
                yield place, result
        finally:
            self.client.cancel([*places], force=True)


def _checked(work: Work, chunk: Chunk, stamp: dict[str, str]) -> Any:
    """Do a chunk on a worker, whose code must be that of the process which sent it."""
    here = code_stamp()
    if here != stamp:
        differ = ", ".join(
            f"{key} {here.get(key)} and {stamp[key]}" for key in stamp if here.get(key) != stamp[key]
        )
        raise LabError(f"a worker has other code than this process ({differ}): install one version on both")
    with warnings.catch_warnings():
        # Dask's own threads draw from `random` meanwhile, which Hypothesis takes for the doing of a strategy.
        warnings.filterwarnings("ignore", "Do not use the `random` module inside strategies")
        return work(chunk)


def _local_cluster(usual: Any) -> Any:
    """Return the class of clusters on this machine, which closes also after it has just lost a worker."""

    class LocalCluster(usual):  # type: ignore[misc]
        def _update_worker_status(self, op: str, msg: Any) -> None:
            with suppress(KeyError):  # that of a worker which it has not heard of yet, or no more
                super()._update_worker_status(op, msg)

    return LocalCluster


@contextmanager
def cluster(address: str) -> Iterator[Cluster]:
    """Connect to a cluster, or start one on this machine, and yield it as a pool.

    Args:
        address: `local` or `local:N` for N processes on this machine (from 1; default: one a core), or what
            the scheduler prints, such as `tcp://10.0.0.1:8786`.

    Raises:
        LabError: the address makes no sense, `distributed` is missing, or no scheduler answers.
    """
    try:
        import distributed  # noqa: PLC0415  (an extra)
    except ImportError as error:
        raise LabError("--cluster needs the extra: pip install heisenlab[cluster]") from error
    import dask  # noqa: PLC0415  (an extra)

    local = re.fullmatch(r"local(?::(\d{1,4}))?", address)
    if local is None and not re.fullmatch(r"(tcp|tls|ws|wss|ucx)://\S+", address):
        raise LabError(f"a cluster is local, local:N or tcp://HOST:PORT, not {address!r}")
    workers = int(local[1]) if local and local[1] else None
    if workers is not None and not 1 <= workers <= _WORKERS_MAX:
        raise LabError(f"a cluster on this machine has 1 to {_WORKERS_MAX} workers, not {workers}")
    with dask.config.set({"distributed.scheduler.allowed-failures": LOSSES_MAX - 1}):
        if local is not None:
            options: dict[str, Any] = {"processes": True, "threads_per_worker": 1, "dashboard_address": None}
            local_cluster = _local_cluster(distributed.LocalCluster)
            with (
                local_cluster(n_workers=workers, **options) as started,
                distributed.Client(started) as client,
            ):
                yield Cluster(client)
            return
        try:
            client = distributed.Client(address, timeout=SECONDS_TO_CONNECT_MAX)
        except (OSError, TimeoutError, ValueError) as error:
            raise LabError(f"no scheduler answers at {address}; start one: dask scheduler") from error
        with client:
            yield Cluster(client)
