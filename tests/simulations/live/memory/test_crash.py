import struct

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from simulations.live.memory.crash import diagnose, explain, return_addresses
from simulations.live.memory.layout import PAGE, Region, Span

HEAP = Region(Span(0x7F5E65BD5000, 0x7F5E65CD7000), "rw-p")
STACK = Region(Span(0x7FFC8A000000, 0x7FFC8A021000), "rw-p", 0, "[stack]")
CAGE = Region(Span(0x300000000000, 0x300200000000), "rw-p")
GUARD = Region(Span(0x7F0000000000, 0x7F0000001000), "---p")
REGIONS = (CAGE, GUARD, HEAP, STACK)
pointers = st.sampled_from([HEAP, STACK]).flatmap(
    lambda region: st.integers(region.span.start, region.span.end - 1)
)


def unsigned(pointer):
    return pointer & 0xFFFFFFFF


def signed(pointer):
    low = pointer & 0xFFFFFFFF
    return low if low < 1 << 31 else low | 0xFFFFFFFF00000000


def shifted(pointer):
    return (pointer >> 3 & 0xFFFFFFFF) << 3


def single(pointer):
    return int(struct.unpack("<f", struct.pack("<f", pointer))[0])


@pytest.mark.parametrize(
    ("cut", "words"),
    [(unsigned, "cut to unsigned 32 bits"), (signed, "32 bits"), (shifted, "cut to 35 bits")],
)
@given(pointer=pointers)
def test_a_cut_that_keeps_the_low_bits_names_the_original(cut, words, pointer):
    value = cut(pointer)
    assume(value >= 1 << 32 or cut is not shifted)
    original = pointer & ~7 if cut is shifted else pointer
    found = {explanation.original: explanation for explanation in explain(value, REGIONS)}
    assert original in found
    assert words in found[original].cut
    assert str(found[original]).startswith(f"{value:#x} is {original:#x} ")


@given(pointer=pointers, field=st.integers(0, 200))
def test_a_pointer_that_was_a_float_is_traced_to_its_mapping(pointer, field):
    value = single(pointer) + field
    assume(not any(value in region.span for region in REGIONS))
    (explanation, *_) = explain(value, REGIONS)
    assert "32-bit float" in explanation.cut
    assert explanation.region in (HEAP, STACK)
    assert single(explanation.original) == single(pointer)


@given(pointer=pointers)
def test_a_pointer_that_was_a_double_kept_its_bits_and_is_not_called_cut(pointer):
    assert int(float(pointer)) == pointer
    assert explain(int(float(pointer)), REGIONS) == ()


@pytest.mark.parametrize(
    ("value", "why"),
    [
        (0, "null"),
        (8, "a field of null"),
        (0xFFFFFFFFFFFFFFFF, "-1"),
        (0x65BD4FF8, "just below what the low half of the heap covers"),
        (0x5DEADBEEF, "wild"),
        (0x123456789ABC, "wild and high"),
        (0xDEADBEEFDEADBEEF, "not canonical"),
    ],
)
def test_other_bad_pointers_are_not_explained(value, why):
    assert explain(value, (HEAP,)) == (), why


def test_a_mapping_that_holds_every_low_half_explains_nothing():
    assert explain(0x12345678, (CAGE, GUARD)) == ()


def test_coincidence_is_the_share_of_low_halves_that_high_memory_covers():
    (explanation,) = explain(unsigned(HEAP.span.start + 16), REGIONS)
    assert explanation.coincidence == (HEAP.span.size + STACK.span.size) / 2**32


def test_coincidence_is_the_rate_at_which_random_addresses_are_explained():
    # The expectation is exact, so this is a count, not a test: every 4 KiB page of the low 4 GiB, once.
    step = PAGE
    explained = sum(bool(explain(value, REGIONS)) for value in range(0x100000, 1 << 32, 16 * step))
    share = explained * 16 * step / 2**32
    assert share == pytest.approx((HEAP.span.size + STACK.span.size) / 2**32, rel=0.1)


def crash(**known):
    return diagnose(
        **{
            "pid": 1,
            "program": "/bin/x",
            "signal": "SIGSEGV",
            "code": 2,
            "address": 0x65BD5010,
            "regions": REGIONS,
            "in_filler": True,
            "instruction_pointer": 0x7F5E65BD5000,
            "callers": [],
            "registers": {},
            **known,
        }
    )


def test_a_fault_in_the_filler_is_said_to_be_there():
    assert crash().in_filler
    assert crash().telling
    assert not crash(code=0x80).in_filler


def test_where_the_processor_does_not_tell_the_address_the_registers_are_asked():
    top = Region(Span(0x7FFFFFF00000, 0x7FFFFFF80000), "rw-p")
    registers = {"rax": 7, "rbx": 0x65BD5010, "rdi": single(top.span.start), "rsi": 0xDEADBEEFDEADBEEF}
    found = crash(code=0x80, address=0, regions=(*REGIONS, top), registers=registers)
    assert found.address is None
    assert [(item.source, item.region) for item in found.explanations] == [("rdi", top)]
    assert "0x800000000000 in rdi is about 0x7fffff" in str(found.explanations[0])


def test_a_jump_through_a_cut_function_pointer_names_its_caller():
    found = crash(instruction_pointer=0x65BD5010, callers=[0x7FFC8A000010])
    assert found.instruction == "0x65bd5010, which is not mapped"
    assert found.callers == ("0x7ffc8a000010 in [stack]",)


@pytest.mark.parametrize(
    ("code", "is_call"),
    [
        ("90 e8 12 34 56 78", True),
        ("ff 15 12 34 56 78", True),
        ("90 90 90 90 ff d0", True),
        ("90 90 90 ff 55 08", True),
        ("90 90 90 90 ff e0", False),
        ("90 90 90 90 90 90", False),
        ("ff d0", False),
    ],
)
def test_a_word_on_the_stack_is_a_caller_where_it_follows_a_call(code, is_call):
    text = Region(Span(0x400000, 0x401000), "r-xp", 0, "/bin/x")
    stack = struct.pack("<3Q", 0x401000, 0x400800, 0x65BD5010)
    found = return_addresses(stack, [text, HEAP], lambda _address, _size: bytes.fromhex(code))
    assert found == ((0x400800,) if is_call else ())


@pytest.mark.parametrize(
    ("address", "words"),
    [
        (0x10, "null pointer"),
        (0xFFFFFFFFFFFFFFFF, "MAP_32BIT"),
        (0x11110000, "freed"),
        (0x123456789ABC, "no cut"),
    ],
)
def test_an_address_without_a_cut_gets_a_hint(address, words):
    found = crash(address=address, in_filler=False)
    assert words in found.hint
    assert not found.telling


def test_a_full_stack_is_called_so():
    assert "deep recursion" in crash(address=0x7FFC00001000, registers={"rsp": 0x7FFC00001010}).hint


def test_a_low_half_close_to_null_is_explained_and_doubted():
    arena = Region(Span(0x7F3000000000, 0x7F3000021000), "rw-p")
    found = crash(address=0xB70, regions=(arena,))
    assert found.explanations[0].original == 0x7F3000000B70
    assert "null pointer" in found.hint
