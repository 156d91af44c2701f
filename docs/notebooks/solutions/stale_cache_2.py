"""Change: two reading clients instead of one. How many interleavings are stale?

Of 10 interleavings of `r` and `w` one is stale, of 534 of `r`, `r` and `w` 70 are: more
than one in eight. Traffic makes it likelier, and no stress test sees it all the same.
"""

from simulations.cache.analysis import census
from simulations.cache.workload import Workload

counted = {
    clients: census("as_shipped", Workload(clients))
    for clients in (("r", "w"), ("r", "r", "w"))
}
for clients, each in counted.items():
    print(*clients, "-", each.stale, "of", each.interleavings, "are stale")

one, two = counted.values()
assert (one.stale, one.interleavings) == (1, 10)
assert (two.stale, two.interleavings) == (70, 534)
