import json
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress
from pathlib import Path

import psutil
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scenarios.lab.method.campaign import InProcess, Processes, campaign
from simulations.errors import LabError

ROOT = Path(__file__).parents[4]


def third(chunk):
    return {"third": chunk["seed"] / 3, "text": f"\u2028 {chunk}"}


def dies(chunk):
    if chunk:
        os._exit(9)


def fails(chunk):
    raise KeyError(chunk)


CHUNKS = [{"seed": seed} for seed in range(7)]
RIGHT = [third(chunk) for chunk in CHUNKS]


class Shuffled:
    """A pool in which chunks are done in another order."""

    def __init__(self, order):
        self.order, self.done = order, []

    def map(self, work, chunks):
        for place in sorted(range(len(chunks)), key=lambda place: self.order[place]):
            self.done.append(chunks[place])
            yield place, work(chunks[place])


@settings(deadline=None)
@given(st.permutations(range(len(CHUNKS))))
def test_the_order_in_which_results_arrive_never_matters(order):
    assert campaign(third, CHUNKS, pool=Shuffled(order)) == RIGHT


@pytest.mark.parametrize("pool", [InProcess(), Processes(1), Processes(2)], ids=str)
def test_any_number_of_workers_gives_the_same_results(pool):
    assert campaign(third, CHUNKS, pool=pool) == RIGHT


def interrupted_after(chunks, state, order=tuple(range(7))):
    def watch(done, total):
        if done == chunks:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        campaign(third, CHUNKS, pool=Shuffled(order), state=state, watch=watch)


@settings(deadline=None)
@given(
    kept=st.integers(0, len(CHUNKS)),
    order=st.permutations(range(len(CHUNKS))),
    cut=st.integers(0, 400),
)
def test_what_was_done_is_not_done_again_wherever_the_file_was_cut(tmp_path_factory, kept, order, cut):
    state = tmp_path_factory.mktemp("state") / "state.jsonl"
    interrupted_after(kept, state, order)
    whole = state.read_bytes()
    os.truncate(state, max(0, len(whole) - cut))
    lines = state.read_bytes().count(b"\n")
    resumed = Shuffled(order)
    assert campaign(third, CHUNKS, pool=resumed, state=state) == RIGHT
    assert len(resumed.done) == len(CHUNKS) - max(0, lines - 1)
    again = Shuffled(order)
    assert campaign(third, CHUNKS, pool=again, state=state) == RIGHT
    assert not again.done
    assert state.read_bytes().count(b"\n") == 1 + len(CHUNKS)


def test_chunks_of_another_campaign_in_the_file_do_not_count(tmp_path):
    state = tmp_path / "state.jsonl"
    campaign(third, [{"seed": seed + 100} for seed in range(3)], state=state)
    pool = Shuffled(range(len(CHUNKS)))
    assert campaign(third, CHUNKS, pool=pool, state=state) == RIGHT
    assert len(pool.done) == len(CHUNKS)


def test_equal_chunks_are_done_once():
    pool = Shuffled(range(4))
    assert campaign(third, [CHUNKS[1], CHUNKS[0], CHUNKS[1]], pool=pool) == [RIGHT[1], RIGHT[0], RIGHT[1]]
    assert len(pool.done) == 2


def test_progress_counts_what_was_kept(tmp_path):
    interrupted_after(3, tmp_path / "state")
    seen = []
    campaign(third, CHUNKS, state=tmp_path / "state", watch=lambda *counts: seen.append(counts))
    assert seen == [(done, 7) for done in range(3, 8)]


@pytest.mark.parametrize(
    "text", ["something else", "something else\n", "{}\n", '[1]\n"x"\n', '{"format": "x"}\n']
)
def test_a_file_that_is_something_else_is_left_as_it_is(tmp_path, text):
    state = tmp_path / "notes.txt"
    state.write_text(text)
    with pytest.raises(LabError, match="name another file"):
        campaign(third, CHUNKS, state=state)
    assert state.read_text() == text


@settings(max_examples=50, deadline=None)
@given(st.data())
def test_a_result_that_was_damaged_is_refused_or_found_out_never_taken(tmp_path_factory, data):
    """One character of a result is replaced, so that what stands there is often JSON all the same."""
    state = tmp_path_factory.mktemp("state") / "state"
    campaign(third, CHUNKS, state=state)
    head, *lines = state.read_text().splitlines(keepends=True)
    damaged = list("".join(lines))
    place = data.draw(st.integers(0, len(damaged) - 2))
    damaged[place] = data.draw(
        st.sampled_from('0123456789 .e"{}[]ntx').filter(lambda new: new != damaged[place])
    )
    state.write_text(head + "".join(damaged))
    with suppress(LabError):
        assert campaign(third, CHUNKS, state=state) == RIGHT


def test_results_of_other_code_are_refused(tmp_path):
    state = tmp_path / "state"
    campaign(third, CHUNKS[:1], state=state)
    head, *lines = state.read_text().splitlines(keepends=True)
    other = json.loads(head)
    other["code"]["hypothesis"] = "1.0"
    state.write_text("".join([json.dumps(other) + "\n", *lines]))
    with pytest.raises(LabError, match=r"begun with other code \(hypothesis: was 1\.0"):
        campaign(third, CHUNKS, state=state)


