"""What identifies the code of a module: where it is, and what is in it."""

from hashlib import sha256
from importlib.machinery import PathFinder
from pathlib import Path

from scenarios.lab.teaching.terminal import Terminal


def fingerprint(name, path):
    source = Path(PathFinder.find_spec(name, [str(each) for each in path]).origin)
    return str(source), sha256(source.read_bytes()).hexdigest()


shell = Terminal()
site, checkout = shell.folder / "site", shell.folder / "checkout" / "src"
shell.write("site/pricing.py", "def total(net):\n    return net\n")
shell.write("checkout/src/pricing.py", "def total(net):\n    return net * 119 // 100\n")

before = fingerprint("pricing", [site, checkout])
assert before != fingerprint("pricing", [checkout, site])
assert before == fingerprint("pricing", [site])
shell.write("site/pricing.py", "def total(net):\n    return -net\n")
after = fingerprint("pricing", [site])
assert after[0] == before[0]
assert after[1] != before[1]
print(after[1][:12], "is not", before[1][:12])
