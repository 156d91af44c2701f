"""The little language of the differential test: concurrent programs as data.

A program has integer places, containers and primitives that its threads share. A statement names what is done
(its meaning is the interpreter's) and, apart from that, in which of several spellings it is written in Python
(the renderer's). Spellings, names and layouts have no meaning: they must change no verdict.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

Local: TypeAlias = Literal["a", "b", "h"]
"""A local variable: `a` and `b` belong to a thread, `h` to a helper."""
Storage: TypeAlias = Literal[
    "attribute", "slot", "class", "property", "list", "dict", "counter", "deque", "array", "bytes", "ctypes",
    "field", "mmap", "global", "cell",
]  # fmt: skip
Kind: TypeAlias = Literal["list", "dict", "set", "deque", "heap", "count", "queue", "simple queue"]
Primitive: TypeAlias = Literal["lock", "rlock", "condition", "semaphore", "event"]
Operation: TypeAlias = Literal[
    "append", "pop", "pop first", "first", "length", "sum", "insert", "remove", "clear", "put", "get",
    "setdefault", "delete", "contains", "add", "discard", "next",
]  # fmt: skip
Holding: TypeAlias = Literal["with", "acquire", "try"]
Waiting: TypeAlias = Literal["while", "wait_for", "bare"]
Signalling: TypeAlias = Literal["set", "clear", "wait", "is_set", "release", "locked"]
Helper: TypeAlias = Literal[
    "function", "nested", "method", "library", "partial", "generator", "begun", "context", "enter", "map",
    "lambda", "property", "factory", "exec", "coroutine",
]  # fmt: skip
Starting: TypeAlias = Literal["thread", "subclass", "pool", "pool of setup", "thread left", "pool left"]

OPERATIONS: Final[dict[Kind, tuple[Operation, ...]]] = {
    "list": ("append", "pop", "first", "length", "sum", "insert", "remove", "clear"),
    "dict": ("put", "get", "pop", "setdefault", "delete", "contains", "length", "clear"),
    "set": ("add", "discard", "remove", "contains", "length", "clear"),
    "deque": ("append", "pop", "pop first", "first", "length", "insert", "clear"),
    "heap": ("put", "get", "length"),
    "count": ("next",),
    "queue": ("put", "get", "length"),
    "simple queue": ("put", "get", "length"),
}
"""What can be done with a container, each in one call into C or in one operation of a queue."""


@dataclass(frozen=True)
class Place:
    """An integer that threads share, 0 at first."""

    storage: Storage


@dataclass(frozen=True)
class Store:
    """A container that threads share; a dict maps each of its first values to itself."""

    kind: Kind
    first: tuple[int, ...] = ()


@dataclass(frozen=True)
class Sync:
    """A primitive that threads share; `value` is a semaphore's."""

    kind: Primitive
    value: int = 1


@dataclass(frozen=True)
class Load:
    """`into = place`."""

    place: int
    into: Local = "a"
    form: int = 0


@dataclass(frozen=True)
class Save:
    """`place = base + plus`."""

    place: int
    base: Local | None = None
    plus: int = 1
    form: int = 0


@dataclass(frozen=True)
class Add:
    """`place += plus`: a read and a write."""

    place: int
    plus: int = 1
    form: int = 0


@dataclass(frozen=True)
class Do:
    """An operation on a container; what it returns goes to `into`, or 0 if it returns nothing."""

    store: int
    operation: Operation
    argument: Local | int = 1
    into: Local = "a"


@dataclass(frozen=True)
class If:
    """`if subject == equals: body; else: orelse`."""

    subject: Local
    equals: int
    body: tuple[Stmt, ...]
    orelse: tuple[Stmt, ...] = ()


@dataclass(frozen=True)
class Repeat:
    """A loop."""

    times: int
    body: tuple[Stmt, ...]


@dataclass(frozen=True)
class Hold:
    """Take a primitive, run the body, give it back.

    `with` gives it back after an exception too, `acquire` does not, `try` does not wait: if the primitive is
    not free, the body is left out.
    """

    sync: int
    body: tuple[Stmt, ...]
    how: Holding = "with"


@dataclass(frozen=True)
class Await:
    """Wait for a condition: until a place is not 0, or (`bare`) once."""

    sync: int
    place: int
    how: Waiting = "while"


@dataclass(frozen=True)
class Notify:
    """Wake one thread that waits for a condition, or all."""

    sync: int
    everyone: bool = False


@dataclass(frozen=True)
class Signal:
    """An operation on an event, the release of a semaphore, or a look at a lock."""

    sync: int
    operation: Signalling
    into: Local = "a"


@dataclass(frozen=True)
class Call:
    """Run the body in a helper, whose only variable is `h`, and take what it returns."""

    body: tuple[Stmt, ...]
    form: Helper = "function"
    into: Local = "a"


@dataclass(frozen=True)
class Spawn:
    """Start threads, run `between`, and wait until they have ended, unless they are left behind.

    A pool runs `width` of them at a time.
    """

    bodies: tuple[tuple[Stmt, ...], ...]
    how: Starting = "thread"
    width: int = 2
    between: tuple[Stmt, ...] = ()


Stmt: TypeAlias = Load | Save | Add | Do | If | Repeat | Hold | Await | Notify | Signal | Call | Spawn


@dataclass(frozen=True)
class Program:
    """A program.

    Attributes:
        places: The shared integers.
        stores: The shared containers.
        syncs: The shared primitives.
        threads: The bodies of the threads.
        names: The names of the places, then of the helpers; made up where they do not suffice.
        decoys: Whether code that is never called mentions `with`, `get`, `join` and the like.
    """

    threads: tuple[tuple[Stmt, ...], ...]
    places: tuple[Place, ...] = ()
    stores: tuple[Store, ...] = ()
    syncs: tuple[Sync, ...] = ()
    names: tuple[str, ...] = ()
    decoys: bool = False


def blocks(statement: Stmt) -> tuple[tuple[Stmt, ...], ...]:
    """Return the blocks that stand in a statement and belong to the same thread."""
    match statement:
        case If(body=body, orelse=orelse):
            return body, orelse
        case Repeat(body=body) | Hold(body=body) | Call(body=body):
            return (body,)
        case Spawn(between=between):
            return (between,)
        case _:
            return ()
