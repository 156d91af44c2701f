"""Read: in how many of the six orders is money lost?

In four of six: in all where the second one looks before the first one has taken. Only
"aabb" and "bbaa" are right, and these are the two that you get when you test by hand.
"""

from itertools import permutations


def till(order):
    balance, seen = 100, {}
    for who in order:
        if who in seen:
            balance = seen[who] - 10
        else:
            seen[who] = balance
    return balance


orders = sorted({"".join(order) for order in permutations("aabb")})
right = [order for order in orders if till(order) == 80]
print(len(orders) - len(right), "of", len(orders), "lose money; right are", *right)

assert len(orders) == 6
assert right == ["aabb", "bbaa"]
