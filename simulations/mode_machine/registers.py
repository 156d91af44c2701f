"""What the machine holds, by name, and conditions on it: `cpu1.mode == ?110`."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from simulations.errors import LabError
from simulations.mode_machine.encodings import Mode, show
from simulations.mode_machine.system import Kind, State, incidents_at, power_on

if TYPE_CHECKING:
    from simulations.mode_machine.variants import System

__all__ = ["read", "registers"]

Condition: TypeAlias = Callable[[State], bool]


class RegisterError(LabError):
    """There is no such register, or a condition on one is not understood."""


def registers(system: System) -> tuple[str, ...]:
    """Return the names of all that can be read, watched and compared.

    They are, for each processor, `cpu0.mode`, `cpu0.code`, `cpu0.expected` (the mode without noise),
    `cpu0.waited` (clocks without the bus) and `cpu0.lost` (clocks in which its watchdog saw no mode); and
    `bus.owner`.
    """
    each = ("mode", "code", "expected", "waited", "lost")
    return (*(f"cpu{number}.{what}" for number in range(system.processors) for what in each), "bus.owner")


def read(system: System, state: State, register: str) -> str | int:
    """Return what a register holds.

    Args:
        system: The machine.
        state: Its state.
        register: One of `registers`.

    Raises:
        RegisterError: there is no such register.
    """
    if register not in registers(system):
        raise RegisterError(f"there is no register {register!r}; there are {', '.join(registers(system))}")
    if register == "bus.owner":
        return f"cpu{state.owner}"
    actor, what = register.split(".")
    processor = state.processors[int(actor.removeprefix("cpu"))]
    if what == "mode":
        return show(system.encoding, processor.code)
    if what == "expected":
        return Mode(processor.expected).name
    return {"code": processor.code, "waited": processor.waited, "lost": processor.lost}[what]


_COMPARISONS: Final[dict[str, Callable[[Any, Any], bool]]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<=": operator.le,
    ">=": operator.ge,
    "<": operator.lt,
    ">": operator.gt,
}

_KINDS: Final[dict[str, Kind]] = {"unused": "unused code", "wrong": "wrong mode", "starved": "starved"}


def condition_of(system: System, text: str) -> Condition:
    """Return the condition that a text describes.

    Args:
        system: The machine.
        text: `unused` (a register holds no mode), `wrong` (a mode, but not the expected one) or `starved`
            (somebody waits for the bus too long), of any processor; or a comparison such as
            `cpu1.mode == ?110`, `cpu0.mode != RUN`, `cpu2.waited > 3`, `bus.owner == cpu1`.

    Raises:
        RegisterError: the text is neither.
    """
    kind = _KINDS.get(text.strip())
    if kind is not None:
        return lambda state: any(incident.kind == kind for incident in incidents_at(system, state))
    found = re.fullmatch(r"\s*([\w.]+)\s*(==|!=|<=|>=|<|>)\s*(\??\w+)\s*", text)
    if found is None:
        raise RegisterError(
            f"the condition {text.strip()!r} is not understood; say {', '.join(_KINDS)}, or compare a "
            f"register, as in cpu1.mode == ?110"
        )
    register, sign, value = found.groups()
    compare, wanted = _COMPARISONS[sign], _value(system, register, value)
    if isinstance(wanted, str) and sign not in ("==", "!="):
        raise RegisterError(f"{register} is not a number; compare it by == or !=")
    return lambda state: compare(read(system, state, register), wanted)


def _value(system: System, register: str, text: str) -> str | int:
    """Check a value that a register is to be compared with."""
    example = read(system, power_on(system), register)
    if isinstance(example, int):
        if not text.isdecimal():
            raise RegisterError(f"{register} is a number, and {text!r} is none")
        return int(text)
    codes = {show(system.encoding, code) for code in range(1 << system.encoding.bits)}
    owners = {f"cpu{number}" for number in range(system.processors)}
    known = owners if register == "bus.owner" else codes
    value = text if text in known else text.upper()
    if value not in known:
        raise RegisterError(f"{register} is never {text}; it is one of {', '.join(sorted(known))}")
    return value
