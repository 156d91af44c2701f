import os

import pytest

from simulations.live.recorder import signals
from simulations.live.recorder.records import Origin, Who

TRACE = """\
# tracer: nop
#
#           TASK-PID     CPU#  |||||  TIMESTAMP  FUNCTION
#              | |         |   |||||     |         |
       sweep-31    [001] d..1. 100.0: signal_generate: sig=9 errno=0 code=0 comm=job pid=42 grp=1 res=0
 a-name [of] 3-7     [000] d..2. 101.0: signal_generate: sig=15 errno=0 code=-6 comm=x y pid=43 grp=0 res=0
      <idle>-0     [000] dNh3. 102.0: signal_generate: sig=2 errno=0 code=128 comm=job pid=42 grp=1 res=0
"""


def test_names():
    assert signals.name(9) == "SIGKILL"
    assert signals.name(40) == "SIGRTMIN+6"
    assert signals.name(200) == "SIGRTMIN+166"


def test_a_trace_is_read():
    assert signals.parse_trace(TRACE) == [
        (9, 42, 31, "sweep", 0),
        (15, 43, 7, "a-name [of] 3", -6),
        (2, 42, 0, "<idle>", 128),
    ]


def test_the_sender_is_named_while_it_lives():
    found = signals.sender(os.getpid(), from_kernel=False)
    assert (found.who, found.pid) == (Who.PROCESS, os.getpid())
    assert found.name


def test_senders_that_are_no_process():
    assert signals.sender(0, from_kernel=True) == Origin(Who.KERNEL)
    assert signals.sender(0, from_kernel=False) == Origin(Who.OUTSIDE)
    assert signals.sender(2**22 + 1, from_kernel=False) == Origin(Who.PROCESS, 2**22 + 1)


def test_a_traced_sender_that_has_ended_keeps_its_name():
    found = signals.traced_sender(signals.TraceLine(9, 42, 2**22 + 1, "janitor", 0))
    assert (found.who, found.name) == (Who.PROCESS, "janitor")


def test_without_tracefs_the_way_out_is_named(monkeypatch, tmp_path):
    monkeypatch.setattr(signals, "TRACE_FOLDERS", (tmp_path,))
    with pytest.raises(signals.TraceError, match="mount -t tracefs"):
        signals.Trace(1)


def test_an_instance_is_ours_and_filtered(monkeypatch, tmp_path):
    event = tmp_path / "instances" / "heisenlab-1" / "events" / "signal" / "signal_generate"
    monkeypatch.setattr(signals, "TRACE_FOLDERS", (tmp_path,))
    mkdir = type(tmp_path).mkdir

    def make_instance(path, *args, **more):
        mkdir(path, *args, **more)
        if path.name == "heisenlab-1":
            mkdir(event, parents=True)

    (tmp_path / "instances").mkdir()
    monkeypatch.setattr(type(tmp_path), "mkdir", make_instance)
    trace = signals.Trace(1)
    assert (event / "enable").read_text() == "1"
    assert "sig == 9" in (event / "filter").read_text()
    (tmp_path / "instances" / "heisenlab-1" / "trace").write_text(TRACE)
    assert [each.signal for each in trace.senders(42, frozenset({42}))] == [9, 2]


def test_what_a_killed_recorder_left_is_removed_by_the_next(monkeypatch, tmp_path):
    monkeypatch.setattr(signals, "TRACE_FOLDERS", (tmp_path,))
    mine, theirs, gone = (f"heisenlab-{each}" for each in (os.getpid(), "of-somebody-else", 2**22 + 1))
    for name in (mine, theirs, gone):
        (tmp_path / "instances" / name).mkdir(parents=True)
    with pytest.raises(signals.TraceError):
        signals.Trace(os.getpid())
    left = {each.name for each in (tmp_path / "instances").iterdir()}
    assert gone not in left
    assert theirs in left
