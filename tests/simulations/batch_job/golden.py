"""Prints the digests of fifty plans; run in other interpreters by `tests/simulations/test_golden.py`."""

import json
import sys
from pathlib import Path

from simulations.batch_job.environment import LIFE
from simulations.batch_job.rules import MECHANISMS
from simulations.batch_job.system import run
from simulations.batch_job.variants import AS_SHIPPED, CHECKPOINT, RETRY_AT_ONCE
from simulations.batch_job.workload import Job
from simulations.choices import random, replay

RECORD = Path(__file__).with_name("golden.json")
SYSTEMS = {"as-shipped": AS_SHIPPED, "checkpoint": CHECKPOINT, "retry": RETRY_AT_ONCE}


def _lines(rows):
    return [json.dumps(row, separators=(",", ":")) for row in rows]


def recorded():
    """Return the plans on record, each with its digest."""
    return _lines(json.loads(RECORD.read_text(encoding="utf-8")))


def digests():
    """Draw fifty plans from the noise model, replay each, and return each with its digest."""
    rows = []
    for seed in range(50):
        name = list(SYSTEMS)[seed % len(SYSTEMS)]
        rule = MECHANISMS[seed // 3 % len(MECHANISMS)]
        drawn_by = random(LIFE, seed)
        run(SYSTEMS[name], Job(rule=rule), drawn_by)
        ran = run(SYSTEMS[name], Job(rule=rule), replay(drawn_by.plan))
        rows.append([name, rule, drawn_by.plan.to_json(), ran.trace.digest()])
    return _lines(rows)


if __name__ == "__main__":
    sys.stdout.write("\n".join(digests()) + "\n")
