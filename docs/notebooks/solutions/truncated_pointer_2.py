"""Change: 80 documents open, each in turn on the old path. How often is it silent?

Below 4 GiB nothing is lost without a sign; of the 19 above, 18 come down on another
document: 95 %, and the law says 96 %. Filled, 78 of 80 crash. The two that are silent
lie more than 2 GiB above the limit of the filling, and come down on what the system
mapped: where it stops matters.
"""

from collections import Counter

import scenarios
from scenarios.lab.teaching import lesson
from simulations.address_space.analysis import silent_at_first_use

bug = scenarios.get("truncated-pointer")
open_documents = bug.input_type((64 * 1024,) * 80)  # 80 of 64 MiB are 5 GiB


def outcomes(variant):
    return Counter(
        lesson.play(
            bug, [("path.document", number, 1)], variant=variant, given=open_documents
        ).outcome
        for number in range(80)
    )


regions = lesson.play(bug, given=open_documents).regions
mapped = sum(
    min(2**32, each.end) - each.start for each in regions if each.start < 2**32
)
law = float(silent_at_first_use(mapped))

unsigned, filled = outcomes("cast-through-unsigned"), outcomes("filled")
print("without a sign:", dict(unsigned), f"by the law {law:.0%} of those that are cut")
print("filled:        ", dict(filled))

assert unsigned["silent"] == 18
assert unsigned["crash"] == 1
assert abs(law - 18 / 19) < 0.02
assert (filled["crash"], filled["silent"]) == (78, 2)
