"""find: the least value that does it. A shrunk number is a diagnosis."""
from ctypes import c_int32
from hypothesis import find, strategies as st


def through_a_cast(pointer):
    return c_int32(pointer).value
    # fix: return pointer & 0xFFFF_FFFF_FFFF


def test_a_pointer_comes_back_whole():
    pointers = st.integers(0, 2**63 - 1)
    least = find(pointers, lambda pointer: through_a_cast(pointer) != pointer)
    assert least >= 2**47, hex(least)  # a program's memory ends there
