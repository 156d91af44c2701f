"""A truncated pointer: the field of a C structure is too small."""
from ctypes import Structure, c_uint32, c_uint64
from hypothesis import given, note, strategies as st


class Node(Structure):
    _fields_ = [("next", c_uint32)]
    # fix: _fields_ = [("next", c_uint64)]


@given(st.integers(0, 2**47 - 1))
def test_a_pointer_survives_the_field(address):
    node = Node()
    node.next = address
    read = node.next
    note(f"{address:#x} became {read:#x}")
    assert read == address
