"""Prints the digests of fifty plans; run in other interpreters by `tests/simulations/test_golden.py`."""

import json
import sys
from pathlib import Path

from simulations.address_space.space import MIB
from simulations.address_space.system import run
from simulations.address_space.variants import VARIANTS
from simulations.address_space.workload import Session, long_session
from simulations.choices import NoiseModel, random, substream

RECORD = Path(__file__).with_name("golden_digests.json")
NOISE = NoiseModel("golden", {"path.document": 0.2, "land.*": 0.3})


def recorded():
    """Return the digests on record."""
    return json.loads(RECORD.read_text(encoding="ascii"))


def digests():
    """Return the first sixteen digits of the digest of each run, every variant in turn."""
    found = []
    for number in range(50):
        rng = substream(number, "golden")
        system = list(VARIANTS.values())[number % len(VARIANTS)]
        sizes = tuple(rng.randrange(1, 3000) for _ in range(20))
        session = Session(sizes, open_max=8, lag=2, seed=number)
        if number % 5 == 0:
            session = long_session(64 * MIB, churn=30, seed=number)
        found.append(run(system, session, random(NOISE, number)).trace.digest()[:16])
    return found


if __name__ == "__main__":
    sys.stdout.write("\n".join(digests()) + "\n")
