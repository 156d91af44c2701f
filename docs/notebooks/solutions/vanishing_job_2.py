"""Change: one variable at a time. Which rule is it?

A sweep each Monday, an age limit of the machine, and mark and grace all kill at hour
70. Launch six hours later: the calendar kills at hour 64 now, the age limit at 70. Set
up for an hour longer: now it is the age limit that moves. Two runs tell the three
apart; change both at once and you learn less. The tag shows that it is about owners.
"""

from simulations.batch_job.investigation import BASE, EXPERIMENTS, outcome, told

rules = ("calendar", "age", "mark")
table = {
    change.words: tuple(told(outcome(rule, change)) for rule in rules)
    for change in (BASE, *EXPERIMENTS)
}
for words, row in table.items():
    print(f"{words:26}", *(f"{cell:18}" for cell in row))

assert table["nothing"] == ("dies at hour 70",) * 3
assert len(set(table["launched six hours later"])) == 3
assert table["an owner tag"] == ("finishes",) * 3
