"""What the lessons about the method use, in one import: `from scenarios.lab.teaching import method`.

* `execute`: one run of a scenario, judged by its properties;
* `compare`: searchers side by side;
* `wilson`, `coverage`, `rate_below`, `runs_needed`: how sure one can be after so many runs;
* `failure_of`: run a test of Hypothesis, and return what it raised.
"""

from __future__ import annotations

from scenarios.lab.execution import execute
from scenarios.lab.method.compare import compare
from scenarios.lab.teaching.blob import failure_of
from simulations.intervals import coverage, rate_below, runs_needed, wilson

__all__ = ["compare", "coverage", "execute", "failure_of", "rate_below", "runs_needed", "wilson"]
