"""The program as shipped, its well-known repairs that do not hold, and its fixes.

As shipped, a document's pointer is kept in a `LONG`, as `SetWindowLong(window, GWL_USERDATA, (LONG)p)` does.
"""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from simulations.address_space.environment import ANYWHERE
from simulations.address_space.process import FILL_LIMIT, System
from simulations.address_space.space import MIB

if TYPE_CHECKING:
    from collections.abc import Mapping

AS_SHIPPED: Final = System(cut="signed-32", landings=ANYWHERE)
"""The pointer is kept in 32 bits with a sign, and memory may land anywhere."""

ON_THE_TEST_MACHINE: Final = replace(AS_SHIPPED, landings=System().landings)
"""The same program where memory always lands at the lowest address."""

FILLED: Final = replace(ON_THE_TEST_MACHINE, fill_below=FILL_LIMIT)
"""The same program on the same machine, and every gap below 6 GiB was filled before it began."""

CAST_THROUGH_UNSIGNED: Final = replace(AS_SHIPPED, cut="unsigned-32")
"""`(unsigned)(uintptr_t)p`: the compiler's warning is gone (gcc is silent about it), and the line moves up
to 4 GiB."""

SMALL_DOCUMENTS: Final = replace(AS_SHIPPED, document_kib_max=1024)
"""Documents above 1 MiB are refused. An address is not a matter of size."""

LOW_HEAP: Final = replace(AS_SHIPPED, reserve=16 * MIB)
"""A heap of 16 MiB is reserved in low memory: as under a tool whose heap lies low, or LuaJIT's low
allocator. The bug is gone until the heap is full."""

FULL_WIDTH: Final = replace(AS_SHIPPED, cut="none")
"""The field is as wide as a pointer: `SetWindowLongPtr(window, GWLP_USERDATA, (LONG_PTR)p)`."""

HANDLE: Final = replace(AS_SHIPPED, keeps="handle")
"""The 32-bit field stays and keeps the number of a table entry: a type of its own, which no pointer
converts to."""

VARIANTS: Final[Mapping[str, System]] = MappingProxyType(
    {
        "as-shipped": AS_SHIPPED,
        "test-machine": ON_THE_TEST_MACHINE,
        "filled": FILLED,
        "cast-through-unsigned": CAST_THROUGH_UNSIGNED,
        "small-documents": SMALL_DOCUMENTS,
        "low-heap": LOW_HEAP,
        "full-width": FULL_WIDTH,
        "handle": HANDLE,
    }
)
"""All of them by name."""
