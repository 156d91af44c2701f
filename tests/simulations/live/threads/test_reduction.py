"""One run of each class: against brute force, and against the counts that are published."""

import ctypes
import mmap
import random

import pytest

from simulations.live.threads import explore
from simulations.live.threads.control.accesses import BACK, FRONT
from simulations.live.threads.search.reduction import Reduction, Step, _looked_at
from tests.quality.threads.published_programs import PUBLISHED, QUICK

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


class Plain:
    def __init__(self):
        self.value = 0


class Computed:
    def __init__(self):
        self.stored = 0

    @property
    def value(self):
        return self.stored

    @value.setter
    def value(self, value):
        self.stored = value


def assigns(thing):
    thing.value = 1


def looks(thing):
    return thing.value


@pytest.mark.parametrize("workers", [[assigns, assigns], [assigns, looks, looks]], ids=["set", "read"])
def test_a_property_is_not_touched_besides_what_it_computes(workers):
    plain, computed = (explore(made, workers, searcher="exhaustive") for made in (Plain, Computed))
    assert plain.verdict == computed.verdict == "exhausted"
    assert computed.schedules == plain.schedules


MEMORY = {
    "memoryview": lambda: memoryview(bytearray(2)),
    "ctypes": (ctypes.c_int * 2),
    "mmap": lambda: mmap.mmap(-1, 2),
}


@pytest.mark.parametrize("name", MEMORY)
def test_to_read_memory_changes_nothing(name):
    def reads(memory):
        return memory[0]

    def writes(memory):
        memory[0] = 1

    assert explore(MEMORY[name], [reads] * 3, searcher="exhaustive").schedules == 1
    assert explore(MEMORY[name], [reads, writes, reads], searcher="exhaustive").schedules == 4


@pytest.mark.parametrize("program", PUBLISHED[:QUICK], ids=lambda program: program.name)
def test_real_threads_need_as_many_schedules_as_are_published(program):
    result = explore(program.setup, program.workers, searcher="exhaustive")
    assert result.verdict == "exhausted", str(result)
    # A program of more than a dozen classes is also run in a dozen other ways.
    assert result.schedules <= (program.optimal if program.optimal <= 12 else program.optimal + 11)
