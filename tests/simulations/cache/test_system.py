import random as standard_random
import threading

import pytest

from scenarios.stale_cache import (
    cache_agrees_with_database,
    clients_read_their_own_writes,
    history_is_linearizable,
    staleness_ends,
    time_does_not_run_backwards,
)
from simulations.cache import variants
from simulations.cache.environment import in_words
from simulations.cache.services import DESIGNS, TTL_MS
from simulations.cache.system import run
from simulations.cache.variants import System
from simulations.cache.workload import Workload
from simulations.choices import Deviation, Plan, drawn, nominal, replay
from simulations.errors import LabError, PlanError

PAUSE = Deviation("reader after database.read", 0, 1)
PROPERTIES = (
    cache_agrees_with_database,
    staleness_ends,
    clients_read_their_own_writes,
    time_does_not_run_backwards,
    history_is_linearizable,
)


def clients(text):
    return Workload(tuple(text.split()))


@pytest.mark.parametrize("design", DESIGNS)
@pytest.mark.parametrize("text", ["r", "w", "r w", "rr wr", "w w r", "r.r w.r"])
def test_nominally_every_design_is_right(design, text):
    ran = run(System(design), clients(text), nominal())
    for check in PROPERTIES:
        check(ran)


def test_a_trace_says_what_the_servers_did_and_when():
    ran = run(variants.AS_SHIPPED, clients("r w"), drawn([PAUSE]))
    assert [(event.time, event.actor, event.action, event.detail) for event in ran.trace] == [
        (0, "reader", "store.get", ("price", "->", None)),
        (5, "reader", "database.read", ("price", "->", 0, 0)),
        (5, "writer", "database.write", ("price", 1, "->", 1)),
        (5, "writer", "store.delete", ("price", "->", None)),
        (5, "writer", "has written", 1),
        (5, "reader", "store.set", ("price", 0, None, "->", None)),
        (5, "reader", "reads", 0),
    ]
    assert (ran.cached, ran.stored) == (0, 1)


CANARIES = [
    (cache_agrees_with_database, variants.AS_SHIPPED, "r w", "the cache says 0, the database 1"),
    (staleness_ends, variants.AS_SHIPPED, "r w", "an hour later the cache still says 0, the database 1"),
    (clients_read_their_own_writes, variants.TIME_TO_LIVE, "r w.r", "has written 1 and then reads 0"),
    (history_is_linearizable, variants.AS_SHIPPED, "rr w", "reader reads 0, which no order explains"),
]


@pytest.mark.parametrize(("check", "system", "text", "said"), CANARIES)
def test_each_property_catches_its_bug(check, system, text, said):
    check(run(system, clients(text), nominal()))
    with pytest.raises(AssertionError, match=said):
        check(run(system, clients(text), replay(Plan([PAUSE]))))


FLIGHT_GOES_BACK = Plan(
    [
        Deviation("client waits for database.write", 0, 2),
        Deviation("writer waits for database.write", 0, 1),
        Deviation("client after taking the lock", 1, 2),
    ]
)


def test_a_single_flight_lets_a_reader_go_back_in_time_while_a_write_is_under_way():
    ran = run(variants.SINGLE_FLIGHT, clients("rr wr w"), replay(FLIGHT_GOES_BACK))
    cache_agrees_with_database(ran)
    clients_read_their_own_writes(ran)
    with pytest.raises(AssertionError, match="the reader has read 2 and then reads 1, which is older"):
        time_does_not_run_backwards(ran)


def test_staleness_ends_with_a_time_to_live():
    ran = run(variants.TIME_TO_LIVE, clients("r w"), drawn([PAUSE]))
    assert (ran.cached, ran.cached_later, ran.stored) == (0, None, 1)
    assert TTL_MS < 3_600_000


def test_deleting_again_comes_too_late_for_whoever_is_later_still():
    ran = run(variants.DELETE_TWICE, clients("r w"), drawn([PAUSE]))
    deletes = [event.time for event in ran.trace if event.action == "store.delete"]
    fill = next(number for number, event in enumerate(ran.trace) if event.action == "store.set")
    assert deletes == [0, 55]
    assert fill > max(number for number, event in enumerate(ran.trace) if event.action == "store.delete")


def test_a_lease_is_taken_back_by_a_delete_and_who_has_none_waits():
    ran = run(variants.LEASES, clients("r w r"), drawn([PAUSE]))
    answers = [event.detail[-1] for event in ran.trace if event.action == "store.set_with_lease"]
    assert answers == [True, False]
    assert ("price", "->", None, None) in [event.detail for event in ran.trace]


def test_a_run_leaves_nothing_behind():
    before = threading.active_count()
    standard_random.seed(7)
    expected = standard_random.Random(7).random()
    run(variants.SINGLE_FLIGHT, clients("rr wr w"), nominal())
    assert standard_random.random() == expected
    assert threading.active_count() == before


def test_the_same_plan_gives_the_same_run_again_and_again():
    digests = {
        run(variants.AS_SHIPPED, clients("rr wr w"), replay(Plan([PAUSE]))).trace.digest() for _ in range(100)
    }
    assert len(digests) == 1


def test_a_plan_that_does_not_apply_is_refused():
    with pytest.raises(PlanError, match="option 3 of start"):
        run(variants.AS_SHIPPED, clients("r w"), replay(Plan([Deviation("start", 0, 3)])))


def test_words():
    chooser = drawn([Deviation("start", 0, 1), PAUSE, Deviation("writer waits for database.write", 0, 1)])
    run(variants.AS_SHIPPED, clients("r r w"), chooser)
    said = [in_words(point) for point in chooser.points if point.option]
    assert said == [
        "client number 2 starts first",
        "when the writer waits for database.write, the second in line goes on first",
        "the reader pauses after it has read the database until nobody else can go on",
    ]


@pytest.mark.parametrize(
    ("steps", "said"),
    [
        ((), "1 to 8 clients, not 0"),
        (("r",) * 9, "1 to 8 clients, not 9"),
        (("",), "1 to 8 steps, not 0"),
        (("rx",), "'x'"),
        ("rw", "give a tuple of texts"),
    ],
)
def test_a_workload_that_makes_no_sense_is_refused(steps, said):
    with pytest.raises(ValueError, match=said):
        Workload(steps)


@pytest.mark.parametrize(
    ("fields", "said"), [({"design": "magic"}, "'magic'"), ({"database_ms": -1}, "not -1")]
)
def test_a_system_that_makes_no_sense_is_refused(fields, said):
    with pytest.raises(LabError, match=said):
        System(**fields)


def test_clients_are_named_for_what_they_do():
    assert clients("r w rw r ww wr").names == ("reader", "writer", "client", "reader2", "writer2", "client2")
    assert clients("r w rw ww").values == ((), (1,), (2,), (3, 4))
