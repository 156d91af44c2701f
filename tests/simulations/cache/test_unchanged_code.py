"""The services on plain `threading`: the instrument finds in them what the world under a chooser says."""

import pytest

from simulations.cache.stress import open_shop, work
from simulations.cache.variants import System
from simulations.cache.workload import Workload
from simulations.live.threads import explore


def explored(design, text, **options):
    workload = Workload(tuple(text.split()))
    clients = {
        name: lambda shop, steps=steps, values=values: work(shop.service, steps, values)
        for name, steps, values in zip(workload.names, workload.clients, workload.values, strict=True)
    }
    return explore(
        lambda: open_shop(System(design, database_ms=0)), clients, lambda shop: not shop.stale, **options
    )


@pytest.mark.parametrize(
    ("design", "text"),
    [
        ("as_shipped", "r w"),
        ("lock_around_fill", "r w"),
        ("delete_twice", "r w"),
        ("time_to_live", "r w"),
        ("write_through", "w w"),
    ],
)
def test_what_is_broken_is_found_with_one_preemption(design, text):
    found = explored(design, text, granularity="sync")
    assert found.verdict == "found"
    assert found.preemptions == 1
    assert found.minimality == "least: every lesser schedule was run"


@pytest.mark.parametrize("design", ["leases", "versions", "single_flight"])
@pytest.mark.parametrize("text", ["r w", "w w"])
def test_what_is_repaired_is_exhausted(design, text):
    proof = explored(design, text, granularity="sync", searcher="exhaustive", max_schedules=5_000)
    assert proof.verdict == "exhausted", str(proof)


def test_it_can_happen_on_this_interpreter():
    found = explored("as_shipped", "r w")
    assert (found.verdict, found.preemptions) == ("found", 1)
    assert found.possible == "can happen on this interpreter"
