"""Runs a script elsewhere: in a fresh interpreter with another hash seed and time zone, and in WebAssembly.

A golden test of a world is a script that prints digests, using the standard library and `simulations` alone.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import simpy

ROOT = Path(__file__).parents[2]

SURROUNDINGS = [
    ("0", "UTC"),
    ("1", "Asia/Kathmandu"),
    ("12345", "America/St_Johns"),
    ("random", "Pacific/Kiritimati"),
]
"""Hash seeds and time zones, the zones with odd offsets."""


def in_fresh_interpreter(script, *, hash_seed, time_zone):
    """Return what a script, a path below the root of the checkout, prints in an interpreter of its own."""
    surroundings = os.environ | {
        "PYTHONHASHSEED": hash_seed,
        "PYTHONPATH": str(ROOT),
        "TZ": time_zone,
    }
    done = subprocess.run(
        [sys.executable, script], cwd=ROOT, env=surroundings, capture_output=True, text=True, check=True
    )
    return done.stdout


def in_webassembly(script):
    """Return what a script prints under CPython in WebAssembly; skip the test where that is not installed."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("node is not installed")
    modules = Path(os.environ.get("HEISENLAB_PYODIDE", ROOT / "node_modules"))
    pyodide = modules / "pyodide"
    if not (pyodide / "pyodide.mjs").exists():
        pytest.skip(f"the npm package pyodide is not in {modules}; HEISENLAB_PYODIDE names another folder")
    driver = Path(__file__).with_name("in_webassembly.mjs")
    command = [node, driver, pyodide, ROOT, Path(simpy.__file__).parent, script]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout
