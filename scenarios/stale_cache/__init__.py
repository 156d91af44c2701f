"""The stale cache: a value that stays old, and a schedule that nobody recorded.

A service reads through a cache and invalidates it on write. Under a stress test it once returned an old
value, and went on returning it; nobody could reproduce it. A reader had been interrupted between two lines.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from scenarios.lab.scenario import Exhausted, Finds, Scenario, Story, Variant
from scenarios.stale_cache.assumptions import ASSUMPTIONS
from scenarios.stale_cache.drivers import Priorities, stress
from simulations.cache import variants
from simulations.cache.consistency import forgets_own_write, goes_back_in_time, not_linearizable
from simulations.cache.environment import in_words
from simulations.cache.system import Run, run
from simulations.cache.workload import Workload
from simulations.choices import Deviation, NoiseModel, Plan

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy


def cache_agrees_with_database(run: Run) -> None:
    """When all clients are done, the cache holds what the database holds, or nothing."""
    assert run.cached in {None, run.stored}, (
        f"all clients are done; the cache says {run.cached}, the database {run.stored}"
    )


def staleness_ends(run: Run) -> None:
    """An hour after all clients are done, the cache holds what the database holds, or nothing."""
    assert run.cached_later in {None, run.stored}, (
        f"an hour later the cache still says {run.cached_later}, the database {run.stored}"
    )


def clients_read_their_own_writes(run: Run) -> None:
    """A client never reads a value older than one that it has written itself."""
    wrong = forgets_own_write(run)
    assert wrong is None, wrong


def time_does_not_run_backwards(run: Run) -> None:
    """A client never reads a value older than one that it has read before."""
    wrong = goes_back_in_time(run)
    assert wrong is None, wrong


def history_is_linearizable(run: Run) -> None:
    """The operations of all clients together could have come from a single register."""
    wrong = not_linearizable(run.history)
    assert wrong is None, wrong


LADDER: Final = tuple(
    Workload(tuple(clients.split()))
    for clients in ("r", "r w", "w w", "r wr", "r w.r", "rr w", "r r w", "r w w", "rr wr w")
)
"""From one reader to three clients that read and write. Every proof covers all of them."""


def workloads() -> SearchStrategy[Workload]:
    """Return the strategy of workloads: two or three clients, at least one of which writes."""
    from hypothesis import strategies as st  # noqa: PLC0415  (a replay does without)

    clients = st.tuples(
        st.sampled_from(("r", "rr", "w")), st.sampled_from(("w", "wr", "w.r")), st.sampled_from(("", "w"))
    )
    return clients.map(lambda texts: Workload(tuple(text for text in texts if text)))


_PAUSE_BEFORE_FILL: Final = Deviation("reader after database.read", 0, 1)
_FOUND: Final = Finds("cache_agrees_with_database", Plan([_PAUSE_BEFORE_FILL]))

_STALE: Final = ("cache_agrees_with_database",)
"""Broken variants are judged by one property, so that every hunt ends in one and the same finding."""

_REPAIRED: Final = ("cache_agrees_with_database", "staleness_ends", "clients_read_their_own_writes")
"""What every fix promises. While a write is under way, only versions promise more: see `analysis`."""

SCENARIO: Final = Scenario(
    name="stale-cache",
    title="A value that stays old",
    story=Story(
        who="Ty, whose team put a cache in front of a database.",
        symptom="Under a stress test one value was old and stayed old. Run again, the test never failed.",
        believed="That invalidating the cache on every write keeps it right.",
        root_cause="A reader missed, read the old value, and was interrupted; a writer updated the database "
        "and deleted the cache entry; the reader went on and put the old value into the cache.",
        lesson="Between a read and the use of its result every other thread may have its turn: record the "
        "schedule, or choose it.",
    ),
    hidden_input="the thread schedule",
    question="which thread runs next?",
    run=run,
    ladder=LADDER,
    inputs=workloads,
    properties=(
        cache_agrees_with_database,
        staleness_ends,
        clients_read_their_own_writes,
        time_does_not_run_backwards,
        history_is_linearizable,
    ),
    noise=NoiseModel("a busy machine", {"* after *": 0.05}, otherwise="uniform"),
    phrase=in_words,
    moment=lambda time_ms: f"{time_ms} ms",
    deviations_max=2,
    drivers={"pct-2": partial(Priorities, 2)},
    stress=stress,
    variants=(
        Variant(
            "as-shipped",
            "as shipped",
            variants.AS_SHIPPED,
            "Read through the cache, delete the entry on write.",
            _FOUND,
            _STALE,
        ),
        Variant(
            "lock-around-fill",
            "folk fix",
            variants.LOCK_AROUND_FILL,
            "One reader at a time reads the database and fills the cache; the writer takes no lock.",
            _FOUND,
            _STALE,
        ),
        Variant(
            "delete-twice",
            "folk fix",
            variants.DELETE_TWICE,
            "Delete, write, wait, delete again, to catch late fills as well; a reader can be later still.",
            _FOUND,
            _STALE,
        ),
        Variant(
            "time-to-live",
            "folk fix",
            variants.TIME_TO_LIVE,
            "Entries expire, so staleness ends; until then a client may not see what it has written itself.",
            Finds("clients_read_their_own_writes", Plan([_PAUSE_BEFORE_FILL])),
            ("staleness_ends", "clients_read_their_own_writes"),
        ),
        Variant(
            "write-through",
            "folk fix",
            variants.WRITE_THROUGH,
            "Writers put the new value into the cache, and readers never overwrite it; but two writers can "
            "do so in another order than that of their writes to the database.",
            Finds("cache_agrees_with_database", Plan([Deviation("writer after database.write", 0, 1)])),
            _STALE,
        ),
        Variant(
            "leases",
            "fix",
            variants.LEASES,
            "A client that misses gets a token; a delete revokes it; without it, no client may fill the "
            "cache.",
            Exhausted(2),
            _REPAIRED,
        ),
        Variant(
            "versions",
            "fix",
            variants.VERSIONS,
            "The cache keeps the version of the row, and never goes back to an earlier one.",
            Exhausted(2),
        ),
        Variant(
            "single-flight",
            "fix",
            variants.SINGLE_FLIGHT,
            "One read of the database at a time, which is discarded if there was a write in the meantime.",
            Exhausted(2),
            _REPAIRED,
        ),
    ),
    assumptions=ASSUMPTIONS,
)
