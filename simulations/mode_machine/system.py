"""What a machine is made of: state machines, watchdogs, sources of noise; and the workload it is given."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from functools import lru_cache
from typing import Final, Literal, get_args

from simulations.choices import substream
from simulations.errors import LabError
from simulations.mode_machine.encodings import NATURAL, Encoding, Mode, decode


class Command(IntEnum):
    """What a processor is told in a clock. RESET is one more command that the mode decoder must read."""

    NONE = 0
    GO = 1
    STEP = 2
    HALT = 3
    RESET = 4


LETTERS: Final = ".GSHR"
"""The commands as they are written in a workload, in the order of `Command`."""

FREQUENCIES: Final = (12, 3, 2, 2, 1)
"""How often, in 20 clocks, a processor is given each command in the reference model."""

BUS_MODES: Final = frozenset({Mode.RUN, Mode.STEP})
"""The modes in which a processor fetches instructions, and so asks for the bus."""

WATCHDOG_CLOCKS: Final = 4
"""A watchdog fires when its processor has been in no known mode for so many clocks."""

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
            is told RESET, which its mode decoder must read. `power_on_clear`: its flip-flops are cleared.
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


CLOCKS_MAX: Final = 1_000_000


@dataclass(frozen=True)
class Workload:
    """The commands that everybody records.

    Attributes:
        lanes: For each processor a text with one letter a clock: `.` none, `G` go, `S` step, `H` halt,
            `R` reset.

    Raises:
        ValueError: the lanes differ in length, are empty, or hold another letter.
    """

    lanes: tuple[str, ...]

    def __post_init__(self) -> None:
        if not isinstance(self.lanes, list | tuple) or not all(isinstance(lane, str) for lane in self.lanes):
            raise ValueError(f"give a tuple of lanes, texts such as '..GS', not {self.lanes!r}")
        object.__setattr__(self, "lanes", tuple(self.lanes))
        lengths = sorted({len(lane) for lane in self.lanes})
        if len(lengths) != 1 or not 1 <= lengths[0] <= CLOCKS_MAX:
            raise ValueError(
                f"give one lane a processor, all of one length from 1 to {CLOCKS_MAX}, not {lengths}"
            )
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
    """It is unused, and nobody is told."""
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
