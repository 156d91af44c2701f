"""A memory of m orders fails on m + 1, and one lost acknowledgement is enough."""


def charged(memory, orders, lost=None):
    """How often anything is charged, if that one acknowledgement is lost for long."""
    queue, done, charges = list(range(orders)), [], 0
    while queue:
        number = queue.pop(0)
        if number not in done[max(0, len(done) - memory) :]:
            charges += 1
        if number == lost and number not in done:
            queue.append(number)
        done.append(number)
    return charges


def smallest(memory):
    return next(
        orders
        for orders in range(1, 20)
        if any(charged(memory, orders, lost) > orders for lost in range(orders))
    )


assert smallest(1) == 2
assert smallest(2) == 3
assert all(smallest(memory) == memory + 1 for memory in range(1, 10))
assert all(charged(memory, 5) == 5 for memory in range(10))  # nothing lost, no bug
print("a memory of m fails on m + 1 orders")
