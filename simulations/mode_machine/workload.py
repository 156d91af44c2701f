"""The input of the mode machine: the command that each processor is given in each clock."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING, Final

from simulations.choices import substream
from simulations.errors import LabError
from simulations.terminal_text import shown

if TYPE_CHECKING:
    from simulations.mode_machine.variants import System

__all__ = ["LETTERS", "Command", "Workload", "typical_workload"]


class Command(IntEnum):
    """What a processor is commanded in a clock. RESET is one more command that the mode decoder must read."""

    NONE = 0
    GO = 1
    STEP = 2
    HALT = 3
    RESET = 4


LETTERS: Final = ".GSHR"
"""The commands as they are written in a workload, in the order of `Command`."""


FREQUENCIES: Final = (12, 3, 2, 2, 1)
"""How often, in 20 clocks, a processor is given each command in the reference model."""


CLOCKS_MAX: Final = 1_000_000
LANES_MAX: Final = 64


@dataclass(frozen=True)
class Workload:
    """The commands to each processor, which are recorded.

    Attributes:
        lanes: For each of 1 to 64 processors a text with one letter a clock, 1 to 1,000,000 of them: `.`
            none, `G` go, `S` step, `H` halt, `R` reset.

    Raises:
        ValueError: the lanes differ in length, are empty, or hold another letter.
    """

    lanes: tuple[str, ...]

    def __post_init__(self) -> None:
        if not isinstance(self.lanes, list | tuple) or not all(isinstance(lane, str) for lane in self.lanes):
            raise ValueError(f"give a tuple of lanes, texts such as '..GS', not {shown(self.lanes)}")
        object.__setattr__(self, "lanes", tuple(self.lanes))
        lengths = sorted({len(lane) for lane in self.lanes})
        if len(lengths) != 1 or not 1 <= lengths[0] <= CLOCKS_MAX:
            raise ValueError(
                f"give one lane a processor, all of one length from 1 to {CLOCKS_MAX}, not {shown(lengths)}"
            )
        if len(self.lanes) > LANES_MAX:
            raise ValueError(f"give 1 to {LANES_MAX} lanes, one a processor, not {len(self.lanes)}")
        for number, lane in enumerate(self.lanes):
            strange = sorted(set(lane) - set(LETTERS))
            if strange:
                raise ValueError(
                    f"lane {number} holds {strange[0]!r}; a command is one of {' '.join(LETTERS)} "
                    f"({', '.join(command.name for command in Command)})"
                )

    @property
    def clocks(self) -> int:
        """The length of the workload in clocks."""
        return len(self.lanes[0])

    def __str__(self) -> str:
        return " ".join(self.lanes)


def typical_workload(*, clocks: int, seed: int, processors: int = 3) -> Workload:
    """Return commands drawn with the frequencies of the reference model.

    They are NONE 60 %, GO 15 %, STEP 10 %, HALT 10 %, RESET 5 %.

    Args:
        clocks: 1 to `CLOCKS_MAX`.
        seed: Any integer; each processor has its own stream.
        processors: The number of lanes.
    """
    urn = "".join(letter * count for letter, count in zip(LETTERS, FREQUENCIES, strict=True))
    lanes = []
    for processor in range(processors):
        rng = substream(seed, f"commands of cpu{processor}")
        lanes.append("".join(rng.choice(urn) for _ in range(clocks)))
    return Workload(tuple(lanes))


def received(system: System, workload: Workload) -> list[tuple[int, ...]]:
    """Return, for each clock, the command to each processor.

    Raises:
        LabError: the workload has not one lane a processor.
    """
    if len(workload.lanes) != system.processors:
        raise LabError(
            f"the workload has {len(workload.lanes)} lanes and the machine {system.processors} processors; "
            f"give one lane a processor"
        )
    return list(zip(*(lane.encode().translate(_COMMAND_OF) for lane in workload.lanes), strict=True))


_COMMAND_OF: Final = bytes.maketrans(LETTERS.encode(), bytes(Command))
