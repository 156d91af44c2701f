"""Fifty plans and the digests of their traces: equal in every process, on every platform, in every Python.

    python tests/simulations/cache/golden.py            prints them for the plans on record
    python tests/simulations/cache/golden.py --record   draws other plans and records them

Uses the standard library and `simulations` alone. It needs threads, and in WebAssembly stack switching.
"""

import json
import sys
from pathlib import Path

from simulations.cache.services import DESIGNS
from simulations.cache.system import run
from simulations.cache.variants import System
from simulations.cache.workload import Workload
from simulations.choices import UNIFORM, NoiseModel, Plan, random, replay

RECORD = Path(__file__).with_name("golden_digests.json")
PLANS = 50
NOISE = NoiseModel("golden", {}, otherwise=UNIFORM)
WORKLOADS = ("r w", "rr wr", "r w.r rw", "w w r", "rr ww r w")


def record():
    entries = []
    for seed in range(PLANS):
        design = DESIGNS[seed % len(DESIGNS)]
        workload = Workload(tuple(WORKLOADS[seed % len(WORKLOADS)].split()))
        chooser = random(NOISE, seed)
        digest = run(System(design), workload, chooser).trace.digest()
        entry = {
            "design": design,
            "clients": workload.clients,
            "plan": chooser.plan.to_json(),
            "digest": digest,
        }
        entries.append(json.dumps(entry))
    RECORD.write_text("[\n" + ",\n".join(entries) + "\n]\n", encoding="ascii")


def recorded():
    """Return the digests on record."""
    return [entry["digest"] for entry in json.loads(RECORD.read_text(encoding="ascii"))]


def digests():
    """Return the digests of the plans on record, run now."""
    found = []
    for entry in json.loads(RECORD.read_text(encoding="ascii")):
        chooser = replay(Plan.from_json(entry["plan"]))
        found.append(run(System(entry["design"]), Workload(tuple(entry["clients"])), chooser).trace.digest())
        chooser.finish()
    return found


if __name__ == "__main__":
    if "--record" in sys.argv[1:]:
        record()
    sys.stdout.write("\n".join(digests()) + "\n")
