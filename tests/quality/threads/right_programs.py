"""Programs that are right and that a person would expect to be proved right at default budgets."""

from __future__ import annotations

import queue
import threading
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests.quality.threads.bench import Box

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True)
class Right:
    """A program that is right: no schedule of it fails."""

    name: str
    setup: Callable[[], Any]
    workers: tuple[Callable[[Any], object], ...]
    check: Callable[[Any], object] | None = None


RIGHT: list[Right] = []


def registered(setup, workers, check=None):
    """Register a program under the name of its set-up."""
    RIGHT.append(Right(setup.__name__.strip("_"), setup, tuple(workers), check))


class BoundedQueue:
    """A buffer of one place, with one condition for both sides."""

    def __init__(self, places):
        self.places = places
        self.items = deque()
        self.changed = threading.Condition()
        self.taken = []

    def put(self, item):
        with self.changed:
            while len(self.items) >= self.places:
                self.changed.wait()
            self.items.append(item)
            self.changed.notify_all()

    def take(self):
        with self.changed:
            while not self.items:
                self.changed.wait()
            item = self.items.popleft()
            self.changed.notify_all()
        return item


def bounded_queue():
    return BoundedQueue(1)


def _puts_two(box):
    box.put(1)
    box.put(2)


def _takes_two(box):
    box.taken = [box.take(), box.take()]


registered(bounded_queue, [_puts_two, _takes_two], lambda box: box.taken == [1, 2])


def bounded_queue_with_two_producers():
    return BoundedQueue(1)


registered(
    bounded_queue_with_two_producers,
    [lambda box: box.put(1), lambda box: box.put(2), _takes_two],
    lambda box: sorted(box.taken) == [1, 2],
)


class Pool:
    def __init__(self):
        self.free = [1, 2]
        self.permits = threading.Semaphore(2)
        self.lock = threading.Lock()

    def use(self):
        with self.permits:
            with self.lock:
                connection = self.free.pop()
            with self.lock:
                self.free.append(connection)


def pool_with_a_semaphore():
    return Pool()


registered(pool_with_a_semaphore, [Pool.use] * 3, lambda pool: sorted(pool.free) == [1, 2])


def mutex_by_a_semaphore():
    return Box(permits=threading.Semaphore(1), value=0)


def _adds_with_a_permit(box):
    with box.permits:
        box.value += 1


registered(mutex_by_a_semaphore, [_adds_with_a_permit] * 3, lambda box: box.value == 3)


def executor_with_two_tasks():
    return Box(value=0)


def executor_with_three_tasks():
    return Box(value=0)


def _adds(box):
    with box.lock:
        box.value += 1


def _submits(tasks, workers):
    def work(box):
        with ThreadPoolExecutor(workers) as pool:
            for future in [pool.submit(_adds, box) for _ in range(tasks)]:
                future.result()

    return work


registered(executor_with_two_tasks, [_submits(2, 2)], lambda box: box.value == 2)
registered(executor_with_three_tasks, [_submits(3, 2)], lambda box: box.value == 3)


def executor_that_maps():
    return Box(result=None)


def _square(number):
    return number * number


def _maps(box):
    with ThreadPoolExecutor(2) as pool:
        box.result = list(pool.map(_square, [1, 2]))


registered(executor_that_maps, [_maps], lambda box: box.result == [1, 4])


def queue_of_two_producers():
    return Box(line=queue.Queue(), taken=[])


def _gets_two(box):
    box.taken += [box.line.get(), box.line.get()]


registered(
    queue_of_two_producers,
    [lambda box: box.line.put(1), lambda box: box.line.put(2), _gets_two],
    lambda box: sorted(box.taken) == [1, 2],
)


def queue_with_a_bound():
    return Box(line=queue.Queue(1), taken=[])


def _puts_into_line(box):
    box.line.put(1)
    box.line.put(2)


registered(queue_with_a_bound, [_puts_into_line, _gets_two], lambda box: box.taken == [1, 2])


def queue_that_is_joined():
    return Box(line=queue.Queue(), done=[])


def _serves(box):
    for _ in range(2):
        box.done.append(box.line.get())
        box.line.task_done()


def _puts_and_joins(box):
    box.line.put(1)
    box.line.put(2)
    box.line.join()
    assert len(box.done) == 2


registered(queue_that_is_joined, [_puts_and_joins, _serves])


def three_locks():
    return Box(a=threading.Lock(), b=threading.Lock(), c=threading.Lock(), values=[0, 0, 0])


