"""Read: which upset is fatal in RUN, and which in HALT?

RUN is 010: bit 2 makes it 110, which is no mode; bits 0 and 1 make it 011 and 000.
HALT is 100: bits 0 and 1 make it 101 and 110, both fatal; bit 2 makes it INIT. The
machine is in the mode from clock 2 on, so the upset comes in clock 3.
"""

import scenarios
from scenarios.lab.teaching import lesson

bug = scenarios.get("invalid-mode")
fatal = {}
for name, command in {"RUN": "G", "HALT": "H"}.items():
    given = bug.input_type((f".{command}......",) * 3)
    fatal[name] = []
    for bit in range(3):
        run = lesson.play(bug, [(f"cpu0.bit{bit}", 3, 1)], given=given)
        try:
            bug.properties[0](run)
        except AssertionError as lost:
            fatal[name].append(bit)
            print(name, "bit", bit, "-", lost)

assert fatal == {"RUN": [2], "HALT": [0, 1]}
