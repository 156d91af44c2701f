import itertools
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulations.live.memory.errors import RefusedError
from simulations.live.memory.layout import (
    GIB,
    MIB,
    PAGE,
    Region,
    Span,
    bytes_mapped,
    gaps,
    parse_maps,
    parse_size,
    picture,
    read_layout,
    size_words,
)

MAPS = """\
00400000-00420000 r-xp 00001000 fe:00 12345      /opt/a program/bin (deleted)
7f5e65bd5000-7f5e65cd7000 rw-p 00000000 00:00 0
7f5e65cd7000-7f5e65cd8000 ---p 00000000 00:00 0
7ffc00000000-7ffc00021000 rw-p 00000000 00:00 0                          [stack]
ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0                  [vsyscall]
"""


def regions_of(spans):
    return [Region(Span(start, end), "rw-p") for start, end in spans]


def test_maps_are_read_with_spaces_in_paths_and_without_the_kernels_page():
    image, heap, guard, stack = parse_maps(MAPS)
    assert image == Region(Span(0x400000, 0x420000), "r-xp", 0x1000, "/opt/a program/bin (deleted)")
    assert (heap.name, guard.name, stack.name) == ("anonymous memory", "inaccessible memory", "[stack]")
    assert [region.usable for region in (image, heap, guard)] == [True, True, False]


linux = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")


@linux
def test_own_layout_has_a_stack_and_lies_in_order():
    regions = read_layout()
    assert any(region.path == "[stack]" for region in regions)
    assert all(a.span.end <= b.span.start for a, b in itertools.pairwise(regions))


@linux
@pytest.mark.parametrize("pid", [2**22 + 1, 2**31])
def test_a_process_that_is_not_there_is_refused_in_one_line(pid):
    with pytest.raises(RefusedError, match="give the number of a running process") as refused:
        read_layout(pid)
    assert "\n" not in str(refused.value)


@given(st.lists(st.integers(0, 40), min_size=2, max_size=20, unique=True).map(sorted), st.integers(0, 40))
def test_gaps_and_regions_together_cover_every_byte_once(edges, start):
    spans = list(zip(edges[::2], edges[1::2], strict=False))
    within = Span(start, 45)
    covered = [0] * 45
    for low, high in [*spans, *((gap.start, gap.end) for gap in gaps(regions_of(spans), within))]:
        for address in range(low, high):
            covered[address] += 1
    assert all(count == 1 for count in covered[start:])
    assert (
        bytes_mapped(regions_of(spans), within) + sum(gap.size for gap in gaps(regions_of(spans), within))
        == 45 - start
    )


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("4G", 4 << 30),
        ("4g", 4 << 30),
        ("256M", 256 << 20),
        ("2GiB", 2 << 30),
        ("4096", 4096),
        ("0x1000", 4096),
    ],
)
def test_sizes(text, size):
    assert parse_size(text) == size


@pytest.mark.parametrize("text", ["", "G", "4X", "-4G", "4.5G", "4097", "1K", "4 4G", "0x", "nan"])
def test_what_is_no_size_or_no_number_of_pages(text):
    with pytest.raises(ValueError, match=r"is no(t a whole number| size)"):
        parse_size(text)


def test_size_words():
    assert [size_words(size) for size in (0, 512, 4096, 7130316, 4 * GIB - 4096, 127 << 40)] == [
        "0 bytes",
        "512 bytes",
        "4 KiB",
        "6.8 MiB",
        "4 GiB",
        "127 TiB",
    ]


def test_picture_shows_low_memory_first_then_each_cluster_and_marks_what_nobody_may_touch():
    low = Region(Span(0, 64 * MIB), "rw-p")
    filler = Region(Span(64 * MIB, 4 * GIB), "---p")
    high = Region(Span(0x7F0000000000, 0x7F0000000000 + 64 * PAGE), "rw-p")
    rows = picture([low, filler, high])
    assert len(rows) == 2
    assert rows[0].split("|")[1] == "█" + 63 * "x"
    assert rows[1].split("|")[1] == 64 * "█"
    assert "64 MiB usable of 4 GiB" in rows[0]
