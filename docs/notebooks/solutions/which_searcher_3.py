"""Whoever looks often enough sees a wrong interval at some time."""

from scenarios.lab.teaching.method import wilson
from simulations.choices import substream

RATE, PEOPLE = 0.05, 400


def peeks_wrong(person):
    rng, failed = substream(person, "a peeker"), 0
    for runs in range(1, 401):
        failed += rng.random() < RATE
        low, high = wilson(failed, runs)
        if runs % 10 == 0 and not low <= RATE <= high:
            return True
    return False


wrong = sum(peeks_wrong(person) for person in range(PEOPLE))
low, high = wilson(wrong, PEOPLE)
print(f"{wrong} of {PEOPLE} saw a wrong interval: {low:.0%} to {high:.0%}, not 5 %")
assert low > 0.10
