"""Prints the digests of fifty plans; run in interpreters with other hash seeds and time zones."""

import json
import sys

from simulations.batch_job.environment import LIFE
from simulations.batch_job.rules import MECHANISMS
from simulations.batch_job.system import run
from simulations.batch_job.variants import AS_SHIPPED, CHECKPOINT, RETRY_AT_ONCE
from simulations.batch_job.workload import Job
from simulations.choices import random, replay

PRACTICES = {"as-shipped": AS_SHIPPED, "checkpoint": CHECKPOINT, "retry": RETRY_AT_ONCE}


def digests():
    """Draw fifty plans from the noise model, replay each, and return them with their digests."""
    rows = []
    for seed in range(50):
        name = list(PRACTICES)[seed % len(PRACTICES)]
        rule = MECHANISMS[seed // 3 % len(MECHANISMS)]
        drawn_by = random(LIFE, seed)
        run(PRACTICES[name], Job(rule=rule), drawn_by)
        ran = run(PRACTICES[name], Job(rule=rule), replay(drawn_by.plan))
        rows.append([name, rule, drawn_by.plan.to_json(), ran.trace.digest()])
    return rows


if __name__ == "__main__":
    json.dump(digests(), sys.stdout, indent=None, separators=(",", ":"))
