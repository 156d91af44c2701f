import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import simulations

HERE = Path(__file__).parent
ROOT = Path(simulations.__file__).parents[1]
GOLDEN = json.loads((HERE / "golden.json").read_text(encoding="utf-8"))


def test_the_golden_plans_are_fifty_and_nearly_all_different():
    assert len(GOLDEN) == 50
    assert len({json.dumps(row[:3]) for row in GOLDEN}) >= 40
    assert len({row[3] for row in GOLDEN}) >= 30


@pytest.mark.parametrize(("hash_seed", "zone"), [("0", "UTC"), ("4711", "Asia/Kathmandu")])
def test_the_digests_are_golden_in_a_fresh_interpreter(hash_seed, zone):
    done = subprocess.run(
        [sys.executable, str(HERE / "golden.py")],
        env={**os.environ, "PYTHONHASHSEED": hash_seed, "TZ": zone, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(done.stdout) == GOLDEN


def test_the_world_imports_without_its_instrument_and_without_hypothesis():
    code = (
        "import sys; import simulations.batch_job.system, simulations.batch_job.investigation; "
        "print(sorted(n for n in ('hypothesis', 'pytest', 'psutil', 'simulations.live.recorder') "
        "if n in sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "[]"
