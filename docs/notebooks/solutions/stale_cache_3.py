"""Build: a machine with leases, and what even they do not promise.

A delete takes the reader's lease away, and without a lease nobody fills the cache: the
machine has no failing sequence of requests. But a client that has lost its lease reads
the database, and is then ahead of a cache that another client fills with the older
value: it reads the new value, and then the old one.
"""

from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from scenarios.lab.teaching import lesson
from simulations.cache.analysis import census
from simulations.cache.workload import Workload


class Leases(RuleBasedStateMachine):
    def __init__(self):
        super().__init__()
        self.database, self.cache = 0, None
        self.read, self.lease = None, False
        self.writing = False

    @precondition(lambda self: self.cache is None and self.read is None)
    @rule()
    def read_database(self):
        self.read, self.lease = self.database, True

    @precondition(lambda self: self.read is not None)
    @rule()
    def fill_cache(self):
        if self.lease:
            self.cache = self.read
        self.read, self.lease = None, False

    @precondition(lambda self: not self.writing)
    @rule()
    def write_database(self):
        self.database, self.writing = self.database + 1, True

    @precondition(lambda self: self.writing)
    @rule()
    def delete_entry(self):
        self.cache, self.lease, self.writing = None, False, False

    @invariant()
    def right_when_all_is_quiet(self):
        quiet = self.read is None and not self.writing
        assert not quiet or self.cache in {None, self.database}


watched = lesson.watch(Leases)
print(watched)
assert watched.least == ""

busy = census("leases", Workload(("rr", "wr", "w")))
assert busy.stale == 0
assert sum(end.goes_back_in_time for end in busy.outcomes) == 1
