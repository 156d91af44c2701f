"""Hypothesis strategies for the programs of the differential test."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeVar, get_args

from hypothesis import strategies as st

from tests.quality.threads.differential.syntax import (
    OPERATIONS,
    Add,
    Await,
    Call,
    Do,
    Helper,
    Hold,
    Holding,
    If,
    Kind,
    Load,
    Local,
    Notify,
    Place,
    Primitive,
    Program,
    Repeat,
    Save,
    Signal,
    Signalling,
    Spawn,
    Starting,
    Stmt,
    Storage,
    Store,
    Sync,
    Waiting,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

STORAGES: Final[tuple[Storage, ...]] = get_args(Storage)
KINDS: Final[tuple[Kind, ...]] = get_args(Kind)
PRIMITIVES: Final[tuple[Primitive, ...]] = get_args(Primitive)
HELPERS: Final[tuple[Helper, ...]] = get_args(Helper)
STARTING: Final[tuple[Starting, ...]] = get_args(Starting)
NAMES: Final = (
    "value", "release", "acquire", "_shutdown", "__repr__", "wait", "get", "put", "join", "time", "sleep",
    "notify", "_is_owned", "_after_fork", "_python_exit", "_set_tstate_lock", "_release_save", "submit",
    "result", "locked", "start", "run", "Pattern", "generator", "with_", "x",
)  # fmt: skip
"""Names that the standard library uses for what a scheduler has to treat with care, and a few plain ones."""
STEPS_MAX: Final = 12
"""How many accesses all threads make together, at most, waits in loops counted once."""
FORMS: Final = 5
DEPTH_MAX: Final = 3
CONTENDED: Final = ((2, 1, 1), (1, 2, 1), (1, 1, 2), (3, 2), (2, 3))
"""How often each thread uses the primitive that they contend for."""
BYTES_MIN: Final = 100
BYTES_MAX: Final = 200
HOLDING: Final[tuple[Holding, ...]] = ("with", "with", "acquire", "try")
WAITING: Final[tuple[Waiting, ...]] = ("while", "while", "wait_for", "bare")
SIGNALS: Final[dict[Primitive, tuple[Signalling, ...]]] = {
    "event": ("set", "set", "is_set", "wait", "clear"),
    "semaphore": ("release",),
    "lock": ("locked",),
}

T = TypeVar("T")


def steps(body: tuple[Stmt, ...]) -> int:
    """Return how many accesses a block makes, if each branch is taken and each wait ends at once."""
    return sum(map(_steps, body))


def _steps(statement: Stmt) -> int:
    match statement:
        case Add():
            return 2
        case If(body=body, orelse=orelse):
            return max(steps(body), steps(orelse))
        case Repeat(times=times, body=body):
            return times * steps(body)
        case Hold(body=body):
            return 2 + steps(body)
        case Await():
            return 3
        case Call(body=body):
            return steps(body)
        case Spawn(bodies=bodies, between=between):
            return steps(between) + sum(2 + steps(body) for body in bodies)
        case _:
            return 1


def programs(steps_max: int = STEPS_MAX) -> st.SearchStrategy[Program]:
    """Return a strategy for programs of 2 to 4 threads, those that other threads start included.

    A program is decoded from bytes, since drawing each part by itself takes a hundred times as long.
    """
    return st.binary(min_size=BYTES_MIN, max_size=BYTES_MAX).map(lambda data: decoded(data, steps_max))


def decoded(data: bytes, steps_max: int = STEPS_MAX) -> Program:
    """Return the program that bytes stand for; lesser bytes are simpler programs."""
    return _Decoder(data).program(steps_max)


def contended(data: bytes) -> Program:
    """Return a program of 2 or 3 threads that work on one primitive and do little else.

    How waiting, looking and trying without a wait go together shows where they come one after the other.
    """
    return _Decoder(data).contended()


class _Decoder:
    """Takes bytes from the front, and zeros when there are no more."""

    def __init__(self, data: bytes) -> None:
        self._data = iter(data)
        self.places: tuple[Place, ...] = ()
        self.stores: tuple[Store, ...] = ()
        self.syncs: tuple[Sync, ...] = ()

    def below(self, limit: int) -> int:
        return next(self._data, 0) % limit

    def pick(self, choices: Sequence[T]) -> T:
        return choices[self.below(len(choices))]

    def program(self, steps_max: int) -> Program:
        self.places = tuple(Place(self.pick(STORAGES)) for _ in range(self.pick((1, 1, 2))))
        self.stores = tuple(self._store() for _ in range(self.pick((0, 1, 1, 2))))
        self.syncs = tuple(self._sync() for _ in range(self.pick((0, 1, 1, 2))))
        count = self.pick((2, 2, 3, 1))
        names = list(NAMES)
        chosen = tuple(names.pop(self.below(len(names))) for _ in range(self.pick((0, 4))))
        decoys = self.below(2) == 1
        bodies: list[tuple[Stmt, ...]] = []
        room = steps_max
        for index in range(count):
            bodies.append(self._thread(max(room // (count - index), 1), alone=count == 1))
            room -= steps(bodies[-1])
        return Program(tuple(bodies), self.places, self.stores, self.syncs, chosen, decoys)

    def contended(self) -> Program:
        self.places = (Place(self.pick(STORAGES)),)
        self.syncs = (self._sync(),)
        sizes = self.pick(CONTENDED)
        threads = tuple(tuple(self._use() for _ in range(size)) for size in sizes)
        return Program(threads, self.places, (), self.syncs)

    def _use(self) -> Stmt:
        """Decode one use of the only primitive."""
        kind = self.syncs[0].kind
        into: Local = self.pick(("a", "b"))
        if kind in SIGNALS and (kind == "event" or self.below(2)):
            return Signal(0, self.pick(SIGNALS[kind]), into)
        how = self.pick(HOLDING)
        inner = self.below(4)
        if kind == "condition" and inner == 0:
            return Hold(0, (Await(0, 0, self.pick(WAITING)),), how)
        if kind == "condition" and inner == 1:
            return Hold(0, (Save(0, None, 1, 0), Notify(0, self.below(2) == 1)), how)
        leaf = Save(0, None, self.pick((1, 2)), 0) if self.below(2) else Load(0, into, 0)
        return Hold(0, (leaf,), how)

    def _store(self) -> Store:
        kind = self.pick(KINDS)
        # Queues and counters begin empty.
        empty = kind in ("count", "queue", "simple queue")
        return Store(kind, () if empty else tuple(self.pick((1, 2)) for _ in range(self.below(3))))

    def _sync(self) -> Sync:
        kind = self.pick(PRIMITIVES)
        return Sync(kind, self.pick((1, 1, 0, 2)) if kind == "semaphore" else 1)

    def _thread(self, room: int, *, alone: bool) -> tuple[Stmt, ...]:
        """Decode the body of a thread; one that is alone starts others."""
        if not alone and (room < 4 or self.below(8) < 7):
            return self._block(room, ("a", "b"), None, 0)
        before = self._block(2, ("a", "b"), None, 2) if self.below(2) else ()
        spawn = self._spawn(room - steps(before), alone=alone)
        left = room - steps((*before, spawn))
        after = self._block(left, ("a", "b"), None, 2) if left > 0 and self.below(2) else ()
        return (*before, spawn, *after)

    def _spawn(self, room: int, *, alone: bool) -> Spawn:
        how = self.pick(STARTING)
        width = self.pick((2, 2, 1))
        # Three tasks of a pool take hundreds of schedules.
        three = 2 if "pool" in how and self.below(8) else 3
        count = self.pick((2, 2, three)) if alone else self.pick((1, 2))
        each = max(1, (room - 2 * count) // count)
        bodies = tuple(self._block(each, ("a", "b"), None, 1) for _ in range(count))
        left = room - sum(2 + steps(body) for body in bodies)
        between = self._block(left, ("a", "b"), None, 2) if left > 0 and self.below(2) else ()
        return Spawn(bodies, how, width, between)

    def _block(
        self, room: int, variables: tuple[Local, ...], held: int | None, depth: int
    ) -> tuple[Stmt, ...]:
        """Decode a block that makes at most `room` accesses."""
        body: list[Stmt] = []
        for _ in range(1 + self.below(3 if depth else 4)):
            left = room - steps(tuple(body))
            if left <= 0:
                break
            statement = self._statement(left, variables, held, depth)
            if _steps(statement) <= left:
                body.append(statement)
        return tuple(body)

    def _statement(self, room: int, variables: tuple[Local, ...], held: int | None, depth: int) -> Stmt:
        kinds = ["leaf"] * 4
        holdable = [index for index, sync in enumerate(self.syncs) if sync.kind != "event"]
        if depth < DEPTH_MAX and room >= 2:
            if "h" not in variables:
                kinds += ["call"] * 3
            if holdable and room >= 3:
                kinds += ["hold"] * 3
            kinds += ["if", "repeat"]
        match self.pick(kinds):
            case "if":
                subject, equals = self.pick(variables), self.below(3)
                body = self._block(room, variables, held, depth + 1)
                orelse = self._block(room, variables, held, depth + 1) if self.below(2) else ()
                return If(subject, equals, body, orelse)
            case "repeat":
                times = self.pick((2, 2, 3))
                return Repeat(times, self._block(room // times, variables, held, depth + 1))
            case "call":
                form, into = self.pick(HELPERS), self.pick(variables)
                return Call(self._block(room, ("h",), held, depth + 1), form, into)
            case "hold":
                sync = self.pick(holdable)
                how = self.pick(HOLDING)
                return Hold(sync, self._block(room - 2, variables, sync, depth + 1), how)
            case _:
                return self._leaf(variables, held)

    def _leaf(self, variables: tuple[Local, ...], held: int | None) -> Stmt:
        """Decode a statement without a body."""
        subjects = ["add", "place", "place", *(["store"] * 2 if self.stores else [])]
        signals = [index for index, sync in enumerate(self.syncs) if sync.kind in SIGNALS]
        if signals:
            subjects.append("signal")
        if held is not None and self.syncs[held].kind == "condition":
            subjects += ["condition"] * 4
        subject = self.pick(subjects)
        place, form, into = self.below(len(self.places)), self.below(FORMS), self.pick(variables)
        if subject == "store":
            store = self.below(len(self.stores))
            operation = self.pick(OPERATIONS[self.stores[store].kind])
            return Do(store, operation, self.pick((1, 2, into)), into)
        if subject == "signal":
            sync = self.pick(signals)
            return Signal(sync, self.pick(SIGNALS[self.syncs[sync].kind]), into)
        if subject == "condition" and held is not None:
            if self.below(2):
                return Await(held, place, self.pick(WAITING))
            return Notify(held, self.below(2) == 1)
        if subject == "add":
            return Add(place, self.pick((1, 2)), form)
        if self.below(2):
            return Load(place, into, form)
        return Save(place, self.pick((None, into)), self.pick((1, 2)), form)
