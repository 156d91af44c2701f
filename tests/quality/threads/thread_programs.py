"""A bench of small programs with a concurrency bug, each with a repaired twin.

The patterns are the classic ones, known from SCTBench (github.com/mc-imperial/sctbench) and the literature;
the programs are our own. Each is made by a function of one argument: whether to make the repaired twin.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True)
class Made:
    setup: Callable[[], Any]
    workers: dict[str, Callable[[Any], object]]
    check: Callable[[Any], object] | None = None


@dataclass(frozen=True)
class Program:
    name: str
    make: Callable[[bool], Made]
    kind: str
    preemptions: int


PROGRAMS: list[Program] = []


def program(kind: str, preemptions: int, name: str = ""):
    """Register a program: how it fails, and the fewest preemptions that it takes."""

    def register(make):
        PROGRAMS.append(Program(name or make.__name__, make, kind, preemptions))
        return make

    return register


class Box:
    """Shared state with the attributes that a program wants."""

    def __init__(self, **attributes: Any) -> None:
        self.lock = threading.Lock()
        self.__dict__.update(attributes)


class Unlocked:
    def __enter__(self):
        return self

    def __exit__(self, *_):
        return None


def lock_if(fixed, lock):
    return lock if fixed else Unlocked()


# -- atomicity
# --------------------------------------------------------------------------------------------------


@program("check", 1)
def account_transfer(fixed):
    def move(amount):
        def worker(bank):
            with lock_if(fixed, bank.lock):
                balance = bank.balance
                bank.balance = balance + amount

        return worker

    return Made(
        lambda: Box(balance=100),
        {"deposit": move(50), "withdraw": move(-30)},
        lambda bank: bank.balance == 120,
    )


@program("check", 1)
def arithmetic_progression(fixed):
    def add(values):
        def worker(box):
            for value in values:
                with lock_if(fixed, box.lock):
                    total = box.total
                    box.total = total + value

        return worker

    return Made(lambda: Box(total=0), {"odd": add((1, 3)), "even": add((2, 4))}, lambda box: box.total == 10)


@program("check", 1)
def long_prefix(fixed):
    def worker(box):
        private = [0]
        for _ in range(300):
            private[0] += 1
        with lock_if(fixed, box.lock):
            value = box.value
            box.value = value + private[0]

    return Made(lambda: Box(value=0), {"left": worker, "right": worker}, lambda box: box.value == 600)


@program("check", 1)
def check_then_act_on_a_dict(fixed):
    def worker(name):
        def insert(box):
            with lock_if(fixed, box.lock):
                if "key" not in box.table:
                    box.table["key"] = name
                    box.made.append(name)

        return insert

    return Made(
        lambda: Box(table={}, made=[]),
        {"left": worker("l"), "right": worker("r")},
        lambda box: len(box.made) == 1,
    )


@program("exception", 1)
def dict_changes_during_iteration(fixed):
    def reader(box):
        with lock_if(fixed, box.lock):
            for key in box.table:
                box.seen.append(key)

    def writer(box):
        with lock_if(fixed, box.lock):
            box.table["new"] = 1

    return Made(lambda: Box(table={"a": 1, "b": 2}, seen=[]), {"reader": reader, "writer": writer})


@program("exception", 1)
def stack(fixed):
    def pop(box):
        with lock_if(fixed, box.lock):
            if box.items:
                box.items.pop()

    return Made(lambda: Box(items=[1]), {"left": pop, "right": pop})


@program("check", 1)
def lazy_initialisation(fixed):
    class Lazy:
        def __init__(self):
            self.made = 0
            self.value = None
            self.lock = threading.Lock()

        def get(self):
            with lock_if(fixed, self.lock):
                if self.value is None:
                    self.made += 1
                    self.value = object()
                return self.value

    return Made(Lazy, {"left": Lazy.get, "right": Lazy.get}, lambda lazy: lazy.made == 1)


@program("exception", 1)
def double_checked_locking(fixed):
    class Service:
        def __init__(self):
            self.ready = False

    def use(box):
        if box.service is None:
            with box.lock:
                if box.service is None:
                    service = Service()
                    if not fixed:
                        box.service = service
                    service.ready = True
                    box.service = service
        assert box.service.ready

    return Made(lambda: Box(service=None), {"left": use, "right": use})


@program("check", 1)
def wrong_lock(fixed):
    def left(box):
        with box.lock:
            value = box.value
            box.value = value + 1

    def right(box):
        with box.lock if fixed else box.other:
            value = box.value
            box.value = value + 1

    return Made(
        lambda: Box(value=0, other=threading.Lock()),
        {"left": left, "right": right},
        lambda box: box.value == 2,
    )


@program("check", 1)
def two_locks_for_three_threads(fixed):
    def add(index):
        def worker(box):
            with box.locks[0 if fixed else index % 2]:
                value = box.value
                box.value = value + 1

        return worker

    return Made(
        lambda: Box(value=0, locks=[threading.Lock(), threading.Lock()]),
        {name: add(index) for index, name in enumerate(("one", "two", "three"))},
        lambda box: box.value == 3,
    )


def two_stage(threads):
    def make(fixed):
        def update(box):
            with box.lock:
                box.first += 1
                if fixed:
                    box.second = box.first
            if not fixed:
                with box.other:
                    box.second = box.first

        def read(box):
            with box.lock:
                first = box.first
                if fixed:
                    assert box.second == first
            if not fixed:
                with box.other:
                    assert box.second == first

        workers = {f"update{index}": update for index in range(threads - 1)}
        return Made(lambda: Box(first=0, second=0, other=threading.Lock()), {**workers, "read": read})

    return make


program("exception", 1, "two_stage_2")(two_stage(2))
program("exception", 1, "two_stage_100")(two_stage(100))


def reorder(threads):
    def make(fixed):
        def write(box):
            with lock_if(fixed, box.lock):
                box.a = 1
                box.b = -1

        def read(box):
            with lock_if(fixed, box.lock):
                a, b = box.a, box.b
                assert (a, b) in ((0, 0), (1, -1))

        return Made(
            lambda: Box(a=0, b=0), {**{f"write{index}": write for index in range(threads - 1)}, "read": read}
        )

    return make


for _threads in (3, 4, 5, 10, 20):
    program("exception", 1, f"reorder_{_threads}")(reorder(_threads))


class Node:
    def __init__(self, name, below):
        self.name = name
        self.below = below


@program("check", 1)
def aba_on_a_linked_stack(fixed):
    class Stack:
        def __init__(self):
            self.lock = threading.Lock()
            self.c = Node("c", None)
            self.b = Node("b", self.c)
            self.a = Node("a", self.b)
            self.top = self.a
            self.version = 0
            self.popped = []

        def swap(self, old, version, new):
            with self.lock:
                if self.top is not old or (fixed and self.version != version):
                    return False
                self.top = new
                self.version += 1
                return True

        def pop(self):
            while True:
                version, old = self.version, self.top
                if old is None:
                    return None
                below = old.below
                if self.swap(old, version, below):
                    self.popped.append(old.name)
                    return old

        def push(self, node):
            while True:
                version, old = self.version, self.top
                node.below = old
                if self.swap(old, version, node):
                    return

    def victim(stack):
        stack.pop()

    def recycler(stack):
        first = stack.pop()
        second = stack.pop()
        if first is not None:
            stack.push(first)
        stack.kept = second

    def check(stack):
        names = []
        node = stack.top
        while node is not None and len(names) < 10:
            names.append(node.name)
            node = node.below
        return stack.kept is None or stack.kept.name not in names

    return Made(Stack, {"victim": victim, "recycler": recycler}, check)


@program("exception", 1)
def read_copy_update_reclaim(fixed):
    def reader(box):
        if fixed:
            with box.lock:
                box.readers += 1
        current = box.current
        assert current["alive"]
        if fixed:
            with box.lock:
                box.readers -= 1
                box.changed.notify_all()

    def updater(box):
        old = box.current
        box.current = {"alive": True}
        if fixed:
            with box.lock:
                while box.readers:
                    box.changed.wait()
        old["alive"] = False

    def setup():
        box = Box(current={"alive": True}, readers=0)
        box.changed = threading.Condition(box.lock)
        return box

    return Made(setup, {"reader": reader, "updater": updater})


@program("exception", 1)
def device_driver_stop_flag(fixed):
    def use(box):
        if fixed:
            with box.lock:
                if box.stopping:
                    return
                box.pending += 1
        else:
            if box.stopping:
                return
            box.pending += 1
        assert not box.stopped
        with box.lock:
            box.pending -= 1
            if box.pending == 0:
                box.idle.set()

    def stop(box):
        with box.lock:
            box.stopping = True
            box.pending -= 1
            if box.pending == 0:
                box.idle.set()
        box.idle.wait()
        box.stopped = True

    return Made(
        lambda: Box(stopping=False, stopped=False, pending=1, idle=threading.Event()),
        {"use": use, "stop": stop},
    )


@program("check", 1)
def circular_buffer(fixed):
    def put(value):
        def worker(box):
            with lock_if(fixed, box.lock):
                slot = box.last
                box.slots[slot] = value
                box.last = (slot + 1) % 4

        return worker

    return Made(
        lambda: Box(slots=[None] * 4, last=0),
        {"left": put("l"), "right": put("r")},
        lambda box: sorted(slot for slot in box.slots if slot) == ["l", "r"],
    )


@program("exception", 1)
def queue_of_two_operations(fixed):
    def produce(box):
        with lock_if(fixed, box.lock):
            box.count += 1
            box.items.append("item")

    def consume(box):
        with lock_if(fixed, box.lock):
            if box.count:
                box.items.popleft()
                box.count -= 1

    return Made(lambda: Box(count=0, items=deque()), {"produce": produce, "consume": consume})


# -- order
# ------------------------------------------------------------------------------------------------------


@program("exception", 0)
def use_before_initialisation(fixed):
    def start(box):
        box.thing = "made"
        box.ready.set()

    def use(box):
        if fixed:
            box.ready.wait()
        assert box.thing is not None

    return Made(lambda: Box(thing=None, ready=threading.Event()), {"start": start, "use": use})


@program("exception", 0)
def sleep_as_synchronisation(fixed):
    def start(box):
        time.sleep(0.5)
        box.thing = "made"
        box.ready.set()

    def use(box):
        if fixed:
            box.ready.wait()
        else:
            time.sleep(1)
        assert box.thing is not None

    return Made(lambda: Box(thing=None, ready=threading.Event()), {"start": start, "use": use})


@program("check", 0)
def phase_barrier(fixed):
    def worker(index):
        def run(box):
            box.first[index] = 1
            if fixed:
                box.barrier.wait()
            box.sums.append(sum(box.first))

        return run

    return Made(
        lambda: Box(first=[0, 0], sums=[], barrier=threading.Barrier(2)),
        {"left": worker(0), "right": worker(1)},
        lambda box: box.sums == [2, 2],
    )


@program("deadlock", 1)
def token_ring(fixed):
    def pass_on(index, threads=3):
        def worker(box):
            if fixed:
                with box.turn:
                    while box.token != index:
                        box.turn.wait()
                    box.token = (index + 1) % threads
                    box.turn.notify_all()
                return
            if box.token != index:
                box.events[index].wait()
            box.token = index + 1
            if index + 1 < threads:
                box.events[index + 1].set()
                box.events[index + 1].clear()

        return worker

    def setup():
        return Box(token=0, turn=threading.Condition(), events=[threading.Event() for _ in range(3)])

    return Made(setup, {f"node{index}": pass_on(index) for index in range(3)})


# -- waiting
# ----------------------------------------------------------------------------------------------------


@program("deadlock", 1)
def lost_wake_up(fixed):
    def wait(box):
        if fixed:
            with box.changed:
                while not box.ready:
                    box.changed.wait()
        elif not box.ready:
            with box.changed:
                box.changed.wait()

    def notify(box):
        with box.changed:
            box.ready = True
            box.changed.notify()

    return Made(lambda: Box(ready=False, changed=threading.Condition()), {"wait": wait, "notify": notify})


@program("deadlock", 0)
def wrong_notify(fixed):
    def setup():
        return Box(items=[], changed=threading.Condition(), capacity=1)

    def tell(box):
        if fixed:
            box.changed.notify_all()
        else:
            box.changed.notify()

    def produce(box):
        with box.changed:
            while len(box.items) >= box.capacity:
                box.changed.wait()
            box.items.append(1)
            tell(box)

    def consume(box):
        with box.changed:
            while not box.items:
                box.changed.wait()
            box.items.pop()
            tell(box)

    return Made(setup, {"consume1": consume, "consume2": consume, "produce1": produce, "produce2": produce})


@program("exception", 0)
def waits_with_if_in_place_of_while(fixed):
    def consume(box):
        with box.changed:
            if fixed:
                while not box.items and not box.closed:
                    box.changed.wait()
            elif not box.items:
                box.changed.wait()
            if box.items or not fixed:
                box.items.pop()

    def produce(box):
        with box.changed:
            box.items.append(1)
            box.changed.notify_all()
            box.closed = True

    return Made(
        lambda: Box(items=[], closed=False, changed=threading.Condition()),
        {"consume1": consume, "consume2": consume, "produce": produce},
    )


@program("deadlock", 1)
def lock_order(fixed):
    def one(box):
        with box.a, box.b:
            box.value += 1

    def two(box):
        with box.a if fixed else box.b, box.b if fixed else box.a:
            box.value += 1

    return Made(lambda: Box(value=0, a=threading.Lock(), b=threading.Lock()), {"one": one, "two": two})


def dining_philosophers(number):
    def make(fixed):
        def eat(index):
            def philosopher(box):
                first, second = index, (index + 1) % number
                if fixed and first > second:
                    first, second = second, first
                with box.forks[first], box.forks[second]:
                    pass

            return philosopher

        return Made(
            lambda: Box(forks=[threading.Lock() for _ in range(number)]),
            {f"philosopher{index}": eat(index) for index in range(number)},
        )

    return make


for _number in (2, 3, 4, 5, 6, 7):
    program("deadlock", 1, f"dining_philosophers_{_number}")(dining_philosophers(_number))


@program("check", 1)
def semaphore_as_mutex_released_twice(fixed):
    def worker(box):
        box.mutex.acquire()
        value = box.value
        box.value = value + 1
        box.mutex.release()

    def careless(box):
        box.mutex.acquire()
        try:
            value = box.value
            box.value = value + 1
        finally:
            box.mutex.release()
            if not fixed:
                box.mutex.release()

    return Made(
        lambda: Box(value=0, mutex=threading.Semaphore(1)),
        {"careless": careless, "left": worker, "right": worker},
        lambda box: box.value == 3,
    )


@program("exception", 1)
def reader_writer_lock_with_writer_starvation(fixed):
    class Table:
        def __init__(self):
            self.changed = threading.Condition()
            self.readers = 0
            self.waiting = 0
            self.writing = False
            self.overtaken = 0

        def start_reading(self):
            with self.changed:
                if self.waiting:
                    self.overtaken += 1
                while self.writing or (fixed and self.waiting):
                    self.changed.wait()
                self.readers += 1

        def stop_reading(self):
            with self.changed:
                self.readers -= 1
                self.changed.notify_all()

        def write(self):
            with self.changed:
                self.waiting += 1
                before = self.overtaken
                while self.readers or self.writing:
                    self.changed.wait()
                    assert fixed or self.overtaken == before
                self.waiting -= 1
                self.changed.notify_all()

    def read(table):
        table.start_reading()
        table.stop_reading()

    return Made(Table, {"reader1": read, "reader2": read, "writer": Table.write})


@program("check", 1)
def counter_in_an_executor(fixed):
    from concurrent.futures import ThreadPoolExecutor

    def add(box):
        with lock_if(fixed, box.lock):
            value = box.value
            box.value = value + 1

    def serve(box):
        with ThreadPoolExecutor(2) as executor:
            for future in [executor.submit(add, box) for _ in range(2)]:
                future.result()

    return Made(lambda: Box(value=0), {"serve": serve}, lambda box: box.value == 2)


@program("check", 1)
def closure_and_global(fixed):
    def setup():
        count = 0
        lock = threading.Lock()

        def add():
            nonlocal count
            with lock_if(fixed, lock):
                value = count
                count = value + 1
            return count

        return Box(add=add)

    def worker(box):
        box.add()

    return Made(setup, {"left": worker, "right": worker}, lambda box: box.add() == 3)


def input_and_schedule(fixed, first, second) -> Made:
    """The bug that needs an input and a schedule: two keys that share a slot, and a lost update in it."""

    def add(key):
        def worker(box):
            with lock_if(fixed, box.lock):
                slot = key % 7
                value = box.slots[slot]
                box.slots[slot] = value + 1

        return worker

    return Made(
        lambda: Box(slots=[0] * 7),
        {"first": add(first), "second": add(second)},
        lambda box: sum(box.slots) == 2,
    )


@program("check", 1, "input_and_schedule")
def _input_and_schedule(fixed):
    return input_and_schedule(fixed, 3, 10)
