"""Enumerate from the bottom: the first that fails is the least."""

import scenarios
from scenarios.lab.execution import execute
from simulations.choices import Deviation, drawn, nominal

bug = scenarios.get("invalid-mode")


def least():
    for workload in bug.ladder:
        asked = execute(bug, bug.variant(), workload, nominal()).chooser.points
        for point in asked:  # in the order in which the machine asks
            strike = Deviation(point.label, point.occurrence, 1)
            if execute(bug, bug.variant(), workload, drawn([strike])).failure:
                return workload, strike
    return None


workload, strike = least()
finding = bug.hunt(verify=False).finding
assert finding.plan.deviations == (strike,)
assert finding.input["lanes"] == list(workload.lanes)
print(strike, "on", workload)
