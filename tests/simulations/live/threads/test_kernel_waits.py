"""Threads that wait in the operating system: file locks, databases, pipes, sockets, processes."""

import contextlib
import contextvars
import fcntl
import functools
import itertools
import multiprocessing
import operator
import os
import queue
import select
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from types import SimpleNamespace

import pytest

from simulations.live.threads import StuckError, explore, replay
from simulations.live.threads.control.failures import Kind

NUMBER = itertools.count()
FORK = multiprocessing.get_context("fork")
"""Its locks start no process that keeps account of them, which would forbid a proof."""


@pytest.fixture
def database(tmp_path):
    """Return a set-up that makes a new database, and gives back its path."""

    def setup():
        path = tmp_path / f"{next(NUMBER)}.db"
        with sqlite3.connect(path) as connection:
            connection.execute("CREATE TABLE account (id INTEGER PRIMARY KEY, balance INTEGER)")
            connection.execute("INSERT INTO account VALUES (1, 0)")
        connection.close()
        return path

    return setup


def balance(path):
    connection = sqlite3.connect(path)
    try:
        return connection.execute("SELECT balance FROM account").fetchone()[0]
    finally:
        connection.close()


def deposit(path, begin):
    connection = sqlite3.connect(path, isolation_level=None, timeout=0.5)
    try:
        connection.execute(begin)
        (value,) = connection.execute("SELECT balance FROM account").fetchone()
        connection.execute("UPDATE account SET balance = ?", (value + 1,))
        connection.execute("COMMIT")
    finally:
        connection.close()


def deposits_at_once(path):
    deposit(path, "BEGIN IMMEDIATE")


def deposits_late(path):
    deposit(path, "BEGIN")


def deposits_without_a_transaction(path):
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as connection:
        (value,) = connection.execute("SELECT balance FROM account").fetchone()
        connection.execute("UPDATE account SET balance = ?", (value + 1,))


def inserts_if_there_is_none(path):
    with contextlib.closing(sqlite3.connect(path)) as connection, connection:
        if connection.execute("SELECT * FROM account WHERE id = 2").fetchone() is None:
            connection.execute("INSERT INTO account VALUES (2, 0)")


def is_two(path):
    return balance(path) == 2


def test_a_right_program_with_a_database_is_not_accused(database):
    result = explore(database, [deposits_at_once, deposits_at_once], is_two)
    assert result.failure is None, result


def test_a_lost_update_in_a_database_is_found(database):
    result = explore(database, [deposits_without_a_transaction] * 2, is_two, minimise_max=50)
    assert result.failure.kind is Kind.CHECK


def test_a_transaction_that_is_upgraded_too_late_is_found(database):
    result = explore(database, [deposits_late, deposits_late], is_two, minimise_max=50)
    assert isinstance(result.failure.error, sqlite3.OperationalError)


def test_an_insert_that_was_checked_before_is_found(database):
    result = explore(database, [inserts_if_there_is_none] * 2, minimise_max=50)
    assert isinstance(result.failure.error, sqlite3.IntegrityError)


def test_the_same_plan_gives_the_same_run(database):
    workers = [deposits_late, deposits_late]
    result = explore(database, workers, is_two, minimise_max=20)
    again = replay(database, workers, result.plan, is_two)
    assert again.digest == result.digest


# -- files ---------------------------------------------------------------------------------------------------


@pytest.fixture
def file(tmp_path):
    def setup():
        path = tmp_path / f"{next(NUMBER)}.txt"
        path.write_text("0")
        return path

    return setup


def counts(path):
    value = int(path.read_text())
    path.write_text(str(value + 1))


def counts_locked(path):
    with path.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        counts(path)


def says_two(path):
    return path.read_text() == "2"


def test_a_lock_of_a_file_is_waited_for(file):
    begin = time.process_time()
    result = explore(file, [counts_locked, counts_locked], says_two, max_schedules=100)
    assert result.failure is None, result
    assert time.process_time() - begin < 60


def test_a_file_that_is_not_locked_is_a_race(file):
    result = explore(file, [counts, counts], says_two, minimise_max=50)
    assert result.verdict == "found"


# -- what really waits ---------------------------------------------------------------------------------------


class Pipe:
    def __init__(self):
        self.reader, self.writer = os.pipe()
        self.got = []

    def close(self):
        os.close(self.reader)
        os.close(self.writer)
        return self.got == [b"x"]

    def read(self):
        self.got.append(os.read(self.reader, 1))

    def write(self):
        os.write(self.writer, b"x")

    def waits(self):
        select.select([self.reader], [], [])
        self.read()


class Sockets(Pipe):
    def __init__(self):
        self.one, self.other = socket.socketpair()
        self.got = []

    def close(self):
        self.one.close()
        self.other.close()
        return self.got == [b"x"]

    def read(self):
        self.got.append(self.one.recv(1))

    def write(self):
        self.other.sendall(b"x")


