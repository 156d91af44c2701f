"""The flight recorder of a real long job: it runs the job, samples it, and says how it ended and why.

* `recorder.record` runs a command and keeps its log; `watch`, `sampler`, `readings`, `output`, `signals` and
  `autopsy` are what it sees with, `log` is what it writes.
* `recording.load` reads a log, whatever became of the recorder; `ending.ending` says how the run ended,
  `verdict.judge` who may have done it, by `evidence`; `reruns.compare` holds several deaths side by side.

Nothing here is imported by the simulated world. Recording needs Linux, reading any POSIX system.
"""
