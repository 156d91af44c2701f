"""Programs that break when another thread comes between two steps that belong together."""

import threading
from collections import deque
from functools import partial

from tests.quality.threads.bench import Box, Made, Program, lock_if, registered

PROGRAMS: list[Program] = []
program = partial(registered, PROGRAMS)


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
