"""Change: three people. What is the simplest order that loses money now?

It is still two people who get in each other's way: the third one may come whenever she
likes. Hypothesis leaves her out of it: she looks and takes undisturbed.
"""

from hypothesis import given
from hypothesis import strategies as st

from scenarios.lab.teaching import lesson


def till(order):
    balance, seen = 100, {}
    for who in order:
        if who in seen:
            balance = seen[who] - 10
        else:
            seen[who] = balance
    return balance


@given(order=st.permutations("aabbcc").map("".join))
def nothing_is_lost(order):
    assert till(order) == 70


watched = lesson.watch(nothing_is_lost)
print(watched.least)

(simplest,) = [watched.least.removeprefix("order=").strip("'")]
assert till(simplest) == 80
undisturbed = [who for who in "abc" if who * 2 in simplest]
assert len(undisturbed) == 1
