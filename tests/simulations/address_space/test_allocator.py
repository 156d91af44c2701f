from itertools import pairwise

import pytest

from simulations.address_space.allocator import ARENA, HEADER, MAPPED_FROM, Allocator
from simulations.address_space.space import GIB, KIB, MIB, WINDOWS, Layout, Region, Space
from simulations.errors import LabError


def allocator(layout=WINDOWS, **options):
    space = Space(layout)
    return space, Allocator(space, space.map, **options)


def test_large_blocks_have_a_mapping_and_small_ones_share_an_arena():
    space, memory = allocator()
    small = [memory.allocate(1 * KIB, "small") for _ in range(10)]
    large = memory.allocate(MAPPED_FROM, "large")
    assert [b - a for a, b in pairwise(small)] == [1 * KIB + HEADER] * 9
    assert len(space) == len(WINDOWS.islands) + 2
    assert memory.blocks[small[0]].arena == 0
    assert memory.blocks[large].arena == -1


def test_a_second_arena_is_made_when_the_first_is_full():
    _, memory = allocator()
    for _ in range(ARENA // (100 * KIB) + 1):
        memory.allocate(100 * KIB, "small")
    assert {block.arena for block in memory.blocks.values()} == {0, 1}


def test_a_released_block_is_used_again():
    _, memory = allocator()
    for size in (1 * KIB, 1 * MIB):
        first = memory.allocate(size, "first")
        memory.release(first)
        assert memory.allocate(size, "second") == first
    with pytest.raises(LabError, match="no block begins"):
        memory.release(12345)


def test_owner_names_blocks_arenas_and_islands_but_not_filler():
    space, memory = allocator()
    small, large = memory.allocate(1 * KIB, "small"), memory.allocate(1 * MIB, "large")
    assert memory.owner(small) == "small"
    assert memory.owner(large + 1 * MIB - 1) == "large"
    assert memory.owner(small + 500 * KIB) == "heap"
    assert memory.owner(0x40_0000) == "program image"
    assert memory.owner(4 * GIB) is None
    space.fill(6 * GIB)
    assert memory.owner(4 * GIB) is None


def test_a_reserved_heap_serves_all_sizes_until_it_is_full():
    _, memory = allocator(reserve=4 * MIB)
    large = [memory.allocate(1 * MIB, "large") for _ in range(4)]
    assert [memory.blocks[address].arena for address in large] == [0, 0, 0, -1]


def test_filling_misses_what_the_allocator_holds_already_and_draining_takes_it():
    space, memory = allocator()
    memory.allocate(1 * KIB, "start-up")
    space.fill(6 * GIB)
    missed = memory.allocate(1 * KIB, "small")
    assert missed < 4 * GIB
    assert memory.drain(6 * GIB) == ARENA - 2 * (1 * KIB + HEADER)
    assert memory.allocate(1 * KIB, "small") > 6 * GIB
    assert memory.drain(6 * GIB) == 0


def test_without_memory_there_is_no_block():
    tiny = Layout(top=2 * MIB, islands=(Region(1 * MIB, 1 * MIB, "image", "island"),))
    _, memory = allocator(tiny)
    assert memory.allocate(1 * KIB, "small") is None
    assert memory.allocate(1 * MIB, "large") is None
    with pytest.raises(LabError, match="no room for a reserved heap"):
        allocator(tiny, reserve=4 * MIB)
