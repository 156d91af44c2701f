"""Which instructions of a function another thread could notice, and what each of them touches."""

from __future__ import annotations

import dis
import inspect
import linecache
from types import (
    BuiltinFunctionType,
    FunctionType,
    MethodDescriptorType,
    MethodType,
    MethodWrapperType,
    WrapperDescriptorType,
)
from typing import TYPE_CHECKING, Final, Literal

from simulations.live.threads.control.stamps import attributes_of
from simulations.live.threads.control.standard_library import VERSION
from simulations.live.threads.control.touching import Touching

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import CodeType

    from simulations.live.threads.control.rewrite import Body, Instruction, Position

Kind = Literal[
    "attribute", "item", "slice", "whole", "contains", "match", "import", "super",
    "global", "name", "cell", "call", "with", "switch", "resume", "end",
]  # fmt: skip


_NAMED: Final = frozenset(
    {FunctionType, BuiltinFunctionType, MethodDescriptorType, WrapperDescriptorType, MethodWrapperType}
)
"""The types whose objects say their name without running code of the program."""
_NAME_OF_CLASS: Final = type.__dict__["__name__"].__get__


def _name_of(function: object) -> str:
    kind = type(function)
    if kind is MethodType:
        return _name_of(function.__func__)  # type: ignore[attr-defined]
    if kind in _NAMED:
        return str(getattr(function, "__name__", ""))
    if issubclass(kind, type):
        return str(_NAME_OF_CLASS(function))
    attributes = attributes_of(function)
    own = attributes.get("__name__") if type(attributes) is dict else None
    return own if type(own) is str else kind.__name__


class Site:
    """An instruction that another thread could notice.

    Attributes:
        code: The function it stands in, as the user wrote it.
        index: Its place among the instructions of the function; where calls are put.
        kind: What it touches.
        verb: What it does.
        name: The attribute, global, variable or method that it names; empty where it names none.
        operands: The operands that say what it touches, counted from the top of the stack.
        cell: The local slot of the closure cell that it touches.
        line: The line in the source.
        position: Line, end line, column and end column in the source.
        writes: Whether it changes what it touches.
        deletes: Whether it takes an item out of what it touches.
        hot: Whether it has been run under observation.
        focus: Whether threads may be switched in front of it.
        effects: What it has been seen to do.
        shows: Whether it may make a text of what it touches.
        sync: Whether it has worked on a primitive, so that it must stay under control.
        exit: Of a `with` statement, the site at its end.
        end: Of a call, the place of the call itself, which stands behind the instructions that prepare it.
    """

    __slots__ = (
        "cell",
        "code",
        "deletes",
        "effects",
        "end",
        "exit",
        "focus",
        "hot",
        "index",
        "kind",
        "line",
        "name",
        "operands",
        "position",
        "shows",
        "sync",
        "verb",
        "writes",
    )

    def __init__(
        self,
        code: CodeType,
        instruction: Instruction,
        kind: Kind,
        *,
        name: str = "",
        operands: tuple[int, ...] = (),
        cell: int | None = None,
        writes: bool = False,
        deletes: bool = False,
        verb: Touching | None = None,
        way_out: Site | None = None,
        position: Position | None = None,
        end: int | None = None,
        shows: bool = False,
    ) -> None:
        self.code = code
        self.index = instruction.index
        self.kind = kind
        self.name = name
        self.operands = operands
        self.cell = cell
        self.position = position or instruction.position
        self.line = self.position[0] or instruction.position[0] or code.co_firstlineno
        self.writes = writes
        self.deletes = deletes
        self.shows = shows
        self.verb = verb or (Touching.WRITES if writes else Touching.READS)
        self.effects: set[Touching] = set()
        self.hot = False
        self.focus = False
        self.sync = False
        self.exit = way_out
        self.end = instruction.index if end is None else end

    def note_run(self) -> None:
        """Note that it has been run under observation."""
        self.hot = True

    def note_primitive(self) -> None:
        """Note that it has worked on a primitive."""
        self.sync = True

    def note_effect(self, touching: Touching) -> None:
        """Note what it was seen to do."""
        self.effects.add(touching)

    def set_focus(self, *, focus: bool) -> None:
        """Say whether threads may be switched in front of it."""
        self.focus = focus

    def set_writes(self, *, writes: bool) -> None:
        """Say whether it changes what it touches, where only the objects at hand tell."""
        self.writes = writes

    def set_verb(self, verb: Touching) -> None:
        """Say what it does, where only the objects at hand tell."""
        self.verb = verb

    def name_as(self, name: str) -> None:
        """Name a call by what is called."""
        self.name = name

    def name_after(self, function: object) -> None:
        """Name a call after the first thing that it calls, which is not asked unless it answers by itself."""
        if not self.name:
            self.name = _name_of(function)

    def reset_heat(self) -> None:
        """Forget that it has been run, unless it must stay under control."""
        self.hot = self.sync

    @property
    def only_releases(self) -> bool:
        """Whether all that it does is to give locks back."""
        return self.verb is Touching.RELEASES or self.effects == {Touching.RELEASES}

    @property
    def text(self) -> str:
        """The source line, without its indentation; empty where there is no source."""
        return linecache.getline(self.code.co_filename, self.line).strip()

    @property
    def expression(self) -> str:
        """The source of the expression, if it stands on one line; empty where there is no source."""
        line, end, column, end_column = self.position
        if line is None or line != end or column is None or end_column is None:
            return ""
        raw = linecache.getline(self.code.co_filename, line).encode()
        return raw[column:end_column].decode(errors="replace")

    def __repr__(self) -> str:
        return f"<{self.verb} {self.name} at {self.code.co_filename}:{self.line}>"


