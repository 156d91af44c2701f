"""The worst rate for an interval: far below 95 % with few runs."""

from scenarios.lab.teaching.method import coverage

for runs, expected in ((20, 0.86), (200, 0.93)):
    held = {rate / 10: coverage(rate / 1000, runs) for rate in range(1, 501)}
    worst = min(held, key=held.get)
    print(f"{runs} runs: at a rate of {worst} % it holds in {held[worst]:.1%} only")
    assert held[worst] < expected
    assert sum(held.values()) / len(held) > 0.945  # in the mean it is what is claimed
