"""The model of a cluster agrees with what can be said without it."""

import pytest

from tests.quality.method.cluster_scaling import CHUNKS_PER_WORKER, Campaign, bound, simulate


@pytest.mark.parametrize("workers", [1, 10, 50])
@pytest.mark.parametrize("chunk_s", [0.005, 0.1, 10.0])
def test_the_speed_up_reaches_its_bound_and_never_exceeds_it(workers, chunk_s):
    asked = Campaign(workers, chunk_s)
    out = simulate(asked)
    assert out.speedup <= bound(asked) * 1.001
    assert out.speedup >= bound(asked) * 0.75
    assert out.scheduler_busy <= 1


def test_the_scheduler_is_the_limit_where_chunks_are_short():
    out = simulate(Campaign(200, 0.01))
    assert out.scheduler_busy > 0.95
    assert out.speedup == pytest.approx(10, rel=0.05)


def test_a_lost_worker_loses_no_chunk():
    out = simulate(Campaign(20, 10.0, deaths_per_worker_h=30))
    assert out.done == 20 * CHUNKS_PER_WORKER
    assert out.lost > 0
