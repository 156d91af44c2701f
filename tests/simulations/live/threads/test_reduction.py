"""One run of each class: against brute force, and against the counts that are published."""

import random
import threading

import pytest

from simulations.live.threads import explore
from simulations.live.threads.control.accesses import BACK, FRONT
from simulations.live.threads.search.reduction import Reduction, Step, _looked_at

SEEDS = 150


class Machine:
    """Runs threads of operations: reads and writes, locks, queues. It shares nothing with the instrument."""

    def __init__(self, threads):
        self.threads = threads
        self.held = {}
        self.items = {}
        self.line = []
        self.taken = 0
        self.seen = []

    def can(self, operation):
        kind, thing = operation
        if kind == "take":
            return not self.held.get(thing)
        if kind == "shift":
            return bool(self.line)
        return kind != "get" or self.items.get(thing, 0) > 0

    def do(self, thread, operation):
        kind, thing = operation
        if kind in ("take", "give"):
            self.held[thing] = kind == "take"
        if kind in ("put", "get"):
            self.items[thing] = self.items.get(thing, 0) + (1 if kind == "put" else -1)
        if kind == "push":
            self.line.append(thread)
        if kind in ("shift", "poll", "peek"):
            self.seen.append((thread, self.line[0] if self.line else None))
            if kind != "peek" and self.line:
                self.line.pop(0)
                self.taken += 1

    def step(self, thread, operation):
        """Return what an operation that is about to be done touches."""
        kind, thing = operation
        if kind == "push":
            item = ("item", self.taken + len(self.line))
            return Step(thread, ((thing, BACK, True), (thing, item, True)), gives=(thing,))
        if kind in ("shift", "poll", "peek"):
            takes = kind != "peek" and bool(self.line)
            touches = ((thing, FRONT, takes), (thing, ("item", self.taken), False))
            return Step(thread, touches, takes=thing if kind == "shift" else None)
        return step(thread, operation)


def step(thread, operation):
    kind, thing = operation
    waits = thing if kind in ("take", "get") else None
    return Step(thread, ((thing, None, kind != "read"),), (), waits, (thing,) if kind == "give" else ())


def run(threads, beginning):
    """Run a beginning and go on nominally; return the steps, what is left of a deadlock, whether it could."""
    machine, places, left = Machine(threads), [0] * len(threads), list(beginning)
    steps, followed, current = [], True, None
    while True:
        waiting = {t: threads[t][places[t]] for t in range(len(threads)) if places[t] < len(threads[t])}
        able = [t for t, operation in waiting.items() if machine.can(operation)]
        if not able:
            return steps, [machine.step(t, operation) for t, operation in waiting.items()], followed
        current = current if current in able else able[0]
        if left:
            wanted = left.pop(0)
            if wanted in able:
                current = wanted
            else:
                left, followed = [], False
        steps.append(machine.step(current, waiting[current]))
        machine.do(current, waiting[current])
        places[current] += 1


def class_of(steps):
    return frozenset(_looked_at(steps).names)


def every_schedule(threads):
    """Yield every schedule as the threads of its steps; it looks at no dependence."""
    stack = [()]
    while stack:
        beginning = stack.pop()
        machine, places = Machine(threads), [0] * len(threads)
        for thread in beginning:
            machine.do(thread, threads[thread][places[thread]])
            places[thread] += 1
        left = [t for t in range(len(threads)) if places[t] < len(threads[t])]
        able = [t for t in left if machine.can(threads[t][places[t]])]
        stack += [(*beginning, thread) for thread in able]
        if not able:
            yield beginning


def by_reduction(threads):
    reduction, classes = Reduction(), []
    while (beginning := reduction.following()) is not None:
        steps, pending, _ = run(threads, beginning)
        classes.append(class_of(steps))
        reduction.ran(steps, pending)
    return classes


