"""What becomes of your own state machine when its stored state is not a state.

Give a function that makes a fresh machine. The instrument writes every unused code, and every single flip of
every used code, into the stored state, sends every event, and reports what came of it::

    print(examine(Controller, field="mode", states=Mode, width=3, events=["go", "halt"], reset="reset"))

It works on objects of your own, on `transitions` and on `python-statemachine`; it imports neither. Each probe
has a machine of its own. What the instrument cannot see: state outside the machine, real time, other threads.
An event that never returns keeps it waiting for ever.

* `examination`: the probes: write a value, send every event, look for a way back;
* `adaptors`: the kinds of machine, and the fields that hold their state;
* `stored_codes`: which code stands for which state, and which codes are unused;
* `report`: the result, as data, text, and JSON.
"""

from simulations.live.state_machines.adaptors import Field, field_at
from simulations.live.state_machines.examination import (
    Case,
    Examination,
    Options,
    cases,
    examine,
    prepare,
    probe,
)
from simulations.live.state_machines.report import Answer, Probe, Report, Verdict
from simulations.live.state_machines.stored_codes import SubjectError

__all__ = [
    "Answer",
    "Case",
    "Examination",
    "Field",
    "Options",
    "Probe",
    "Report",
    "SubjectError",
    "Verdict",
    "cases",
    "examine",
    "field_at",
    "prepare",
    "probe",
]
