from itertools import pairwise

import pytest

from simulations.address_space import picture
from simulations.address_space.space import GIB, LINUX, MIB, Region, Space
from simulations.address_space.system import run
from simulations.address_space.variants import CAST_THROUGH_UNSIGNED, FILLED
from simulations.address_space.workload import Session
from simulations.choices import Deviation, Plan, replay

TAKES_OLD_PATH = Deviation("path.document", 0, 1)


def high(option=3):
    plan = Plan([Deviation("land.document", 0, option), TAKES_OLD_PATH])
    return run(CAST_THROUGH_UNSIGNED, Session((1024,)), replay(plan))


def test_rows_cover_the_space_without_gaps():
    rows = picture.rows(1 << 47)
    assert rows[0].end == 1 << 47
    assert rows[-1].start == 0
    assert all(upper.start == lower.end for upper, lower in pairwise(rows))


def test_text_shows_islands_and_the_fall():
    ran = high()
    assert picture.text(ran.regions, use=ran.wrong, width=32) == (
        "   0x100000000000 [...............................P]  P 0x7fffffef0010, document 0\n"
        "    0x10000000000 [................................]\n"
        "     0x1000000000 [................................]\n"
        "      0x100000000 [................................]\n"
        "       0x10000000 [#...........#.#................X]  X 0xffef0010: crash\n"
        "        0x1000000 [................................]\n"
        "         0x100000 [......##################........]\n"
        "          0x10000 [................................]\n"
        "              0x0 [................................]\n"
        ". free  / filler  = mapping  # island  P pointer  X what came back; "
        "a cell shows the most important that lies in it\n"
        "mapped below 2 GiB: 32.1 MiB, below 4 GiB: 32.1 MiB"
    )


def test_text_shows_filler_and_what_lies_outside_the_space():
    ran = run(FILLED, Session((1024,)), replay(Plan([TAKES_OLD_PATH])))
    lines = picture.text(ran.regions, use=ran.wrong).splitlines()
    assert lines[0].lstrip().startswith("outside ")
    assert lines[0].endswith("X 0xffffffff80000010: crash")
    assert lines[4].startswith("      0x100000000 [//P...")


def test_text_says_whose_memory_a_silent_use_has_read():
    use = high(2).wrong._replace(came_back=0x40_0010, outcome="silent", victim="program image")
    regions = (Region(0x40_0000, 1 * MIB, "program image", "island"), Region(6 * GIB, 1 * MIB, "document 0"))
    drawn = picture.text(regions, use=use)
    assert "X 0x400010: silent, it is program image" in drawn
    assert "mapped below 2 GiB: 1.0 MiB, below 4 GiB: 1.0 MiB" in drawn


def test_a_pointer_and_what_came_back_may_stand_in_one_row():
    use = high(2).wrong._replace(address=0x9000_0010, came_back=0x1000_0010)
    line = next(line for line in picture.text((), use=use).splitlines() if " P 0x" in line)
    assert line.endswith("P 0x90000010, X 0x10000010: crash")


def test_a_width_that_is_too_small_is_refused():
    with pytest.raises(ValueError, match="at least 8 cells, not 3"):
        picture.text((), width=3)


def test_a_pointer_falls_to_what_came_back():
    ran = high()
    drawn = picture.tracks(ran.regions, cut=picture.cut_of(ran.wrong))
    (fall,) = drawn.falls
    assert (fall.at, fall.to) == (ran.wrong.address, ran.wrong.came_back)
    assert drawn.tracks[fall.track].note == f"P {ran.wrong.address:#x}, document 0"
    assert drawn.tracks[fall.to_track].note == f"X {ran.wrong.came_back:#x}: crash"
    assert fall.track < fall.to_track


def test_a_space_is_drawn_without_a_pointer():
    space = Space(LINUX)
    (drawn,) = space.pictures()
    assert drawn.falls == ()
    assert "P" not in "".join(track.note for track in drawn.tracks)
