"""Where every run of a bad version fails, halving is right, and it is cheaper."""

from scenarios.lab.teaching import bisecting

culprit, versions = 36, 128
steady = [float(number >= culprit) for number in range(versions)]

plain = bisecting.plain(steady)
aware = bisecting.flake_aware(steady)
print(plain)
print(aware)
assert plain.shares[culprit] == 1.0
assert aware.named == culprit
assert aware.runs > 3 * plain.runs  # the price of not knowing that it always fails
