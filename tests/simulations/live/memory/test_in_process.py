"""Low memory filled from inside a Python process, each time in a process of its own."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from simulations.live.memory.errors import RefusedError
from simulations.live.memory.launch import check_system
from simulations.live.memory.layout import GIB

ROOT = Path(__file__).parents[4]
START = """
import ctypes, json
from simulations.live.memory.in_process import fill_low, filled_low, release
from simulations.live.memory.layout import *
libc = ctypes.CDLL(None)
libc.malloc.restype = ctypes.c_void_p
def cut():
    text = b"x" * 64
    return libc.strlen(libc.strdup(text)) == 64
"""


@pytest.fixture(autouse=True)
def _system():
    try:
        check_system()
    except RefusedError as refused:
        pytest.skip(str(refused))


def python(source):
    return subprocess.run(
        [sys.executable, "-c", START + source],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )


def answer(source):
    done = python(source)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_filled_the_cut_pointer_crashes_at_its_first_use():
    done = python("fill_low(); print(cut())")
    assert done.returncode == -signal.SIGSEGV or done.stdout == "False\n"  # on an image linked low, 0.2 %


def test_no_gap_is_left_and_malloc_gives_nothing_low():
    left, low = answer("""
fill = fill_low()
addresses = [libc.malloc(size) for size in (16, 100, 5000, 200000) for _ in range(100)]
left = [gap.size for gap in gaps(read_layout(), Span(1 << 16, 4 << 30))]
print(json.dumps([left, sum(address < 4 << 30 for address in addresses)]))
""")
    assert left == []
    assert low == 0


def test_what_was_taken_is_given_back():
    before, between, after = answer("""
low = lambda: bytes_mapped(read_layout(), Span(0, 4 << 30))
before = low()
with filled_low() as fill:
    between = low()
print(json.dumps([before, between, low()]))
""")
    assert between > 4 * GIB - (1 << 20)
    assert abs(after - before) < 1 << 20


THIRTY_THOUSAND = """
import re
regions = 30_000
base, step = 1 << 30, 2 * 4096
libc.mmap.restype = ctypes.c_void_p
libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, *[ctypes.c_int] * 3, ctypes.c_long]
for index in range(regions):
    libc.mmap(base + index * step, 4096, 3, 0x100022, -1, 0)
resident = lambda: int(re.search(r"VmRSS:\\s+(\\d+)", open("/proc/self/status").read())[1])
read_layout()
before = resident()
"""


def test_thirty_thousand_gaps_are_all_filled():
    filled, left = answer(
        THIRTY_THOUSAND + "fill = fill_low(); print(json.dumps([len(fill.filled), len(fill.left_open)]))"
    )
    assert filled > 30_000
    assert left == 0


def test_with_few_mappings_left_the_largest_gaps_are_filled_and_the_rest_reported():
    maps_max = int(Path("/proc/sys/vm/max_map_count").read_text())
    if maps_max > 1 << 17:
        pytest.skip("vm.max_map_count is too high for this test")
    filled, left, smallest, largest = answer(
        THIRTY_THOUSAND
        + f"""
fill = fill_low(reserve={maps_max - 40_000})
filled, left = ([gap.size for gap in gaps] for gaps in (fill.filled, fill.left_open))
print(json.dumps([len(filled), len(left), min(filled), max(left)]))
"""
    )
    assert filled < 11_000
    assert filled + left > 30_000
    assert smallest >= largest


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("fill_low(4097)", "not a whole number of pages"),
        ("fill_low(0)", "not a whole number of pages"),
        ("fill_low(1 << 60)", "up to 64 TiB"),
        ("fill_low(reserve=1 << 40)", "too many gaps"),
        ("import resource as r; r.setrlimit(r.RLIMIT_AS, (1 << 36, -1)); fill_low()", "ulimit -v"),
    ],
)
def test_refusals(source, words):
    done = python(source)
    assert done.returncode == 1
    assert "RefusedError" in done.stderr.splitlines()[-1]
    assert words in done.stderr.splitlines()[-1]


def test_threads_that_map_meanwhile_lose_nothing():
    done = python("""
import mmap, threading
kept, stop = [], []
def work():
    while not stop:
        area = mmap.mmap(-1, 1 << 16)
        area[:4] = b"mine"
        kept.append(area)
        if len(kept) > 500: del kept[:250]
threads = [threading.Thread(target=work) for _ in range(4)]
[t.start() for t in threads]
for _ in range(20): release(fill_low())
stop.append(1)
[t.join() for t in threads]
print(all(area[:4] == b"mine" for area in kept))
""")
    assert done.stdout == "True\n", done.stderr
