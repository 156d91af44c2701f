"""The folder of the program comes first, so its random.py shadows Python's."""

from scenarios.lab.teaching.terminal import Terminal

shell = Terminal()
shell.write("games/random.py", "def greet():\n    return 'hello'\n")
shell.write("games/dice.py", "import random\n\nprint(random.randint(6, 6))\n")

shadowed = shell.run("python dice.py", at="games")
safe = shell.run("python -P dice.py", at="games")
print(shadowed.text.splitlines()[-1])
assert shadowed.status == 1
assert "AttributeError" in shadowed.text
assert (safe.status, safe.text) == (0, "6")  # -P: the folder is not put on the path
