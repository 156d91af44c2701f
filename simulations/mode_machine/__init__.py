"""Processors on one bus, each with five modes in a small register: codes that nobody wrote a branch for.

Several 32-bit processors hold one of five modes each in a 3-bit register. Noise puts one of the three other
codes into it; the warm reset is a command that the state machine would have to decode; so nothing but a power
cycle brings the machine back.

* `encodings`: modes, and the codes that stand for them, as data;
* `system`: the state machine of a processor, watchdogs, commands, workloads;
* `noise`: the choice points, their labels, and noise models;
* `machine`: the clocked machine, its states, and its runs;
* `variants`: as shipped, the well-known repairs that do not hold, and the fixes;
* `analysis`: exact figures, by enumeration and linear algebra;
* `model_check`: every reachable state, with a shortest counterexample or a proof;
* `picture`: lanes, tables, state diagrams;
* `debugger`: forth and back, clock by clock, with `registers` by name and conditions on them;
* `live`: the same question for your own state machine (`stored_codes`, `live_adaptors`, `live_report`).
"""
