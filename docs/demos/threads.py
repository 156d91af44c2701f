"""Threads: the schedule is an input, and explore() searches it."""
from threading import Lock
from simulations.live.threads import explore


class Account:
    def __init__(self):
        self.balance, self.lock = 100, Lock()

    def withdraw(self, amount=70):
        with Lock():  # a new lock for each call
        # fix: with self.lock:
            if self.balance >= int(amount):
                self.balance -= amount


def test_nobody_overdraws():
    found = explore(Account, [Account.withdraw] * 2, lambda a: a.balance >= 0)
    found.raise_if_found()
