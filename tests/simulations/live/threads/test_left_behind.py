"""A thread that nobody joins, and that waits for ever, keeps a program from ending unless it is a daemon."""

import queue
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import Any

import pytest

from simulations.live.threads import explore


def _setup() -> SimpleNamespace:
    lock = threading.Lock()
    lock.acquire()
    return SimpleNamespace(
        lock=lock,
        event=threading.Event(),
        queue=queue.Queue(),
        simple=queue.SimpleQueue(),
        semaphore=threading.Semaphore(0),
        barrier=threading.Barrier(2),
    )


WAITS: dict[str, Callable[[Any], object]] = {
    "lock": lambda state: state.lock.acquire(),
    "event": lambda state: state.event.wait(),
    "queue": lambda state: state.queue.get(),
    "simple queue": lambda state: state.simple.get(),
    "semaphore": lambda state: state.semaphore.acquire(),
    "barrier": lambda state: state.barrier.wait(),
}


def _by_thread(state: Any, wait: Callable[[Any], object]) -> None:
    threading.Thread(target=wait, args=(state,)).start()


def _by_grandchild(state: Any, wait: Callable[[Any], object]) -> None:
    threading.Thread(target=_by_thread, args=(state, wait)).start()


def _by_pool(state: Any, wait: Callable[[Any], object]) -> None:
    ThreadPoolExecutor(1).submit(wait, state)


def _by_timer(state: Any, wait: Callable[[Any], object]) -> None:
    threading.Timer(1, wait, (state,)).start()


def _by_daemon(state: Any, wait: Callable[[Any], object]) -> None:
    threading.Thread(target=wait, args=(state,), daemon=True).start()


def _by_child_of_daemon(state: Any, wait: Callable[[Any], object]) -> None:
    middle = threading.Thread(target=_by_thread, args=(state, wait), daemon=True)
    middle.start()
    middle.join()


def _nothing(_state: Any) -> None:
    pass


@pytest.mark.parametrize("wait", WAITS.values(), ids=WAITS)
@pytest.mark.parametrize("start", [_by_thread, _by_grandchild, _by_pool, _by_timer])
def test_who_waits_for_ever_is_a_deadlock(
    start: Callable[[Any, Callable[[Any], object]], None], wait: Callable[[Any], object]
) -> None:
    found = explore(setup=_setup, workers=[lambda state: start(state, wait)], check=lambda _: True)
    assert found.failure is not None
    assert found.failure.kind == "deadlock"


@pytest.mark.parametrize("wait", WAITS.values(), ids=WAITS)
@pytest.mark.parametrize("start", [_by_daemon, _by_child_of_daemon])
def test_a_daemon_is_left_behind(
    start: Callable[[Any, Callable[[Any], object]], None], wait: Callable[[Any], object]
) -> None:
    found = explore(setup=_setup, workers=[lambda state: start(state, wait)], check=lambda _: True)
    assert found.verdict == "exhausted"


def test_a_pool_that_waits_for_work_is_left_behind() -> None:
    found = explore(setup=_setup, workers=[lambda state: _by_pool(state, _nothing)], check=lambda _: True)
    assert found.verdict == "exhausted"


def test_a_worker_is_no_daemon() -> None:
    def ask(_state: Any) -> None:
        assert not threading.current_thread().daemon
        assert not threading.Thread(target=ask).daemon

    assert explore(setup=_setup, workers=[ask], check=lambda _: True).failure is None
