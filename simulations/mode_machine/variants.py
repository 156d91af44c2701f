"""The machine as shipped, the well-known repairs that do not hold, and the fixes."""

from __future__ import annotations

from typing import Final

from simulations.mode_machine.encodings import DISTANCE_3_CORRECT, GRAY, ONE_HOT, PARITY, TRIPLE
from simulations.mode_machine.system import Source, System

REGISTER_NOISE: Final[tuple[Source, ...]] = ("upset", "metastable")
"""What an encoding can help against. A replaced command is obeyed whatever the encoding of the mode."""

AS_SHIPPED: Final = System()
"""Five codes of eight have a branch, the register holds the others, and RESET is a command like any other."""

ONE_HOT_WITHOUT_RECOVERY: Final = System(encoding=ONE_HOT)
"""Folk fix: "one-hot is safer". It has 27 unused codes instead of 3, and every single upset lands in one."""

RECOVERY_OPTIMISED_AWAY: Final = System(unused="recover", optimised=True)
"""Folk fix: a default arm in the source, which synthesis proves unreachable and removes."""

GRAY_WITHOUT_SYNCHRONISER: Final = System(encoding=GRAY, noise=("metastable",))
"""Folk fix: "Gray code changes one bit at a time". It does along a line; the modes do not stand in one."""

RESET_WATCHDOG: Final = System(watchdog="reset_command")
"""Folk fix: a watchdog whose reset passes through the mode decoder that is lost."""

BLIND_RECOVERY: Final = System(unused="recover", noise=REGISTER_NOISE)
"""Folk fix: every code has a branch. Ten of fifteen upsets land in a wrong mode instead; nobody is told."""

RECOVERY: Final = System(unused="recover")
"""Fix for the dead reset: an unused code leads to INIT, in the netlist and not only in the source."""

POWER_ON_WATCHDOG: Final = System(watchdog="power_on_clear")
"""Fix for the dead reset: a watchdog beside the state machine that clears its flip-flops."""

PARITY_RECOVERY: Final = System(encoding=PARITY, unused="recover", noise=REGISTER_NOISE)
"""Fix for wrong modes: any one upset is seen, and the processor starts again with an alarm."""

CORRECTING: Final = System(encoding=DISTANCE_3_CORRECT, unused="recover", noise=REGISTER_NOISE)
"""Fix for wrong modes: any one upset in a clock is put right, and nobody notices."""

VOTING: Final = System(encoding=TRIPLE, unused="recover", noise=REGISTER_NOISE)
"""Fix for wrong modes: three copies of the register and a vote, written back in each clock."""
