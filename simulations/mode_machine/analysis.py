"""Exact figures about an encoding: by enumeration, and by linear algebra in fractions.

What is computed here about one processor must agree with what the simulated machine does under the same
noise, and with what the model check reaches; the tests hold the three against each other.

The reference model: in a clock each flip-flop is upset with probability p, independent of the others; then an
unused code is met as the policy says; then the mode follows from a command drawn as in `system.FREQUENCIES`.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations
from typing import TYPE_CHECKING, Final, NamedTuple

from simulations.choices import random, substream
from simulations.errors import LabError
from simulations.mode_machine.encodings import Mode, decode
from simulations.mode_machine.environment import noise_model
from simulations.mode_machine.netlist import Fate, Netlist, next_mode, synthesise
from simulations.mode_machine.system import lost_processors, power_on, step
from simulations.mode_machine.variants import System
from simulations.mode_machine.workload import FREQUENCIES, Command

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from simulations.mode_machine.encodings import Encoding
    from simulations.mode_machine.variants import UnusedCode

__all__ = [
    "Flips",
    "flips",
    "mean_clocks_to_hang",
    "mean_clocks_to_wrong_mode",
    "metastable_unused",
    "simulated_clocks_to_hang",
]


class Flips(NamedTuple):
    """Where the flips of a set of masks lead from the words of an encoding.

    Attributes:
        unused: How many end in a code that is read as no mode.
        wrong: How many end in a code that is read as another mode.
        right: How many are read as the mode that was there before.
    """

    unused: int
    wrong: int
    right: int

    @property
    def total(self) -> int:
        """All of them."""
        return self.unused + self.wrong + self.right


def flips(encoding: Encoding, bits: int) -> Flips:
    """Flip exactly `bits` bits of each word, in every way.

    Args:
        encoding: The encoding.
        bits: How many flip-flops are upset at once, from 1 to the width of the register.
    """
    if not 1 <= bits <= encoding.bits:
        raise LabError(f"encoding {encoding.name} has {encoding.bits} bits; {bits} cannot be flipped")
    return _flips(
        encoding, (sum(1 << bit for bit in chosen) for chosen in combinations(range(encoding.bits), bits))
    )


def uniform_flips(encoding: Encoding) -> Flips:
    """Replace each word by every other code: a register that is hit so hard that nothing of it is left."""
    return _flips(encoding, range(1, 1 << encoding.bits))


def _flips(encoding: Encoding, masks: Iterable[int]) -> Flips:
    masks = tuple(masks)
    ends: Counter[str] = Counter()
    for mode, word in zip(Mode, encoding.words, strict=True):
        for mask in masks:
            read = decode(encoding, word ^ mask)
            ends["unused" if read is None else "right" if read is mode else "wrong"] += 1
    return Flips(ends["unused"], ends["wrong"], ends["right"])


MODE_CHANGES: Final = tuple(
    sorted(
        {
            (mode, next_mode(mode, command))
            for mode in Mode
            for command in Command
            if next_mode(mode, command) != mode
        }
    )
)
"""The 13 changes from one mode to another that a command can bring about."""


def metastable_codes(encoding: Encoding, before: Mode, after: Mode) -> Counter[int]:
    """Return every code that a mode change may latch, with the number of ways in which it comes about.

    Each flip-flop that differs latches the old or the new value, independent of the others.
    """
    old, differing = encoding.words[before], encoding.words[before] ^ encoding.words[after]
    subset, found = differing, Counter({old: 1})
    while subset:
        found[old ^ subset] += 1
        subset = subset - 1 & differing
    return found


def metastable_unused(encoding: Encoding) -> Fraction:
    """Return the probability that a mode change at the worst moment latches an unused code.

    It is the mean over the 13 mode changes, each flip-flop that differs latching the old value with
    probability one half.
    """
    total = Fraction(0)
    for before, after in MODE_CHANGES:
        codes = metastable_codes(encoding, before, after)
        lost = sum(ways for code, ways in codes.items() if decode(encoding, code) is None)
        total += Fraction(lost, codes.total())
    return total / len(MODE_CHANGES)


@dataclass(frozen=True)
class _Chain:
    """A Markov chain over the five modes with one absorbing end.

    Attributes:
        moves: For each mode the probability of each next mode.
        ends: For each mode the probability of the end.
    """

    moves: tuple[tuple[Fraction, ...], ...]
    ends: tuple[Fraction, ...]


def mean_clocks_to_hang(encoding: Encoding, unused: UnusedCode, p: Fraction) -> Fraction | None:
    """Return how many clocks one processor lives on average, from power-on, until it hangs in an unused code.

    Args:
        encoding: The encoding.
        unused: What the state machine does with an unused code.
        p: The probability that a flip-flop is upset in a clock, above 0 and below 1.

    Returns:
        The exact mean, the fatal clock included; None if it never hangs.

    Raises:
        LabError: p is not such a probability.
    """
    netlist = _netlist(encoding, unused)
    return _mean(_chain(netlist, p, lambda _mode, _code, _command: False))


def mean_clocks_to_wrong_mode(encoding: Encoding, unused: UnusedCode, p: Fraction) -> Fraction | None:
    """Return how many clocks pass on average until one processor is in a wrong mode without an alarm.

    Args:
        encoding: The encoding.
        unused: As in `mean_clocks_to_hang`.
        p: As in `mean_clocks_to_hang`.

    Returns:
        The exact mean, the clock of the error included; None if there is none, since the processor can never
        be in a wrong mode, or can hang before it is.

    Raises:
        LabError: p is not a probability above 0 and below 1.
    """
    netlist = _netlist(encoding, unused)
    if any(following is None for following in _following(netlist)):
        return None

    def wrong(mode: Mode, code: int, command: Command) -> bool:
        told = netlist.fate[code] is Fate.RECOVERED
        return not told and netlist.mode[netlist.next_code[command][code]] is not next_mode(mode, command)

    return _mean(_chain(netlist, p, wrong))


def _netlist(encoding: Encoding, unused: UnusedCode) -> Netlist:
    return synthesise(System(encoding=encoding, unused=unused, processors=1))


def _following(netlist: Netlist) -> list[Mode | None]:
    """Return what any code is read as after a clock in which nothing is commanded."""
    return [netlist.mode[code] for code in netlist.next_code[Command.NONE]]


def _chain(netlist: Netlist, p: Fraction, ends: Callable[[Mode, int, Command], bool]) -> _Chain:
    """Return the chain over the modes that ends where the register holds no mode at the end of a clock.

    Args:
        netlist: The state machine.
        p: The probability of an upset.
        ends: Where else it ends: given the mode, the code after any upset, and the command.
    """
    if not 0 < p < 1:
        raise LabError(f"the probability of an upset is above 0 and below 1, not {p}")
    encoding = netlist.system.encoding
    moves = [[Fraction(0)] * len(Mode) for _ in Mode]
    end = [Fraction(0)] * len(Mode)
    for mode, word in zip(Mode, encoding.words, strict=True):
        for mask in range(1 << encoding.bits):
            struck = mask.bit_count()
            hit = p**struck * (1 - p) ** (encoding.bits - struck)
            for command, count in zip(Command, FREQUENCIES, strict=True):
                probability = hit * Fraction(count, sum(FREQUENCIES))
                following = netlist.mode[netlist.next_code[command][word ^ mask]]
                if following is None or ends(mode, word ^ mask, command):
                    end[mode] += probability
                else:
                    moves[mode][following] += probability
    return _Chain(tuple(map(tuple, moves)), tuple(end))


def _mean(chain: _Chain) -> Fraction | None:
    """Return the mean number of steps from INIT to the end, by Gauss; None if there is no end."""
    if not any(chain.ends):
        return None
    rows = [
        [int(row == column) - chain.moves[row][column] for column in Mode] + [Fraction(1)] for row in Mode
    ]
    for column in Mode:
        pivot = next(row for row in range(column, len(rows)) if rows[row][column])
        rows[column], rows[pivot] = rows[pivot], rows[column]
        lead = rows[column][column]
        rows[column] = [value / lead for value in rows[column]]
        for row in Mode:
            if row != column and rows[row][column]:
                factor = rows[row][column]
                rows[row] = [a - factor * b for a, b in zip(rows[row], rows[column], strict=True)]
    return rows[Mode.INIT][-1]


def simulated_clocks_to_hang(
    encoding: Encoding, unused: UnusedCode, p: Fraction, *, runs: int, seed: int, clocks_max: int = 100_000
) -> list[int]:
    """Return how many clocks a simulated processor lived in each of `runs` runs, the fatal clock included.

    Args:
        encoding: As in `mean_clocks_to_hang`, with which the mean of these agrees.
        unused: As there.
        p: As there.
        runs: How many independent runs.
        seed: Any integer.
        clocks_max: The longest run.

    Raises:
        LabError: a run did not hang; raise `clocks_max` or p.
    """
    system = System(encoding=encoding, unused=unused, processors=1, noise=("upset",))
    noise = noise_model("upsets", upset=p)
    urn = [command for command, count in zip(Command, FREQUENCIES, strict=True) for _ in range(count)]
    lives = []
    for number in range(runs):
        commands = substream(seed, f"commands of run {number}")
        chooser = random(noise, substream(seed, f"noise of run {number}").randrange(2**63))
        state = power_on(system)
        while not lost_processors(system, state):
            if state.clock == clocks_max:
                raise LabError(f"run {number} did not hang within {clocks_max} clocks; raise clocks_max or p")
            state = step(system, state, (commands.choice(urn),), chooser)
        lives.append(state.clock)
    return lives
