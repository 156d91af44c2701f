"""The oracle: runs a program in every order of its steps, and says which ends there are.

It shares no code with the explorer. A step is one access to something that threads share: a read or a
write of a place, one operation on a container (a single call into C), one operation on a primitive. What a
thread does with its own variables takes no step. Every reachable world is visited once, so the set of ends is
exact.
"""

from __future__ import annotations

from bisect import insort
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, TypeAlias

from tests.quality.threads.differential.syntax import (
    Add,
    Await,
    Call,
    Do,
    Hold,
    If,
    Load,
    Notify,
    Program,
    Repeat,
    Save,
    Signal,
    Spawn,
    Stmt,
    Store,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

WORLDS_MAX: Final = 200_000
"""So many worlds are visited at most; a larger program is no test program."""


@dataclass(frozen=True)
class Leave:
    """Give back what `Hold` took; after an exception too if `always`."""

    sync: int
    always: bool


@dataclass(frozen=True)
class Regain:
    """End a wait: once the thread was notified, take the lock as deep as it was held."""

    sync: int
    depth: int


@dataclass(frozen=True)
class Occur:
    """End a wait for an event: once it was set since the wait began."""

    sync: int
    into: str


@dataclass(frozen=True)
class Look:
    """Read a place for the statement that is under way."""

    place: int


@dataclass(frozen=True)
class Increase:
    """Write a place: what was looked at, and some more."""

    place: int
    plus: int


@dataclass(frozen=True)
class Unless:
    """Go on with the ops if what was looked at is 0."""

    ops: tuple[Op, ...]


@dataclass(frozen=True)
class Sleep:
    """Wait to be notified."""

    sync: int


@dataclass(frozen=True)
class Fork:
    """A `Spawn` whose threads have numbers."""

    children: tuple[int, ...]
    between: tuple[Op, ...]
    pooled: bool
    joined: bool


@dataclass(frozen=True)
class Start:
    """Start a thread, or hand it to its pool."""

    child: int


@dataclass(frozen=True)
class Join:
    """Wait until a thread has ended; after an exception too if `always`."""

    child: int
    always: bool


@dataclass(frozen=True)
class Return:
    """Copy `h` to a variable of the caller."""

    into: str


@dataclass(frozen=True)
class Forget:
    """Set `h` to 0."""


Op: TypeAlias = (
    Stmt | Look | Increase | Unless | Leave | Regain | Occur | Sleep | Fork | Start | Join | Return | Forget
)
Value: TypeAlias = "int | tuple[int, ...] | tuple[tuple[int, int], ...] | frozenset[int]"
End: TypeAlias = tuple[object, ...]


@dataclass(frozen=True)
class Thread:
    """A thread: `state` is 'not started', 'queued' (in a pool), 'running' or 'ended'."""

    state: str
    todo: tuple[Op, ...]
    a: int = 0
    b: int = 0
    h: int = 0
    t: int = 0
    error: str = ""

    @property
    def result(self) -> object:
        """What it leaves behind: the name of its exception, or its variables."""
        return self.error or (self.a, self.b)


@dataclass(frozen=True)
class Lock:
    """A lock or a condition: its owner (-1 is none), how deep, and who waits to be notified, in order."""

    owner: int = -1
    depth: int = 0
    asleep: tuple[int, ...] = ()


@dataclass(frozen=True)
class Flag:
    """An event: whether it is set, and who waits since before it was."""

    up: bool = False
    asleep: tuple[int, ...] = ()


@dataclass(frozen=True)
class World:
    """All that there is; a semaphore is an int."""

    places: tuple[int, ...]
    stores: tuple[Value, ...]
    syncs: tuple[Lock | Flag | int, ...]
    threads: tuple[Thread, ...]


@dataclass(frozen=True)
class Crew:
    """The threads of one pool, in the order in which they are handed to it, and how many run at a time."""

    members: tuple[int, ...]
    width: int


@dataclass(frozen=True)
class Answer:
    """What can happen: every end, whether a deadlock can, and how many worlds there are."""

    ends: frozenset[End]
    deadlock: bool
    worlds: int


class TooLarge(Exception):  # noqa: N818  (it says what the program is, not that something failed)
    """The program has more than `WORLDS_MAX` worlds."""


class Raised(Exception):  # noqa: N818  (it stands for an exception of the program)
    """A statement raises; the argument is the name of the exception."""


def answer(program: Program) -> Answer:
    """Return what can happen in a program.

    Raises:
        TooLarge: it has too many worlds.
    """
    machine = Machine(program)
    ends: set[End] = set()
    deadlock = False
    first = machine.first()
    seen, todo = {first}, [first]
    while todo:
        world = todo.pop()
        following = [after for _, after in machine.following(world)]
        if not following:
            if all(thread.state in ("ended", "not started") for thread in world.threads):
                ends.add(end_of(world))
            else:
                deadlock = True
        for each in following:
            if each not in seen:
                seen.add(each)
                todo.append(each)
        if len(seen) > WORLDS_MAX:
            raise TooLarge
    return Answer(frozenset(ends), deadlock, len(seen))


def end_of(world: World) -> End:
    """Return what a person could see at the end: places, containers, and what each thread leaves behind."""
    stores = tuple(tuple(sorted(value)) if isinstance(value, frozenset) else value for value in world.stores)
    results = tuple(thread.result if thread.state == "ended" else None for thread in world.threads)
    return world.places, stores, results


class Machine:
    """The meaning of each statement, one step at a time."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.bodies: list[tuple[Op, ...]] = list(program.threads)
        self.crews: dict[int, Crew] = {}
        number = 0
        while number < len(self.bodies):
            self.bodies[number] = tuple(self._numbered(statement) for statement in self.bodies[number])
            number += 1

    def _numbered(self, statement: Op) -> Op:
        """Give the threads that a `Spawn` starts their numbers; it stands outside of loops and helpers."""
        if not isinstance(statement, Spawn):
            return statement
        pooled = "pool" in statement.how
        numbers = tuple(range(len(self.bodies), len(self.bodies) + len(statement.bodies)))
        self.bodies += statement.bodies
        for number in numbers:
            self.crews[number] = Crew(numbers, statement.width if pooled else len(numbers))
        return Fork(numbers, statement.between, pooled, "left" not in statement.how)

    def first(self) -> World:
        """Return the world before the first step."""
        program = self.program
        started = len(program.threads)
        syncs: list[Lock | Flag | int] = []
        for sync in program.syncs:
            match sync.kind:
                case "semaphore":
                    syncs.append(sync.value)
                case "event":
                    syncs.append(Flag())
                case _:
                    syncs.append(Lock())
        threads = tuple(
            self._settled(Thread("running" if number < started else "not started", body))
            for number, body in enumerate(self.bodies)
        )
        places = (0,) * len(program.places)
        return World(places, tuple(map(_first, program.stores)), tuple(syncs), threads)

    def following(self, world: World) -> Iterator[tuple[int, World]]:
        """Yield every thread that can take a step, and the world that the step leads to."""
        for number, thread in enumerate(world.threads):
            if thread.state == "queued" and self._may_begin(world, number):
                begun = self._settled(replace(thread, state="running"))
                yield number, _with(world, "threads", number, begun)
            elif thread.state == "running":
                after = self._step(world, number, thread.todo[0])
                if after is not None:
                    yield number, after

    def _may_begin(self, world: World, number: int) -> bool:
        """Return whether a pool has a worker to spare, and everything handed in before has begun."""
        crew = self.crews[number]
        states = [world.threads[member].state for member in crew.members]
        before = states[: crew.members.index(number)]
        return "queued" not in before and states.count("running") < crew.width

    def _settled(self, thread: Thread) -> Thread:
        """Do all that takes no step: branches, loops, calls, unwinding, and the end of the thread."""
        while thread.state == "running":
            if not thread.todo:
                return replace(thread, state="ended", h=0, t=0)
            op, rest = thread.todo[0], thread.todo[1:]
            if thread.error and not (isinstance(op, Leave | Join) and op.always):
                thread = replace(thread, todo=rest)
                continue
            match op:
                case If(subject=subject, equals=equals, body=body, orelse=orelse):
                    chosen = body if getattr(thread, subject) == equals else orelse
                    thread = replace(thread, todo=(*chosen, *rest))
                case Repeat(times=times, body=body):
                    thread = replace(thread, todo=(*(body * times), *rest))
                case Call(body=body, into=into):
                    thread = replace(thread, todo=(Forget(), *body, Return(into), *rest))
                case Forget():
                    thread = replace(thread, todo=rest, h=0)
                case Return(into=into):
                    thread = _given(replace(thread, todo=rest), into, thread.h)
                case Add(place=place, plus=plus):
                    thread = replace(thread, todo=(Look(place), Increase(place, plus), *rest))
                case Await(sync=sync, how="bare"):
                    thread = replace(thread, todo=(Sleep(sync), *rest))
                case Await(sync=sync, place=place):
                    thread = replace(thread, todo=(Look(place), Unless((Sleep(sync), op)), *rest))
                case Unless(ops=ops):
                    thread = replace(thread, todo=(*(ops if thread.t == 0 else ()), *rest))
                case Fork(children=children, between=between, pooled=pooled, joined=joined):
                    starts = tuple(Start(child) for child in children)
                    joins = tuple(Join(child, always=pooled) for child in children if joined)
                    thread = replace(thread, todo=(*starts, *between, *joins, *rest))
                case _:
                    return thread
        return thread

    def _step(self, world: World, me: int, op: Op) -> World | None:
        """Return the world after one step of a thread; None if it has to wait."""
        thread = world.threads[me]
        done = replace(thread, todo=thread.todo[1:])
        try:
            after = self._effect(world, me, op, done)
        except Raised as error:
            after = _with(world, "threads", me, replace(done, error=str(error)))
        if after is None:
            return None
        return _with(after, "threads", me, self._settled(after.threads[me]))

    def _effect(self, world: World, me: int, op: Op, done: Thread) -> World | None:
        """Do an op; `done` is the thread with the op behind it. None: it has to wait."""
        moved = _with(world, "threads", me, done)
        match op:
            case Load(place=place, into=into):
                return _with(world, "threads", me, _given(done, into, world.places[place]))
            case Look(place=place):
                return _with(world, "threads", me, _given(done, "t", world.places[place]))
            case Increase(place=place, plus=plus):
                return _with(moved, "places", place, done.t + plus)
            case Save(place=place, base=base, plus=plus):
                return _with(moved, "places", place, (getattr(done, base) if base else 0) + plus)
            case Do(store=store, operation=operation, argument=argument, into=into):
                number = argument if isinstance(argument, int) else getattr(done, argument)
                changed = operate(self.program.stores[store], world.stores[store], operation, number)
                if changed is None:
                    return None
                value, result = changed
                return _with(_with(world, "threads", me, _given(done, into, result)), "stores", store, value)
            case Start(child=child):
                begun = replace(world.threads[child], state="running")
                pooled = len(self.crews[child].members) > self.crews[child].width
                begun = replace(begun, state="queued") if pooled else self._settled(begun)
                return _with(moved, "threads", child, begun)
            case Join(child=child):
                over = world.threads[child].state in ("ended", "not started")
                return moved if over else None
            case Hold() | Leave() | Sleep() | Regain() | Occur() | Notify() | Signal():
                return self._synchronise(world, me, op, done)
            case _:
                raise AssertionError(op)

    def _synchronise(self, world: World, me: int, op: Op, done: Thread) -> World | None:
        """Do an op on a primitive."""
        index: int = op.sync  # type: ignore[union-attr]
        sync, kind = world.syncs[index], self.program.syncs[index].kind
        moved = _with(world, "threads", me, done)

        def change(after: Lock | Flag | int, thread: Thread = done) -> World:
            return _with(_with(world, "threads", me, thread), "syncs", index, after)

        match op, sync:
            case Hold(body=body, how=how), Lock() | int():
                taken = take(sync, me, reentrant=kind in ("rlock", "condition"))
                if taken is None:
                    return moved if how == "try" else None
                leave = Leave(index, always=how != "acquire")
                return change(taken, replace(done, todo=(*body, leave, *done.todo)))
            case Leave(), Lock(depth=1):
                return change(replace(sync, owner=-1, depth=0))
            case Leave(), Lock(depth=depth):
                return change(replace(sync, depth=depth - 1))
            case ((Leave() | Signal(operation="release")), int(free)):
                return change(free + 1)
            case Sleep(), Lock(owner=owner, depth=depth, asleep=asleep):
                if owner != me:
                    raise Raised("RuntimeError")
                waiting = replace(done, todo=(Regain(index, depth), *done.todo))
                return change(Lock(asleep=(*asleep, me)), waiting)
            case Regain(depth=depth), Lock(owner=-1, asleep=asleep) if me not in asleep:
                return change(replace(sync, owner=me, depth=depth))
            case Notify(everyone=everyone), Lock(owner=owner, asleep=asleep):
                if owner != me:
                    raise Raised("RuntimeError")
                return change(replace(sync, asleep=() if everyone else asleep[1:]))
            case Signal(operation="locked", into=into), Lock(owner=owner):
                return change(sync, _given(done, into, int(owner != -1)))
            case Signal(operation="is_set", into=into), Flag(up=up):
                return change(sync, _given(done, into, int(up)))
            case Signal(operation="set"), Flag():
                return change(Flag(up=True))
            case Signal(operation="clear"), Flag(asleep=asleep):
                return change(Flag(up=False, asleep=asleep))
            case Signal(operation="wait", into=into), Flag(up=True):
                return change(sync, _given(done, into, 1))
            case Signal(operation="wait", into=into), Flag(up=False, asleep=asleep):
                waiting = replace(done, todo=(Occur(index, into), *done.todo))
                return change(Flag(up=False, asleep=(*asleep, me)), waiting)
            case Occur(into=into), Flag(asleep=asleep) if me not in asleep:
                return change(sync, _given(done, into, 1))
            case (Regain(), _) | (Occur(), _):
                return None
            case _:
                raise AssertionError((op, sync))


def take(sync: Lock | int, me: int, *, reentrant: bool) -> Lock | int | None:
    """Return a lock or a semaphore when a thread has taken it; None if it cannot now."""
    if isinstance(sync, int):
        return sync - 1 if sync else None
    if sync.owner == -1:
        return replace(sync, owner=me, depth=1)
    return replace(sync, depth=sync.depth + 1) if reentrant and sync.owner == me else None


def operate(store: Store, value: Value, operation: str, number: int) -> tuple[Value, int] | None:
    """Return what an operation leaves in a container, and what it returns; None if it has to wait.

    Raises:
        Raised: the operation raises.
    """
    if isinstance(value, int):
        return value + 1, value
    if isinstance(value, frozenset):
        return _operate_on_set(value, operation, number)
    if store.kind == "dict":
        left, result = _operate_on_dict(dict(value), operation, number)  # type: ignore[arg-type]
        return tuple(sorted(left.items())), result
    items: list[int] = list(value)  # type: ignore[arg-type]
    if operation == "get" and not items and store.kind != "heap":
        return None
    result = _operate_on_list(items, operation, number, keep_sorted=store.kind == "heap")
    return tuple(items), result


def _operate_on_list(items: list[int], operation: str, number: int, *, keep_sorted: bool) -> int:
    if operation in ("pop", "pop first", "first", "get") and not items:
        raise Raised("IndexError")
    match operation:
        case "put" if keep_sorted:
            insort(items, number)
        case "append" | "put":
            items.append(number)
        case "insert":
            items.insert(0, number)
        case "pop":
            return items.pop()
        case "pop first" | "get":
            return items.pop(0)
        case "first":
            return items[0]
        case "length":
            return len(items)
        case "sum":
            return sum(items)
        case "remove":
            if number not in items:
                raise Raised("ValueError")
            items.remove(number)
        case "clear":
            items.clear()
        case _:
            raise AssertionError(operation)
    return 0


def _operate_on_set(value: frozenset[int], operation: str, number: int) -> tuple[Value, int]:
    match operation:
        case "add":
            return value | {number}, 0
        case "discard":
            return value - {number}, 0
        case "remove":
            if number not in value:
                raise Raised("KeyError")
            return value - {number}, 0
        case "contains":
            return value, int(number in value)
        case "length":
            return value, len(value)
        case "clear":
            return frozenset(), 0
    raise AssertionError(operation)


def _operate_on_dict(table: dict[int, int], operation: str, number: int) -> tuple[dict[int, int], int]:
    """Operate on a dict; what is put goes to the key 1."""
    result = 0
    match operation:
        case "put":
            table[1] = number
        case "setdefault":
            result = table.setdefault(1, number)
        case "get":
            result = table.get(number, 0)
        case "pop":
            result = table.pop(number, 0)
        case "delete":
            if number not in table:
                raise Raised("KeyError")
            del table[number]
        case "contains":
            result = int(number in table)
        case "length":
            result = len(table)
        case "clear":
            table.clear()
        case _:
            raise AssertionError(operation)
    return table, result


def _first(store: Store) -> Value:
    """Return what is in a container at first."""
    match store.kind:
        case "dict":
            return tuple(sorted({(value, value) for value in store.first}))
        case "set":
            return frozenset(store.first)
        case "heap":
            return tuple(sorted(store.first))
        case "count":
            return 0
        case _:
            return store.first


def _given(thread: Thread, into: str, value: int) -> Thread:
    """Return a thread with another value in a variable."""
    return replace(thread, **{into: value})  # type: ignore[arg-type]


def _with(world: World, field: str, index: int, value: object) -> World:
    """Return a world with one thing in it changed."""
    before = getattr(world, field)
    return replace(world, **{field: (*before[:index], value, *before[index + 1 :])})