_BOOLEAN: Final = frozenset(
    dis.opmap[name]
    for name in ("COMPARE_OP", "IS_OP", "CONTAINS_OP", "UNARY_NOT", "TO_BOOL")
    if name in dis.opmap
)
_TRUTH_TESTS: Final = frozenset(
    code
    for name, code in dis.opmap.items()
    if (
        name == "TO_BOOL"
        if VERSION >= (3, 13)
        else name == "UNARY_NOT" or name.endswith(("IF_TRUE", "IF_FALSE", "OR_POP"))
    )
)
_IN_PLACE_FIRST: Final = 13
_REMAINDER: Final = 6
_SUBSCRIPT: Final = 26
_POSITIVE: Final = 5
"""What `CALL_INTRINSIC_1` does where `+` stands in front of its operand, from 3.12 on."""
_HAS_SPEC: Final = 4
_WHOLE_READS: Final = {
    "GET_ITER": (1,),
    "FOR_ITER": (1,) if VERSION < (3, 15) else (2,),  # below the index into a list or tuple, from 3.15 on
    "GET_LEN": (1,),
    "UNPACK_SEQUENCE": (1,),
    "UNPACK_EX": (1,),
    "LIST_EXTEND": (1,),
    "SET_UPDATE": (1,),
    "DICT_UPDATE": (1,),
    "DICT_MERGE": (1,),
    "BINARY_SLICE": (3,),
    "COMPARE_OP": (2, 1),
    "FORMAT_SIMPLE": (1,),
    "FORMAT_WITH_SPEC": (2,),
    "CONVERT_VALUE": (1,),
    "UNARY_NEGATIVE": (1,),
    "UNARY_POSITIVE": (1,),
    "UNARY_INVERT": (1,),
    "MATCH_KEYS": (2,),
    "GET_YIELD_FROM_ITER": (1,),
    "SEND": (2,) if VERSION < (3, 15) else (3,),  # likewise
}
_SHOWING: Final = frozenset({"FORMAT_SIMPLE", "FORMAT_WITH_SPEC", "CONVERT_VALUE"})
_READ: Final = (False, (2, 1))
_ITEMS: Final[dict[str, tuple[bool, tuple[int, ...]]]] = {
    "BINARY_SUBSCR": _READ,
    "STORE_SUBSCR": (True, (2, 1, 3)),
    "DELETE_SUBSCR": (True, (2, 1)),
}
"""Whether an item is written, and the operands: the container, the key, what is stored."""
_ATTRIBUTES: Final = {
    "LOAD_ATTR": False,
    "LOAD_METHOD": False,
    "IMPORT_FROM": False,
    "STORE_ATTR": True,
    "DELETE_ATTR": True,
}
_LOOKING: Final[dict[str, tuple[Kind, tuple[int, ...]]]] = {
    "CONTAINS_OP": ("contains", (1, 2)),
    "MATCH_CLASS": ("match", (3, 2, 1)),
}
_NAMING: Final[dict[str, tuple[Kind, tuple[int, ...], int]]] = {
    "IMPORT_NAME": ("import", (2,), 2 if VERSION >= (3, 15) else 0),
    "LOAD_SUPER_ATTR": ("super", (2, 1), 2),
}
"""Kind, operands, and by how much the argument is shifted to get to the name."""
_GLOBALS: Final = {
    "LOAD_GLOBAL": False,
    "LOAD_FROM_DICT_OR_GLOBALS": False,
    "STORE_GLOBAL": True,
    "DELETE_GLOBAL": True,
}
_NAMES: Final = {"LOAD_NAME": False, "STORE_NAME": True, "DELETE_NAME": True}
_CELLS: Final = {
    "LOAD_DEREF": False,
    "LOAD_CLASSDEREF": False,  # in the body of a class, up to 3.11
    "LOAD_FROM_DICT_OR_DEREF": False,  # likewise, from 3.12 on
    "STORE_DEREF": True,
    "DELETE_DEREF": True,
}
_CALLS: Final = frozenset({"CALL", "CALL_KW", "CALL_FUNCTION_EX"})


