"""Records as JSON and back: what is written is read, and what is damaged is unknown and never an error."""

import json
from dataclasses import fields, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulations.live.recorder import report
from simulations.live.recorder.codec import kind, parse, to_record
from simulations.live.recorder.log import LOG, SAMPLE, Record, encode
from simulations.live.recorder.records import (
    Amount,
    Child,
    ClockStep,
    End,
    Event,
    LastLine,
    LeftBehind,
    Limits,
    SignalSeen,
    Start,
    TracedSignal,
    Who,
)
from simulations.terminal_text import printable
from tests.simulations.live.recorder import written as w

CLASSES = get_args(Event)
KINDS = [kind(each()) for each in CLASSES]
KEYS = sorted({each.name for wanted in (*CLASSES, TracedSignal, LeftBehind) for each in fields(wanted)})

scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
anything = st.recursive(
    scalars | st.sampled_from([-1, 10**400, 2**53, "kernel", "process"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=4),
    max_leaves=12,
)


whole = st.integers(0, 2**53 - 1)
pair = st.none() | st.tuples(st.integers(-1, 10**9), st.integers(-1, 10**9))
VALUES = {
    "str | None": st.none() | st.text(max_size=9),
    "int | None": st.none() | st.integers(1 - 2**53, 2**53 - 1),
    "float | None": st.none() | st.floats(0, 3600),
    "bool | None": st.none() | st.booleans(),
    "Amount": st.none() | whole,
    "Who | None": st.none() | st.sampled_from(Who),
    "tuple[str, ...]": st.lists(st.text(max_size=9), max_size=3).map(tuple),
    "tuple[int, int] | None": pair,
    "Limits | None": st.none() | st.builds(Limits, cpu_s=pair, files=pair),
    "tuple[LeftBehind, ...]": st.lists(
        st.builds(LeftBehind, pid=whole, command=st.text(max_size=9)), max_size=2
    ).map(tuple),
    "tuple[TracedSignal, ...] | None": st.none()
    | st.lists(st.builds(TracedSignal, signal=whole, ours=st.booleans()), max_size=2).map(tuple),
}
EVENTS = {
    wanted: st.builds(
        wanted, **{each.name: whole if each.name == "at_ms" else VALUES[each.type] for each in fields(wanted)}
    )
    for wanted in CLASSES
}


@pytest.mark.parametrize("wanted", CLASSES, ids=lambda wanted: wanted.__name__)
def test_what_is_written_is_read(wanted):
    @settings(max_examples=20, deadline=None)
    @given(EVENTS[wanted])
    def holds(event):
        record = to_record(event)
        assert parse(Record(record.time, record.kind, json.loads(json.dumps(record.data)))) == event

    holds()


@settings(deadline=None)
@given(st.sampled_from(KINDS), anything)
def test_whatever_a_record_holds_is_read_as_known_or_unknown(wanted, data):
    event = parse(Record(7, wanted, data))
    assert kind(event) == wanted
    assert event.at_ms == 7
    for each in fields(event):
        value = getattr(event, each.name)
        if each.type == "Amount":
            assert value is None or (type(value) is int and 0 <= value < 2**53)
        elif each.type == "int | None":
            assert value is None or type(value) is int
        elif each.type == "str | None":
            assert value is None or type(value) is str


def test_a_field_of_another_type_is_unknown_and_the_others_are_read():
    data = {"status": "3", "cpu_ms": 5, "kernel": ["a", 1, "b"], "limits": {"cpu_s": [1], "files": [2, 3]}}
    assert parse(Record(9, "end", data)) == End(
        cpu_ms=5, kernel=("a", "b"), limits=Limits(files=(2, 3)), at_ms=9
    )


def test_truth_is_no_number_and_minus_one_is_unknown_in_a_count():
    assert parse(Record(0, "end", {"status": True, "oom_kills": -1, "cgroup_limit_kb": -1})) == End()
    assert parse(Record(0, "clock", {"jump_ms": -900})) == ClockStep(jump_ms=-900)


def test_a_kind_of_another_version_is_no_event():
    assert parse(Record(0, "dreams", {})) is None


@pytest.mark.parametrize(
    ("event", "data"),
    [
        (LastLine("test 7 ok"), "test 7 ok"),
        (Child(5, 4, 1024, "sh"), {"pid": 5, "ppid": 4, "rss_kb": 1024, "command": "sh"}),
        (
            SignalSeen(signal=15, ours=False, who=Who.PROCESS, pid=3, name="sweep"),
            {"signal": 15, "ours": False, "who": "process", "pid": 3, "name": "sweep"},
        ),
        (
            Start(schema=1, command=("a", "b"), wall_ms=7),
            {"schema": 1, "command": ["a", "b"], "ancestors": [], "scheduler": [], "wall_ms": 7},
        ),
    ],
)
def test_the_log_is_readable_and_leaves_out_what_is_unknown(event, data):
    assert json.loads(json.dumps(to_record(replace(event, at_ms=1)).data)) == data


def test_an_unknown_amount_is_declared_by_its_type():
    assert get_args(Amount)[0] == int | None


@settings(deadline=None)
@given(st.lists(st.tuples(st.sampled_from([*KINDS, SAMPLE, "dreams"]), anything), min_size=1, max_size=6))
def test_a_log_of_nonsense_is_reported_without_a_traceback(records):
    written = [Record(0, "start", {"schema": 1})]
    for at_ms, (wanted, data) in enumerate(records):
        clean = {**data, "schema": 1} if wanted == "start" and isinstance(data, dict) else data
        written.append(Record(at_ms, wanted, clean))
    with TemporaryDirectory() as folder:
        (Path(folder) / LOG).write_bytes(b"".join(map(encode, written)))
        found = report(folder)
    json.dumps(found.to_json())
    assert printable(found.verdict.ending.words) in str(found)


def test_a_log_of_an_earlier_version_is_read(tmp_path):
    """It wrote -1 and null for what was unknown, and each key that this version leaves out."""
    run = w.written(
        tmp_path / "0001",
        w.start(log=None, traced=False, processors=0, cgroup=""),
        w.end(5, -9, oom_kills=None, host_oom_kills=-1, senders=None, limits={"cpu_s": [60, -1]}),
    )
    assert (run.start.cgroup_limit_kb, run.start.log, run.start.slurm_end_s) == (None, None, None)
    assert (run.end.oom_kills, run.end.host_oom_kills, run.end.senders) == (None, None, None)
    assert run.end.limits == Limits(cpu_s=(60, -1))
