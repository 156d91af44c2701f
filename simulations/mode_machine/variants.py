"""What a machine is built of, as data: as shipped, the well-known repairs that do not hold, and the fixes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, get_args

from simulations.errors import LabError
from simulations.mode_machine.encodings import (
    DISTANCE_3_CORRECT,
    GRAY,
    NATURAL,
    ONE_HOT,
    PARITY,
    TRIPLE,
    Encoding,
)

__all__ = [
    "AS_SHIPPED",
    "BLIND_RECOVERY",
    "CORRECTING",
    "GRAY_WITHOUT_SYNCHRONISER",
    "ONE_HOT_WITHOUT_RECOVERY",
    "PARITY_RECOVERY",
    "POWER_ON_WATCHDOG",
    "RECOVERY",
    "RECOVERY_OPTIMISED_AWAY",
    "RESET_WATCHDOG",
    "VOTING",
    "System",
]

WATCHDOG_CLOCKS: Final = 4
"""A watchdog fires when its processor has been in no known mode for this number of clocks."""


PROCESSORS_MAX: Final = 8


UnusedCode = Literal["hold", "dont_care", "recover", "raise"]


Watchdog = Literal["none", "reset_command", "power_on_clear"]


Source = Literal["upset", "glitch", "metastable"]


SOURCES: Final[tuple[Source, ...]] = get_args(Source)


@dataclass(frozen=True)
class System:
    """A machine of several processors on one bus. The defaults are the machine as it was shipped.

    Attributes:
        encoding: Which code the mode register holds for which mode.
        unused: What the source says about a code that is no mode. `hold`: nothing, so the register keeps it.
            `dont_care`: the synthesiser chooses; its AND-OR selector gives code 0 when no mode matches.
            `recover`: go to INIT and raise an alarm. `raise`: raise an alarm in every clock, and stay.
        optimised: Whether synthesis has removed what it proved unreachable; the arm for unused codes is
            (the recovery that stands in the source, but never runs).
        watchdog: What is done after `WATCHDOG_CLOCKS` clocks in no known mode. `reset_command`: the processor
            is given RESET, which its mode decoder must read. `power_on_clear`: its flip-flops are cleared.
        synchroniser: Whether commands pass two flip-flops in series first, so that no mode change is
            metastable. That they come two clocks later is left out: a workload says when they arrive.
        processors: 1 to `PROCESSORS_MAX`.
        noise: The sources of noise that are asked.

    Raises:
        LabError: a value is not one of those above.
    """

    encoding: Encoding = NATURAL
    unused: UnusedCode = "hold"
    optimised: bool = False
    watchdog: Watchdog = "none"
    synchroniser: bool = False
    processors: int = 3
    noise: tuple[Source, ...] = SOURCES

    def __post_init__(self) -> None:
        object.__setattr__(self, "noise", tuple(self.noise))
        for name, value, known in (
            ("unused", self.unused, get_args(UnusedCode)),
            ("watchdog", self.watchdog, get_args(Watchdog)),
            *(("noise", source, SOURCES) for source in self.noise),
        ):
            if value not in known:
                raise LabError(f"{name} is one of {', '.join(known)}, not {value!r}")
        if not 1 <= self.processors <= PROCESSORS_MAX:
            raise LabError(f"a machine has 1 to {PROCESSORS_MAX} processors, not {self.processors}")

    def grant_clocks_max(self) -> int:
        """Return for how many clocks a requester may wait for the bus.

        One round of the arbiter, the patience of a watchdog, and one clock for a recovery: the same promise
        for every variant.
        """
        return self.processors + WATCHDOG_CLOCKS + 1


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
"""Folk fix: every code has a branch. Ten of fifteen upsets land in a wrong mode instead, without an alarm."""

RECOVERY: Final = System(unused="recover")
"""Fix for the dead reset: an unused code leads to INIT, in the netlist and not only in the source."""

POWER_ON_WATCHDOG: Final = System(watchdog="power_on_clear")
"""Fix for the dead reset: a watchdog beside the state machine that clears its flip-flops."""

PARITY_RECOVERY: Final = System(encoding=PARITY, unused="recover", noise=REGISTER_NOISE)
"""Fix for wrong modes: any one upset is seen, and the processor starts again with an alarm."""

CORRECTING: Final = System(encoding=DISTANCE_3_CORRECT, unused="recover", noise=REGISTER_NOISE)
"""Fix for wrong modes: any one upset in a clock is put right, without a trace."""

VOTING: Final = System(encoding=TRIPLE, unused="recover", noise=REGISTER_NOISE)
"""Fix for wrong modes: three copies of the register and a vote, written back in each clock."""
