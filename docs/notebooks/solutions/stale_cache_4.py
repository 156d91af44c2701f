"""Build: let Hypothesis choose the amounts, and the schedule with them.

Where the two amounts fit into the account together, every schedule holds, and
Hypothesis passes on. The least pair that fails is one too much: an account of 100, from
which 1 and 100 are taken. It took both searches at once: with 80 and 20 no schedule
fails, and with 1 and 100 only one in which both look before either takes.
"""

from functools import partial

from hypothesis import given, settings
from hypothesis import strategies as st

from scenarios.lab.adaptors.threads import holds_in_schedules
from scenarios.lab.teaching import lesson


class Account:
    def __init__(self):
        self.cash = 100

    def withdraw(self, amount):
        if self.cash >= int(amount):
            self.cash -= int(amount)


amounts = st.integers(0, 100)


@settings(max_examples=200)
@given(amounts, amounts)
def nobody_overdraws(mine, yours):
    both = [partial(Account.withdraw, amount=amount) for amount in (mine, yours)]
    holds_in_schedules(Account, both, lambda account: account.cash >= 0)


watched = lesson.watch(nobody_overdraws)
print(watched.least)
assert watched.least == "mine=1, yours=100"
