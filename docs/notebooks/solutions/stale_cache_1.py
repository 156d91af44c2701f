"""Read: why does `write-through` need two writers?

Its readers add only what is not there, so a late reader spoils nothing. Two writers can
write the database in one order and the cache in the other, and the one pause lies
between. With one writer there is no such plan, up to two pauses.
"""

import scenarios
from scenarios.lab.teaching import lesson

bug = scenarios.get("stale-cache")
found = bug.hunt("write-through", verify=False).finding
assert found.input["clients"] == ["w", "w"]
assert [pause.label for pause in found.plan] == ["writer after database.write"]

one_writer = next(given for given in bug.ladder if given.clients == ("rr", "w"))
for label in ("reader after store.get", "reader after database.read"):
    run = lesson.play(bug, [(label, 0, 1)], variant="write-through", given=one_writer)
    assert run.cached in {None, run.stored}
