"""How often each version must run for plain bisection to be right in 95 % of cases."""

from scenarios.lab.teaching import bisecting

history = bisecting.history("stale-cache")
rates = [
    history.fails_at(number) if version.imports else None
    for number, version in enumerate(history.versions)
]


def right(times):
    often = [None if rate is None else 1 - (1 - rate) ** times for rate in rates]
    return bisecting.plain(often).shares[history.culprit]


times = next(times for times in range(1, 50) if right(times) >= 0.95)
aware = bisecting.flake_aware(rates)
print(f"{times} runs of each version, {7 * times} in all; the posterior: {aware.runs}")
assert 10 < times < 25
# About as many runs; but here the rate was known, and the posterior had to learn it.
assert aware.runs < 3 * 7 * times
