"""A 64-bit address space, a program that lives in it, and a pointer that does not fit its field.

The hidden input is the layout: where each allocation lands. The same program is right for as long as its
memory lies low, silently wrong when low memory is full, and crashes at once when the gaps are filled.

* `gap_map`: the free parts of a space, fast at a million of them;
* `space`: layouts, policies, what is mapped where, and the filling of the gaps;
* `allocator`: small blocks share arenas, large ones have a mapping of their own;
* `cuts`: the ways in which programs cut a pointer, each with its line;
* `environment`: the choice points, where a mapping lands and which path a pointer takes, and noise models;
* `process`: the program that opens and closes documents, its sessions, and its runs;
* `variants`: as shipped, the well-known repairs that do not hold, and the fixes;
* `analysis`: exact laws, each beside a simulation that must agree with it;
* `picture`: a layout as text and as an image;
* `live`: the same for a real process, on Linux.
"""
