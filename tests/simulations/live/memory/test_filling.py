import pytest

from simulations.live.memory.errors import RefusedError
from simulations.live.memory.filling import (
    STACK_GUARD,
    Bounds,
    Filling,
    gap_plan,
    miss_chance,
    taken,
)
from simulations.live.memory.layout import GIB, MIB, PAGE, TOP, Region, Span, gaps

STACK = Region(Span(0x7FFC00000000, 0x7FFC00021000), "rw-p", 0, "[stack]")
LOADER = Region(Span(0x7F5E65000000, 0x7F5E65030000), "r-xp", 0, "/lib/ld.so")
LOW_IMAGE = Region(Span(0x400000, 0xAD0000), "r-xp", 0, "/usr/bin/python3")
HIGH_IMAGE = Region(Span(0x55C000000000, 0x55C000010000), "r-xp", 0, "/usr/bin/true")
LOW = (LOW_IMAGE, LOADER, STACK)
HIGH = (HIGH_IMAGE, LOADER, STACK)
BOUNDS = Bounds(floor=PAGE, stack_room=8 * MIB + STACK_GUARD, mmap_top=0x7F5E65030000, maps_max=65530)


def free_after(filling, regions):
    """Gaps that stay open."""
    fillers = [Region(span, "---p") for span in taken(filling, regions, BOUNDS)]
    everything = sorted([*regions, *fillers], key=lambda region: region.span.start)
    return list(gaps(everything, Span(PAGE, TOP)))


def test_fill_leaves_nothing_below_its_limit_and_everything_above():
    assert min(gap.start for gap in free_after(Filling("fill", 4 * GIB), LOW)) == 4 * GIB
    assert taken(Filling("fill", 4 * GIB), LOW, BOUNDS) == (Span(PAGE, 4 * GIB),)


def test_squeeze_leaves_nothing_above_its_limit_but_the_room_of_the_stack():
    above = [gap for gap in free_after(Filling("squeeze", 2 * GIB), HIGH) if gap.start >= 2 * GIB]
    assert above == [Span(STACK.span.start - BOUNDS.stack_room, STACK.span.start)]


def test_story_leaves_a_low_hole_and_the_space_that_the_kernel_falls_back_to():
    left = free_after(Filling("story", 256 * MIB), HIGH)
    assert left[0] == Span(2 * GIB - 256 * MIB, 2 * GIB)
    assert left[1] == Span(BOUNDS.mmap_top, STACK.span.start)
    assert len(left) == 3  # and what lies above the stack


def test_plain_takes_nothing():
    assert taken(Filling("plain", 0), LOW, BOUNDS) == ()


@pytest.mark.parametrize(
    ("kind", "size", "regions", "words"),
    [
        ("fill", 0x7FFB80000000 + GIB, HIGH, "below the stack"),
        ("fill", 4 * MIB + PAGE, LOW, "program's own image"),
        ("squeeze", 8 * MIB, LOW, "program's own image"),
        ("squeeze", 16 * MIB, HIGH, "leaves 16 MiB"),
        ("squeeze", 1 << 47, HIGH, "leaves 128 TiB"),
        ("story", 2 * GIB, HIGH, "no low hole"),
        ("story", PAGE, HIGH, "no low hole"),
    ],
)
def test_a_program_without_room_is_refused_in_one_line_that_says_what_to_do(kind, size, regions, words):
    with pytest.raises(RefusedError, match=words) as refused:
        taken(Filling(kind, size), regions, BOUNDS)
    assert "use" in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(("kind", "size"), [("fill", 4097), ("fill", -PAGE), ("squeeze", 0), ("plain", PAGE)])
def test_a_filling_has_a_size_in_pages(kind, size):
    with pytest.raises(RefusedError):
        Filling(kind, size)


def islands(count):
    """Regions of a page, each with a gap behind it, the later the larger."""
    regions, at = [], PAGE
    for index in range(count):
        regions.append(Region(Span(at, at + PAGE), "rw-p"))
        at += PAGE * (index + 2)
    return regions, Span(PAGE, at)


def test_the_largest_gaps_are_filled_first_and_the_rest_is_reported():
    regions, span = islands(100)
    plan = gap_plan(regions, [span], maps_max=140, reserve=10)
    assert len(plan.fill) == 30
    assert len(plan.leave) == 70
    assert min(gap.size for gap in plan.fill) >= max(gap.size for gap in plan.leave)
    assert set(plan.fill) | set(plan.leave) == set(gaps(regions, span))


def test_without_a_mapping_to_spare_it_is_refused():
    regions, span = islands(100)
    with pytest.raises(RefusedError, match=r"too many gaps: 100 to fill.*vm\.max_map_count"):
        gap_plan(regions, [span], maps_max=110, reserve=10)


def test_miss_chance_counts_usable_low_memory_only():
    assert miss_chance(HIGH) == 0
    filler = Region(Span(GIB, 2 * GIB), "---p")
    assert miss_chance((LOW_IMAGE, filler)) == LOW_IMAGE.span.size / 2**32
