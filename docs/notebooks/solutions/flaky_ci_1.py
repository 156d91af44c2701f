"""The highest bar is the commit that made an old failure louder."""

from scenarios.lab.teaching import bisecting

history = bisecting.history("stale-cache")
rates = [
    history.fails_at(number) if version.imports else None
    for number, version in enumerate(history.versions)
]
plain = bisecting.plain(rates)

# A good version never fails, so the bad end never moves to one.
assert not any(plain.shares[: history.culprit])

before, at = rates[plain.named - 1], rates[plain.named]
print(f"version {plain.named}, {history.versions[plain.named].subject!r}:")
print(f"from {before:.0%} to {at:.0%}")
assert before < 0.3  # the largest change of all,
assert at > 0.8  # and no bug
