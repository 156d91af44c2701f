"""Speed of the cache world. It asserts nothing about time.

    pytest tests/benchmarks/test_cache.py -o addopts=

A run starts and ends a real thread for each client, which is most of what it costs.
"""

import pytest

from simulations.cache import variants
from simulations.cache.analysis import census
from simulations.cache.system import run
from simulations.cache.workload import Workload
from simulations.choices import nominal

SYSTEMS = [variants.AS_SHIPPED, variants.LEASES, variants.VERSIONS, variants.SINGLE_FLIGHT]


@pytest.mark.parametrize("system", SYSTEMS, ids=lambda system: system.design)
def test_a_run_of_two_clients(benchmark, system):
    benchmark(lambda: run(system, Workload(("r", "w")), nominal()))


def test_a_census_of_fifteen_thousand_states(benchmark):
    benchmark.pedantic(lambda: census("single_flight", Workload(("rr", "rr", "ww"))), rounds=3)
