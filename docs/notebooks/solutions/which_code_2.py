"""Each thing that is wrong is a problem; any problem means exit status 1."""

from importlib.metadata import version

from scenarios.lab.teaching.terminal import Terminal

shell = Terminal()
shell.write("lock.txt", f"simpy=={version('simpy')}\nhypothesis==1.0\n")
wrong = shell.run("heisenlab doctor --lock lock.txt --label STAGE", STAGE="live")
problems = [line for line in wrong.text.splitlines() if line.startswith("problem")]
print(*problems, sep="\n")
assert wrong.status == 1
assert sum("locked at" in line for line in problems) == 1
assert sum("'live'" in line for line in problems) == 1

shell.write("lock.txt", f"simpy=={version('simpy')}\n")
right = shell.run("heisenlab doctor --lock lock.txt --label STAGE", STAGE="staging")
assert "locked at" not in right.text
assert "is none of" not in right.text
