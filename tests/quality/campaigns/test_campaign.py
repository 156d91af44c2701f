import signal
import sys
from importlib.util import find_spec
from random import Random

import pytest

from scenarios.lab.method.campaign import Processes
from scenarios.lab.method.cluster import cluster
from tests.quality.campaigns.campaign import End, Tally, in_pieces, main, program


def of(*ends):
    tally = Tally("toy", 3)
    for number, end in enumerate(ends):
        tally.count(end, f"try {number}")
    return tally


def test_a_tally_says_what_was_tried_and_how_each_ended():
    text = str(of(End.ONE_LINE, End.RESULT, End.RESULT, End.HANG))
    assert text.startswith(
        "toy, seed 3: tried 4, one clear line 1, legitimate result 2, traceback 0, hang 1, code run 0, "
        "left behind 0, lost 0"
    )
    assert text.endswith("\n  hang: try 3")


def clean(seed, tries):
    return of(*[End.RESULT] * tries)


def with_a_fault(seed, tries):
    return of(*[End.RESULT] * (tries - 1), End.LOST)


def by_chance(seed, tries):
    rng = Random(seed)
    return of(*[rng.choice([End.RESULT, End.ONE_LINE, End.HANG]) for _ in range(tries)])


def test_a_campaign_that_tried_nothing_or_found_something_fails(capsys):
    assert main(clean, "", ["--workers", "1", "--tries", "0"]) == 1
    assert main(with_a_fault, "", ["--workers", "1"]) == 1
    assert main(clean, "", ["--workers", "1"]) == 0
    assert "tried 200, one clear line 0, legitimate result 200" in capsys.readouterr().out


def test_a_campaign_counts_the_same_on_any_workers(tmp_path):
    serial = in_pieces(by_chance, 5, 230, size=20)
    assert serial.ends.total() == 230
    assert in_pieces(by_chance, 5, 20, size=20).ends == by_chance(5, 20).ends
    state = str(tmp_path / "state")
    assert in_pieces(by_chance, 5, 230, size=20, pool=Processes(2), state=state) == serial
    with pytest.raises(AssertionError, match="done again"):
        in_pieces(by_chance, 6, 20, pool=Refusing(), state=state)
    assert in_pieces(by_chance, 5, 230, size=20, pool=Refusing(), state=state) == serial


@pytest.mark.skipif(find_spec("distributed") is None, reason="needs the extra cluster")
def test_a_campaign_counts_the_same_on_dask():
    with cluster("local:2") as pool:
        assert in_pieces(by_chance, 5, 230, size=20, pool=pool) == in_pieces(by_chance, 5, 230, size=20)


class Refusing:
    def map(self, work, chunks):
        assert not chunks, "done again"
        return iter(())


def test_a_program_that_does_not_end_is_ended_and_its_children_too():
    code = "import subprocess, sys, time; subprocess.Popen(['sleep', '100']); time.sleep(100)"
    assert program([sys.executable, "-c", code], seconds_max=0.5).status is None


def test_a_program_ends_with_the_campaign_that_is_interrupted():
    started = []

    def interrupted(process):
        started.append(process)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        program([sys.executable, "-c", "import time; time.sleep(100)"], during=interrupted)
    assert started[0].returncode == -signal.SIGKILL


def test_a_traceback_is_seen():
    assert program([sys.executable, "-c", "1 / 0"]).tells_a_traceback
    assert not program([sys.executable, "-c", "print(1)"]).tells_a_traceback
