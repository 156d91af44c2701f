"""A read-through cache over a database: readers, writers, invalidation, and a value that stays old.

A reader misses and reads the database; a writer updates it and invalidates the cache; the reader then fills
the cache with what it has read before. From then on every reader gets the old value, until the next write.

The five roles, the same in each world:

* `system`: the clients as threads, what is known after a run, and `run`;
* `environment`: the servers under a chooser, which is asked which thread goes on, and answers `in_words`;
* `variants`: `System`, and the service as shipped, the well-known repairs that do not hold, and the fixes;
* `analysis`: every interleaving of the abstract steps, which the simulation must agree with;
* `picture`: a run side by side.

What else is here:

* `workload`: what the clients do, the input;
* `servers`: the database and the cache server, which do one request at a time;
* `services`: the code that a web team writes around them: as shipped, and repaired in seven ways;
* `consistency`: reading one's own writes, monotonic reads, linearizability;
* `stress`: the same code with real threads that nothing controls.

The same question for your own threads: `simulations.live.threads`.
"""
