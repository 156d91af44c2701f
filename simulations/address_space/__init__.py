"""A 64-bit address space, a program that lives in it, and a pointer that does not fit its field.

The hidden input is the layout: where each allocation lands. The same program is right for as long as its
memory lies low, silently wrong when low memory is full, and crashes at once when the gaps are filled.

The five roles, the same in each world:

* `system`: the program that opens and closes documents, what is known after a run, and `run`;
* `environment`: where a mapping lands and which path a pointer takes, noise models, and answers `in_words`;
* `variants`: `System`, and the program as shipped, the well-known repairs that do not hold, and the fixes;
* `analysis`: exact laws, each of which a simulation must agree with;
* `picture`: a layout, and where a pointer falls.

What else is here:

* `workload`: the sessions, which documents a user opens, the input;
* `space`: layouts, policies, what is mapped where, and the filling of the gaps;
* `gap_map`: the free parts of a space, fast at a million of them;
* `allocator`: small blocks share arenas, large ones have a mapping of their own;
* `cuts`: the ways in which programs cut a pointer, each with its line.

The same question for a real process, on Linux: `simulations.live.memory`.
"""