def by_brute_force(threads):
    classes, stack = set(), [()]
    while stack:
        beginning = stack.pop()
        steps, _, _ = run(threads, beginning)
        classes.add(class_of(steps))
        for place in range(len(beginning), len(steps)):
            before = tuple(done.thread for done in steps[:place])
            for thread in range(len(threads)):
                if thread != steps[place].thread:
                    other, _, followed = run(threads, (*before, thread))
                    if followed and len(other) > place and other[place].thread == thread:
                        stack.append((*before, thread))
    return classes


def drawn(seed):
    rng = random.Random(seed)
    threads = []
    for _ in range(rng.randint(2, 3)):
        operations, held = [], []
        for _ in range(rng.randint(1, 4)):
            kind = rng.choice(["read", "read", "write", "write", "put", "get", "take", "take", "give"])
            if kind in ("read", "write"):
                operations.append((kind, rng.choice([0, 1])))
            elif kind in ("put", "get"):
                operations.append((kind, 2))
            elif kind == "take":
                lock = rng.choice([lock for lock in (3, 4) if lock not in held] or [None])
                if lock is not None:
                    held.append(lock)
                    operations.append((kind, lock))
            elif held:
                operations.append((kind, held.pop()))
        threads.append(operations + [("give", lock) for lock in reversed(held) if rng.random() < 0.8])
    return threads


def what_is_seen(threads, beginning):
    """Run a beginning; return what each thread saw of the queue."""
    machine, places = Machine(threads), [0] * len(threads)
    for thread in beginning:
        machine.do(thread, threads[thread][places[thread]])
        places[thread] += 1
    return tuple(
        tuple(item for other, item in machine.seen if other == thread) for thread in range(len(threads))
    )


WAITING = ["push", "push", "push", "shift", "shift", "shift", "read", "write"]
LOOKING = ["push", "push", "poll", "poll", "peek", "read", "write"]


def drawn_with_a_line(seed, kinds):
    rng = random.Random(seed)
    count = rng.randint(2, 3)
    operations = [[rng.choice(kinds) for _ in range(rng.randint(1, 6 - count))] for _ in range(count)]
    return [[(kind, 0 if kind in ("read", "write") else 5) for kind in thread] for thread in operations]


@pytest.mark.parametrize("seed", range(100))
def test_no_class_of_a_program_with_a_queue_is_forgotten(seed):
    threads = drawn_with_a_line(seed, WAITING + LOOKING)
    runs, reduction = [], Reduction()
    while (beginning := reduction.following()) is not None:
        steps, pending, _ = run(threads, beginning)
        runs.append(steps)
        reduction.ran(steps, pending)
    assert set(map(class_of, runs)) == by_brute_force(threads)
    seen = {what_is_seen(threads, [step.thread for step in steps]) for steps in runs}
    assert seen == {what_is_seen(threads, schedule) for schedule in every_schedule(threads)}


@pytest.mark.parametrize("seed", range(60))
def test_no_class_of_a_program_whose_threads_wait_for_a_queue_is_run_twice(seed):
    classes = by_reduction(drawn_with_a_line(seed, WAITING))
    assert len(classes) == len(set(classes))


def test_what_is_put_later_changes_nothing_for_who_takes_from_a_queue():
    assert len(by_reduction([[("push", 5)] * 3, [("shift", 5)] * 3])) == 1
    assert len(by_reduction([[("push", 5)] * 3, [("poll", 5)]])) == 2


@pytest.mark.parametrize("seed", range(SEEDS))
def test_no_class_is_forgotten(seed):
    threads = drawn(seed)
    assert set(by_reduction(threads)) == by_brute_force(threads)


@pytest.mark.parametrize("seed", range(SEEDS))
def test_without_waiting_no_class_is_run_twice(seed):
    threads = [[one for one in thread if one[0] in ("read", "write")] for thread in drawn(seed)]
    classes = by_reduction(threads)
    assert len(classes) == len(set(classes))


