"""The codes of a stored state: which bits stand for which state, and what a field holds for a given code.

A state machine keeps its state somewhere: in a byte, a column, an attribute. Some bit patterns of that place
stand for a state, the others for none. This module names the patterns, for any field of any state machine;
`simulations.live.state_machines` writes them.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, MutableSequence, MutableSet
from copy import copy
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple

from simulations.errors import LabError
from simulations.terminal_text import raised, shown

if TYPE_CHECKING:
    from collections.abc import Sequence

CODES_MAX: Final = 4096
"""The unused codes of a field with more codes than this are not written one by one; its flips are."""

WIDTH_MAX: Final = 4096
"""The widest field, in bits, whose single flips are tried one by one."""

_BINARY_WIDTH_MAX: Final = 8
_SHOWN_MAX: Final = 80


class SubjectError(LabError):
    """The state machine cannot be examined as it was given.

    Common causes: a machine was given instead of a function that makes a fresh one; the list of states is not
    complete; an event needs arguments; the machine is asynchronous; the field is narrower than its codes.
    """


@dataclass(frozen=True)
class Word:
    """A used code.

    Attributes:
        state: The name of the state.
        value: What the field holds while the machine is in it.
        code: The bits, as a number.
        bits: How many bits the field has while it holds the value.
    """

    state: str
    value: object
    code: int
    bits: int


@dataclass(frozen=True)
class Coding:
    """Which codes a field uses.

    Attributes:
        width: The bits of the field (of its longest value, where states are coded as text).
        words: The used codes, in the order of the states.
        decode: What the field holds for a code, given the code and the bits of the field; may raise.
    """

    width: int
    words: tuple[Word, ...]
    decode: Callable[[int, int], object]


def refuse_unless_over(what: str, result: object) -> None:
    """Refuse what has not run yet when it has returned: nothing would come of it.

    Args:
        what: What was called, for the message.
        result: What it returned.

    Raises:
        SubjectError: it has not.
    """
    if inspect.isawaitable(result) or inspect.isasyncgen(result):
        if inspect.iscoroutine(result):
            result.close()
        raise SubjectError(f"{what} is asynchronous; {ASYNCHRONOUS}")
    if inspect.isgenerator(result):
        raise SubjectError(f"{what} is a generator, of which nothing has run; give a function that runs it")


ASYNCHRONOUS: Final = (
    "the instrument sends events synchronously: give it a machine with synchronous callbacks"
)


def name_of(value: object) -> str:
    """Return the name of a state: of an Enum member its name, of a text itself, of a class its name."""
    if isinstance(value, Enum):
        return value.name
    if isinstance(value, str):
        return value
    name = getattr(value, "__name__", None)
    return name if isinstance(name, str) else shown(value, _SHOWN_MAX)


def detached(value: Any) -> Any:
    """Return a value that does not change when the machine changes its own in place."""
    return copy(value) if isinstance(value, MutableSequence | MutableSet) else value


def same(left: object, right: object) -> bool:
    """Return whether two stored values are equal; those that cannot be compared are not."""
    try:
        return left is right or bool(left == right)
    except Exception:  # noqa: BLE001  (whatever the method of a user's class raises)
        return False


def word_of(coding: Coding, value: object) -> Word | None:
    """Return the used code that a stored value stands for, or None."""
    return next((word for word in coding.words if same(word.value, value)), None)


def word_at(coding: Coding, code: int) -> Word | None:
    """Return the used code with these bits, or None."""
    return next((word for word in coding.words if word.code == code), None)


def show_code(code: int, width: int) -> str:
    """Return an unused code as the reports show it: `?110`, or `?0x00f3` where the field is wide."""
    return f"?{code:0{width}b}" if width <= _BINARY_WIDTH_MAX else f"?0x{code:0{-(-width // 4)}x}"


def show_value(coding: Coding, value: object) -> str:
    """Return what a field holds as the reports show it: the name of the state, the bits, or the value."""
    word = word_of(coding, value)
    if word is not None:
        return word.state
    if isinstance(value, int) and 0 <= value < 1 << coding.width:
        return show_code(value, coding.width)
    return shown(value, _SHOWN_MAX)


def unused_codes(coding: Coding) -> tuple[int, ...]:
    """Return the codes that stand for no state; of a field with more than `CODES_MAX` codes none at all."""
    used = {word.code for word in coding.words}
    if 1 << coding.width > CODES_MAX:
        return ()
    return tuple(code for code in range(1 << coding.width) if code not in used)


def far_codes(coding: Coding) -> int:
    """Return how many codes are neither used, nor `unused_codes`, nor at one flip from a used one."""
    if unused_codes(coding):
        return 0
    used = {word.code for word in coding.words}
    flipped = {word.code ^ (1 << bit) for word in coding.words for bit in range(word.bits)}
    return (1 << coding.width) - len(used | flipped)


def coding_of(
    states: Mapping[str, object],
    *,
    width: int | None = None,
    coding: Mapping[Any, int] | Literal["text"] | None = None,
    decode: Callable[[int], object] | None = None,
) -> Coding:
    """Work out the codes of a field.

    Args:
        states: From the name of each state to what the field holds in it.
        width: The bits of the field; None takes the fewest that hold the codes (of bytes and texts: all).
        coding: From each state (its name, value or Enum member) to its code. None: whole numbers, Enum
            members with whole values and bytes (most significant first) stand for themselves, anything else
            is numbered in the order given.
            `"text"`: the bits of a text are those of its UTF-8 bytes.
        decode: What the field holds for a code; may raise. None: the value of the state; for an unused code
            what such a field would hold, which is the bare number, the bytes, the changed text, or, where
            states are numbered, the bits as a text such as `'0b110'`.

    Raises:
        SubjectError: codes collide, do not fit the width, or cannot be worked out.
    """
    if width is not None and (type(width) is not int or not 1 <= width <= WIDTH_MAX):
        raise SubjectError(f"a field has 1 to {WIDTH_MAX} bits, a whole number, not {shown(width)}")
    if not states:
        raise SubjectError("there are no states; name what the field may hold")
    as_text = same(coding, "text")
    plain = _plain_codes(list(states.values()), text=as_text)
    codes = _given_codes(states, coding) if isinstance(coding, Mapping) else plain.codes
    if coding is not None and not as_text and not isinstance(coding, Mapping):
        raise SubjectError(f"a coding maps each state to its code, or is 'text'; not {shown(coding)}")
    needed = max(plain.bits or [1, *(code.bit_length() for code in codes)])
    if width is None or as_text:
        width = needed
    if width > WIDTH_MAX:
        raise SubjectError(f"the states take {width} bits; a field has 1 to {WIDTH_MAX}")
    for name, code in zip(states, codes, strict=True):
        if code < 0 or code >> width:
            field = f"{width} bit{'s'[: width != 1]}"
            raise SubjectError(f"the code of {name} is {code}, which does not fit {field}")
    bits = plain.bits if as_text else [width] * len(states)
    words = tuple(
        Word(name, detached(value), code, size)
        for (name, value), code, size in zip(states.items(), codes, bits, strict=True)
    )
    _check_distinct(words)
    if decode is None:
        return Coding(width, words, _decoder(words, plain.unused))
    return _checked(Coding(width, words, lambda code, _: decode(code)))


class _Plain(NamedTuple):
    """The codes that values have of themselves.

    Attributes:
        codes: The code of each value.
        bits: The size of each value, in bits; empty where values have none.
        unused: What the field holds for a code that no value has, given the code and the bits of the field.
    """

    codes: list[int]
    bits: list[int]
    unused: Callable[[int, int], object]


def _plain_codes(values: Sequence[object], *, text: bool) -> _Plain:
    if text:
        texts = [value.encode() for value in values if isinstance(value, str) and value]
        if len(texts) < len(values):
            raise SubjectError("coding='text' needs states that are texts and not empty")
        return _Plain(
            [int.from_bytes(block, "big") for block in texts],
            [8 * len(block) for block in texts],
            lambda code, bits: code.to_bytes(bits // 8, "big").decode(errors="surrogateescape"),
        )
    blocks = [value for value in values if isinstance(value, bytes | bytearray)]
    if len(blocks) == len(values):
        kind = type(blocks[0])
        return _Plain(
            [int.from_bytes(block, "big") for block in blocks],
            [8 * len(block) for block in blocks],
            lambda code, bits: kind(code.to_bytes(-(-bits // 8), "big")),
        )
    bare = [value.value if isinstance(value, Enum) else value for value in values]
    numbers = [int(value) for value in bare if isinstance(value, int)]
    if len(numbers) == len(values):
        return _Plain(numbers, [], lambda code, _: code)
    return _Plain(list(range(len(values))), [], lambda code, bits: f"0b{code:0{bits}b}")


def _given_codes(states: Mapping[str, object], coding: Mapping[Any, int]) -> list[int]:
    codes = []
    for name, value in states.items():
        given = [code for key, code in coding.items() if same(key, value) or name_of(key) == name]
        if len(given) != 1 or type(given[0]) is not int:
            raise SubjectError(f"the coding gives {name} the codes {given}; give it one, a whole number")
        codes.append(given[0])
    return codes


def _decoder(words: tuple[Word, ...], unused: Callable[[int, int], object]) -> Callable[[int, int], object]:
    values = {word.code: word.value for word in words}
    return lambda code, bits: detached(values[code]) if code in values else unused(code, bits)


def _checked(coding: Coding) -> Coding:
    for word in coding.words:
        try:
            decoded = coding.decode(word.code, word.bits)
        except Exception as error:
            raise SubjectError(
                f"decode({word.code}) raises {raised(error)}, though that is the code of "
                f"{word.state}; a decoder gives back each state for its own code, and may raise for others"
            ) from error
        refuse_unless_over("decode", decoded)
        if not same(decoded, word.value):
            raise SubjectError(
                f"decode({word.code}) is not what the field holds in {word.state}, {shown(word.value)}; "
                f"a decoder gives back each state for its own code"
            )
    return coding


def _check_distinct(words: tuple[Word, ...]) -> None:
    seen: dict[int, str] = {}
    for word in words:
        if word.code in seen:
            raise SubjectError(
                f"{seen[word.code]} and {word.state} have one code, {word.code}; keep one of them"
            )
        seen[word.code] = word.state
