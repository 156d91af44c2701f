"""What a crash address says: which live pointer it was, before it was cut.

A truncated pointer keeps the low bits of the address that it had. So a fault address is compared with every
live mapping modulo what each cut keeps; the mapping that it falls into names the original pointer. The chance
that a random address would fall into one as well is stated beside it.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from simulations.live.memory import elf
from simulations.live.memory.layout import GIB, PAGE, TOP, Region, Span

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

_NULL_MAX: Final = 0x100
_NEAR_NULL: Final = 0x10000
_SIGN: Final = 1 << 31
_LOW: Final = 1 << 32
_WORD: Final = 1 << 64
_SHIFTED_BITS: Final = 35
_FLOAT_STEP_MIN: Final = 1 << 16
_FIELD_MAX: Final = PAGE
_ADDRESS_UNKNOWN: Final = 0x80
_LAST: Final = (1 << 47) - 1
_FIRST: Final = _WORD - (1 << 47)
"""Between these an address is not canonical: the processor refuses it, and does not report it."""

_HITS_MAX: Final = 3
_CALLERS_MAX: Final = 4
_STACK_STEP_MAX: Final = 0x10000


class Cut(StrEnum):
    """What was done to a pointer."""

    UNSIGNED_32 = "cut to unsigned 32 bits"
    """Its low 32 bits are left, with a set sign bit among them."""
    UNSIGNED_OR_SIGNED_32 = "cut to unsigned 32 bits, or signed, which is the same below 2 GiB"
    """Its low 32 bits are left; the sign bit among them is clear, so both cuts give this value."""
    SIGNED_32 = "cut to signed 32 bits"
    """Its low 32 bits are left and were extended by their sign."""
    SHIFTED_35 = "cut to 35 bits, as by 32 bits shifted by 3"
    """It was compressed to 32 bits of units of 8 bytes."""
    FLOAT_32 = "rounded to a 32-bit float"
    """It was kept in a number of 24 significant bits."""


@dataclass(frozen=True)
class Explanation:
    """One way in which a live pointer becomes the address at which a program crashed.

    Attributes:
        value: What the program used.
        source: Where the value was seen: `address`, or the name of a register.
        cut: What was done to the pointer.
        original: The pointer before; for a rounding, the middle of what rounds to `value`.
        region: The live mapping that `original` points into.
        coincidence: Chance that a random value of this form is explained as well, 0 to 1.
    """

    value: int
    source: str
    cut: Cut
    original: int
    region: Region
    coincidence: float

    def __str__(self) -> str:
        place = "" if self.source == "address" else f" in {self.source}"
        about = "about " if self.cut is Cut.FLOAT_32 else ""
        return f"{self.value:#x}{place} is {about}{self.original:#x} {self.cut}"


def explain(value: int, regions: Sequence[Region], *, source: str = "address") -> tuple[Explanation, ...]:
    """Return every cut of a live pointer that gives `value`, the likeliest first; at most three.

    Values below 256 are not looked at: they are null pointers with an offset. Mappings of 4 GiB and more are
    left out, since every value falls into them.
    """
    if value < _NULL_MAX:
        return ()
    candidates = [region for region in regions if region.usable and region.span.size < _LOW]
    found = [*_low_bits(value, candidates, source), *_rounded(value, candidates, source)]
    return tuple(sorted(found, key=lambda item: item.coincidence)[:_HITS_MAX])


def _low_bits(value: int, regions: Sequence[Region], source: str) -> Iterator[Explanation]:
    if value < _LOW:
        bits, line = 32, _LOW
        cut = Cut.UNSIGNED_OR_SIGNED_32 if value < _SIGN else Cut.UNSIGNED_32
    elif value >= _WORD - _SIGN:
        bits, line, cut = 32, _SIGN, Cut.SIGNED_32
    elif value < 1 << _SHIFTED_BITS:
        bits, line, cut = _SHIFTED_BITS, 1 << _SHIFTED_BITS, Cut.SHIFTED_35
    else:
        return
    modulus = 1 << bits
    high = [region for region in regions if region.span.start >= line]
    coincidence = min(1.0, sum(region.span.size for region in high) / modulus)
    for region in high:
        offset = (value - region.span.start) % modulus
        if offset < region.span.size:
            yield Explanation(value, source, cut, region.span.start + offset, region, coincidence)


def _rounded(value: int, regions: Sequence[Region], source: str) -> Iterator[Explanation]:
    """Yield pointers kept in a float: 24 bits are left; the field that was touched may lie a little above."""
    step = 1 << max(0, value.bit_length() - 24)
    if step < _FLOAT_STEP_MIN or value > TOP + PAGE + _FIELD_MAX:
        return
    rounded = value - value % step
    if value - rounded >= _FIELD_MAX:
        return
    around = Span(rounded - step // 2, rounded + step // 2 + 1)
    if value.bit_length() > (value - 1).bit_length():  # a power of two: half a step below it
        around = Span(rounded - step // 4, around.end)
    for region in regions:
        start, end = max(around.start, region.span.start), min(around.end, region.span.end)
        if start < end and value not in region.span:
            original = (start + end) // 2
            yield Explanation(value, source, Cut.FLOAT_32, original, region, _FIELD_MAX / step)


@dataclass(frozen=True)
class Crash:
    """A fault, and what the address says about it.

    Attributes:
        pid: The process.
        program: Its file.
        signal: Name, such as `SIGSEGV`.
        code: `si_code` of the signal: 1 unmapped, 2 not permitted, 0x80 address unknown.
        address: What was touched; None where the processor does not say.
        in_filler: Whether it lies in memory that the instrument took away.
        instruction: Where the program was: `libc.so.6+0x167ad8 (strlen+0x18)`.
        callers: The same for the return addresses on top of the stack, innermost first.
        explanations: Cuts of live pointers that give this address.
        python: Lines of the Python program, innermost first, where its faulthandler wrote them.
        hint: One sentence where the address is known for something else; else empty.
        survived: Whether the process went on, or ended by itself.
    """

    pid: int
    program: str
    signal: str
    code: int
    address: int | None
    in_filler: bool
    instruction: str
    callers: tuple[str, ...]
    explanations: tuple[Explanation, ...]
    python: tuple[str, ...] = ()
    hint: str = ""
    survived: bool = False

    @property
    def telling(self) -> bool:
        """Whether it is worth a word even where the program survived it."""
        return self.in_filler or bool(self.explanations)


def diagnose(
    *,
    pid: int,
    program: str,
    signal: str,
    code: int,
    address: int,
    regions: Sequence[Region],
    in_filler: bool,
    instruction_pointer: int,
    callers: Sequence[int],
    registers: Mapping[str, int],
) -> Crash:
    """Explain a fault from what the kernel knows at the moment of it.

    Args:
        pid: The process.
        program: Its file.
        signal: Name of the signal.
        code: Its `si_code`.
        address: What was touched, meaningless where `code` is 0x80.
        regions: The live layout.
        in_filler: Whether the address lies in what the instrument took away.
        instruction_pointer: Where the thread was.
        callers: Return addresses on its stack, innermost first.
        registers: General registers. Where the address is unknown, since it is not canonical, those that hold
            such a value are looked at.
    """
    known = code != _ADDRESS_UNKNOWN
    suspects = {"address": address} if known else {n: v for n, v in registers.items() if _LAST < v < _FIRST}
    explanations = tuple(
        found for name, value in suspects.items() for found in explain(value, regions, source=name)
    )[:_HITS_MAX]
    return Crash(
        pid=pid,
        program=program,
        signal=signal,
        code=code,
        address=address if known else None,
        in_filler=known and in_filler,
        instruction=place(instruction_pointer, regions),
        callers=tuple(place(caller, regions) for caller in callers),
        explanations=explanations,
        hint=_hint(address if known else None, explanations, registers.get("rsp", 0)),
    )


def _hint(address: int | None, explanations: Sequence[Explanation], stack_pointer: int) -> str:
    if address is not None and address < _NEAR_NULL:
        return "a null pointer with an offset looks like this" + (" as well" if explanations else "")
    if explanations:
        return ""
    if address is None:
        return "the address is not canonical, so it is unknown, and no register holds a truncated pointer"
    if address >= _WORD - PAGE:
        return (
            "close to -1, which mmap returns when it fails: a call that insists on low memory (MAP_32BIT) "
            "fails where low memory is filled"
        )
    if abs(address - stack_pointer) < _STACK_STEP_MAX:
        return "close to the stack pointer: the stack is full, as after deep recursion"
    if address < 32 * GIB:
        return "no live mapping has these low bits: the memory that the pointer meant may have been freed"
    return "no cut of a live pointer gives this address"


def return_addresses(
    stack: bytes, regions: Sequence[Region], read: Callable[[int, int], bytes]
) -> tuple[int, ...]:
    """Return the words on the stack that point behind a call instruction: the callers, as far as known.

    No unwinding tables are read, so an old entry that was not overwritten may be among them.

    Args:
        stack: The top of the stack, 8 bytes a word.
        regions: The live layout.
        read: Reads a number of bytes at an address; fewer come back where it is not readable.
    """
    code = [region.span for region in regions if "x" in region.permissions]
    found = []
    for (word,) in struct.iter_unpack("<Q", stack[: len(stack) // 8 * 8]):
        if any(word in span for span in code) and _ends_in_call(read(word - 6, 6)):
            found.append(word)
        if len(found) == _CALLERS_MAX:
            break
    return tuple(found)


def _ends_in_call(code: bytes) -> bool:
    """Return whether six bytes of x86-64 code end in a call: E8 with four bytes, or FF /2 of any length."""
    if len(code) < 6:
        return False
    if code[1] == 0xE8:
        return True
    return any(code[-length] == 0xFF and code[-length + 1] & 0x38 == 0x10 for length in (2, 3, 6))


def place(address: int, regions: Sequence[Region]) -> str:
    """Return where an instruction is: its file and offset, and the function where the file names it."""
    region = next((region for region in regions if address in region.span), None)
    if region is None:
        return f"{address:#x}, which is not mapped"
    if not region.path.startswith("/"):
        return f"{address:#x} in {region.name}"
    base = min(other.span.start for other in regions if other.path == region.path)
    function = elf.function_at(region.path, address - region.span.start + region.offset)
    return f"{region.name}+{address - base:#x}" + (f" ({function})" if function else "")
