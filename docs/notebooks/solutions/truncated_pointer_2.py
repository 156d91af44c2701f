"""Change: 80 documents open, each in turn on the old path. How often is it silent?

Below 4 GiB nothing is lost without a sign; of the 19 above, 18 come down on another
document. Filled, 78 of 80 crash. The two that are silent lie more than 2 GiB above the
limit of the filling, and come down on what the system mapped: where it stops matters.
"""

from collections import Counter

import scenarios
from scenarios.lab.teaching import lesson

bug = scenarios.get("truncated-pointer")
open_documents = bug.input_type((64 * 1024,) * 80)  # 80 of 64 MiB are 5 GiB


def outcomes(variant):
    return Counter(
        lesson.play(
            bug, [("path.document", number, 1)], variant=variant, given=open_documents
        ).outcome
        for number in range(80)
    )


unsigned, filled = outcomes("cast-through-unsigned"), outcomes("filled")
print("without a sign:", dict(unsigned))
print("filled:        ", dict(filled))

assert unsigned["silent"] == 18
assert unsigned["crash"] == 1
assert (filled["crash"], filled["silent"]) == (78, 2)
