"""Build: a till that loses nothing, in whatever order, and the proof.

Who takes must not trust what it saw: it takes from what is there *now*. Then there is
nothing to search for; six orders can all be run.
"""

from itertools import permutations


def repaired(order):
    balance, seen = 100, set()
    for who in order:
        if who in seen:
            balance = balance - 10
        else:
            seen.add(who)
    return balance


orders = {"".join(order) for order in permutations("aabb")}
assert {repaired(order) for order in orders} == {80}
print("right in all", len(orders), "orders")
