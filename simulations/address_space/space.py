"""A 64-bit address space: what is mapped where, by which policy, and the filling of its gaps.

Figures are those of 64-bit Windows as the story had it (allocation granularity 64 KiB, 2^47 bytes for a
process, images at fixed addresses below 2 GiB, lowest address first) and of Linux (4 KiB, highest address
first).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, NamedTuple, TypeAlias

from simulations.address_space.gap_map import Gap, GapMap
from simulations.choices import substream
from simulations.drawing.displayed import DisplayedByWorld
from simulations.errors import LabError

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["GIB", "LINUX", "MIB", "WINDOWS", "Filled", "Layout", "Policy", "Region", "Space"]

KIB: Final = 1 << 10
MIB: Final = 1 << 20
"""A mebibyte, in bytes."""

GIB: Final = 1 << 30
"""A gibibyte, in bytes."""

Kind: TypeAlias = Literal["island", "mapping", "filler"]
RANDOM_TRIES: Final = 8
"""How many random addresses are tried for a mapping."""

PolicyName: TypeAlias = Literal["bottom-up", "top-down", "random", "best-fit"]


class Region(NamedTuple):
    """A mapped range of addresses.

    Attributes:
        start: Its first address.
        size: Its length in bytes.
        name: Whose it is.
        kind: `island` (there from the start, never moves), `mapping`, or `filler` (must not be touched).
    """

    start: int
    size: int
    name: str
    kind: Kind = "mapping"

    @property
    def end(self) -> int:
        """The first address after the region."""
        return self.start + self.size


@dataclass(frozen=True)
class Policy:
    """Where a mapping lands that asks for no address.

    Attributes:
        name: `bottom-up` (lowest address that fits, Windows before address randomisation), `top-down`
            (highest one, Linux, or `MEM_TOP_DOWN`), `random` (at a random address; where `RANDOM_TRIES` of
            them do not fit, top-down), or `best-fit` (smallest gap that fits).
        bits: For `random`: the random address lies below 2^bits; from 20 to 57.
    """

    name: PolicyName
    bits: int = 0

    def __post_init__(self) -> None:
        if self.name == "random" and not 20 <= self.bits <= 57:
            raise ValueError(f"a random policy has 20 to 57 bits, not {self.bits}")


@dataclass(frozen=True)
class Layout:
    """The shape of an address space before the program has asked for anything.

    Attributes:
        policy: Where mappings land.
        granularity: Bytes to which every mapping is rounded and aligned; a power of two.
        floor: The lowest address that can be mapped, in bytes; a multiple of the granularity.
        top: The address after the highest that can be mapped, in bytes; a multiple of the granularity.
        islands: What is there from the start.
        regions_max: How many regions a process may have, islands and filler included; Linux calls it
            `vm.max_map_count` and gives 65530, None means as many as it likes.
    """

    policy: Policy = Policy("bottom-up")
    granularity: int = 64 * KIB
    floor: int = 64 * KIB
    top: int = 1 << 47
    islands: tuple[Region, ...] = ()
    regions_max: int | None = None

    def __post_init__(self) -> None:
        step = self.granularity
        if step < 1 or step & (step - 1):
            raise ValueError(f"the granularity is a power of two, not {step}")
        for name, address in [("floor", self.floor), ("top", self.top)]:
            if address % step:
                raise ValueError(f"the {name} of the space, {address:#x}, is not a multiple of {step:#x}")
        if not 0 < self.floor < self.top:
            raise ValueError(f"a space from {self.floor:#x} to {self.top:#x} is empty")


WINDOWS: Final = Layout(
    islands=(
        Region(0x0040_0000, 8 * MIB, "program image", "island"),
        Region(0x1000_0000, 8 * MIB, "plug-in image", "island"),
        Region(0x7000_0000, 16 * MIB, "system libraries", "island"),
        Region(0x7FFE_0000, 64 * KIB, "shared user data", "island"),
    )
)
"""64-bit Windows without address randomisation; the sizes of the images are ours."""

LINUX: Final = Layout(
    policy=Policy("top-down"),
    granularity=4 * KIB,
    top=(1 << 47) - 4 * KIB,
    islands=(Region(0x0040_0000, 8 * MIB, "program image", "island"),),
    regions_max=65530,
)
"""x86-64 Linux with a program that is linked at a fixed address; the last page below 2^47 cannot be
mapped."""


class Filled(NamedTuple):
    """The result of a filling.

    Attributes:
        gaps: How many gaps were filled.
        bytes: How many bytes that are.
        left_open: How many gaps below the limit stayed open, because the process may have no more regions.
        largest_open: The size of the largest of them, in bytes; 0 where none stayed open.
        still_mapped: Bytes below the limit that belong to the program: a truncated pointer that falls on
            them is not caught.
    """

    gaps: int
    bytes: int
    left_open: int
    largest_open: int
    still_mapped: int


class Space(DisplayedByWorld):
    """The address space of one process.

    An allocation or a release costs what the gap map costs; `region_at` may look at every region, since only
    the use of a wrong pointer asks for it.

    Args:
        layout: Its shape.
        seed: For the random policy; belongs to the input of the world.

    Raises:
        LabError: two islands overlap, or one lies outside.
    """

    __slots__ = ("_gaps", "_regions", "_rng", "layout")

    def __init__(self, layout: Layout, seed: int = 0) -> None:
        self.layout = layout
        self._gaps = GapMap(layout.floor, layout.top, by_size=layout.policy.name == "best-fit")
        self._rng = substream(seed, "layout")
        self._regions: dict[int, Region] = {}
        for island in layout.islands:
            if not self._gaps.take_at(island.start, self.rounded(island.size)):
                raise LabError(
                    f"the island {island.name} at {island.start:#x} overlaps another or lies outside"
                )
            self._regions[island.start] = island._replace(size=self.rounded(island.size))

    def __repr__(self) -> str:
        return f"<Space of {len(self)} regions up to {self.layout.top:#x}>"

    def rounded(self, size: int) -> int:
        """Return a size in bytes rounded up to the granularity."""
        step = self.layout.granularity
        return -(-size // step) * step

    def _mapping_size(self, size: int) -> int:
        if size < 1:
            raise LabError(f"a mapping has at least 1 byte, not {size}")
        return self.rounded(size)

    def map(self, size: int, name: str) -> Region | None:
        """Map `size` bytes, at least 1, where the policy puts them; None when there is no room."""
        size = self._mapping_size(size)
        policy = self.layout.policy
        if policy.name == "bottom-up":
            start = self._gaps.take_first(size)
        elif policy.name == "top-down":
            start = self._gaps.take_last(size)
        elif policy.name == "best-fit":
            start = self._gaps.take_best(size)
        else:
            start = self._take_random(size, (1 << policy.bits) // self.layout.granularity)
        return self._noted(start, size, name)

    def _take_random(self, size: int, places: int) -> int | None:
        for _ in range(RANDOM_TRIES):
            start = self._rng.randrange(places) * self.layout.granularity
            if self._gaps.take_at(start, size):
                return start
        return self._gaps.take_last(size)

    def map_above(self, floor: int, size: int, name: str) -> Region | None:
        """Map `size` bytes, at least 1, at the lowest address from `floor`; None when there is no room."""
        size = self._mapping_size(size)
        return self._noted(self._gaps.take_first(size, self.rounded(floor)), size, name)

    def map_top(self, size: int, name: str) -> Region | None:
        """Map `size` bytes, at least 1, at the highest address; None when there is no room."""
        size = self._mapping_size(size)
        return self._noted(self._gaps.take_last(size), size, name)

    def _noted(self, start: int | None, size: int, name: str) -> Region | None:
        if start is None:
            return None
        if self.layout.regions_max is not None and len(self._regions) >= self.layout.regions_max:
            self._gaps.give(start, size)
            return None
        region = Region(start, size, name)
        self._regions[start] = region
        return region

    def unmap(self, region: Region) -> None:
        """Return a region.

        Raises:
            LabError: nothing of that kind is mapped there.
        """
        if self._regions.get(region.start) != region:
            raise LabError(f"{region.name} is not mapped at {region.start:#x}; was it returned before?")
        del self._regions[region.start]
        self._gaps.give(region.start, region.size)

    def fill(self, limit: int, floor: int = 0, *, reserve: int = 0) -> Filled:
        """Map every gap between `floor` and `limit`, the largest first, so that the program cannot use them.

        Filler takes addresses and no memory. A pointer that is cut to an address inside it ends in a crash
        at its first use.

        Args:
            limit: Where to stop, in bytes; rounded up to the granularity.
            floor: Where to begin, in bytes; rounded up to the granularity.
            reserve: How many regions to leave to the program, of those the process may have.
        """
        limit, floor = min(self.rounded(limit), self.layout.top), self.rounded(floor)
        gaps = [
            Gap(max(gap.start, floor), min(gap.end, limit) - max(gap.start, floor))
            for gap in self._gaps
            if gap.end > floor and gap.start < limit
        ]
        gaps.sort(key=lambda gap: (-gap.size, gap.start))
        room = len(gaps)
        if self.layout.regions_max is not None:
            room = max(0, min(room, self.layout.regions_max - len(self._regions) - reserve))
        for gap in gaps[:room]:
            self._gaps.take_at(gap.start, gap.size)
            self._regions[gap.start] = Region(gap.start, gap.size, "filler", "filler")
        return Filled(
            gaps=room,
            bytes=sum(gap.size for gap in gaps[:room]),
            left_open=len(gaps) - room,
            largest_open=max((gap.size for gap in gaps[room:]), default=0),
            still_mapped=self.mapped_below(limit) - self.mapped_below(floor),
        )

    def mapped_below(self, limit: int) -> int:
        """Return how many bytes below an address are mapped, filler not counted."""
        return sum(
            max(0, min(region.end, limit) - region.start)
            for region in self._regions.values()
            if region.kind != "filler"
        )

    def region_at(self, address: int) -> Region | None:
        """Return the region that an address lies in, or None."""
        if not self.layout.floor <= address < self.layout.top or self._gaps.gap_at(address) is not None:
            return None
        return next(region for region in self._regions.values() if region.start <= address < region.end)

    @property
    def gaps(self) -> Iterator[Gap]:
        """The gaps, from the lowest address up."""
        return iter(self._gaps)

    @property
    def regions(self) -> tuple[Region, ...]:
        """All regions, from the lowest address up."""
        return tuple(sorted(self._regions.values()))

    def __len__(self) -> int:
        return len(self._regions)
