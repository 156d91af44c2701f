import contextlib
import os
import subprocess
import sys

import psutil
import pytest

from simulations.live.recorder import accounting, readings
from simulations.live.recorder.codec import kind
from simulations.live.recorder.records import Limits
from simulations.live.recorder.sampler import Sampler
from tests.simulations.live.recorder.crowd import crowd
from tests.simulations.live.recorder.live_run import wait_for

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="these are readings of /proc")


@pytest.fixture
def family():
    """Start a process with children and grandchildren that wait until the fixture ends."""
    with contextlib.ExitStack() as stack:
        yield lambda children: stack.enter_context(crowd(children, generations=2))


def test_readings_agree_with_psutil():
    ours = readings.stat(os.getpid())
    theirs = psutil.Process()
    assert ours.ppid == theirs.ppid()
    assert ours.name == theirs.name()[:15]
    assert ours.threads == theirs.num_threads()
    assert ours.rss_kb == pytest.approx(theirs.memory_info().rss / 1024, rel=0.1)
    assert ours.cpu_ms == pytest.approx(1000 * sum(theirs.cpu_times()[:2]), abs=100)
    usage = readings.usage(os.getpid())
    assert usage.files == pytest.approx(theirs.num_fds(), abs=2)
    assert usage.switches == pytest.approx(theirs.num_ctx_switches().voluntary, abs=50)
    assert usage.write_kb == pytest.approx(theirs.io_counters().write_bytes / 1024, rel=0.1, abs=100)


def test_nobody_has_no_readings():
    nobody = 2**22 + 1
    assert readings.stat(nobody) is None
    assert readings.children(nobody) == []
    assert readings.usage(nobody) == readings.Usage(0, 0, 0, 0, 0)
    assert readings.command_line(nobody) == ""
    assert accounting.limits(nobody) == Limits()


@pytest.mark.parametrize("by", ["the children files", "one pass over all processes"])
def test_the_whole_tree_is_found(family, monkeypatch, by):
    if by == "one pass over all processes":
        monkeypatch.setattr(readings, "has_children_files", lambda: False)
    elif not readings.has_children_files():
        pytest.skip("this kernel has no /proc/PID/task/TID/children")
    process = family(5)
    found = readings.descendants([process.pid])
    expected = [process.pid, *(each.pid for each in psutil.Process(process.pid).children(recursive=True))]
    assert sorted(found) == sorted(expected)
    assert len(found) == 11


def test_totals_never_fall_when_processes_end(family):
    process = family(3)
    sampler = Sampler([process.pid], process.pid, ".", not_ours=frozenset())
    before, changes = sampler.sample(0)
    assert (before.processes, before.started) == (7, 7)
    assert [kind(each) for each in changes] == ["child"] * 7
    process.stdin.close()
    process.wait()
    wait_for(lambda: not sampler.sample(0)[0].processes, "the end of the family")
    after, _ = sampler.sample(0)
    for name in ("started", "cpu_ms", "switches", "preempted", "read_kb", "write_kb"):
        assert getattr(after, name) >= getattr(before, name)


def test_changes_beyond_the_allowance_are_counted_and_not_kept(family, monkeypatch):
    monkeypatch.setattr("simulations.live.recorder.sampler._CHANGES_BYTES_AT_ONCE", 1000)
    process = family(20)
    sampler = Sampler([process.pid], process.pid, ".", not_ours=frozenset())
    _, changes = sampler.sample(0)
    assert 0 < len(changes) < 10
    assert len(changes) + sampler.unnoted == 41


def test_finite_limits_are_read():
    code = (
        "import resource; resource.setrlimit(resource.RLIMIT_CPU, (100, 200))\n"
        "import os; from simulations.live.recorder.accounting import limits\n"
        "print(limits(os.getpid()).cpu_s)"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert out == "(100, 200)\n"


@pytest.fixture
def cgroup_tree(tmp_path):
    """The files of a host with control groups of version 2, as `accounting` reads them."""
    group = tmp_path / "user" / "job"
    group.mkdir(parents=True)
    (group / "memory.events").write_text("low 0\nhigh 0\nmax 12\noom 3\noom_kill 2\n")
    (group / "memory.current").write_text("1048576\n")
    (group / "memory.max").write_text("max\n")
    (tmp_path / "user" / "memory.max").write_text("2097152\n")
    return group


def test_the_counters_of_a_control_group_and_the_limits_above_it(cgroup_tree):
    found = accounting.memory(accounting.Cgroup(str(cgroup_tree), 2))
    assert (found.oom_kills, found.used_kb, found.limit_kb) == (2, 1024, 2048)


def test_no_control_group_tells_nothing():
    found = accounting.memory(accounting.Cgroup("", 0))
    assert (found.oom_kills, found.used_kb, found.limit_kb) == (None, None, None)


def test_pids_in_the_words_of_the_kernel():
    lines = [
        "Out of memory: Killed process 4242 (python3) total-vm:9000kB",
        "Memory cgroup out of memory: Killed process 17 (job) total-vm:1kB",
        "python3[99]: segfault at 0",
    ]
    assert accounting.pids_named(lines) == {4242, 17}
