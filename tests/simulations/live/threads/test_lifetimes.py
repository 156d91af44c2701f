"""When objects end: what their end does belongs to the run, and nothing lives longer for being looked at."""

import threading
import weakref
from contextlib import nullcontext
from types import SimpleNamespace

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


# -- weak references that the workers ask, or that call something --------------------------------------------


class Home:
    """Holds the only strong reference to a thing, which weak ones know."""

    def __init__(self):
        self.thing = Plain()
        self.reference = weakref.ref(self.thing)
        self.proxy = weakref.proxy(self.thing)
        self.method = weakref.WeakMethod(Box().add)
        self.calls = self.seen = 0
        self.alive = None


class Heir(weakref.ref):
    pass


def asks(home):
    home.alive = home.reference() is not None


def asks_a_proxy(home):
    try:
        home.alive = home.proxy.value
    except ReferenceError:
        home.alive = False
    except AttributeError:
        home.alive = True


def asks_a_new_one(home):
    thing = home.thing
    reference = weakref.ref(thing) if thing is not None else Plain
    del thing
    home.alive = reference() is not None


def drops(home):
    home.thing = None


def deletes(home):
    del home.thing


def drops_by_a_list(home):
    held = [home.thing]
    home.thing = None
    home.seen = 1
    held.pop()


def drops_a_local(home):
    thing = home.thing
    home.thing = None
    home.seen = 1
    del thing


@pytest.mark.usefixtures("no_audit")
@pytest.mark.parametrize("drops", [drops, deletes, drops_by_a_list, drops_a_local])
@pytest.mark.parametrize("looks", [asks, asks_a_proxy, asks_a_new_one])
@pytest.mark.parametrize("alive", [True, False])
def test_whether_a_weak_reference_is_dead_depends_on_who_lets_go(looks, drops, alive):
    if looks is asks_a_new_one and drops is deletes:
        pytest.skip("its attribute is not there any more")
    result = explore(Home, [looks, drops], lambda home: home.alive is alive, minimise_max=20)
    assert result.verdict == "found", result
    assert explore(Home, [looks], lambda home: home.alive).verdict == "exhausted"


def held_in_a_local(reference, home):
    home.seen += 1
    return reference


def held_in_a_list(reference, home):
    held = [reference]
    home.seen += 1
    return held


def held_in_a_closure(reference, home):
    def inner():
        return reference

    home.seen += 1
    return inner


def held_by_a_generator(reference, home):
    def inner():
        home.seen += 1
        yield reference

    return list(inner())


@pytest.mark.usefixtures("no_audit")
@pytest.mark.parametrize("kind", [weakref.ref, Heir])
@pytest.mark.parametrize(
    "holds",
    [held_in_a_local, held_in_a_list, held_in_a_closure, held_by_a_generator],
    ids=lambda f: f.__name__,
)
def test_whether_a_weak_reference_calls_depends_on_whether_it_is_there(kind, holds):
    def watches(home):
        def gone(_):
            home.calls += 1

        thing = home.thing
        if thing is not None:
            reference = kind(thing, gone)
            del thing
            holds(reference, home)
            home.seen += 1

    for calls in (0, 1):
        result = explore(Home, [watches, drops], lambda home, calls=calls: home.calls != calls)
        assert result.verdict == "found", (calls, result)
    result = explore(Home, [watches, drops], lambda home: home.calls in {0, 1})
    assert result.verdict == "exhausted", result
    assert any("with the step before it" in what for what in result.coverage.atomic)


@pytest.mark.usefixtures("no_audit")
def test_a_weak_reference_to_what_is_held_under_a_lock_stays():
    lock = threading.Lock()

    def looks(home):
        with lock:
            home.alive = home.reference() is not None
            home.thing = home.reference()

    def replaces(home):
        with lock:
            home.kept = home.thing
            home.thing = None

    result = explore(Home, [looks, replaces], lambda home: home.alive)
    assert result.verdict == "exhausted", result


# -- objects that notice when they are looked at -------------------------------------------------------------


class Notices:
    """Counts how often an attribute of it is asked for, as `isinstance` and `hasattr` do."""

    asked = 0

    def __getattribute__(self, name):
        Notices.asked += 1
        return object.__getattribute__(self, name)

    def __getattr__(self, name):
        Notices.asked += 1
        raise AttributeError(name)

    def __call__(self):
        return self


def test_an_object_is_not_asked_for_anything_by_the_exploration():
    def setup():
        Notices.asked = 0
        box = Box()
        box.held = [Notices(), weakref.proxy(Plain()), {"key": Notices()}]
        return box

    def looks(box):
        first, *rest = box.held
        box.seen = first() is first, rest, len(box.held), box.held.copy(), {1: first}, [*box.held]
        box.value = Notices.asked

    for searcher in ("portfolio", "random"):
        result = explore(
            setup, [looks, looks], lambda box: box.value == 0, searcher=searcher, max_schedules=20
        )
        assert result.failure is None, result


@pytest.mark.parametrize(("locked", "verdict"), [(False, "found"), (True, "exhausted")])
def test_two_threads_may_both_add_to_a_weak_collection(locked, verdict):
    def add(box):
        with box.lock if locked else nullcontext():
            one = box.weak.setdefault("name", Plain())
        box.got.append(one)

    def box():
        return SimpleNamespace(weak=weakref.WeakValueDictionary(), got=[], lock=threading.Lock())

    assert explore(box, [add] * 2, lambda box: box.got[0] is box.got[1]).verdict == verdict