def sites_of(body: Body) -> Iterator[Site]:
    """Yield the sites of a function, in the order of its instructions."""
    code = body.code
    previous: Instruction | None = None
    goals = {id(instruction.target) for instruction in body.instructions}
    for instruction in body.instructions:
        name = instruction.name
        if id(instruction) in goals:
            previous = None  # what is on top of the stack may come from elsewhere
        if name in _ATTRIBUTES:
            yield _attribute(code, instruction)
        elif name in _GLOBALS:
            index = instruction.arg >> 1 if name == "LOAD_GLOBAL" else instruction.arg
            yield Site(code, instruction, "global", name=code.co_names[index], writes=_GLOBALS[name])
        elif name in _NAMES:
            yield Site(code, instruction, "name", name=code.co_names[instruction.arg], writes=_NAMES[name])
        elif name in _CELLS:
            variable = code._varname_from_oparg(instruction.arg)  # type: ignore[attr-defined]  # noqa: SLF001  (nothing public does it)
            yield Site(code, instruction, "cell", name=variable, cell=instruction.arg, writes=_CELLS[name])
        elif name in _ITEMS or (name == "BINARY_OP" and instruction.arg == _SUBSCRIPT):
            writes, operands = _ITEMS.get(name, _READ)
            yield Site(
                code, instruction, "item", operands=operands, writes=writes, deletes=name == "DELETE_SUBSCR"
            )
        elif name in _WHOLE_READS:
            yield Site(code, instruction, "whole", operands=_WHOLE_READS[name], shows=name in _SHOWING)
        elif name in _LOOKING:
            yield Site(code, instruction, _LOOKING[name][0], operands=_LOOKING[name][1])
        elif name in _NAMING:
            kind, named, shift = _NAMING[name]
            yield Site(code, instruction, kind, name=code.co_names[instruction.arg >> shift], operands=named)
        elif name == "CALL_INTRINSIC_1" and instruction.arg == _POSITIVE:
            yield Site(code, instruction, "whole", operands=(1,))
        elif name == "STORE_SLICE":
            yield Site(code, instruction, "slice", operands=(3, 4), writes=True)
        elif name == "BINARY_OP":
            in_place = instruction.arg >= _IN_PLACE_FIRST
            shows = instruction.arg % _IN_PLACE_FIRST == _REMAINDER
            yield Site(code, instruction, "whole", operands=(2, 1), writes=in_place, shows=shows)
        elif name == "FORMAT_VALUE":
            yield Site(
                code, instruction, "whole", operands=(1 + bool(instruction.arg & _HAS_SPEC),), shows=True
            )
        elif instruction.op in _TRUTH_TESTS and not (previous and previous.op in _BOOLEAN):
            yield Site(code, instruction, "whole", operands=(1,))
        elif name in _CALLS:
            if name == "CALL_FUNCTION_EX":
                below = 1 if VERSION >= (3, 14) else instruction.arg & 1
                yield Site(code, instruction, "whole", operands=(1 + below,))
            yield _call(body, instruction)
        elif with_site := _with(body, instruction):
            yield with_site
        if name == "RESUME" or "JUMP_BACKWARD" in name:
            yield from _switches(code, instruction)
        previous = instruction


