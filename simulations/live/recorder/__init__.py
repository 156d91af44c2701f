"""The flight recorder of a real long job: it runs the job, samples it, and says how it ended and why.

From Python::

    from simulations.live import recorder

    recorder.record(["python", "train.py"], "runs")
    print(recorder.report("runs"))

A run goes one way through this folder:

* **recorded** by `launch` (in a process of its own) and `supervisor` (the job's parent), with `witness` at
  hand; `watch` and `sampler` note what `readings`, `accounting`, `output` and `signals` show;
* **written**, one line a record, by `log`; `records` says what a record holds, `codec` makes it JSON and
  back;
* **read** by `recording.load`, whatever became of the recorder; `present` says what the host knows today;
* **judged**: `ending` says how it ended, `evidence` what speaks for and against each suspect, `judgement`
  weighs that, and `reruns` compares several deaths;
* **reported** by `report`, with `plot` and `quantities`, as data, text and JSON.

Recording needs Linux, reading any POSIX system.
"""

from simulations.live.recorder.ending import Ending, How, Sender
from simulations.live.recorder.judgement import Judged, Verdict, verdict
from simulations.live.recorder.launch import record
from simulations.live.recorder.log import LogError
from simulations.live.recorder.recording import Recording, load
from simulations.live.recorder.report import Report, report
from simulations.live.recorder.supervisor import Options, Recorded, RecorderError

__all__ = [
    "Ending",
    "How",
    "Judged",
    "LogError",
    "Options",
    "Recorded",
    "RecorderError",
    "Recording",
    "Report",
    "Sender",
    "Verdict",
    "load",
    "record",
    "report",
    "verdict",
]
