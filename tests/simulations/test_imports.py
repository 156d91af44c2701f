"""A world imports without its instrument, without a test library, and without what only a picture needs."""

import subprocess
import sys
from pathlib import Path

import pytest

import simulations

FOLDER = Path(simulations.__file__).parent
THREADS = "simulations.live.threads"
FORBIDDEN = ("hypothesis", "pytest", "scenarios", "ctypes", "psutil", "simulations.live")


@pytest.mark.parametrize("world", ["mode_machine", "cache", "batch_job", "address_space"])
def test_a_world_needs_neither_its_instrument_nor_a_test_library(world):
    modules = sorted(f"simulations.{world}.{path.stem}" for path in (FOLDER / world).glob("[a-z]*.py"))
    assert len(modules) >= 9
    code = (
        f"import sys, {', '.join(modules)}\n"
        f"print(*[name for name in sys.modules if name.startswith({FORBIDDEN})], sep='\\n')"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=FOLDER.parent,
        capture_output=True,
        text=True,
        check=True,
        timeout=240,
    )
    found = [name for name in done.stdout.split() if name != "simulations.live"]
    if world == "cache":  # its clients are threads under the scheduler
        found = [name for name in found if not name.startswith((THREADS, "ctypes"))]
    assert found == []
