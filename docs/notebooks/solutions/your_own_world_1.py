"""One order that comes again behind all others comes again at once."""


def charges(memory, orders, lost_for_long):
    """The world of the lesson, for one answer: how often is the first order charged?"""
    queue = list(range(orders))
    if lost_for_long:
        queue.append(0)  # `queue.append`: behind all others
    done, charged = [], 0
    for number in queue:
        charged += number == 0 and number not in done[max(0, len(done) - memory) :]
        done.append(number)
    return charged


assert charges(memory=1, orders=1, lost_for_long=False) == 1
assert charges(memory=1, orders=1, lost_for_long=True) == 1  # it is still the last one
assert charges(memory=1, orders=2, lost_for_long=True) == 2  # one came between
print("with two orders the last order is another one when the first comes again")
