"""Programs about which an explorer was wrong once, each the smallest of its class, with what can happen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from tests.quality.threads.differential.syntax import (
    Add,
    Await,
    Call,
    Do,
    Hold,
    Load,
    Notify,
    Place,
    Program,
    Save,
    Signal,
    Spawn,
    Store,
    Sync,
)

if TYPE_CHECKING:
    from tests.quality.threads.differential.syntax import Helper, Starting, Stmt, Storage

LOST: Final = frozenset({(1,), (2,)})
"""The values of a place that two threads increase: an increment can be lost."""


@dataclass(frozen=True)
class Regression:
    """A program, and what can happen in it.

    Attributes:
        name: What is in it.
        program: The program.
        values: The values that its places can have at the end.
        deadlock: Whether it can deadlock.
        everywhere: Whether the layout matters enough for all of them to be tried; else it has one of its own.
    """

    name: str
    program: Program
    values: frozenset[tuple[int, ...]]
    deadlock: bool = False
    everywhere: bool = False


def _twice(storage: Storage, *body: Stmt, name: str = "", decoys: bool = False) -> Program:
    """Return a program of two threads with the same body and one place."""
    return Program((body, body), (Place(storage),), names=(name,) if name else (), decoys=decoys)


def _helpers() -> list[Regression]:
    """Two threads that increase an attribute in a helper, wherever it lives and however it is called."""
    forms: tuple[Helper, ...] = (
        "function", "nested", "method", "library", "partial", "generator", "begun", "context", "enter", "map",
        "lambda", "property", "factory", "exec", "coroutine",
    )  # fmt: skip
    return [
        Regression(
            f"increment in a helper: {form}",
            _twice("attribute", Call((Add(0),), form), decoys=True),
            LOST,
            everywhere=True,
        )
        for form in forms
    ]


def _storages() -> list[Regression]:
    """Two threads that read and write an item, a field or a variable of each kind, in each spelling."""
    spellings: dict[Storage, int] = {
        "attribute": 5, "slot": 2, "class": 3, "property": 2, "list": 3, "dict": 4, "counter": 4, "deque": 3,
        "array": 3, "bytes": 5, "ctypes": 3, "field": 2, "mmap": 3, "global": 2, "cell": 1,
    }  # fmt: skip
    return [
        Regression(f"increment of {storage}, spelling {form}", _twice(storage, Add(0, 1, form)), LOST)
        for storage, count in spellings.items()
        for form in range(count)
    ]


def _names() -> list[Regression]:
    """The same races under names that the standard library uses."""
    names = ("release", "acquire", "wait", "get", "put", "join", "time", "sleep", "_shutdown",
             "_is_owned", "_after_fork", "_python_exit", "_set_tstate_lock", "__repr__", "Pattern",
             "generator")  # fmt: skip
    attributes = [
        Regression(f"an attribute called {name}", _twice("attribute", Add(0), name=name), LOST)
        for name in names
    ]
    method = (Call((Add(0),), "method"),)
    methods = [
        Regression(
            f"a method called {name}", Program((method, method), (Place("slot"),), names=("x", name)), LOST
        )
        for name in names
    ]
    return attributes + methods


def _threads() -> list[Regression]:
    """Increments in threads and pools that a worker starts."""
    ways: tuple[tuple[Starting, int], ...] = (
        ("thread", 2), ("subclass", 2), ("pool", 2), ("pool of setup", 2)
    )  # fmt: skip
    one = (Place("attribute"),)
    found = [
        Regression(
            f"increments in two tasks of a {how}",
            Program(((Spawn(((Add(0),),) * 2, how, width),),), one),
            LOST,
        )
        for how, width in ways
    ]
    found += [
        Regression(
            f"increments in a task and in a worker that started it: {how}",
            Program(((Spawn(((Add(0),),), how, width, (Add(0),)),),), one),
            LOST,
        )
        for how, width in ways
    ]
    single = Program(((Spawn(((Add(0),), (Add(0),)), "pool", 1),),), one)
    return [*found, Regression("a pool of one worker loses nothing", single, frozenset({(2,)}))]


def _primitives() -> list[Regression]:
    """Primitives: what only the point before a release shows, and waits that end and do not end."""
    one, attempt = (Place("attribute"),), (Hold(0, (Save(0, plus=2),), "try"),)
    waits = (Hold(0, (Await(0, 0),)),)
    bare = (Hold(0, (Await(0, 0, "bare"),)),)
    notifies = (Hold(0, (Save(0), Notify(0))),)
    waits_for, looks = (Hold(0, (Save(0),)),), (Signal(0, "locked", "a"), Hold(0, (Save(0, "a", 3),)))
    crossed = ((Hold(0, (Hold(1, (Add(0),)),)),), (Hold(1, (Hold(0, (Add(0),)),)),))
    condition = (Sync("condition"),)
    return [
        Regression(
            "a lock that is still held after the last write",
            Program(((Hold(0, (Save(0),)),), (Load(0), *attempt)), one, syncs=(Sync("lock"),)),
            frozenset({(1,), (2,)}),
        ),
        Regression(
            "a look at a lock before it is waited for",
            Program((waits_for, (Hold(0, (Save(0, None, 2),)),), looks), one, syncs=(Sync("lock"),)),
            frozenset({(1,), (2,), (3,), (4,)}),
        ),
        Regression("locks in opposite orders", Program(crossed, one, syncs=(Sync("lock"),) * 2),
                   frozenset({(2,)}), deadlock=True),
        Regression("a wait in a loop", Program((waits, notifies), one, syncs=condition), frozenset({(1,)})),
        Regression("a wait without a loop", Program((bare, notifies), one, syncs=condition),
                   frozenset({(1,)}), deadlock=True),
        Regression(
            "a pulse of an event",
            Program(((Signal(0, "wait"),), (Signal(0, "set"), Signal(0, "clear"))), syncs=(Sync("event"),)),
            frozenset({()}), deadlock=True,
        ),
        Regression("a queue whose reader waits",
                   Program(((Do(0, "get"), Add(0)), (Add(0), Do(0, "put"))), one, (Store("queue"),)),
                   frozenset({(2,)})),
        Regression("a semaphore that lets two in",
                   Program(((Hold(0, (Add(0),)),),) * 2, one, syncs=(Sync("semaphore", 2),)), LOST),
    ]  # fmt: skip


REGRESSIONS: Final = (*_helpers(), *_storages(), *_names(), *_threads(), *_primitives())
