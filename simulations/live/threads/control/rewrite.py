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
        arg: The argument, extended arguments included; of a jump it is computed when the code is assembled.
        target: Where a jump goes.
        position: Line, end line, column and end column in the source.
        index: The place in the code object that was taken apart, or -1 if it was put in.
        offset: Where it stands in the new code, in code units.
        width: How many extended arguments it has at least.
    """

    __slots__ = ("arg", "index", "offset", "op", "position", "target", "width")

    def __init__(self, op: int, arg: int, position: Position, index: int = -1) -> None:
        self.op = op
        self.arg = arg
        self.position = position
        self.index = index
        self.target: Instruction | None = None
        self.offset = 0
        self.width = 0

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
    pool: list[Any] = list(original.co_consts)
    order: list[tuple[int, int]] = []
    stream: list[Instruction] = []
    first_of: dict[int, Instruction] = {}
    for instruction in body.instructions:
        at = len(stream)
        here = calls.get(instruction.index, ())
        for number, call in enumerate(here):
            if not call.after:
                order.append((instruction.index, number))
                _emit(stream, call, instruction.position, pool)
        if instruction.index in unbound:
            _emit_bound(stream, instruction)
        else:
            copy = Instruction(instruction.op, instruction.arg, instruction.position, instruction.index)
            copy.target = instruction.target
            stream.append(copy)
        for number, call in enumerate(here):
            if call.after:
                order.append((instruction.index, number))
                _emit(stream, call, instruction.position, pool)
        first_of[instruction.index] = stream[at]
    for copy in stream:
        if copy.target is not None:
            copy.target = first_of[copy.target.index]
    size = _lay_out(stream)
    exceptions = bytearray()
    for start, end, target, depth_lasti in body.ranges:
        first = first_of[start.index].offset
        last = size if end is None else first_of[end.index].offset
        _write_exception(exceptions, first, last - first, first_of[target.index].offset, depth_lasti)
    code = original.replace(
        co_code=_encode(stream),
        co_exceptiontable=bytes(exceptions),
        co_linetable=_encode_positions(stream, original.co_firstlineno),
        co_consts=tuple(pool),
        co_stacksize=body.code.co_stacksize + _STACK_NEEDED,
    )
    return code, order


_STACK_NEEDED: Final = 5
_OP: Final = dis.opmap
_NULL_FIRST: Final = VERSION < (3, 13)


def _emit(stream: list[Instruction], call: Call, position: Position, pool: list[Any]) -> None:
    def put(name: str, arg: int = 0) -> None:
        stream.append(Instruction(_OP[name], arg, position))

    pool.append(None)  # where the hook will be
    if _NULL_FIRST:
        put("PUSH_NULL")
        put("LOAD_CONST", len(pool) - 1)
    else:
        put("LOAD_CONST", len(pool) - 1)
        put("PUSH_NULL")
    given = 0
    if call.cell is not None:
        put("LOAD_CLOSURE" if _NULL_FIRST else "LOAD_FAST", call.cell)
        given = 1
    for operand in call.operands:
        put("COPY", operand + 2 + given)
        given += 1
    if VERSION == (3, 11):
        put("PRECALL", given)
    put("CALL", given)
    if call.replaces:
        put("SWAP", call.replaces + 1)
    put("POP_TOP")


def _emit_bound(stream: list[Instruction], load: Instruction) -> None:
    """Load a bound method and a NULL where the compiler wanted a method and its object."""
    arg = load.arg if VERSION == (3, 11) else load.arg & ~1
    op = load.op if load.name == "LOAD_SUPER_ATTR" else _OP["LOAD_ATTR"]
    stream.append(Instruction(op, arg, load.position, load.index))
    stream.append(Instruction(_OP["PUSH_NULL"], 0, load.position))
    if _NULL_FIRST:
        stream.append(Instruction(_OP["SWAP"], 2, load.position))


def _extensions(arg: int) -> int:
    return 0 if arg < 1 << 8 else 1 if arg < 1 << 16 else 2 if arg < 1 << 24 else 3


def _units(instruction: Instruction) -> int:
    return max(instruction.width, _extensions(instruction.arg)) + 1 + _CACHE_SIZE[instruction.op]


def _lay_out(stream: list[Instruction]) -> int:
    """Give every instruction its offset, in code units, and every jump its argument; return the size."""
    jumps = [instruction for instruction in stream if instruction.target is not None]
    while True:
        offset = 0
        for instruction in stream:
            instruction.offset = offset
            offset += _units(instruction)
        settled = True
        for jump in jumps:
            target = jump.target
            if target is None:
                continue
            before = _units(jump)
            distance = target.offset - (jump.offset + before)
            jump.arg = -distance if jump.op in _BACKWARD else distance
            # A jump keeps the width it once needed: growing and shrinking in turn would never end.
            jump.width = max(jump.width, _extensions(jump.arg))
            settled = settled and _units(jump) == before
        if settled:
            return offset


def _encode(stream: list[Instruction]) -> bytes:
    code = bytearray()
    for instruction in stream:
        op, arg = instruction.op, instruction.arg
        for extension in range(max(instruction.width, _extensions(arg)), 0, -1):
            code += bytes((_EXTENDED_ARG, arg >> 8 * extension & 255))
        code += bytes((op, arg & 255))
        code += bytes(2 * _CACHE_SIZE[op])
    return bytes(code)


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


def _encode_positions(stream: list[Instruction], first_line: int) -> bytes:
    table = bytearray()
    line = first_line
    index = 0
    while index < len(stream):
        position = stream[index].position
        units = 0
        while index < len(stream) and stream[index].position == position:
            units += _units(stream[index])
            index += 1
        while units > 0:
            line = _encode_entry(table, position, min(units, _UNITS_MAX), line)
            units -= _UNITS_MAX
    return bytes(table)


def _encode_entry(table: bytearray, position: Position, units: int, line: int) -> int:
    def varint(value: int) -> None:
        while value >= 64:
            table.append(value & 63 | 64)
            value >>= 6
        table.append(value)

    start, end, column, end_column = position
    form = _NO_LOCATION if start is None else _LONG_FORM
    if start is not None and (end is None or column is None or end_column is None):
        form = _NO_COLUMNS
    table.append(128 | form << 3 | units - 1)
    if start is None:
        return line
    delta = start - line
    varint(-delta << 1 | 1 if delta < 0 else delta << 1)
    if form == _LONG_FORM and end is not None and column is not None and end_column is not None:
        varint(end - start)
        varint(column + 1)
        varint(end_column + 1)
    return start
