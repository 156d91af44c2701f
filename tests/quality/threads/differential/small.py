"""All programs of a small scope: three threads that use one primitive or queue, each in one of a few ways.

Random programs rarely have the one thread that looks at a lock before it waits for it, beside two others that
take it; here each combination comes.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Final

from tests.quality.threads.differential.syntax import (
    Await,
    Do,
    Hold,
    Load,
    Notify,
    Place,
    Program,
    Save,
    Signal,
    Stmt,
    Store,
    Sync,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

THREADS: Final = 3
Uses = dict[str, tuple[Stmt, ...]]
"""The ways in which one thread uses what is shared, by name."""


def _holding(thread: int, **further: Stmt) -> Uses:
    """Return the ways to take something, and to look and try before that.

    Args:
        thread: Whose they are; each writes another value.
        further: What can be done without taking it, by name.
    """
    writes, reads = (Save(0, None, thread + 1),), (Load(0, "b"),)
    waits, tries = Hold(0, writes), Hold(0, reads, "try")
    uses: Uses = {"waits": (waits,), "tries": (tries,), "tries, waits": (tries, waits)}
    for name, statement in further.items():
        uses[name] = (statement,)
        uses[f"{name}, waits"] = (statement, waits)
    return uses


def _lock(thread: int) -> Uses:
    return _holding(thread, looks=Signal(0, "locked"))


def _semaphore(thread: int) -> Uses:
    return _holding(thread, releases=Signal(0, "release"))


def _event(thread: int) -> Uses:
    save, load = Save(0, None, thread + 1), Load(0, "b")
    sets, clears, waits, looks = (Signal(0, name) for name in ("set", "clear", "wait", "is_set"))  # type: ignore[arg-type]
    return {
        "sets": (save, sets),
        "clears": (clears,),
        "waits": (waits, load),
        "looks, waits": (looks, waits),
        "sets, waits": (sets, waits),
        "clears, waits": (clears, waits),
    }


def _condition(thread: int) -> Uses:
    save = Save(0, None, thread + 1)
    return {
        "waits": (Hold(0, (Await(0, 0),)),),
        "waits once": (Hold(0, (Await(0, 0, "bare"),)),),
        "notifies": (Hold(0, (save, Notify(0))),),
        "notifies all": (Hold(0, (save, Notify(0, everyone=True))),),
        "tries": (Hold(0, (Load(0, "b"),), "try"),),
        "tries, waits": (Hold(0, (Load(0, "b"),), "try"), Hold(0, (Await(0, 0),))),
    }


def _queue(thread: int) -> Uses:
    puts, gets, looks = Do(0, "put", thread + 1), Do(0, "get", into="a"), Do(0, "length", into="b")
    return {
        "puts": (puts,),
        "gets": (gets,),
        "puts, gets": (puts, gets),
        "gets, puts": (gets, puts),
        "looks, gets": (looks, gets),
    }


SHARED: Final[Mapping[str, tuple[object, Sync | Store]]] = {
    "lock": (_lock, Sync("lock")),
    "rlock": (_holding, Sync("rlock")),
    "semaphore of 0": (_semaphore, Sync("semaphore", 0)),
    "semaphore of 1": (_semaphore, Sync("semaphore", 1)),
    "semaphore of 2": (_semaphore, Sync("semaphore", 2)),
    "event": (_event, Sync("event")),
    "condition": (_condition, Sync("condition")),
    "queue": (_queue, Store("queue")),
    "simple queue": (_queue, Store("simple queue")),
}


def small_programs() -> Iterator[tuple[str, Program]]:
    """Yield each program with its name."""
    for shared, (uses, thing) in SHARED.items():
        stores, syncs = ((), (thing,)) if isinstance(thing, Sync) else ((thing,), ())
        ways = [uses(thread) for thread in range(THREADS)]
        for names in itertools.product(ways[0], repeat=THREADS):
            threads = tuple(ways[thread][name] for thread, name in enumerate(names))
            yield f"{shared}: {' | '.join(names)}", Program(threads, (Place("attribute"),), stores, syncs)
