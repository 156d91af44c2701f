"""Fifty plans and the digests of their traces: equal in every process, on every platform, in every Python.

    python tests/simulations/mode_machine/golden.py            prints them for the plans on record
    python tests/simulations/mode_machine/golden.py --record   draws other plans and records them

Uses the standard library and `simulations` alone, since it also runs in WebAssembly.
"""

import json
import sys
from pathlib import Path

from simulations.choices import Plan, random, replay
from simulations.mode_machine import variants
from simulations.mode_machine.environment import noise_model
from simulations.mode_machine.system import run
from simulations.mode_machine.variants import System
from simulations.mode_machine.workload import Workload, typical_workload

RECORD = Path(__file__).with_name("golden_digests.json")
PLANS = 50
ROUGH = noise_model("golden", upset=0.005, glitch=0.01, latch=0.03)


def systems():
    return {name: value for name, value in sorted(vars(variants).items()) if isinstance(value, System)}


def record():
    known = systems()
    entries = []
    for seed in range(PLANS):
        name = list(known)[seed % len(known)]
        workload = typical_workload(clocks=24, seed=seed)
        chooser = random(ROUGH, seed)
        digest = run(known[name], workload, chooser).trace.digest()
        entry = {"system": name, "lanes": workload.lanes, "plan": chooser.plan.to_json(), "digest": digest}
        entries.append(json.dumps(entry))
    RECORD.write_text("[\n" + ",\n".join(entries) + "\n]\n", encoding="ascii")


def recorded():
    """Return the digests on record."""
    return [entry["digest"] for entry in json.loads(RECORD.read_text(encoding="ascii"))]


def digests():
    """Return the digests of the plans on record, run now."""
    known = systems()
    found = []
    for entry in json.loads(RECORD.read_text(encoding="ascii")):
        chooser = replay(Plan.from_json(entry["plan"]))
        found.append(run(known[entry["system"]], Workload(tuple(entry["lanes"])), chooser).trace.digest())
        chooser.finish()
    return found


if __name__ == "__main__":
    if "--record" in sys.argv[1:]:
        record()
    sys.stdout.write("\n".join(digests()) + "\n")
