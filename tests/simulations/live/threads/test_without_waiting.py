"""What looks, tries and asks without waiting: every way in which it can turn out is seen."""

import itertools
import queue
import threading
from concurrent import futures

import pytest

from simulations.live.threads import Verdict, explore

USES = {
    "puts": ("put",),
    "gets": ("get",),
    "gets now": ("now",),
    "gets within 0 s": ("none",),
    "puts, gets now": ("put", "now"),
    "gets now, gets": ("now", "get"),
    "asks whether it is empty, gets": ("empty", "get"),
    "gets within 0 s, gets": ("none", "get"),
    "asks how many": ("size",),
}
DOES = {
    "put": lambda line, who: line.put(who),
    "get": lambda line, who: line.get(),
    "now": lambda line, who: line.get_nowait(),
    "none": lambda line, who: line.get(timeout=0),
    "empty": lambda line, who: line.empty(),
    "size": lambda line, who: line.qsize(),
}
PROGRAMS = [names for names in itertools.product(USES, repeat=3) if any("puts" in name for name in names)]
EVERY = 17


def reachable(uses):
    """Return every end of threads that work on a queue, by brute force, and whether some wait for ever."""
    ends, stuck = set(), False
    worlds = [(tuple(map(tuple, uses)), (), ((),) * len(uses))]
    while worlds:
        left, line, seen = worlds.pop()
        if not any(left):
            ends.add(seen)
            continue
        moves = []
        for who, todo in enumerate(left):
            if not todo or (todo[0] == "get" and not line):
                continue
            said, after = (), line
            if todo[0] == "put":
                after = (*line, who)
            elif todo[0] in ("get", "now", "none"):
                said, after = (line[:1] or ("empty",)), line[1:]
            else:
                said = (not line,) if todo[0] == "empty" else (len(line),)
            rest = (*left[:who], todo[1:], *left[who + 1 :])
            moves.append((rest, after, (*seen[:who], seen[who] + said, *seen[who + 1 :])))
        stuck = stuck or not moves
        worlds += moves
    return ends, stuck


def explored(uses, make):
    ends = set()

    class State:
        def __init__(self):
            self.line = make()
            self.seen = [()] * len(uses)

    def worker(who):
        def work(state):
            for use in uses[who]:
                try:
                    got = DOES[use](state.line, who)
                except queue.Empty:
                    got = "empty"
                if use != "put":
                    state.seen[who] += (got,)

        return work

    def check(state):
        ends.add(tuple(state.seen))

    return explore(State, [worker(who) for who in range(len(uses))], check), ends