def _takes_three(box):
    with box.a:
        box.values[0] += 1
        with box.b:
            box.values[1] += 1
            with box.c:
                box.values[2] += 1


def _takes_one_after_the_other(box):
    with box.a:
        box.values[0] += 1
    with box.b:
        box.values[1] += 1
    with box.c:
        box.values[2] += 1


registered(three_locks, [_takes_three, _takes_one_after_the_other], lambda box: box.values == [2, 2, 2])


def reentrant_lock():
    return Box(r=threading.RLock(), value=0)


def _adds_in_an_inner_call(box):
    with box.r:
        _adds_again(box)
        box.value += 1


def _adds_again(box):
    with box.r:
        box.value += 1


registered(reentrant_lock, [_adds_in_an_inner_call] * 3, lambda box: box.value == 6)


def event():
    return Box(ready=threading.Event(), value=0, seen=[])


def _sets(box):
    box.value = 1
    box.ready.set()


def _waits(box):
    box.ready.wait()
    box.seen.append(box.value)


registered(event, [_sets, _waits, _waits], lambda box: box.seen == [1, 1])


def barrier_of_two():
    return Box(barrier=threading.Barrier(2), values=[0, 0])


def barrier_of_three():
    return Box(barrier=threading.Barrier(3), values=[0, 0, 0])


def _meets(number, count):
    def work(box):
        box.values[number] = 1
        box.barrier.wait()
        assert sum(box.values) == count

    return work


registered(barrier_of_two, [_meets(0, 2), _meets(1, 2)])
registered(barrier_of_three, [_meets(0, 3), _meets(1, 3), _meets(2, 3)])


class ReadWriteLock:
    """Readers share it, a writer has it alone."""

    def __init__(self):
        self.changed = threading.Condition()
        self.readers = 0
        self.values = [0, 0]

    def read(self):
        with self.changed:
            self.readers += 1
        first, second = self.values
        assert first == second
        with self.changed:
            self.readers -= 1
            if self.readers == 0:
                self.changed.notify_all()

    def write(self):
        with self.changed:
            while self.readers:
                self.changed.wait()
            self.values[0] += 1
            self.values[1] += 1


def readers_and_a_writer():
    return ReadWriteLock()


registered(
    readers_and_a_writer,
    [ReadWriteLock.write, ReadWriteLock.read, ReadWriteLock.read],
    lambda lock: lock.readers == 0,
)


def philosophers():
    return Box(forks=[threading.Lock() for _ in range(3)], eaten=0)


def _eats(number):
    first, second = sorted((number, (number + 1) % 3))

    def work(box):
        with box.forks[first], box.forks[second], box.lock:
            box.eaten += 1

    return work


registered(philosophers, [_eats(number) for number in range(3)], lambda box: box.eaten == 3)


class Lazy:
    def __init__(self):
        self.lock = threading.Lock()
        self.made = 0
        self.instance = None

    def get(self):
        if self.instance is None:
            with self.lock:
                if self.instance is None:
                    self.made += 1
                    self.instance = object()
        return self.instance


def lazy_singleton():
    return Lazy()


registered(lazy_singleton, [Lazy.get] * 3, lambda lazy: lazy.made == 1)


class Cache:
    def __init__(self):
        self.lock = threading.Lock()
        self.entries = {}
        self.loads = 0

    def get(self, key):
        with self.lock:
            if key not in self.entries:
                self.loads += 1
                self.entries[key] = key * 2
            return self.entries[key]


def cache_with_a_lock():
    return Cache()


def _looks_up(*keys):
    return lambda cache: [cache.get(key) for key in keys]


registered(
    cache_with_a_lock,
    [_looks_up(1, 2), _looks_up(2, 1), _looks_up(1)],
    lambda cache: cache.loads == 2,
)


def counter_behind_a_lock():
    return Box(value=0)


def _adds_twice(box):
    _adds(box)
    _adds(box)


registered(counter_behind_a_lock, [_adds_twice] * 3, lambda box: box.value == 6)


def threads_that_are_joined():
    return Box(value=0)


def _starts_and_joins(box):
    threads = [threading.Thread(target=_adds, args=(box,)) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert box.value == 3


registered(threads_that_are_joined, [_starts_and_joins])


def accounts():
    return Box(locks=[threading.Lock(), threading.Lock()], money=[5, 5])


def _transfers(source, target):
    def work(box):
        with box.locks[0], box.locks[1]:
            box.money[source] -= 1
            box.money[target] += 1

    return work


registered(accounts, [_transfers(0, 1), _transfers(1, 0), _transfers(0, 1)], lambda box: sum(box.money) == 10)
