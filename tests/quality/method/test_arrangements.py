"""One comparison, however it is done: in process, on processes, on a cluster, interrupted, with losses."""

import os
import signal

import pytest

from scenarios.lab.method.campaign import InProcess, Processes
from scenarios.lab.method.cluster import cluster
from scenarios.lab.method.compare import compare

pytest.importorskip("distributed", reason="a cluster needs the extra 'cluster'")

pytestmark = [
    pytest.mark.filterwarnings("ignore"),  # what Dask warns of is not ours to mend
    pytest.mark.timeout(600),
]

SEARCHERS = ["random", "plain", "hypothesis"]


def digest(pool, **options):
    return compare(
        "truncated-pointer", searchers=SEARCHERS, hunts=8, runs=60, budget=60, pool=pool, **options
    ).digest


@pytest.fixture(scope="module")
def alone():
    return digest(InProcess())


def test_processes_give_the_same_digest(alone):
    assert digest(Processes(2)) == alone


def test_so_does_one_that_is_cut_and_resumed_and_loses_a_worker(alone, tmp_path):
    def cut(done, total):
        if done == 2:
            raise KeyboardInterrupt

    killed = []

    with cluster("local:2") as pool:
        with pytest.raises(KeyboardInterrupt):
            digest(pool, state=tmp_path / "state", watch=cut)

        def kill(done, total):
            if not killed:
                killed.extend(pool.client.run(os.getpid).values())
                os.kill(killed[0], signal.SIGKILL)

        assert digest(pool, state=tmp_path / "state", watch=kill) == alone
    assert killed
