"""How long 72 hours take: the kernel, SimPy workers, a whole campaign, and the naive way beside them.

pytest tests/benchmarks/test_batch_job.py
"""

import simpy

from scenarios.vanishing_job import HOUR_70, SCENARIO
from simulations.batch_job.kernel import kernel, simulated
from simulations.batch_job.system import run
from simulations.batch_job.variants import AS_SHIPPED
from simulations.batch_job.workload import bulk
from simulations.choices import replay

JOB = SCENARIO.ladder[0]


def _whole(engine):
    return run(AS_SHIPPED, JOB, replay(HOUR_70["calendar"]), engine=engine)


def _naive():
    """Run one process for each test on one resource: all 90,000 wait in its queue."""
    env = simpy.Environment()
    workers = simpy.Resource(env, capacity=JOB.workers)

    def test(run_ms):
        with workers.request() as worker:
            yield worker
            yield env.timeout(run_ms)

    for run_ms in bulk(JOB).run_ms:
        env.process(test(run_ms))
    env.run()
    return env.now


def test_drawing_90_000_tests(benchmark):
    assert len(benchmark(lambda: bulk.__wrapped__(JOB)).run_ms) == JOB.tests


def test_the_kernel(benchmark):
    tests = bulk(JOB)
    assert benchmark(kernel, tests, range(JOB.tests), JOB.workers, JOB.connections) is not None


def test_simpy_workers(benchmark):
    tests = bulk(JOB)
    done = benchmark.pedantic(simulated, (tests, range(JOB.tests), JOB.workers, JOB.connections), rounds=5)
    assert len(done.order) == JOB.tests


def test_a_whole_campaign_in_simpy_with_pool_heartbeats_and_sweeps(benchmark):
    _whole("kernel")  # draws the tests
    run = benchmark.pedantic(_whole, ("simpy",), rounds=5)
    assert run.attempts[0].cause == "sweep"


def test_a_whole_campaign_on_the_kernel(benchmark):
    _whole("kernel")  # the schedule is kept from one run to the next
    assert benchmark(_whole, "kernel").attempts[0].cause == "sweep"


def test_one_process_for_each_test(benchmark):
    assert benchmark.pedantic(_naive, rounds=1) > 0
