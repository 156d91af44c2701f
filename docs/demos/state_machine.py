"""A state machine: Hypothesis writes the program that breaks the invariant."""
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

class Cache(RuleBasedStateMachine):
    database, cache, read = 1, None, None  # the version that each holds

    @rule()
    def reader_misses_and_reads_the_database(self):
        self.read = self.database
    @rule()
    def writer_writes_and_deletes_from_the_cache(self):
        self.database, self.cache = self.database + 1, None
    @rule()
    def reader_fills_the_cache(self):
        self.cache = self.read
        # fix: self.cache = self.read if self.read == self.database else None
    @invariant()
    def not_stale(self):
        assert self.cache in (None, self.database)
TestCache = Cache.TestCase
