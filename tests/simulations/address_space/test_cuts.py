import struct

import pytest
from hypothesis import Phase, find, given, settings
from hypothesis import strategies as st
from hypothesis.errors import NoSuchExample

from simulations.address_space.cuts import ALIGNMENT, CUTS, cut_named
from simulations.errors import LabError

ADDRESSES = st.integers(0, (1 << 57) // ALIGNMENT - 1).map(lambda step: step * ALIGNMENT)
QUIET = settings(database=None, max_examples=1000, phases=(Phase.generate, Phase.shrink), derandomize=True)
LINES = {
    "unsigned-32": 0x1_0000_0000,
    "signed-32": 0x8000_0000,
    "mask-47": 0x8000_0000_0000,
    "shift-3": 0x8_0000_0000,
    "float32": 0x1000_0010,
}


@pytest.mark.parametrize("name", CUTS)
def test_an_address_drawn_by_hypothesis_shrinks_to_the_exact_line(name):
    cut = CUTS[name]
    assert cut.line == LINES.get(name)
    if cut.line is None:
        with pytest.raises(NoSuchExample):
            find(ADDRESSES, lambda address: cut(address) != address, settings=QUIET)
    else:
        assert find(ADDRESSES, lambda address: cut(address) != address, settings=QUIET) == cut.line


@given(ADDRESSES)
@settings(database=None, derandomize=True)
def test_every_address_below_the_line_survives(address):
    for cut in CUTS.values():
        if cut.line is not None:
            below = address % cut.line
            assert cut(below) == below


@given(st.integers(0, (1 << 64) - 1))
@settings(database=None, derandomize=True)
def test_cuts_agree_with_the_machine(address):
    assert CUTS["unsigned-32"](address) == struct.unpack("<I", struct.pack("<Q", address)[:4])[0]
    signed = struct.unpack("<i", struct.pack("<Q", address)[:4])[0]
    assert CUTS["signed-32"](address) == signed % (1 << 64)
    assert CUTS["float32"](address) == int(struct.unpack("<f", struct.pack("<f", address))[0])
    assert CUTS["double"](address) == int(float(address))


def test_a_sign_extended_pointer_is_the_one_that_ctypes_gives_back():
    assert CUTS["signed-32"](0x7F79_ECBE_9810) == 0xFFFF_FFFF_ECBE_9810


def test_an_unknown_cut_is_an_error_that_lists_the_others():
    with pytest.raises(LabError, match="no cut 'int'; there are none, unsigned-32"):
        cut_named("int")
