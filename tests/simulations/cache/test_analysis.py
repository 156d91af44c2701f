"""The simulation ends in what the analysis says, in nothing else, and in all of it."""

from math import comb

import pytest

from simulations.cache.analysis import Outcome, census
from simulations.cache.services import DESIGNS
from simulations.cache.system import run
from simulations.cache.variants import System
from simulations.cache.workload import Workload
from simulations.choices import exactly
from simulations.errors import LabError

TIMELESS = [design for design in DESIGNS if design != "time_to_live"]
FIXES = ["leases", "versions", "single_flight"]


def clients(text):
    return Workload(tuple(text.split()))


def outcome(ran):
    saw = {name: [] for name in ran.workload.names}
    for operation in ran.history:
        saw[operation.client].append((operation.kind, operation.value))
    return Outcome(ran.written, ran.cached, tuple(tuple(saw[name]) for name in ran.workload.names))


def simulated(design, workload, deviations_max):
    """Every outcome under plans of at most so many deviations, and whether there are plans of more."""
    found = set()
    for k in range(deviations_max + 1):
        outcomes = [
            outcome(ran.result) for ran in exactly(lambda chooser: run(System(design), workload, chooser), k)
        ]
        if not outcomes:
            return found, False
        found.update(outcomes)
    return found, True


@pytest.mark.parametrize("text", ["r w", "w w", "r wr"])
@pytest.mark.parametrize("design", TIMELESS)
def test_the_simulation_reaches_every_outcome_and_no_other(design, text):
    found, _ = simulated(design, clients(text), 5)
    assert found == census(design, clients(text)).outcomes


@pytest.mark.parametrize("design", TIMELESS)
def test_three_clients_reach_every_outcome_with_three_deviations(design):
    found, _ = simulated(design, clients("r r w"), 3)
    assert found == census(design, clients("r r w")).outcomes


@pytest.mark.parametrize("design", ["as_shipped", "versions", "leases"])
def test_two_clients_have_no_schedule_of_more_than_four_deviations(design):
    _, more = simulated(design, clients("r w"), 5)
    assert not more


def test_one_interleaving_of_ten_is_stale():
    # A cold read is three requests and a write is two. Stale is get, read, write, delete, set, no other.
    counted = census("as_shipped", clients("r w"))
    assert (counted.interleavings, counted.stale) == (comb(5, 2), 1)


def test_the_number_of_interleavings_where_nobody_branches():
    assert census("as_shipped", clients("w w")).interleavings == comb(4, 2)
    assert census("delete_twice", clients("w w")).interleavings == comb(6, 3)
    assert census("as_shipped", clients("ww ww")).interleavings == comb(8, 4)


@pytest.mark.parametrize(
    ("design", "text", "stale", "interleavings"),
    [
        ("as_shipped", "r w", 1, 10),
        ("lock_around_fill", "r w", 1, 15),
        ("delete_twice", "r w", 3, 20),
        ("write_through", "r w", 0, 10),
        ("write_through", "w w", 2, 6),
    ],
)
def test_each_folk_fix_has_stale_interleavings(design, text, stale, interleavings):
    counted = census(design, clients(text))
    assert (counted.stale, counted.interleavings) == (stale, interleavings)


@pytest.mark.parametrize("text", ["rr wr w", "rr rr ww", "r w rw", "rr ww ww"])
@pytest.mark.parametrize("design", FIXES)
def test_no_interleaving_of_a_fix_is_stale_or_forgets_a_write(design, text):
    counted = census(design, clients(text))
    assert counted.interleavings > 100
    assert counted.stale == 0
    assert not any(end.stale or end.forgets_own_write for end in counted.outcomes)


def test_only_versions_never_go_back_in_time():
    back = {
        design: sum(end.goes_back_in_time for end in census(design, clients("rr wr w")).outcomes)
        for design in FIXES
    }
    assert back == {"leases": 1, "versions": 0, "single_flight": 1}


def test_what_depends_on_time_is_refused():
    with pytest.raises(LabError, match="time_to_live"):
        census("time_to_live", clients("r w"))