def _switches(code: CodeType, instruction: Instruction) -> Iterator[Site]:
    """Yield the sites at which this interpreter may switch, or a generator goes on."""
    name = instruction.name
    if name == "JUMP_BACKWARD" or (name == "RESUME" and instruction.arg & 3 < _DELEGATES):
        yield Site(code, instruction, "switch", name=name, verb=Touching.SWITCHES)
    elif name.startswith("POP_JUMP_BACKWARD"):  # up to 3.11; only where it jumps
        yield Site(code, instruction, "switch", operands=(1,), name=name, verb=Touching.SWITCHES)
    if name == "RESUME" and code.co_flags & inspect.CO_GENERATOR and instruction.arg & 3 < _DELEGATES:
        yield Site(code, instruction, "resume", name=code.co_name, writes=True, verb=Touching.RUNS)


def entries(body: Body) -> Iterator[int]:
    """Yield the instructions at which a function begins, or goes on after a `yield`."""
    return (one.index for one in body.instructions if one.name == "RESUME" and one.arg & 3 < _AWAITS)


_AWAITS: Final = 3
_DELEGATES: Final = 2
"""From here on `RESUME` goes on within `yield from` and `await`."""


def _attribute(code: CodeType, instruction: Instruction) -> Site:
    name = instruction.name
    packed = name == "LOAD_ATTR" and VERSION >= (3, 12)
    attribute = code.co_names[instruction.arg >> 1 if packed else instruction.arg]
    return Site(code, instruction, "attribute", name=attribute, operands=(1,), writes=_ATTRIBUTES[name])


def _call(body: Body, call: Instruction) -> Site:
    """The callable stands below the arguments; a preparing instruction must stay next to its call."""
    if call.name == "CALL_FUNCTION_EX":
        depth = 4 if VERSION >= (3, 14) else 2 + (call.arg & 1) + (VERSION >= (3, 13))
    else:
        depth = call.arg + 1 + (VERSION >= (3, 13)) + (call.name == "CALL_KW")
    first = call
    while first.index and body.instructions[first.index - 1].name in {"PRECALL", "KW_NAMES"}:
        first = body.instructions[first.index - 1]
    if VERSION < (3, 13) and call.name == "CALL" and call.arg == 0 and not _pushes_null(body, first.index):
        depth += 1  # the callable of a decorator or a comprehension stands where a method would
    return Site(
        body.code,
        first,
        "call",
        operands=(depth,),
        verb=Touching.CALLS,
        position=call.position,
        end=call.index,
    )


def _pushes_null(body: Body, index: int) -> bool:
    """Return whether what stands below the top of the stack in front of an instruction is a NULL."""
    below = 2
    for instruction in reversed(body.instructions[:index]):
        name = instruction.name
        pushed = 2 if (name == "LOAD_GLOBAL" and instruction.arg & 1) or binds_method(instruction) else 1
        if name in _STILL:
            continue
        if name == "CALL":
            popped = instruction.arg + 2
        else:
            argument = instruction.arg if instruction.op >= dis.HAVE_ARGUMENT else None
            popped = pushed - dis.stack_effect(instruction.op, argument, jump=False)
        if below <= pushed:
            return name == "PUSH_NULL" or pushed == below == 2
        below += popped - pushed
    return True


_STILL: Final = frozenset({"PRECALL", "KW_NAMES", "NOP", "RESUME", "MAKE_CELL", "COPY_FREE_VARS"})


def _with(body: Body, instruction: Instruction) -> Site | None:
    """The context manager is on top of the stack in front of what returns."""
    if instruction.name != "BEFORE_WITH":
        following = body.instructions[instruction.index + 1 : instruction.index + 2]
        special = bool(following) and following[0].name == "LOAD_SPECIAL" and following[0].arg == _EXIT
        if not (special and instruction.name == "COPY"):
            return None
    way_out = Site(body.code, instruction, "with", operands=(1,), verb=Touching.RELEASES)
    return Site(body.code, instruction, "with", operands=(1,), verb=Touching.ACQUIRES, way_out=way_out)


_EXIT: Final = 1


def binds_method(instruction: Instruction) -> bool:
    """Return whether the instruction loads a method and its object as two operands."""
    if VERSION == (3, 11):
        return instruction.name == "LOAD_METHOD"
    return instruction.name in {"LOAD_ATTR", "LOAD_SUPER_ATTR"} and bool(instruction.arg & 1)
