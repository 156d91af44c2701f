import os
import sys

import pytest

from simulations.live.recorder import accounting, watch
from simulations.live.recorder.codec import as_json
from simulations.live.recorder.log import Log
from simulations.live.recorder.recording import load
from simulations.live.recorder.records import ClockStep, Fault
from simulations.live.recorder.watch import Watch

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the recorder reads /proc")


@pytest.fixture
def watching(tmp_path):
    log = Log(tmp_path / "0001", create=True)
    watching = Watch(log, [], None, 1.0)
    watching.note(watching.origin())
    watching.begin([os.getpid()], os.getpid(), not_ours=frozenset())

    def finish():
        watching.close()
        return load(tmp_path / "0001")

    return watching, finish


@pytest.mark.parametrize(
    ("offsets", "told"),
    [
        ((60_000, 0, 0), {"jump_ms": 60_000}),
        ((-900, 0, 0), {"jump_ms": -900}),
        ((0, 5_000, 0), {"suspended_ms": 5_000}),
        ((0, 0, 3600), {"zone_s": 3600, "zone_then_s": 0}),
        ((100, 0, 0), None),
    ],
)
def test_a_change_of_the_clock_is_noted_once(watching, monkeypatch, offsets, told):
    watch_it, finish = watching
    wall, suspended, _ = watch._offsets()
    monkeypatch.setattr(watch_it, "_offsets", (wall, suspended, 0))
    jump, pause, offset = offsets
    monkeypatch.setattr(watch, "_offsets", lambda: (wall + jump, suspended + pause, offset))
    watch_it.tick()
    watch_it.tick()
    run = finish()
    assert [as_json(each) for each in run.clock.steps] == ([told] if told else [])
    assert all(isinstance(each, ClockStep) for each in run.clock.steps)
    if "jump_ms" in (told or {}):
        assert run.clock.wall_s(10**6) == pytest.approx(run.start.wall_ms / 1000 + 1000 + jump / 1000)


def test_a_fault_of_the_recorder_is_noted_and_does_not_end_the_job(watching, monkeypatch):
    watch_it, finish = watching
    monkeypatch.setattr(watch.Sampler, "sample", lambda *_: 1 / 0)
    watch_it.tick()
    faults = [each.text for each in finish().events if isinstance(each, Fault)]
    assert "ZeroDivisionError" in faults[-1]


def test_dear_samples_come_later_and_young_jobs_are_sampled_early(watching, monkeypatch):
    watch_it, finish = watching
    early = []
    for _ in range(4):
        early.append(watch_it.pause())
        watch_it.tick()
    assert early == sorted(early)
    assert sum(early) < 1
    for cost_s, pause_s in ((0.001, 1.0), (0.05, 5.0), (10.0, watch.PAUSE_S_MAX)):
        monkeypatch.setattr(watch_it, "_cost_s", cost_s)
        assert watch_it.pause() == pytest.approx(pause_s)
    finish()


def group(folder, oom_kills):
    folder.mkdir(exist_ok=True)
    (folder / "memory.events").write_text(f"oom_kill {oom_kills}\n")
    return accounting.Cgroup(str(folder), 2)


@pytest.mark.parametrize(
    "case",
    [("R", 2, 3), ("Z", 2, 10), ("R", 1, 3), ("Z", 1, 1)],
    ids=["alive", "dead", "alive, version 1", "dead, version 1"],
)
def test_kills_are_counted_in_every_control_group_that_the_job_was_in(watching, tmp_path, monkeypatch, case):
    """One kill in the first group; then it moves to a group with 7 old kills, and 2 more happen there."""
    state, version, kills = case
    watch_it, finish = watching
    first, second = group(tmp_path / "first", 5), group(tmp_path / "second", 7)
    monkeypatch.setattr(watch_it, "_cgroup", first)
    monkeypatch.setattr(watch_it, "_memory", accounting.memory(first))
    group(tmp_path / "first", 6)
    where = {"cgroup": second._replace(version=version)}
    if version == 1:
        (tmp_path / "second" / "memory.oom_control").write_text("oom_kill 7\n")
    monkeypatch.setattr(accounting, "memory_cgroup", lambda _: where["cgroup"])
    process = watch.readings.stat(os.getpid())
    monkeypatch.setattr(watch.readings, "stat", lambda _: process._replace(state=state))
    if state == "R":
        watch_it.tick()
    group(tmp_path / "second", 9)
    if version == 1:
        (tmp_path / "second" / "memory.oom_control").write_text("oom_kill 9\n")
    found = watch_it.final_readings(os.getpid())
    assert found.oom_kills == kills
    finish()
