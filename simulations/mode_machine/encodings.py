"""Five modes in a register: which code stands for which mode, and what the other codes are read as."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from itertools import combinations, permutations
from typing import TYPE_CHECKING, Final, Literal, get_args

from simulations.errors import LabError

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = [
    "DISTANCE_3_CORRECT",
    "GRAY",
    "NATURAL",
    "ONE_HOT",
    "PARITY",
    "SPREAD",
    "TRIPLE",
    "Encoding",
    "decode",
    "distance",
    "show",
    "unused",
]


class Mode(IntEnum):
    """The modes of a processor. The values are places in `Encoding.words`, not what is stored."""

    INIT = 0
    IDLE = 1
    RUN = 2
    STEP = 3
    HALT = 4


Decoder = Literal["exact", "nearest", "vote"]

BITS_MAX: Final = 12
"""The widest mode register: every one of its codes gets a row in a table."""

_COPIES: Final = 3


@dataclass(frozen=True)
class Encoding:
    """Which code is stored for which mode.

    Attributes:
        name: Stands in reports.
        bits: The width of the register in flip-flops, 1 to `BITS_MAX`.
        words: The stored code of each mode, in the order of `Mode`; all different.
        decoder: How a stored code is read. `exact`: it is a word, or it is unused. `nearest`: a code with one
            wrong bit is read as the word it came from, which needs words at a distance of 3 or more. `vote`:
            the register holds three copies, and each bit is what two of them say.

    Raises:
        LabError: the words do not fit the register or the decoder.
    """

    name: str
    bits: int
    words: tuple[int, ...]
    decoder: Decoder = "exact"

    def __post_init__(self) -> None:
        object.__setattr__(self, "words", tuple(self.words))
        problem = _problem(self)
        if problem:
            raise LabError(f"encoding {self.name}: {problem}")


def _problem(encoding: Encoding) -> str | None:
    """Say what is wrong with an encoding, if anything."""
    words, bits = encoding.words, encoding.bits
    if not all(type(number) is int for number in (bits, *words)):
        return f"its width and its words are whole numbers, not {bits!r} and {words!r}"
    if not 1 <= bits <= BITS_MAX:
        return f"a register has 1 to {BITS_MAX} bits, not {bits}"
    if len(words) != len(Mode) or len(set(words)) != len(words):
        return f"give {len(Mode)} different words, one for each mode, not {words}"
    if not all(0 <= word < 1 << bits for word in words):
        return f"the words {words} do not all fit {bits} bits"
    if encoding.decoder not in get_args(Decoder):
        return f"the decoder is one of {', '.join(get_args(Decoder))}, not {encoding.decoder!r}"
    if encoding.decoder == "nearest" and distance(encoding) < 3:
        return f"to correct one bit the words need a distance of 3 or more; theirs is {distance(encoding)}"
    if encoding.decoder == "vote" and any(len(set(_copies(word, bits))) > 1 for word in words):
        return f"to vote, each of the words {words} must be three equal copies"
    return None


def _copies(code: int, bits: int) -> tuple[int, ...]:
    """Return the copies that a code holds; as many different ones as there are if it does not hold three."""
    width, rest = divmod(bits, _COPIES)
    if rest:
        return (code, ~code)
    return tuple(code >> width * copy & (1 << width) - 1 for copy in range(_COPIES))


def decode(encoding: Encoding, code: int) -> Mode | None:
    """Return the mode that a stored code is read as, or None if it is unused."""
    words = encoding.words
    if encoding.decoder == "nearest":
        for mode, word in enumerate(words):
            if (word ^ code).bit_count() <= 1:
                return Mode(mode)
        return None
    if encoding.decoder == "vote":
        one, two, three = _copies(code, encoding.bits)
        voted = one & two | one & three | two & three
        return next(
            (Mode(mode) for mode, word in enumerate(words) if _copies(word, encoding.bits)[0] == voted), None
        )
    return Mode(words.index(code)) if code in words else None


def unused(encoding: Encoding) -> tuple[int, ...]:
    """Return the codes that are read as no mode at all, in rising order."""
    return tuple(code for code in range(1 << encoding.bits) if decode(encoding, code) is None)


def distance(encoding: Encoding) -> int:
    """Return in how many bits the two nearest words differ."""
    return min((left ^ right).bit_count() for left, right in combinations(encoding.words, 2))


def show(encoding: Encoding, code: int) -> str:
    """Return the name of the mode a code is read as, or its bits behind a question mark, as in `?101`."""
    mode = decode(encoding, code)
    return f"?{code:0{encoding.bits}b}" if mode is None else mode.name


def assignments(bits: int = 3) -> Iterator[Encoding]:
    """Return every assignment of the modes to the codes of a register: 6,720 of them for three bits.

    Args:
        bits: The width of the register, 3 to 4; wider ones have too many assignments to walk through.
    """
    if not 3 <= bits <= 4:
        raise LabError(f"the assignments of 3 or 4 bits can be enumerated, not those of {bits}")
    for words in permutations(range(1 << bits), len(Mode)):
        yield Encoding(f"{bits} bits {words}", bits, words)


def code_sets(bits: int = 3) -> Iterator[Encoding]:
    """Return one assignment, in rising order, for every set of codes: 56 of them for three bits."""
    if not 3 <= bits <= 5:
        raise LabError(f"the code sets of 3 to 5 bits can be enumerated, not those of {bits}")
    for words in combinations(range(1 << bits), len(Mode)):
        yield Encoding(f"{bits} bits {words}", bits, words)


NATURAL: Final = Encoding("natural", 3, (0b000, 0b001, 0b010, 0b011, 0b100))
"""What a synthesiser or a C enumeration gives: the machine as shipped."""

GRAY: Final = Encoding("gray", 3, (0b000, 0b001, 0b011, 0b010, 0b110))
"""Neighbours differ in one bit; it says nothing about what an upset does."""

SPREAD: Final = Encoding("spread", 3, (0b000, 0b011, 0b101, 0b110, 0b111))
"""Words as far apart as three bits allow: most upsets are at least visible."""

ONE_HOT: Final = Encoding("one-hot", 5, (0b00001, 0b00010, 0b00100, 0b01000, 0b10000))
"""One flip-flop a mode, distance 2: no single upset gives another mode."""

PARITY: Final = Encoding("parity", 4, (0b0000, 0b1001, 0b1010, 0b0011, 0b1100))
"""The natural code and an even parity bit, distance 2."""

DISTANCE_3_WORDS: Final = (0b000000, 0b000111, 0b011001, 0b101010, 0b110100)

DISTANCE_3_DETECT: Final = Encoding("distance-3-detect", 6, DISTANCE_3_WORDS)
"""Any two upsets in one clock give an unused code."""

DISTANCE_3_CORRECT: Final = Encoding("distance-3-correct", 6, DISTANCE_3_WORDS, "nearest")
"""Any one upset in a clock is put right; two may be put wrong."""

TRIPLE: Final = Encoding("triple", 9, tuple(word * 0b001001001 for word in NATURAL.words), "vote")
"""Three copies of the natural code and a vote on each bit."""

ENCODINGS: Final = (NATURAL, GRAY, SPREAD, ONE_HOT, PARITY, DISTANCE_3_DETECT, DISTANCE_3_CORRECT, TRIPLE)
