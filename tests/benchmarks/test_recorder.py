"""What the flight recorder costs.

    pytest tests/benchmarks/test_recorder.py

A sample each second may cost 10 ms of processor time for "under 1 %". Here: a job of 32 children on a host
with 1,000 further processes; by the kernel's lists of children, and by the walk over all processes that takes
their place where the kernel has none.
"""

import sys
import time

import pytest

from simulations.live.recorder import log, readings
from simulations.live.recorder.log import SAMPLE, Log, Record
from simulations.live.recorder.recording import load
from simulations.live.recorder.records import Sample
from simulations.live.recorder.sampler import Sampler
from tests.simulations.live.recorder.crowd import crowd

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the recorder reads /proc")


@pytest.mark.parametrize("by", ["the children files", "one pass over all processes"])
def test_a_sample_of_32_children_among_1000_processes(benchmark, monkeypatch, by):
    if by == "one pass over all processes":
        monkeypatch.setattr(readings, "has_children_files", lambda: False)
    with crowd(1000), crowd(32) as job:
        sampler = Sampler([job.pid], job.pid, ".", not_ours=frozenset())
        sampler.sample(0)
        began, rounds = time.thread_time(), 100
        benchmark.pedantic(sampler.sample, (0,), rounds=rounds, iterations=1)
        spent_ms = (time.thread_time() - began) * 1000
    benchmark.extra_info["processor_ms_per_sample"] = round(spent_ms / rounds, 2)


def test_a_record_is_appended(benchmark, tmp_path):
    writer = Log(tmp_path / "0001", create=True)
    sample = Record(10**8, SAMPLE, [10**6] * len(Sample._fields))
    benchmark(writer.append, sample)
    writer.close(0)


def test_72_hours_are_read(benchmark, tmp_path):
    writer = Log(tmp_path / "0001", create=True)
    for second in range(72 * 3600):
        writer.append(Record(second * 1000, SAMPLE, [10**6] * len(Sample._fields)))
    writer.close(0)
    benchmark.extra_info["megabytes"] = (tmp_path / "0001" / log.LOG).stat().st_size / 1e6
    found = benchmark.pedantic(load, (tmp_path / "0001",), rounds=1)
    assert len(found.samples) == 72 * 3600
