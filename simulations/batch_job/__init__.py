"""A batch job of 72 hours, a platform with rules of its own, and a death that leaves no trace.

Ninety thousand tests run for three days on a machine of the cloud. A sweep of the platform ends the machine
when it is due, and says so to no one: the job's own log just stops.

The five roles, the same in each world:

* `system`: one campaign, from the first launch until it is delivered or given up, and `run`;
* `environment`: people and platform, who ask the choice points, a noise model, and answers `in_words`;
* `variants`: `System`, and the job as shipped, the well-known repairs that do not hold, and the fixes;
* `analysis`: closed formulas, which the simulation must agree with;
* `picture`: a campaign as a timeline.

What else is here:

* `workload`: the tests of the job, the input;
* `kernel`: how far the workload is at any time, without simulating each test;
* `database`: the query planners behind the report;
* `rules`: the platform's rules for ending machines, as data with their sources;
* `restarts`: checkpoints and restarts under random failures, to compare the formulas with;
* `observations` and `investigation`: what can be observed after a death, and what to look at first;
* `measure_planning`: how the planning times of `database` were measured.

The same question for your own long job: `simulations.live.recorder`.
"""
