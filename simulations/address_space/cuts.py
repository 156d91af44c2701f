"""The ways in which programs cut a pointer on its way through a field that is too small for it.

A cut takes an address and returns the address that comes back when the field is read. All of them are taken
from real programs; `double` is the control, which looks as wrong as the others and loses nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from simulations.errors import LabError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["CUTS", "Cut"]

ALIGNMENT: Final = 16
"""Bytes to which every pointer of a 64-bit malloc is aligned."""


@dataclass(frozen=True)
class Cut:
    """A way in which a pointer is kept.

    Attributes:
        name: Identifies it.
        apply: From the address that goes in to the address that comes out, both from 0 to 2^64 - 1.
        line: The lowest address, aligned to 16 bytes, that does not survive; None if all below 2^53 do.
        seen_in: Where programs do this.
    """

    name: str
    apply: Callable[[int], int]
    line: int | None
    seen_in: str

    def __call__(self, address: int) -> int:
        """Return the address that comes out."""
        return self.apply(address)


def _unsigned(bits: int) -> Callable[[int], int]:
    def cut(address: int) -> int:
        return address & ((1 << bits) - 1)

    return cut


def _signed_32(address: int) -> int:
    low = address & 0xFFFF_FFFF
    return low if low < 1 << 31 else low | 0xFFFF_FFFF_0000_0000


def _shifted_3(address: int) -> int:
    return (address >> 3 & 0xFFFF_FFFF) << 3


def _significant(bits: int) -> Callable[[int], int]:
    """Return the rounding to `bits` significant binary digits, half to even, as IEEE 754 has it."""

    def cut(address: int) -> int:
        excess = address.bit_length() - bits
        if excess <= 0:
            return address
        kept, lost = address >> excess, address & ((1 << excess) - 1)
        half = 1 << (excess - 1)
        up = lost > half or (lost == half and kept & 1)
        return (kept + (1 if up else 0)) << excess

    return cut


CUTS: Final[Mapping[str, Cut]] = MappingProxyType(
    {
        cut.name: cut
        for cut in (
            Cut("none", lambda address: address, None, "a field as wide as a pointer: uintptr_t, LONG_PTR"),
            Cut("unsigned-32", _unsigned(32), 1 << 32, "DWORD, handles, %x, (unsigned)(uintptr_t)p"),
            Cut("signed-32", _signed_32, 1 << 31, "int, LONG, GWL_USERDATA, ctypes without restype"),
            Cut(
                "mask-47",
                _unsigned(47),
                1 << 47,
                "NaN boxing and tags in the high bits, under 5-level paging",
            ),
            Cut("shift-3", _shifted_3, 1 << 35, "compressed object pointers of 32 bits, aligned to 8 bytes"),
            Cut(
                "float32", _significant(24), (1 << 28) + ALIGNMENT, "a number of a script or a variant record"
            ),
            Cut("double", _significant(53), None, "the control: 53 significant bits hold every address"),
        )
    }
)
"""All cuts by name."""


def cut_named(name: str) -> Cut:
    """Return a cut by name.

    Raises:
        LabError: there is none of that name.
    """
    if name not in CUTS:
        raise LabError(f"there is no cut {name!r}; there are {', '.join(CUTS)}")
    return CUTS[name]