@pytest.mark.parametrize(
    ("setup", "reads", "writes"),
    [(Pipe, Pipe.read, Pipe.write), (Pipe, Pipe.waits, Pipe.write), (Sockets, Sockets.read, Sockets.write)],
    ids=["pipe", "select", "socket"],
)
def test_who_waits_in_the_operating_system_lets_the_others_go_on(setup, reads, writes):
    result = explore(setup, [reads, writes], setup.close, max_schedules=20)
    assert result.failure is None


def test_a_process_is_waited_for():
    def worker(got):
        got.append(subprocess.run([sys.executable, "-c", "pass"], check=True).returncode)

    result = explore(list, [worker, lambda got: got.append(0)], lambda got: got == [0, 0], max_schedules=4)
    assert result.failure is None


def spawns(_):
    os.waitpid(os.posix_spawn("/bin/true", ["true"], {}), 0)


def runs_a_shell(_):
    os.system("true")  # noqa: S605  (the shell is meant)


def runs_a_command(_):
    subprocess.run(["true"], check=True)


def runs_by_way_of_c(_):
    list(map(os.system, ["true"]))


@pytest.mark.parametrize("worker", [spawns, runs_a_shell, runs_a_command, runs_by_way_of_c])
def test_a_process_forbids_a_proof(worker):
    result = explore(list, [worker, lambda got: got.append(0)], max_schedules=8)
    assert result.verdict == "gave up"
    assert any("a process was started" in why for why in result.coverage.hindrances)


def test_a_signal_forbids_a_proof():
    before = signal.signal(signal.SIGUSR1, lambda *_: None)
    try:
        result = explore(list, [lambda _: signal.raise_signal(signal.SIGUSR1), list.sort], max_schedules=8)
    finally:
        signal.signal(signal.SIGUSR1, before)
    assert result.verdict == "gave up"
    assert any("signals were used" in why for why in result.coverage.hindrances)


# -- primitives of multiprocessing ---------------------------------------------------------------------------


class Guarded:
    def __init__(self, make):
        self.lock, self.other = make(), make()
        self.value = 0

    def count(self):
        with self.lock:
            self.value += 1

    def in_order(self):
        with self.lock, self.other:
            self.value += 1

    def in_the_other_order(self):
        with self.other, self.lock:
            self.value += 1

    def with_a_time_out(self):
        if self.lock.acquire(timeout=1):
            self.value += 1
            self.lock.release()


@pytest.mark.parametrize("make", [FORK.Lock, FORK.RLock, FORK.Semaphore])
@pytest.mark.parametrize("worker", [Guarded.count, Guarded.in_order, Guarded.with_a_time_out])
def test_a_lock_of_multiprocessing_guards(make, worker):
    result = explore(lambda: Guarded(make), [worker, worker], lambda box: box.value == 2)
    assert result.verdict == "exhausted"


def test_a_semaphore_of_two_guards_nothing():
    make = functools.partial(FORK.Semaphore, 2)
    result = explore(lambda: Guarded(make), [Guarded.count, Guarded.count], lambda box: box.value == 2)
    assert result.verdict == "found"


@pytest.mark.parametrize("make", [FORK.Lock, FORK.RLock])
def test_locks_of_multiprocessing_deadlock(make):
    result = explore(lambda: Guarded(make), [Guarded.in_order, Guarded.in_the_other_order])
    assert result.failure.kind is Kind.DEADLOCK


class Handing:
    def __init__(self):
        self.line = queue.SimpleQueue()
        self.got = []

    def take_all(self):
        self.got.extend(iter(self.line.get, None))

    def put_all(self):
        list(map(self.line.put, [1, 2, None]))


def test_a_primitive_that_c_calls_is_under_control():
    workers = [Handing.take_all, Handing.put_all]
    result = explore(Handing, workers, lambda line: line.got == [1, 2])
    assert result.verdict == "exhausted"
    assert explore(Handing, [Handing.take_all, *workers]).failure.kind is Kind.DEADLOCK


def by_name(lock, name):
    operator.methodcaller(name)(lock)


def by_call(lock, name):
    operator.call(getattr(lock, name))


def in_a_context(lock, name):
    contextvars.copy_context().run(getattr(lock, name))


@pytest.mark.parametrize("calls", [by_name, by_call, in_a_context])
@pytest.mark.parametrize(("apart", "verdict"), [(False, "exhausted"), (True, "found")])
def test_a_lock_that_c_takes_guards(calls, apart, verdict):
    def add(counter):
        calls(counter.lock, "acquire")
        n = counter.n
        if apart:
            calls(counter.lock, "release")
            calls(counter.lock, "acquire")
        counter.n = n + 1
        calls(counter.lock, "release")

    def counter():
        return SimpleNamespace(n=0, lock=threading.Lock())

    assert explore(counter, [add] * 2, lambda counter: counter.n == 2, max_schedules=50).verdict == verdict


def test_where_no_thread_can_go_on_it_is_one_clear_error():
    pipe = Pipe()
    try:
        with pytest.raises(StuckError, match=r"read did not come back within 0\.3 s: it is at .*test_kernel"):
            explore(lambda: pipe, [Pipe.read, lambda _: None], wall_limit=0.3)
    finally:
        os.write(pipe.writer, b"x" * 100)
        pipe.close()
