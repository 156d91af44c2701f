"""Read: why is the sign a blessing?

At 3 GiB open, an address between 2 and 4 GiB has the top bit of its lower half set.
With a sign it comes back as 0xffffffff..., where nobody is: a crash. Without a sign
nothing is lost yet, so nobody notices; above 4 GiB it comes down on other data.
"""

import scenarios
from scenarios.lab.teaching import lesson

bug = scenarios.get("truncated-pointer")
open_documents = bug.input_type((64 * 1024,) * 48)  # 48 of 64 MiB are 3 GiB
cut = [("path.document", 40, 1)]

signed = lesson.play(bug, cut, given=open_documents)
unsigned = lesson.play(bug, cut, variant="cast-through-unsigned", given=open_documents)
address = signed.wrong.address
print(f"{address:#x}: signed {signed.outcome}, without a sign {unsigned.outcome}")

assert 2 << 30 < address < 4 << 30
assert (signed.outcome, unsigned.outcome) == ("crash", "right")