def test_a_lock_costs_no_run_that_leads_nowhere():
    section = [("take", 9), ("read", 0), ("write", 0), ("give", 9)]
    assert len(by_reduction([section * 2] * 2)) == 6
    assert len(by_reduction([section] * 3)) == 6


# The programs of Abdulla, Aronis, Jonsson and Sagonas (POPL 2014; J. ACM 64(4), 2017), as Python; the counts
# are those of the optimal algorithm.


class LastZero:
    """Each writer sets its place of an array from the one before; a reader looks for the last zero."""

    def __init__(self, places):
        self.places = places
        self.array = [0] * (places + 1)

    def look(self):
        place = self.places
        while self.array[place] != 0:
            place -= 1

    @staticmethod
    def writer(place):
        def write(self):
            self.array[place] = self.array[place - 1] + 1

        return write

    @classmethod
    def workers(cls, places):
        return [cls.look, *map(cls.writer, range(1, places + 1))]


class Readers:
    """One writer and readers of one variable."""

    def __init__(self):
        self.variable = 0

    def write(self):
        self.variable = 1

    def read(self):
        return self.variable


class Indexer:
    """Threads put words into a table of hashes; from 12 threads on some want the same place."""

    def __init__(self):
        self.table = [0] * 128
        self.locks = [threading.Lock() for _ in range(128)]

    @staticmethod
    def thread(number):
        def insert(self):
            for message in range(1, 5):
                word = message * 11 + number
                place = word * 7 % 128
                while not self.swap(place, word):
                    place = (place + 1) % 128

        return insert

    def swap(self, place, word):
        with self.locks[place]:
            if self.table[place] != 0:
                return False
            self.table[place] = word
            return True


class FileSystem:
    """Threads give blocks to inodes; from 14 threads on some want the same block."""

    def __init__(self):
        self.inodes = [0] * 32
        self.busy = [False] * 26
        self.inode_locks = [threading.Lock() for _ in range(32)]
        self.block_locks = [threading.Lock() for _ in range(26)]

    @staticmethod
    def thread(number):
        def allocate(self):
            inode = number % 32
            with self.inode_locks[inode]:
                if self.inodes[inode] == 0:
                    block = inode * 2 % 26
                    while not self.take(inode, block):
                        block = (block + 1) % 26

        return allocate

    def take(self, inode, block):
        with self.block_locks[block]:
            if self.busy[block]:
                return False
            self.busy[block] = True
            self.inodes[inode] = block + 1
            return True


OPTIMAL = [
    pytest.param(
        lambda: LastZero(3), [LastZero.look, *map(LastZero.writer, range(1, 4))], 12, id="lastzero-3"
    ),
    pytest.param(
        lambda: LastZero(5), [LastZero.look, *map(LastZero.writer, range(1, 6))], 64, id="lastzero-5"
    ),
    pytest.param(Readers, [Readers.write, *[Readers.read] * 3], 8, id="readers-3"),
    pytest.param(Readers, [Readers.write, *[Readers.read] * 6], 64, id="readers-6"),
    pytest.param(Indexer, [Indexer.thread(number) for number in range(4)], 1, id="indexer-4"),
    pytest.param(Indexer, [Indexer.thread(number) for number in range(12)], 8, id="indexer-12"),
    pytest.param(FileSystem, [FileSystem.thread(number) for number in range(4)], 1, id="file-system-4"),
    pytest.param(FileSystem, [FileSystem.thread(number) for number in range(14)], 2, id="file-system-14"),
]


@pytest.mark.parametrize(("setup", "workers", "optimal"), OPTIMAL)
def test_real_threads_need_as_many_schedules_as_are_published(setup, workers, optimal):
    result = explore(setup, workers, searcher="exhaustive")
    assert result.verdict == "exhausted", str(result)
    # A program of more than a dozen classes is also run in a dozen other ways.
    assert result.schedules <= (optimal if optimal <= 12 else optimal + 11)
