from hypothesis import event, given, settings
from hypothesis import strategies as st

from simulations.batch_job.kernel import Checkpoints, kernel, schedule, simulated
from simulations.batch_job.workload import Bulk, Job, bulk

tests = st.lists(
    st.tuples(st.integers(1, 12), st.sampled_from([0, 0, 0, 1, 5]), st.integers(1, 9)), max_size=40
)
saves = st.one_of(st.none(), st.builds(Checkpoints, st.integers(1, 15), st.integers(0, 4)))


def _bulk(rows):
    run_ms, report_ms, leak = zip(*rows, strict=True) if rows else ((), (), ())
    return Bulk(run_ms, report_ms, leak)


@settings(max_examples=300, deadline=None)
@given(tests, st.integers(1, 6), st.integers(1, 6), saves)
def test_the_kernel_gives_the_finish_order_of_simpy_or_steps_aside(rows, workers, connections, pauses):
    few = _bulk(rows)
    fast = kernel(few, range(len(rows)), workers, connections, pauses)
    reference = simulated(few, range(len(rows)), workers, connections, pauses)
    event("steps aside" if fast is None else "agrees")
    if fast is not None:
        assert fast == reference
    elif workers <= connections:
        raise AssertionError("it stepped aside although nobody can have waited")
    assert schedule(few, range(len(rows)), workers, connections, pauses) == reference


def test_where_workers_wait_for_a_connection_the_kernel_steps_aside_and_simpy_is_later():
    few = Bulk((1, 1, 1), (10, 10, 10), (1, 1, 1))
    assert kernel(few, range(3), 3, 2) is None
    assert simulated(few, range(3), 3, 2).makespan_ms == 21
    assert simulated(few, range(3), 3, 3).makespan_ms == 11


def test_all_90_000_tests_end_in_the_same_order_by_kernel_and_by_simpy():
    job = Job()
    everything = bulk(job)
    fast = kernel(everything, range(job.tests), job.workers, job.connections)
    assert fast is not None
    assert fast == simulated(everything, range(job.tests), job.workers, job.connections)
    assert sorted(fast.order) == list(range(job.tests))


@given(st.lists(st.tuples(st.integers(1, 9), st.just(0), st.integers(1, 9)), min_size=1), st.integers(0, 99))
def test_what_is_done_at_a_time_is_what_ended_before_it(rows, at):
    plan = schedule(_bulk(rows), range(len(rows)), 2, 2)
    assert plan.done(at) == sum(1 for time in plan.times_ms if time < at)


def test_memory_is_full_when_the_sum_of_leaks_reaches_the_limit():
    plan = schedule(Bulk((3, 4, 5), (0, 0, 0), (10, 20, 30)), range(3), 1, 1)
    assert [plan.leaked_at((10, 20, 30), limit) for limit in (10, 11, 30, 60, 61)] == [3, 7, 7, 12, None]


def test_a_checkpoint_counts_once_it_is_complete():
    hourly = Checkpoints(every_ms=60, cost_ms=5)
    assert [hourly.complete(at) for at in (0, 64, 65, 129, 130)] == [0, 0, 1, 1, 2]
    assert [hourly.began_ms(number) for number in (1, 2)] == [60, 125]
    assert [hourly.pause_ms(at) for at in (59, 60, 64, 65, 125)] == [0, 5, 1, 0, 5]
    assert Checkpoints().pause_ms(60) == Checkpoints().complete(60) == 0
