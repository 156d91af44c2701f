import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.simulations.address_space.golden import RECORDED, digests

ROOT = Path(__file__).parents[3]


def recorded():
    return json.loads(RECORDED.read_text(encoding="ascii"))


def test_fifty_plans_give_the_recorded_digests():
    assert digests() == recorded()
    assert len(set(recorded())) > 40


@pytest.mark.parametrize(
    ("hash_seed", "zone"), [("0", "UTC"), ("1", "Asia/Tokyo"), ("random", "America/Lima")]
)
def test_a_fresh_interpreter_gives_the_same_digests(hash_seed, zone):
    environment = {**os.environ, "PYTHONHASHSEED": hash_seed, "TZ": zone, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-m", "tests.simulations.address_space.golden"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert json.loads(done.stdout) == recorded()
