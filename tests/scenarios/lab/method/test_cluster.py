"""Campaigns on a real cluster of two processes: the same results, whatever happens to the workers."""

import os
import signal

import pytest

from scenarios.lab.method.campaign import InProcess, campaign
from scenarios.lab.method.cluster import cluster
from simulations.errors import LabError

distributed = pytest.importorskip("distributed", reason="a cluster needs the extra 'cluster'")

pytestmark = pytest.mark.filterwarnings("ignore")  # what Dask warns of is not ours to mend

CHUNKS = [{"seed": seed} for seed in range(40)]


def third(chunk):
    return {"seed": chunk["seed"], "third": chunk["seed"] / 3}


def dies_once(chunk):
    """Kill the worker at the first chunk that comes to it, unless somebody did so before."""
    try:
        os.close(os.open(chunk["mark"], os.O_CREAT | os.O_EXCL))
    except FileExistsError:
        return third(chunk)
    return os.kill(os.getpid(), signal.SIGKILL)


def dies_always(chunk):
    os.kill(os.getpid(), signal.SIGKILL)


def raises(chunk):
    raise KeyError(chunk["seed"])


@pytest.fixture(scope="module")
def pool():
    with cluster("local:2") as started:
        yield started


@pytest.mark.timeout(300)
def test_a_cluster_gives_what_one_process_gives(pool):
    assert campaign(third, CHUNKS, pool=pool) == campaign(third, CHUNKS, pool=InProcess())


@pytest.mark.timeout(300)
def test_a_lost_worker_that_the_cluster_has_not_heard_of_keeps_it_from_nothing(pool):
    """Dask raised `KeyError` for it when the cluster was closed, which lost the results."""
    pool.client.cluster._update_worker_status("remove", "tcp://127.0.0.1:1")


@pytest.mark.timeout(300)
def test_what_was_done_before_an_interruption_is_kept(pool, tmp_path):
    def interrupt(done, total):
        if done == 10:
            raise KeyboardInterrupt

    state = tmp_path / "state.jsonl"
    with pytest.raises(KeyboardInterrupt):
        campaign(third, CHUNKS, pool=pool, state=state, watch=interrupt)
    seen = []
    again = campaign(third, CHUNKS, pool=pool, state=state, watch=lambda done, total: seen.append(done))
    assert again == campaign(third, CHUNKS)
    assert seen[0] == 10


@pytest.mark.timeout(300)
def test_workers_with_other_code_are_refused(pool, monkeypatch):
    monkeypatch.setattr("scenarios.lab.method.cluster.code_stamp", lambda: {"source": "another"})
    with pytest.raises(LabError, match=r"and another.*: install one version on both"):
        campaign(third, CHUNKS, pool=pool)


@pytest.mark.timeout(300)
def test_a_lost_worker_loses_no_result(pool, tmp_path):
    chunks = [{**chunk, "mark": str(tmp_path / "died")} for chunk in CHUNKS]
    assert campaign(dies_once, chunks, pool=pool) == [third(chunk) for chunk in chunks]
    assert (tmp_path / "died").exists()


@pytest.mark.timeout(300)
def test_what_the_work_raises_arrives(pool):
    with pytest.raises(KeyError, match="0"):
        campaign(raises, CHUNKS[:1], pool=pool)


@pytest.mark.timeout(300)
def test_a_chunk_that_kills_every_worker_is_said(pool):
    with pytest.raises(LabError, match="5 workers were lost under one chunk"):
        campaign(dies_always, CHUNKS[:1], pool=pool)


@pytest.mark.parametrize(
    ("address", "says"),
    [
        ("remote", "a cluster is local"),
        ("local:0", "1 to 256 workers, not 0"),
        ("local:-1", "a cluster is local"),
        ("tcp://", "a cluster is local"),
    ],
)
def test_an_address_that_makes_no_sense_is_refused(address, says):
    with pytest.raises(LabError, match=says), cluster(address):
        pass
