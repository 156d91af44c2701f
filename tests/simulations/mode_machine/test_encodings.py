import pytest

from simulations.errors import LabError
from simulations.mode_machine.encodings import (
    DISTANCE_3_CORRECT,
    DISTANCE_3_DETECT,
    ENCODINGS,
    GRAY,
    NATURAL,
    ONE_HOT,
    PARITY,
    SPREAD,
    TRIPLE,
    Encoding,
    Mode,
    assignments,
    code_sets,
    decode,
    distance,
    show,
    unused,
)


@pytest.mark.parametrize("encoding", ENCODINGS, ids=lambda encoding: encoding.name)
def test_every_word_is_read_as_its_mode(encoding):
    assert [decode(encoding, word) for word in encoding.words] == list(Mode)


@pytest.mark.parametrize(
    ("encoding", "least", "without_a_mode"),
    [
        (NATURAL, 1, 3),
        (GRAY, 1, 3),
        (SPREAD, 1, 3),
        (ONE_HOT, 2, 27),
        (PARITY, 2, 11),
        (DISTANCE_3_DETECT, 3, 59),
        (DISTANCE_3_CORRECT, 3, 64 - 5 * 7),
        (TRIPLE, 3, 512 * 3 // 8),
    ],
    ids=lambda value: getattr(value, "name", None),
)
def test_distances_and_unused_codes(encoding, least, without_a_mode):
    assert distance(encoding) == least
    assert len(unused(encoding)) == without_a_mode


def test_gray_neighbours_differ_by_one_bit():
    neighbours = zip(GRAY.words, GRAY.words[1:], strict=False)
    assert [(left ^ right).bit_count() for left, right in neighbours] == [1, 1, 1, 1]


def test_a_code_with_one_wrong_bit_is_corrected_and_one_with_two_is_not():
    assert decode(DISTANCE_3_CORRECT, 0b000111 ^ 0b000100) is Mode.IDLE
    assert decode(DISTANCE_3_CORRECT, 0b000111 ^ 0b001100) is not Mode.IDLE


def test_the_vote_is_taken_bit_by_bit():
    assert decode(TRIPLE, 0b010_011_010) is Mode.RUN
    assert decode(TRIPLE, 0b010_011_110) is Mode.RUN  # two copies are wrong, in different bits
    assert decode(TRIPLE, 0b010_011_011) is Mode.STEP  # two copies are wrong in the same bit
    assert decode(TRIPLE, 0b111_111_000) is None


def test_an_unused_code_is_shown_in_bits():
    assert show(NATURAL, 0b011) == "STEP"
    assert show(NATURAL, 0b101) == "?101"
    assert show(ONE_HOT, 0) == "?00000"


def test_there_are_6720_assignments_and_56_code_sets_of_three_bits():
    assert len({encoding.words for encoding in assignments()}) == 6_720
    assert len({frozenset(encoding.words) for encoding in assignments()}) == 56
    assert len({frozenset(encoding.words) for encoding in code_sets()}) == 56


@pytest.mark.parametrize(
    ("bits", "words", "decoder", "message"),
    [
        (0, (0, 1, 2, 3, 4), "exact", "1 to 12 bits, not 0"),
        (13, (0, 1, 2, 3, 4), "exact", "1 to 12 bits, not 13"),
        ("3", (0, 1, 2, 3, 4), "exact", "whole numbers"),
        (3, (0, 1, 2, 3, "4"), "exact", "whole numbers"),
        (3, (0, 1, 2, 3), "exact", "5 different words"),
        (3, (0, 1, 2, 3, 3), "exact", "5 different words"),
        (3, (0, 1, 2, 3, 8), "exact", "do not all fit 3 bits"),
        (3, (0, 1, 2, 3, -1), "exact", "do not all fit 3 bits"),
        (3, (0, 1, 2, 3, 4), "guess", "not 'guess'"),
        (3, (0, 1, 2, 3, 4), "nearest", "distance of 3 or more; theirs is 1"),
        (3, (0, 1, 2, 3, 4), "vote", "three equal copies"),
        (4, (0, 1, 2, 3, 4), "vote", "three equal copies"),
    ],
)
def test_an_encoding_that_cannot_work_is_refused(bits, words, decoder, message):
    with pytest.raises(LabError, match=message):
        Encoding("mine", bits, words, decoder)


@pytest.mark.parametrize("bits", [2, 5])
def test_only_small_spaces_are_enumerated(bits):
    with pytest.raises(LabError, match=f"not those of {bits}"):
        next(assignments(bits))


def test_code_sets_of_six_bits_are_too_many():
    with pytest.raises(LabError, match="not those of 6"):
        next(code_sets(6))
