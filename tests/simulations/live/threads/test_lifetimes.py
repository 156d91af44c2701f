"""When objects end: what their end does belongs to the run, and nothing lives longer for being looked at."""

import weakref

import pytest

from simulations.live.threads import explore


class Box:
    def __init__(self):
        self.value = 0
        self.seen = 0

    def add(self):
        value = self.value
        self.value = value + 1


class Counts:
    def __init__(self, box):
        self.box = box

    def __del__(self):
        self.box.add()


class CountsInSlots:
    __slots__ = ("box",)

    def __init__(self, box):
        self.box = box

    def __del__(self):
        self.box.add()


class Plain:
    pass


def ends_at_once(box):
    Counts(box)


def ends_with_a_list(box):
    held = [Counts(box)]
    box.seen = len(held)
    held = None


def ends_with_a_dictionary_of_lists(box):
    held = {"key": [Counts(box)]}
    box.seen = len(held["key"])
    held = None


def ends_with_a_tuple(box):
    for _ in [(1, Counts(box))]:
        pass


def ends_without_a_reference(box):
    held = CountsInSlots(box)
    box.seen = held.box.seen
    held = None


def ends_with_a_closure(box):
    held = Counts(box)

    def returned():
        return held

    returned()


def ends_and_calls_back(box):
    held = Plain()
    watch = weakref.ref(held, lambda _: box.add())
    holds = [held]
    box.seen = len(holds)
    held = holds = None
    assert watch() is None


def ends_and_is_finalized(box):
    held = Plain()
    weakref.finalize(held, box.add)
    holds = [held]
    box.seen = len(holds)
    del held, holds


@pytest.mark.parametrize(
    "worker",
    [
        ends_at_once,
        ends_with_a_list,
        ends_with_a_dictionary_of_lists,
        ends_with_a_tuple,
        ends_without_a_reference,
        ends_with_a_closure,
        ends_and_calls_back,
        ends_and_is_finalized,
    ],
)
def test_a_race_at_the_end_of_an_object_is_found(worker):
    assert explore(Box, [worker, worker], lambda box: box.value == 2).verdict == "found"


class Registry:
    def __init__(self, kind):
        self.kept = [Plain() for _ in range(3)]
        self.seen = 0
        self.weak = kind()
        for number, one in enumerate(self.kept):
            if kind is weakref.WeakValueDictionary:
                self.weak[number] = one
            elif kind is weakref.WeakKeyDictionary:
                self.weak[one] = number
            else:
                self.weak.add(one)

    def look(self):
        for _ in self.weak:
            self.seen += 1

    def count(self):
        self.seen = len(list(self.weak))

    def forget(self):
        del self.kept[1]
        del self.kept[1]

    def forget_all(self):
        self.kept.clear()


@pytest.mark.parametrize("kind", [weakref.WeakValueDictionary, weakref.WeakKeyDictionary, weakref.WeakSet])
def test_a_weak_collection_may_be_looked_at_while_its_objects_end(kind):
    result = explore(
        lambda: Registry(kind), [Registry.look, Registry.forget], lambda box: box.seen in {1, 2, 3}
    )
    assert result.verdict == "exhausted", result


@pytest.mark.parametrize("kind", [weakref.WeakKeyDictionary, weakref.WeakSet])
def test_the_objects_of_a_list_end_one_after_another(kind):
    result = explore(
        lambda: Registry(kind), [Registry.count, Registry.forget_all], lambda box: box.seen in {0, 3}
    )
    assert result.verdict == "found"


class Equal:
    def __eq__(self, other):
        return isinstance(other, Equal)

    __hash__ = None


def test_a_weak_reference_to_what_has_no_hash_can_be_called():
    kept = Equal()

    def worker(box):
        assert box.reference() is kept
        box.add()

    def setup():
        box = Box()
        box.reference = weakref.ref(kept)
        return box

    assert explore(setup, [worker], lambda box: box.value == 1).verdict == "exhausted"
