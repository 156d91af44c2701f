"""What a program and its space are, as data: as shipped, the well-known repairs that do not hold, the fixes.

As shipped, a document's pointer is kept in a `LONG`, as `SetWindowLong(window, GWL_USERDATA, (LONG)p)` does.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, Literal

from simulations.address_space.cuts import cut_named
from simulations.address_space.environment import ANYWHERE, AS_TESTED
from simulations.address_space.space import GIB, MIB, WINDOWS, Layout
from simulations.address_space.workload import DOCUMENT_KIB_MAX
from simulations.errors import LabError

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "AS_SHIPPED",
    "CAST_THROUGH_UNSIGNED",
    "FILLED",
    "FILL_LIMIT",
    "FULL_WIDTH",
    "HANDLE",
    "LOW_HEAP",
    "ON_THE_TEST_MACHINE",
    "SMALL_DOCUMENTS",
    "System",
]


@dataclass(frozen=True)
class System:
    """The program, and the space in which it runs.

    Attributes:
        cut: The name of what happens to a pointer on the old path.
        keeps: Whether the field on the old path keeps a `pointer` or a `handle`, the number of an entry in
            a table.
        layout: The shape of the address space.
        landings: Where the environment may put a mapping: a prefix of `environment.ANYWHERE`.
        fill_below: Fill all gaps below this address, in bytes; 0 for no filling.
        filled: When: `at start`, before the program has any memory; `from inside`, when its allocator has an
            arena already, which holds free low memory that no gap shows; or `from inside, drained`, when that
            is taken, too.
        document_kib_max: The program refuses larger documents.
        reserve: Bytes of a heap reserved in low memory that serves documents while they fit; 0 for none.

    Raises:
        LabError: there is no such cut, or a figure or an answer makes no sense.
    """

    cut: str = "signed-32"
    keeps: Literal["pointer", "handle"] = "pointer"
    layout: Layout = WINDOWS
    landings: tuple[str, ...] = AS_TESTED
    fill_below: int = 0
    filled: Literal["at start", "from inside", "from inside, drained"] = "at start"
    document_kib_max: int = DOCUMENT_KIB_MAX
    reserve: int = 0

    def __post_init__(self) -> None:
        cut_named(self.cut)
        if self.keeps not in {"pointer", "handle"}:
            raise LabError(f"the field keeps a pointer or a handle, not {self.keeps!r}")
        if self.filled not in {"at start", "from inside", "from inside, drained"}:
            raise LabError(f"a space is filled at start, or from inside, drained or not; not {self.filled!r}")
        if not self.landings or self.landings != ANYWHERE[: len(self.landings)]:
            raise LabError(f"landings are a prefix of {ANYWHERE}, not {self.landings}")
        for name in ("fill_below", "document_kib_max", "reserve"):
            if getattr(self, name) < 0:
                raise LabError(f"{name} is 0 or more, not {getattr(self, name)}")


FILL_LIMIT: Final = 6 * GIB
"""Where to stop filling. Lowest first, the program's next pointers are the limit and a little more; cut to
32 bits they fall to 2 GiB and a little more, above all islands. At a limit of 4 GiB they would fall onto
the image."""


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
