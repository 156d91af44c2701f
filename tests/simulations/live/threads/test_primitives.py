import logging
import queue
import threading
import time
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import ExitStack
from functools import partial
from time import sleep

import pytest

from simulations.live.threads import explore


class Box:
    def __init__(self):
        self.seen = []
        self.first = threading.Lock()
        self.second = threading.RLock()
        self.queue = queue.Queue(1)
        self.simple = queue.SimpleQueue()
        self.event = threading.Event()
        self.barrier = threading.Barrier(2)
        self.semaphore = threading.BoundedSemaphore(1)
        self.condition = threading.Condition()
        self.flag = False


def verdict(*workers, check=None, **options):
    options = {"max_schedules": 60, **options}
    return explore(Box, {f"worker{index}": worker for index, worker in enumerate(workers)}, check, **options)


def kind(*workers, check=None):
    failure = verdict(*workers, check=check).failure
    return failure.kind if failure is not None else None


def stacked(box):
    with ExitStack() as stack:
        stack.enter_context(box.first)
        stack.enter_context(box.second)


def partially(box):
    take = partial(box.second.acquire)
    take()
    box.first.acquire()
    box.first.release()
    box.second.release()


def test_locks_are_controlled_however_they_are_taken():
    assert kind(stacked, partially) == "deadlock"
    assert kind(stacked, stacked) is None


def test_a_reentrant_lock_may_be_taken_twice():
    def twice(box):
        with box.second, box.second:
            box.seen.append(1)

    assert kind(twice, twice, check=lambda box: len(box.seen) == 2) is None


def test_time_passes_only_when_all_wait():
    def waits_long(box):
        sleep(3600)
        box.seen.append(time.monotonic())

    started = time.process_time()
    result = verdict(waits_long, waits_long, max_schedules=1_000)
    assert result.verdict == "exhausted"
    assert time.process_time() - started < 60


def test_time_outs_are_virtual():
    def too_late(box):
        before = time.monotonic()
        assert not box.event.wait(timeout=30)
        assert time.monotonic() - before == pytest.approx(30)
        assert not box.simple.qsize()
        with pytest.raises(queue.Empty):
            box.queue.get(timeout=5)
        with pytest.raises(queue.Empty):
            box.simple.get(timeout=5)
        box.first.acquire()
        assert not box.first.acquire(timeout=7)

    assert kind(too_late) is None


def test_a_time_out_does_not_fire_while_somebody_can_go_on():
    def gets(box):
        assert box.queue.get(timeout=0.001) == 1

    def puts(box):
        for _ in range(10):
            box.seen.append(1)
        box.queue.put(1)

    assert kind(gets, puts) is None


def test_a_poll_and_a_spin_end():
    def poll(box):
        while not box.flag:
            time.sleep(0.01)

    def spin(box):
        while not box.flag:
            pass

    def deadline(box):
        end = time.monotonic() + 2
        while time.monotonic() < end:
            if box.flag:
                return
        raise TimeoutError

    def raise_flag(box):
        box.flag = True

    assert kind(poll, raise_flag) is None
    assert kind(spin, raise_flag) is None
    assert kind(deadline, raise_flag) is None


def test_queues_hand_over():
    def produce(box):
        for number in range(3):
            box.queue.put(number)
            box.simple.put(number)

    def consume(box):
        box.seen = [(box.queue.get(), box.simple.get()) for _ in range(3)]

    assert kind(produce, consume, check=lambda box: box.seen == [(0, 0), (1, 1), (2, 2)]) is None
    assert kind(produce) == "deadlock"


def test_a_barrier_without_enough_threads_is_a_deadlock_or_breaks():
    assert kind(lambda box: box.barrier.wait()) == "deadlock"
    assert kind(lambda box: box.barrier.wait(timeout=1)) == "exception"
    assert kind(*[lambda box: box.barrier.wait(timeout=1)] * 2) is None


def test_threads_that_are_started_inside_are_explored():
    def starts(box):
        def add():
            count = len(box.seen)
            box.seen = [*box.seen, count]

        threads = [threading.Thread(target=add) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
            assert not thread.is_alive()

    result = verdict(starts, check=lambda box: len(box.seen) == 2)
    assert result.failure.kind == "check"
    assert any(name.startswith("Thread-") for name in result.threads)


def test_an_exception_in_a_thread_that_was_started_inside_is_a_failure():
    def starts(box):
        thread = threading.Thread(target=lambda: box.missing, name="child")
        thread.start()
        thread.join()

    failure = verdict(starts).failure
    assert failure.kind == "exception"
    assert failure.thread == "child"


def test_a_timer_races_with_its_cancellation():
    def cancels(box):
        timer = threading.Timer(1, partial(box.seen.append, "fired"))
        timer.start()
        sleep(1)
        timer.cancel()
        timer.join()
        assert not box.seen

    assert kind(cancels) == "exception"


def test_an_executor_that_waits_for_itself_is_a_deadlock():
    def nested(_):
        with ThreadPoolExecutor(1) as executor:
            executor.submit(lambda: executor.submit(int).result()).result()

    assert kind(nested) == "deadlock"


def test_an_executor_works_and_need_not_be_shut_down():
    def serve(box):
        with ThreadPoolExecutor(2) as executor:
            futures = [executor.submit(pow, 2, power) for power in range(3)]
            assert sorted(future.result() for future in as_completed(futures)) == [1, 2, 4]
        box.idle = ThreadPoolExecutor(1)
        assert box.idle.submit(int).result() == 0

    assert kind(serve) is None


def test_a_semaphore_that_is_released_too_often_is_found():
    def careless(box):
        with box.semaphore:
            pass
        box.semaphore.release()

    assert kind(careless) == "exception"


def test_thread_local_data_do_not_outlive_a_schedule():
    def counts(_):
        LOCAL.count = getattr(LOCAL, "count", 0) + 1
        assert LOCAL.count == 1

    assert kind(counts, counts) is None


LOCAL = threading.local()


def test_logging_in_workers_does_not_block():
    logger = logging.getLogger("heisenlab.test")
    logger.addHandler(logging.NullHandler())
    logger.propagate = False

    def log(box):
        logger.warning("hello")
        with box.first:
            box.seen.append(1)

    assert kind(log, log, check=lambda box: len(box.seen) == 2) is None


def test_an_exception_of_a_thread_is_a_failure_whatever_the_hook_does(monkeypatch):
    class Hooked:
        def __init__(self):
            monkeypatch.setattr(threading, "excepthook", lambda _: None)

        def fail(self):
            raise ValueError

        def start(self):
            threading.Thread(target=self.fail).start()

    assert explore(Hooked, [Hooked.start]).failure.kind == "exception"
