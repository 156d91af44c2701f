"""Processors on one bus, each with five modes in a small register: codes that no branch was written for.

Several 32-bit processors hold one of five modes each in a 3-bit register. Noise puts one of the three other
codes into it; the warm reset is a command that the state machine would have to decode; so nothing but a power
cycle brings the machine back.

The five roles, the same in each world:

* `system`: the clocked machine, its states, and `run`;
* `environment`: the choice points, their labels, the noise models, and answers `in_words`;
* `variants`: `System`, and the machine as shipped, the well-known repairs that do not hold, and the fixes;
* `analysis`: exact figures, by enumeration and linear algebra;
* `picture`: lanes, tables, state diagrams.

What else is here:

* `workload`: the commands to each processor, the input;
* `encodings`: modes, and the codes that stand for them, as data;
* `netlist`: the state machine of a processor as tables;
* `model_check`: every reachable state, with a shortest counterexample or a proof;
* `debugger`: back and forth, clock by clock, with `registers` by name and conditions on them.

The same question for your own state machine: `simulations.live.state_machines`.
"""
