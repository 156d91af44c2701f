"""Build: a smaller job. Must all 90,000 permutations be run?

Every pair of levels of the six factors occurs in 600 tests, every triple in 3,304: two
or three hours instead of 72. Whatever makes such an array, count what it covers; the
one for pairs says little about triples. A job of three hours meets no sweep at hour 70.
"""

import scenarios
from scenarios.vanishing_job.covering import LEVELS, covering_array, hours, uncovered

job = scenarios.get("vanishing-job").ladder[0]
for strength in (2, 3):
    rows = covering_array(strength)
    print(f"strength {strength}: {len(rows)} tests, {hours(job, rows):.1f} hours")
    assert uncovered(rows, LEVELS, strength) == 0
    assert hours(job, rows) < 4

assert uncovered(covering_array(2), LEVELS, 3) > 10_000
