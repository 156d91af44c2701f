from random import Random

import pytest

from simulations.address_space.gap_map import Gap, GapMap

TOP = 400


class Naive:
    """The same by the shortest means: a list of gaps, scanned."""

    def __init__(self, start, end):
        self.gaps = [(start, end - start)]

    def take(self, size, chosen):
        fitting = [gap for gap in self.gaps if gap[1] >= size]
        if not fitting:
            return None
        start, gap_size = chosen(fitting)
        at = start + gap_size - size if chosen is last else start
        self.take_at(at, size)
        return at

    def take_first_from(self, size, floor):
        for start, gap_size in self.gaps:
            at = max(start, floor)
            if start + gap_size - at >= size:
                self.take_at(at, size)
                return at
        return None

    def take_at(self, at, size):
        for index, (start, gap_size) in enumerate(self.gaps):
            if start <= at and at + size <= start + gap_size:
                parts = [(start, at - start), (at + size, start + gap_size - at - size)]
                self.gaps[index : index + 1] = [part for part in parts if part[1]]
                return True
        return False

    def give(self, start, size):
        merged = []
        for gap in sorted([*self.gaps, (start, size)]):
            if merged and merged[-1][0] + merged[-1][1] == gap[0]:
                merged[-1] = (merged[-1][0], merged[-1][1] + gap[1])
            else:
                merged.append(gap)
        self.gaps = merged


def first(gaps):
    return gaps[0]


def last(gaps):
    return gaps[-1]


def best(gaps):
    return min(gaps, key=lambda gap: (gap[1], gap[0]))


def one_operation(rng, ours, naive, taken):
    size = rng.randrange(1, 12)
    kind = rng.randrange(8)
    if kind >= 5 and taken:
        start, size = taken.pop(rng.randrange(len(taken)))
        ours.give(start, size)
        naive.give(start, size)
        return
    at = rng.randrange(10, TOP)
    if kind == 0:
        got, expected = ours.take_last(size), naive.take(size, last)
    elif kind == 1:
        got, expected = ours.take_best(size), naive.take(size, best)
    elif kind == 2:
        got, expected = ours.take_first(size, at), naive.take_first_from(size, at)
    elif kind == 3:
        got, expected = (at if g.take_at(at, size) else None for g in (ours, naive))
    else:
        got, expected = ours.take_first(size), naive.take(size, first)
    assert got == expected
    if got is not None:
        taken.append((got, size))


@pytest.mark.parametrize("block", [1, 3, 1024])
def test_agrees_with_a_plain_list_on_300_schedules_of_300_operations(block):
    for seed in range(300 if block == 3 else 30):
        rng = Random(seed)
        ours, naive = GapMap(10, TOP, by_size=True, block=block), Naive(10, TOP)
        taken = []
        for _ in range(300):
            one_operation(rng, ours, naive, taken)
            assert [tuple(gap) for gap in ours] == naive.gaps
            assert len(ours) == len(naive.gaps)
        for address in range(TOP + 5):
            inside = next((gap for gap in naive.gaps if gap[0] <= address < sum(gap)), None)
            assert ours.gap_at(address) == inside


def test_what_was_taken_and_given_back_leaves_one_gap():
    gaps = GapMap(0, 10_000, block=4)
    taken = [gaps.take_first(10) for _ in range(1000)]
    assert len(gaps) == 0
    assert gaps.take_first(1) is gaps.take_last(1) is gaps.take_first(1, 5) is None
    for start in taken[::2] + taken[1::2]:
        gaps.give(start, 10)
    assert list(gaps) == [Gap(0, 10_000)]


@pytest.mark.parametrize(("start", "size"), [(20, 10), (35, 10), (25, 20), (15, 10), (0, 100)])
def test_bytes_that_are_free_cannot_be_given_back(start, size):
    gaps = GapMap(0, 100)
    gaps.take_at(0, 20)
    gaps.take_at(30, 10)
    before = list(gaps)
    with pytest.raises(ValueError, match="given back twice"):
        gaps.give(start, size)
    assert list(gaps) == before


def test_best_fit_without_its_index_and_an_empty_range_are_refused():
    with pytest.raises(ValueError, match="by_size=True"):
        GapMap(0, 10).take_best(1)
    with pytest.raises(ValueError, match="is empty"):
        GapMap(10, 10)
