"""Puts calls into the bytecode of a function, and leaves everything else as it was.

A function's code is taken apart into instructions whose jumps, exception ranges and source positions refer to
instructions instead of offsets; calls are put in front of some of them; and it is assembled again. Source
lines stay exact, so that tracebacks, coverage and debuggers see the program that the user wrote.

It knows the instruction sets of CPython 3.11 to 3.15. The layout of code objects, of the exception table and
of the location table is that of `Objects/exception_handling_notes.txt` and `Objects/locations.md` in CPython.
"""

from __future__ import annotations

import dis
import opcode
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import accumulate
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from simulations.live.threads.control.standard_library import VERSION

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from types import CodeType

CACHED_MAX: Final = 4096
"""How many code objects that were taken apart are kept for the next exploration."""
SHAPES_MAX: Final = 64
"""How many forms of each are kept."""
Position = tuple[int | None, int | None, int | None, int | None]

_CACHES: Final[Any] = getattr(opcode, "_inline_cache_entries", {})
_EXTENDED_ARG: Final = dis.opmap["EXTENDED_ARG"]
_JUMPS: Final = frozenset(dis.hasjrel)
_BACKWARD: Final = frozenset(
    code for name, code in dis.opmap.items() if "BACKWARD" in name or name == "END_ASYNC_FOR"
)


def _cache_size(op: int) -> int:
    if isinstance(_CACHES, Mapping):
        return int(_CACHES.get(dis.opname[op], 0))
    return int(_CACHES[op])


_CACHE_SIZE: Final = tuple(_cache_size(op) for op in range(256))


class Instruction:
    """One instruction, without its inline caches.

    Attributes:
        op: The operation code.
        arg: The argument, extended arguments included.
        target: Where a jump goes.
        position: Line, end line, column and end column in the source.
        index: The place in the code object that was taken apart, or -1 if it is not of one.
    """

    __slots__ = ("arg", "index", "op", "position", "target")

    def __init__(self, op: int, arg: int, position: Position, index: int = -1) -> None:
        self.op = op
        self.arg = arg
        self.position = position
        self.index = index
        self.target: Instruction | None = None

    @property
    def name(self) -> str:
        """The name of the operation."""
        return dis.opname[self.op]


class _Range(NamedTuple):
    """An entry of the exception table: instructions from `start` up to `end`, handled at `target`."""

    start: Instruction
    end: Instruction | None
    target: Instruction
    depth_lasti: int


Shape = tuple[tuple[tuple[Any, ...], ...], frozenset[int]]
"""Where calls are put in, without what is called, and which method loads load a bound method."""
_Assembled = tuple["CodeType", list[tuple[int, int]]]
"""Code with room for hooks behind its constants, and in which order they come."""


@dataclass(frozen=True, eq=False, slots=True)
class Body:
    """A code object that was taken apart.

    Attributes:
        code: The code object.
        instructions: Its instructions, in order.
        ranges: Where exceptions are handled.
        assembled: What was made of it, by the places of the calls that were put in.
    """

    code: CodeType
    instructions: list[Instruction]
    ranges: list[_Range]
    assembled: dict[Shape, _Assembled] = field(default_factory=dict)


class Call(NamedTuple):
    """A call to put in front of an instruction.

    Attributes:
        hook: What is called; it stands among the constants of the new code.
        operands: Which operands it is given, counted from the top of the stack, from 1.
        cell: The local slot of a closure cell that it is given instead.
        replaces: The operand which its result replaces, counted from the top; 0 drops the result.
        after: Put it behind the instruction in place of in front of it.
    """

    hook: Callable[..., Any]
    operands: tuple[int, ...] = ()
    cell: int | None = None
    replaces: int = 0
    after: bool = False


def take_apart(code: CodeType) -> Body:
    """Take a code object apart; what is returned must not be changed."""
    return _taken_apart(code, *_place(code))


def _place(code: CodeType) -> tuple[str, str, bytes]:
    """Return what code objects that count as equal may still differ in."""
    return code.co_filename, code.co_qualname, code.co_linetable


