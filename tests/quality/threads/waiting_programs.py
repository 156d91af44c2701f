"""Programs with a bug of order or of waiting: a thread goes on too early, or waits for what never comes."""

import threading
import time
from functools import partial

from tests.quality.threads.bench import Box, Made, Program, registered

PROGRAMS: list[Program] = []
program = partial(registered, PROGRAMS)


# Order


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


# Waiting


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
