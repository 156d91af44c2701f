"""A read-through cache over a database: readers, writers, invalidation, and a value that stays old.

A reader misses and reads the database; a writer updates it and invalidates the cache; the reader then fills
the cache with what it has read before. From then on everybody reads the old value, until the next write.

* `servers`: the database and the cache server, which do one request at a time;
* `services`: the code that a web team writes around them: as shipped, and repaired in seven ways;
* `variants`: a design with its figures, as data;
* `workload`: what the clients do, the input;
* `world`: the clients as threads under a chooser, and a run;
* `consistency`: reading one's own writes, monotonic reads, linearizability;
* `analysis`: every interleaving of the abstract steps, which the simulation must agree with;
* `picture`: a run side by side, and as a sequence diagram;
* `stress`: the same code with real threads that nobody controls.
"""
