from dataclasses import replace
from itertools import pairwise
from random import Random

import pytest

from simulations.address_space.space import GIB, KIB, LINUX, MIB, WINDOWS, Layout, Policy, Region, Space
from simulations.errors import LabError


def starts(policy, count=4, seed=0):
    space = Space(replace(WINDOWS, policy=policy), seed)
    return [space.map(1 * MIB, "document").start for _ in range(count)]


def test_bottom_up_takes_the_lowest_address_and_skips_the_islands():
    assert starts(Policy("bottom-up")) == [0x1_0000, 0x11_0000, 0x21_0000, 0xC0_0000]


def test_top_down_takes_the_highest_address():
    assert starts(Policy("top-down"), 2) == [(1 << 47) - 1 * MIB, (1 << 47) - 2 * MIB]


def test_random_stays_below_its_bits_and_depends_on_the_seed_alone():
    policy = Policy("random", 33)
    assert max(starts(policy, 200)) < 1 << 33
    assert starts(policy, 50, seed=1) == starts(policy, 50, seed=1) != starts(policy, 50, seed=2)


def test_a_full_random_range_falls_back_to_the_top():
    space = Space(replace(WINDOWS, islands=(), policy=Policy("random", 24)))
    taken = [space.map(4 * MIB, "document").start for _ in range(10)]
    assert any(start < 1 << 24 for start in taken)
    assert any(start > 1 << 40 for start in taken)


def test_best_fit_takes_the_smallest_gap_that_fits():
    space = Space(replace(WINDOWS, policy=Policy("best-fit")))
    smallest = min((gap for gap in space.gaps if gap.size >= 1 * MIB), key=lambda gap: gap.size)
    assert space.map(1 * MIB, "document").start == smallest.start


def test_a_mapping_is_rounded_up_to_the_granularity():
    assert Space(WINDOWS).map(1, "document").size == 64 * KIB
    assert Space(LINUX).map(1, "document").size == 4 * KIB


def test_filling_leaves_no_gap_below_the_limit_and_takes_nothing_above():
    space = Space(WINDOWS)
    filled = space.fill(6 * GIB)
    assert [gap.start for gap in space.gaps] == [6 * GIB]
    islands = sum(region.size for region in WINDOWS.islands)
    assert filled.gaps == 5
    assert filled.left_open == filled.largest_open == 0
    assert filled.still_mapped == islands
    assert filled.bytes == 6 * GIB - WINDOWS.floor - islands
    assert space.map(1, "document").start == 6 * GIB


def test_filling_between_a_floor_and_the_top_squeezes_everything_low():
    space = Space(replace(WINDOWS, policy=Policy("top-down")))
    space.fill(1 << 47, 2 * GIB)
    assert space.map(1 * MIB, "document").end <= 2 * GIB


def test_filling_reaches_the_last_page():
    space = Space(LINUX)
    space.map_above(128 * KIB, 4 * KIB, "document")
    space.fill(4 * GIB)
    assert space.region_at(LINUX.floor - 1) is None  # nobody can map that
    assert space.region_at(LINUX.floor).kind == "filler"
    assert space.region_at(4 * GIB - 1).kind == "filler"
    assert space.region_at(4 * GIB) is None


def test_with_too_few_regions_the_largest_gaps_are_filled_first():
    holes = tuple(Region(index * 2 * MIB, 1 * MIB, f"hole {index}", "island") for index in range(1, 20))
    space = Space(Layout(islands=holes, regions_max=30))
    filled = space.fill(4 * GIB, reserve=5)
    assert (filled.gaps, filled.left_open) == (6, 14)
    assert filled.largest_open == 1 * MIB
    assert space.region_at(4 * GIB - 1).kind == "filler"
    assert sum(space.map(64 * KIB, "document") is not None for _ in range(100)) == 5


def test_a_released_mapping_can_be_taken_again_but_not_released_again():
    space = Space(WINDOWS)
    region = space.map(1 * MIB, "document")
    assert space.region_at(region.end - 1) == region
    space.unmap(region)
    assert space.region_at(region.start) is None
    with pytest.raises(LabError, match="was it returned before"):
        space.unmap(region)
    assert space.map(1 * MIB, "document") == region


def test_a_full_space_says_so():
    space = Space(Layout(top=1 * MIB))
    assert space.map(2 * MIB, "document") is None
    assert space.map_top(2 * MIB, "document") is None
    assert space.map_above(512 * KIB, 600 * KIB, "document") is None


def test_mapped_below_counts_the_part_below():
    space = Space(Layout(islands=(Region(4 * GIB - 1 * MIB, 4 * MIB, "image", "island"),)))
    assert space.mapped_below(4 * GIB) == 1 * MIB
    assert [region.name for region in space.regions] == ["image"]


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"granularity": 3}, "power of two"),
        ({"floor": 100}, "floor of the space, 0x64"),
        ({"top": (1 << 47) - 1}, "top of the space"),
        ({"floor": 0}, "is empty"),
    ],
)
def test_a_layout_that_makes_no_sense_is_refused(wrong, message):
    with pytest.raises(ValueError, match=message):
        Layout(**wrong)


def test_overlapping_islands_and_odd_random_bits_are_refused():
    twice = (Region(0x40_0000, 64 * KIB, "one", "island"), Region(0x40_0000, 64 * KIB, "two", "island"))
    with pytest.raises(LabError, match="island two at 0x400000"):
        Space(Layout(islands=twice))
    with pytest.raises(ValueError, match="20 to 57 bits, not 3"):
        Policy("random", 3)


@pytest.mark.parametrize("size", [0, -1])
def test_a_mapping_of_nothing_is_refused(size):
    space = Space(WINDOWS)
    for mapped in (space.map, space.map_top, lambda size, name: space.map_above(0, size, name)):
        with pytest.raises(LabError, match="at least 1 byte"):
            mapped(size, "document")


@pytest.mark.parametrize(
    "policy", [Policy("bottom-up"), Policy("top-down"), Policy("random", 31), Policy("best-fit")]
)
def test_regions_and_gaps_tile_the_space_whatever_is_done(policy):
    layout = replace(WINDOWS, policy=policy)
    for seed in range(20):
        space, rng, mapped = Space(layout, seed), Random(seed), []
        for step in range(60):
            size = rng.randrange(1, 200 * MIB)
            choice = rng.randrange(6)
            if choice == 0:
                mapped.append(space.map_above(rng.randrange(6 * GIB), size, f"m{step}"))
            elif choice == 1:
                mapped.append(space.map_top(size, f"m{step}"))
            elif choice == 2 and mapped:
                space.unmap(mapped.pop(rng.randrange(len(mapped))))
            elif choice == 3 and step % 20 == 0:
                space.fill(rng.randrange(8 * GIB), rng.randrange(1 * GIB))
            else:
                mapped.append(space.map(size, f"m{step}"))
        tiles = sorted(
            [(gap.start, gap.end) for gap in space.gaps] + [(each.start, each.end) for each in space.regions]
        )
        assert tiles[0][0] == layout.floor
        assert tiles[-1][1] == layout.top
        assert all(left[1] == right[0] for left, right in pairwise(tiles))
        for region in space.regions:
            assert space.region_at(region.start) == space.region_at(region.end - 1) == region