@pytest.mark.parametrize("state", ["missing/state", "."])
def test_a_state_file_that_cannot_be_written_is_one_line(tmp_path, monkeypatch, state):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(LabError, match=r"cannot (write the state file|read) "):
        campaign(third, CHUNKS, state=state)


def test_a_worker_that_is_lost_is_one_line_and_loses_no_result(tmp_path):
    state = tmp_path / "state"
    with pytest.raises(LabError, match="a worker process was lost"):
        campaign(dies, [0, 1], pool=Processes(1), state=state)
    assert len(state.read_text().splitlines()) == 2


@pytest.mark.parametrize(
    "error", [OSError(11, "Resource temporarily unavailable"), NotImplementedError("no semaphores")]
)
@pytest.mark.parametrize("where", ["__init__", "submit"])
def test_where_no_process_can_be_made_it_is_one_line(where, error, monkeypatch):
    def refused(*_, **options):
        raise error

    monkeypatch.setattr(ProcessPoolExecutor, where, refused)
    with pytest.raises(
        LabError, match=r"no worker processes can be had here \((Resource|no sem).*; use --workers 1"
    ):
        campaign(third, CHUNKS, pool=Processes(2))


def test_what_the_work_raises_comes_through():
    with pytest.raises(KeyError):
        campaign(fails, [1], pool=Processes(1))


@pytest.mark.parametrize("workers", [0, -1, 1.5, True])
def test_a_pool_without_workers_is_refused(workers):
    with pytest.raises(LabError, match="1 or more workers"):
        Processes(workers)


def test_a_chunk_that_does_not_fit_into_json_is_refused():
    with pytest.raises(LabError, match="does not fit into JSON"):
        campaign(third, [{"seed": {1, 2}}])


def slow(chunk):
    time.sleep(0.05)
    return chunk


INTERRUPTED = """
import sys
from scenarios.lab.method.campaign import Processes, campaign
from tests.scenarios.lab.method.test_campaign import slow
if __name__ == "__main__":
    campaign(slow, [*range(1000)], pool=Processes(2), state=sys.argv[1])
"""


@pytest.mark.skipif(os.name == "nt", reason="Ctrl-C is another thing there")
def test_a_campaign_on_a_pool_can_be_interrupted_and_resumed(tmp_path):
    script, state = tmp_path / "script.py", tmp_path / "state"
    script.write_text(INTERRUPTED)
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(
        [sys.executable, script, state],
        env=environment,
        start_new_session=True,
        stderr=subprocess.DEVNULL,
    ) as running:
        while not state.exists() or state.read_bytes().count(b"\n") < 5:
            assert running.poll() is None
            time.sleep(0.02)
        os.killpg(running.pid, signal.SIGINT)  # as a terminal does: to the parent and its workers
        running.wait(60)
    kept = state.read_bytes().count(b"\n") - 1
    assert 4 <= kept < 1000
    pool = Shuffled(range(1000))
    some = [*range(10)]
    assert campaign(slow, some, pool=pool, state=state) == some
    assert len(pool.done) <= 10 - 4


def treats_ctrl_c(chunk):
    held = signal.SIGINT in signal.pthread_sigmask(signal.SIG_BLOCK, [])
    return [held, signal.getsignal(signal.SIGINT) == signal.SIG_IGN]


@pytest.mark.skipif(os.name == "nt", reason="Ctrl-C is another thing there")
def test_ctrl_c_reaches_no_worker_not_even_while_it_starts(monkeypatch):
    starting, submit = [], ProcessPoolExecutor.submit

    def submitted(*args):
        starting.append(treats_ctrl_c(None))
        return submit(*args)

    before = treats_ctrl_c(None)
    monkeypatch.setattr(ProcessPoolExecutor, "submit", submitted)
    assert campaign(treats_ctrl_c, [0], pool=Processes(1)) == [[False, True]]
    assert starting == [[True, False]]
    assert treats_ctrl_c(None) == before == [False, False]


OWNED = """
import time
from scenarios.lab.method.campaign import Processes, campaign
if __name__ == "__main__":
    campaign(time.sleep, [0, 1000], pool=Processes(1), watch=lambda done, _: print(done, flush=True))
"""


@pytest.mark.skipif(os.name == "nt", reason="signals are other things there")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL], ids=str)
def test_the_workers_end_with_the_program_whatever_they_do(tmp_path, number):
    script = tmp_path / "script.py"
    script.write_text(OWNED)
    with subprocess.Popen(
        [sys.executable, script],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as running:
        assert "1\n" in running.stdout  # the worker has begun with what takes a thousand seconds
        children = psutil.Process(running.pid).children(recursive=True)
        running.send_signal(number)
        running.wait()
    assert children
    while any(map(alive, children)):  # or the time-out of the test says that they stay
        time.sleep(0.01)


def alive(process):
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
