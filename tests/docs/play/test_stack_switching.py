"""The threads of a browser, while tasks of the page run between their turns and the collector is at work."""

import pytest

from tests.docs.play.test_threads import ASKED, CODE

BESIDE = """
import asyncio, gc, random, threading
from simulations.live.threads.control import back_end

MAIN = threading.get_ident()
own = threading.local()
own.name = "of the main thread"
seen, going = [], True

async def beside():
    while going:
        seen.append((threading.get_ident(), threading.current_thread().name, own.name))
        await asyncio.sleep(0)

task = asyncio.ensure_future(beside())
"""
AFTERWARDS = """
going = False
assert seen, "nothing ran beside"
assert set(seen) == {(MAIN, threading.main_thread().name, own.name)}, set(seen)
assert gc.isenabled()
"""
TURNS = """
rng = random.Random(SEED)

def held():
    lock = back_end.allocate_lock()
    lock.acquire()
    return lock

def nested(depth, then):  # by way of C, so that each level lies on the stack that others overwrite
    return max([depth - 1], key=lambda less: nested(less, then)) if depth else then() or 0

def levels(frame):
    found = 0
    while frame is not None:
        found += frame.f_code is nested.__code__
        outermost, frame = frame, frame.f_back
    return found

home, gates, depths = held(), [held() for _ in range(4)], {}

def turn(gate, ident):
    assert back_end.get_ident() == ident
    home.release()
    gate.acquire()
    assert back_end.get_ident() == ident
    list(map(list, [()] * 3000))  # enough for the collector
    frames = back_end.current_frames()
    assert {each: levels(frames[each]) for each in depths} == depths
    held().acquire(timeout=0.001)  # nobody goes on but what runs beside
    assert back_end.get_ident() == ident

def worker(gate):
    ident = back_end.get_ident()
    for _ in range(5):
        depth = rng.choice((0, 5, 20, 60))
        depths[ident] = depth + 1
        nested(depth, lambda: turn(gate, ident))
    del depths[ident]
    own.name = "of a worker"
    home.release()

for gate in gates:
    back_end.start_new_thread(worker, (gate,))
    home.acquire()
for number in rng.sample([n for n in range(4) for _ in range(5)], 20):
    gates[number].release()
    home.acquire()
"""
EXPLORED = """
from play.lab import explore

found = explore(CODE, *ASKED)
assert found["verdict"] == VERDICT, found["text"]
"""


@pytest.fixture(scope="module")
def lab(tab, base):
    """The lab in a tab, started."""
    tab.page.goto(f"{base}probe.html")
    assert tab.page.evaluate("started") == {"ready": True, "threads": True}
    return tab


@pytest.mark.parametrize("seed", range(4))
def test_threads_keep_their_stacks_and_names_whatever_runs_between(lab, seed):
    lab.call("builtins:exec", BESIDE + TURNS + AFTERWARDS, {"SEED": seed})


@pytest.mark.parametrize("name", ["unsafe", "lock", "a thread's own", "a thread and sleep"])
def test_a_verdict_is_the_same_with_tasks_beside(lab, name):
    code, verdict = CODE[name]
    given = {"CODE": code, "ASKED": ASKED, "VERDICT": verdict}
    lab.call("builtins:exec", BESIDE + EXPLORED + AFTERWARDS, given)
