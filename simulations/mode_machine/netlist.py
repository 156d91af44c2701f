"""The state machine of a processor as tables: what synthesis makes of a system."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from simulations.mode_machine.encodings import Mode, decode
from simulations.mode_machine.workload import Command

if TYPE_CHECKING:
    from simulations.mode_machine.variants import System

__all__ = ["BUS_MODES", "Fate", "Netlist", "next_mode", "synthesise"]

BUS_MODES: Final = frozenset({Mode.RUN, Mode.STEP})
"""The modes in which a processor fetches instructions, and so asks for the bus."""


def next_mode(mode: Mode, command: Command) -> Mode:
    """Return the mode after a clock, in a machine without noise.

    RESET goes to INIT from any mode; INIT goes to IDLE and STEP to HALT on anything else; in IDLE, RUN and
    HALT the command is obeyed.
    """
    if command is Command.RESET:
        return Mode.INIT
    if mode is Mode.INIT:
        return Mode.IDLE
    if mode is Mode.STEP:
        return Mode.HALT
    return {Command.GO: Mode.RUN, Command.STEP: Mode.STEP, Command.HALT: Mode.HALT}.get(command, mode)


class Fate(IntEnum):
    """What the netlist does with a code in the register, apart from where it goes."""

    KNOWN = 0
    """It is read as a mode: the processor works, and releases the bus."""
    SILENT = 1
    """It is unused, and nothing reports it."""
    ALARM = 2
    """It is unused, and an alarm goes up; the code stays."""
    RECOVERED = 3
    """It is unused, an alarm goes up, and the next code is that of INIT."""


@dataclass(frozen=True)
class Netlist:
    """The state machine of a processor as tables: what synthesis makes of a `System`.

    Attributes:
        system: What it was made from.
        fate: For each code, its `Fate`.
        mode: For each code, the mode it is read as, or None.
        next_code: For each command and each code, the next code.
        next_mode: For each command and each mode, the next mode, as a plain integer: an Enum member hashes
            ten times more slowly, and the state of a processor is hashed in every clock.
        requests: For each code, whether the processor asks for the bus.
    """

    system: System
    fate: tuple[Fate, ...]
    mode: tuple[Mode | None, ...]
    next_code: tuple[tuple[int, ...], ...]
    next_mode: tuple[tuple[int, ...], ...]
    requests: tuple[bool, ...]


@lru_cache(maxsize=32)
def synthesise(system: System) -> Netlist:
    """Return the tables of a processor's state machine."""
    encoding = system.encoding
    policy = "hold" if system.optimised else system.unused
    codes = range(1 << encoding.bits)
    modes = tuple(decode(encoding, code) for code in codes)
    fates = {"hold": Fate.SILENT, "dont_care": Fate.SILENT, "raise": Fate.ALARM, "recover": Fate.RECOVERED}
    steps = tuple(tuple(int(next_mode(mode, command)) for mode in Mode) for command in Command)

    def follow(code: int, command: Command) -> int:
        mode = modes[code]
        if mode is not None:
            return encoding.words[steps[command][mode]]
        return {"recover": encoding.words[Mode.INIT], "dont_care": 0}.get(policy, code)

    return Netlist(
        system=system,
        fate=tuple(fates[policy] if mode is None else Fate.KNOWN for mode in modes),
        mode=modes,
        next_code=tuple(tuple(follow(code, command) for code in codes) for command in Command),
        next_mode=steps,
        requests=tuple(mode in BUS_MODES for mode in modes),
    )