@lru_cache(maxsize=CACHED_MAX)
def _taken_apart(code: CodeType, *_: object) -> Body:
    raw = code.co_code
    positions = list(code.co_positions())
    by_offset: dict[int, Instruction] = {}
    instructions: list[Instruction] = []
    jumps: list[tuple[Instruction, int]] = []
    offset = 0
    extended, start = 0, -1
    while offset < len(raw):
        op, arg = raw[offset], raw[offset + 1] | extended
        if start < 0:
            start = offset
        if op == _EXTENDED_ARG:
            extended = arg << 8
            offset += 2
            continue
        instruction = Instruction(op, arg, positions[offset // 2], len(instructions))
        instructions.append(instruction)
        by_offset[start] = by_offset[offset] = instruction
        offset += 2 + 2 * _CACHE_SIZE[op]
        if op in _JUMPS:
            jumps.append((instruction, offset + 2 * (-arg if op in _BACKWARD else arg)))
        extended, start = 0, -1
    for jump, goal in jumps:
        jump.target = by_offset[goal]
    ranges = [
        _Range(by_offset[first], by_offset.get(last), by_offset[goal], depth)
        for first, last, goal, depth in _read_exceptions(code.co_exceptiontable)
    ]
    return Body(code, instructions, ranges)


def _read_exceptions(table: bytes) -> Iterator[tuple[int, int, int, int]]:
    data = iter(table)

    def varint() -> int:
        byte = next(data)
        value = byte & 63
        while byte & 64:
            byte = next(data)
            value = value << 6 | byte & 63
        return value

    while True:
        try:
            start = varint()
        except StopIteration:
            return
        length = varint()
        target = varint()
        yield start * 2, (start + length) * 2, target * 2, varint()


def put_together(
    body: Body, calls: dict[int, Sequence[Call]], *, unbound: frozenset[int], constants: tuple[Any, ...]
) -> CodeType:
    """Assemble a code object anew, with calls put in.

    Args:
        body: The code object, taken apart.
        calls: For the index of an instruction, what to call there.
        unbound: The indexes of method loads which are to load a bound method, so that the callable of the
            call that follows is one object at a known place.
        constants: The constants of the new code, in place of the old ones.
    """
    # The first field of a call is what is called.
    shape = (tuple((index, *(call[1:] for call in here)) for index, here in sorted(calls.items())), unbound)
    known = body.assembled.get(shape)
    if known is None:
        if len(body.assembled) >= SHAPES_MAX:
            body.assembled.clear()
        known = body.assembled[shape] = _assemble(body, calls, unbound)
    code, order = known
    hooks = [calls[index][number].hook for index, number in order]
    return code.replace(co_consts=(*constants, *hooks))


def _assemble(body: Body, calls: dict[int, Sequence[Call]], unbound: frozenset[int]) -> _Assembled:
    original = body.code
    first_hook = len(original.co_consts)
    order: list[tuple[int, int]] = []
    pieces: list[bytes] = []
    positions: list[Position] = []
    begins: list[int] = []
    jumps: list[tuple[int, Instruction]] = []
    for instruction in body.instructions:
        begins.append(len(pieces))
        here = calls.get(instruction.index, ())
        for number, call in enumerate(here):
            if not call.after:
                pieces.append(_call(call, first_hook + len(order)))
                order.append((instruction.index, number))
        if instruction.target is not None:
            jumps.append((len(pieces), instruction))
        bound = instruction.index in unbound
        pieces.append(_bound(instruction) if bound else _encoded(instruction.op, instruction.arg))
        for number, call in enumerate(here):
            if call.after:
                pieces.append(_call(call, first_hook + len(order)))
                order.append((instruction.index, number))
        positions += [instruction.position] * (len(pieces) - begins[-1])
    offsets = _lay_out(pieces, jumps, begins)
    exceptions = bytearray()
    for start, end, target, depth_lasti in body.ranges:
        first = offsets[begins[start.index]]
        last = offsets[-1] if end is None else offsets[begins[end.index]]
        handler = offsets[begins[target.index]]
        _write_exception(exceptions, first, last - first, handler, depth_lasti)
    code = original.replace(
        co_code=b"".join(pieces),
        co_exceptiontable=bytes(exceptions),
        co_linetable=_encode_positions(positions, offsets, original.co_firstlineno),
        co_consts=(*original.co_consts, *[None] * len(order)),  # where the hooks will be
        co_stacksize=original.co_stacksize + _STACK_NEEDED,
    )
    return code, order


_STACK_NEEDED: Final = 5
_OP: Final = dis.opmap
_NULL_FIRST: Final = VERSION < (3, 13)


def _call(call: Call, hook: int) -> bytes:
    """Return the code of a call of the constant with this number."""
    before, after = _around_hook(call.operands, call.cell, call.replaces)
    return before + _encoded(_OP["LOAD_CONST"], hook) + after


@lru_cache(maxsize=CACHED_MAX)
def _around_hook(operands: tuple[int, ...], cell: int | None, replaces: int) -> tuple[bytes, bytes]:
    """Return what stands in front of the load of a hook, and behind it."""
    null = _encoded(_OP["PUSH_NULL"], 0)
    before, after = (null, b"") if _NULL_FIRST else (b"", null)
    given = 0
    if cell is not None:
        after += _encoded(_OP["LOAD_CLOSURE" if _NULL_FIRST else "LOAD_FAST"], cell)
        given = 1
    for operand in operands:
        after += _encoded(_OP["COPY"], operand + 2 + given)
        given += 1
    if VERSION == (3, 11):
        after += _encoded(_OP["PRECALL"], given)
    after += _encoded(_OP["CALL"], given)
    if replaces:
        after += _encoded(_OP["SWAP"], replaces + 1)
    return before, after + _encoded(_OP["POP_TOP"], 0)


def _bound(load: Instruction) -> bytes:
    """Load a bound method and a NULL where the compiler wanted a method and its object."""
    arg = load.arg if VERSION == (3, 11) else load.arg & ~1
    op = load.op if load.name == "LOAD_SUPER_ATTR" else _OP["LOAD_ATTR"]
    code = _encoded(op, arg) + _encoded(_OP["PUSH_NULL"], 0)
    return code + _encoded(_OP["SWAP"], 2) if _NULL_FIRST else code


def _extensions(arg: int) -> int:
    return 0 if arg < 1 << 8 else 1 if arg < 1 << 16 else 2 if arg < 1 << 24 else 3


@lru_cache(maxsize=CACHED_MAX)
def _encoded(op: int, arg: int, width: int = 0) -> bytes:
    """Return an instruction with its inline caches, and with at least so many extended arguments."""
    code = bytearray()
    for extension in range(max(width, _extensions(arg)), 0, -1):
        code += bytes((_EXTENDED_ARG, arg >> 8 * extension & 255))
    return bytes(code) + bytes((op, arg & 255)) + bytes(2 * _CACHE_SIZE[op])


def _lay_out(pieces: list[bytes], jumps: list[tuple[int, Instruction]], begins: list[int]) -> list[int]:
    """Give every jump its argument; return the offset of each piece, and of the end, in code units.

    Args:
        pieces: The code; those of the jumps are made here.
        jumps: Which pieces are jumps.
        begins: At which piece each instruction that was there begins.
    """
    sizes = [len(piece) // 2 for piece in pieces]
    widths = [0] * len(jumps)
    while True:
        offsets = [0, *accumulate(sizes)]
        settled = True
        for number, (at, jump) in enumerate(jumps):
            target = jump.target
            if target is None:
                continue
            distance = offsets[begins[target.index]] - offsets[at + 1]
            arg = -distance if jump.op in _BACKWARD else distance
            # A jump keeps the width it once needed: growing and shrinking in turn would never end.
            widths[number] = max(widths[number], _extensions(arg))
            pieces[at] = _encoded(jump.op, arg, widths[number])
            settled = settled and len(pieces[at]) // 2 == sizes[at]
            sizes[at] = len(pieces[at]) // 2
        if settled:
            return offsets


def _write_exception(table: bytearray, start: int, length: int, target: int, depth_lasti: int) -> None:
    for position, number in enumerate((start, length, target, depth_lasti)):
        groups = [number & 63]
        while number := number >> 6:
            groups.append(number & 63)
        groups.reverse()
        first = len(table)
        table += bytes(group | 64 for group in groups[:-1])
        table.append(groups[-1])
        if position == 0:
            table[first] |= 128


_LONG_FORM: Final = 14
_NO_COLUMNS: Final = 13
_NO_LOCATION: Final = 15
_UNITS_MAX: Final = 8


def _encode_positions(positions: list[Position], offsets: list[int], first_line: int) -> bytes:
    """Return the table that says where each code unit stands in the source."""
    pieces: list[bytes] = []
    line = first_line
    at, count = 0, len(positions)
    while at < count:
        position = positions[at]
        end = at + 1
        while end < count and positions[end] == position:
            end += 1
        units = offsets[end] - offsets[at]
        at = end
        while units > 0:
            form, place = _encoded_position(position, line)
            pieces += bytes((form | min(units, _UNITS_MAX) - 1,)), place
            line = line if position[0] is None else position[0]
            units -= _UNITS_MAX
    return b"".join(pieces)


@lru_cache(maxsize=CACHED_MAX)
def _encoded_position(position: Position, line: int) -> tuple[int, bytes]:
    """Return the first byte of an entry, but for how many units it is of, and the rest.

    Args:
        position: The position.
        line: That of the entry before.
    """
    start, end, column, end_column = position
    if start is None:
        return 128 | _NO_LOCATION << 3, b""
    delta = start - line
    values = [-delta << 1 | 1 if delta < 0 else delta << 1]
    form = _NO_COLUMNS
    if end is not None and column is not None and end_column is not None:
        form = _LONG_FORM
        values += end - start, column + 1, end_column + 1
    if max(values) < 64:
        return 128 | form << 3, bytes(values)
    table = bytearray()
    for value in values:
        while value >= 64:
            table.append(value & 63 | 64)
            value >>= 6  # noqa: PLW2901  (what is left of it)
        table.append(value)
    return 128 | form << 3, bytes(table)
