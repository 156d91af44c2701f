"""What filling costs. Goals: the usual gaps in 1 ms, 30,000 gaps in 0.2 s.

Run with `pytest tests/benchmarks/test_memory_live.py`. The table shows the time of a start, and of a hundred
children. A fill is timed by whoever does it: see `fill_us` in the `extra_info` of `--benchmark-json FILE`.
"""

import os
import statistics
import subprocess
import sys
from pathlib import Path

import pytest

from simulations.live.memory import Filling, RefusedError, run

ROOT = Path(__file__).parents[2]
LAUNCHER = [sys.executable, "-m", "scenarios.lab.commands", "memory", "run"]
FILL_LOW = """
import ctypes
from simulations.live.memory.in_process import fill_low
libc = ctypes.CDLL(None)
libc.mmap.restype = ctypes.c_void_p
libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, *[ctypes.c_int] * 3, ctypes.c_long]
for index in range({islands}):
    libc.mmap((1 << 30) + index * 8192, 4096, 3, 0x100022, -1, 0)
print(fill_low().microseconds)
"""


def child(command):
    return subprocess.run(
        command, capture_output=True, text=True, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}
    )


@pytest.fixture(autouse=True)
def _tracing():
    try:
        done = run(["true"], Filling())
    except RefusedError as refused:
        pytest.skip(str(refused))
    if done.returncode:
        pytest.skip(done.stderr)


def keep(benchmark, name, values):
    benchmark.extra_info[name] = {"least": min(values), "median": statistics.median(values)}


@pytest.mark.parametrize(
    "command",
    [["true"], [sys.executable, "-c", "pass"], [*LAUNCHER, "--", "true"]],
    ids=["bare", "bare Python", "launcher"],
)
def test_start(benchmark, command):
    benchmark.pedantic(child, args=(command,), rounds=20, warmup_rounds=1)


@pytest.mark.parametrize(
    "filling", [Filling(), Filling("squeeze", 2 << 30), Filling("story", 256 << 20)], ids=str
)
def test_fill_at_exec(benchmark, filling):
    took = []

    def once():
        took.append(run(["true"], filling).report["programs"][0]["microseconds"])

    benchmark.pedantic(once, rounds=20)
    keep(benchmark, "fill_us", took)


@pytest.mark.parametrize("islands", [0, 1_000, 10_000, 30_000])
def test_fill_low(benchmark, islands):
    took = []

    def once():
        took.append(int(child([sys.executable, "-c", FILL_LOW.format(islands=islands)]).stdout))

    benchmark.pedantic(once, rounds=5)
    keep(benchmark, "fill_us", took)


@pytest.mark.parametrize("follow", [False, True], ids=["children not filled", "children filled"])
def test_children(benchmark, follow):
    """A hundred children of a shell; compare with the same loop, bare."""
    loop = ["sh", "-c", "for i in $(seq 100); do /bin/true; done"]
    words = [*LAUNCHER, *(["--follow"] if follow else []), "--", *loop]
    benchmark.pedantic(child, args=(words,), rounds=5)


def test_children_bare(benchmark):
    benchmark.pedantic(child, args=(["sh", "-c", "for i in $(seq 100); do /bin/true; done"],), rounds=5)
