"""Threads with @given: inputs and schedules in one search."""
from functools import partial
from threading import Lock
from hypothesis import given, settings, strategies as st
from scenarios.lab.adaptors.threads import holds_in_schedules

class Account:
    def __init__(self):
        self.balance, self.lock = 100, Lock()
    def withdraw(self, amount):
        with Lock():  # a new lock for each call
        # fix: with self.lock:
            if self.balance >= int(amount):
                self.balance -= amount

@settings(deadline=None, max_examples=50)
@given(st.integers(0, 100), st.integers(0, 100))
def test_nobody_overdraws(mine, yours):
    workers = [partial(Account.withdraw, amount=each) for each in (mine, yours)]
    holds_in_schedules(Account, workers, lambda a: a.balance >= 0)