@pytest.mark.parametrize(
    ("names", "make"),
    [
        *((names, queue.SimpleQueue) for names in PROGRAMS[::EVERY]),
        *((names, queue.Queue) for names in PROGRAMS[EVERY // 2 :: 4 * EVERY]),
    ],
    ids=lambda value: ", ".join(value) if isinstance(value, tuple) else value.__name__,
)
def test_a_queue_shows_every_end_and_no_other(names, make):
    uses = [USES[name] for name in names]
    expected, stuck = reachable(uses)
    result, ends = explored(uses, make)
    if stuck:
        assert result.verdict is Verdict.FOUND
        assert result.failure.kind == "deadlock"
    else:
        assert result.verdict is Verdict.EXHAUSTED
        assert ends == expected


def asking(ask):
    """Explore a thread that asks about one that it has started; return what it was told in which schedule."""
    told = set()

    def worker(state):
        thread = threading.Thread(target=lambda: None)
        thread.start()
        state.append(ask(thread))
        thread.join()

    def check(state):
        told.add(state[0])

    result = explore(list, [worker], check)
    assert result.verdict is Verdict.EXHAUSTED
    assert not result.coverage.vacuous
    return result, told


ASKS = {
    "is_alive": lambda thread: thread.is_alive(),
    "join(0)": lambda thread: (thread.join(0), thread.is_alive())[1],
    "enumerate": lambda thread: thread in threading.enumerate(),
}


@pytest.mark.parametrize("ask", ASKS.values(), ids=ASKS)
def test_a_thread_is_there_and_is_gone(ask):
    _, told = asking(ask)
    assert told == {True, False}


def test_so_do_counts_of_threads():
    _, told = asking(lambda thread: threading.active_count())
    assert len(told) == 2


@pytest.mark.parametrize("ask", ASKS.values(), ids=ASKS)
def test_who_relies_on_the_usual_answer_is_found(ask):
    def worker(state):
        thread = threading.Thread(target=lambda: None)
        thread.start()
        state.append(ask(thread))
        thread.join()

    for usual in (True, False):
        assert explore(list, [worker], lambda state, usual=usual: state == [usual]).verdict is Verdict.FOUND


def test_threads_that_begin_and_end_do_not_multiply_the_schedules():
    def worker(state):
        lock = threading.Lock()

        def add():
            with lock:
                state.append(1)

        threads = [threading.Thread(target=add) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    result = explore(list, [worker], lambda state: len(state) == 2)
    assert (result.verdict, result.schedules) == (Verdict.EXHAUSTED, 2)


OF_ANOTHERS = {
    "is_alive": lambda thread: thread.is_alive(),
    "ident": lambda thread: thread.ident is None,
    "native_id": lambda thread: thread.native_id is None,
    "repr": lambda thread: "initial" in repr(thread),
    "join": lambda thread: thread.join(),
}


class Shared:
    def __init__(self):
        self.thread = threading.Thread(target=lambda: None)
        self.told = None


@pytest.mark.usefixtures("no_audit")
@pytest.mark.parametrize("first", [True, False], ids=["asks last", "asks first"])
@pytest.mark.parametrize("ask", OF_ANOTHERS.values(), ids=OF_ANOTHERS)
def test_a_thread_that_another_one_starts(ask, first):
    told = set()

    def start(state):
        state.thread.start()

    def asks(state):
        try:
            state.told = ask(state.thread)
        except RuntimeError as error:
            state.told = str(error)

    def check(state):
        told.add(state.told)

    result = explore(Shared, [start, asks] if first else [asks, start], check)
    shown = ask is OF_ANOTHERS["repr"]  # that of a primitive forbids a proof
    verdict = Verdict.GAVE_UP if shown else Verdict.EXHAUSTED
    assert (result.verdict, result.coverage.vacuous) == (verdict, False)
    assert len(told) == 2
    for usual in told:
        workers = [start, asks] if first else [asks, start]
        assert explore(Shared, workers, lambda state, usual=usual: state.told == usual).found


def test_a_thread_that_two_start():
    def start(state):
        try:
            state.thread.start()
        except RuntimeError as error:
            state.told = str(error)

    result = explore(Shared, [start, start], lambda state: state.told is None)
    assert (result.verdict, result.failure.kind) == (Verdict.FOUND, "check")


class Guarded:
    def __init__(self):
        self.lock, self.event, self.line = threading.Lock(), threading.Event(), queue.SimpleQueue()
        self.semaphore, self.condition = threading.Semaphore(0), threading.Condition()


def holds(state):
    if state.lock.acquire(timeout=1):
        state.lock.release()


def waits_for_a_change(state):
    with state.condition:
        state.condition.wait(1)


def notifies(state):
    with state.condition:
        state.condition.notify()


LIMITED = {
    "lock": (holds, holds),
    "event": (lambda state: state.event.set(), lambda state: state.event.wait(1)),
    "queue": (lambda state: state.line.put(1), lambda state: state.line.get(timeout=1)),
    "semaphore": (lambda state: state.semaphore.release(), lambda state: state.semaphore.acquire(timeout=1)),
    "condition": (notifies, waits_for_a_change),
}


@pytest.mark.parametrize("workers", LIMITED.values(), ids=LIMITED)
def test_a_time_out_that_never_passed_is_said_to_be_untried(workers):
    result = explore(Guarded, list(workers))
    assert result.verdict is Verdict.EXHAUSTED
    assert result.coverage.time_outs
    assert "time-outs were taken to pass only when no thread can go on" in str(result)


class Insides:
    def __init__(self):
        self.line, self.semaphore = queue.Queue(), threading.Semaphore(0)
        self.future, self.barrier = futures.Future(), threading.Barrier(1)
        self.told = None


LOOKS = {
    "unfinished_tasks": (lambda state: state.line.put(1), lambda state: state.line.unfinished_tasks),
    "len(queue)": (lambda state: state.line.put(1), lambda state: len(state.line.queue)),
    "list(queue)": (lambda state: state.line.put(1), lambda state: list(state.line.queue)),
    "value": (lambda state: state.semaphore.release(), lambda state: state.semaphore._value),
    "state": (lambda state: state.future.set_result(1), lambda state: state.future._state),
}


@pytest.mark.parametrize(("changes", "looks"), LOOKS.values(), ids=LOOKS)
def test_who_looks_into_a_primitive_forbids_a_proof(changes, looks):
    def look(state):
        state.told = looks(state)

    told = []
    result = explore(Insides, [look, changes], lambda state: told.append(state.told))
    assert (result.verdict, result.coverage.vacuous) == (Verdict.GAVE_UP, False)
    assert any("which its own code changes unseen" in why for why in result.coverage.hindrances)
    for usual in told:
        assert explore(Insides, [look, changes], lambda state, usual=usual: state.told == usual).found


def test_who_uses_only_its_methods_does_not():
    class Mine(queue.Queue):
        def __init__(self):
            super().__init__()
            self.mine = 0

    def puts(state):
        with state.mutex:
            state.mine += 1
        state.put(state.maxsize)

    assert explore(Mine, [puts, puts], lambda line: line.mine == 2).verdict is Verdict.EXHAUSTED
