import itertools

import pytest

from scenarios.vanishing_job.covering import (
    LEVELS,
    combinations_in,
    covering_array,
    hours,
    number_of,
    rows_min,
    uncovered,
)
from simulations.batch_job.workload import Job
from simulations.errors import LabError


@pytest.mark.parametrize("strength", [2, 3])
def test_the_arrays_cover_everything_and_are_close_to_the_least_size(strength):
    rows = covering_array(strength)
    assert uncovered(rows, LEVELS, strength) == 0
    assert rows_min(LEVELS, strength) <= len(rows) <= 1.15 * rows_min(LEVELS, strength)
    assert all(0 <= level < size for row in rows for level, size in zip(row, LEVELS, strict=True))


def test_a_row_that_is_taken_away_is_missed():
    rows = covering_array(2)
    assert uncovered(rows[1:], LEVELS, 2) > 0
    assert uncovered((), LEVELS, 2) == combinations_in(LEVELS, 2)


def test_the_counter_counts_on_a_case_done_by_hand():
    half = [(0, 0, 0), (0, 1, 1), (1, 0, 1), (1, 1, 0)]
    assert uncovered(half, (2, 2, 2), 2) == 0
    assert uncovered(half, (2, 2, 2), 3) == 4
    assert uncovered(half[:3], (2, 2, 2), 2) == 3


def test_rows_and_tests_are_one_to_one_and_the_version_counts_fastest():
    small = [range(min(size, 2)) for size in LEVELS]
    numbers = {number_of(row) for row in itertools.product(*small)}
    assert len(numbers) == 64
    assert number_of((7, 0, 0, 0, 0, 0)) == 7
    assert number_of(tuple(size - 1 for size in LEVELS)) == 89_999


def test_covertable_makes_arrays_that_cover():
    covertable = pytest.importorskip("covertable", reason="makes covering arrays: pip install covertable")
    rows = [tuple(row) for row in covertable.make([list(range(size)) for size in LEVELS], strength=2)]
    assert uncovered(rows, LEVELS, 2) == 0


def test_allpairspy_misses_triples_without_a_warning():
    allpairspy = pytest.importorskip("allpairspy", reason="shows a known defect: pip install allpairspy")
    rows = [tuple(row) for row in allpairspy.AllPairs([list(range(size)) for size in LEVELS], n=3)]
    assert len(rows) < rows_min(LEVELS, 3)
    assert uncovered(rows, LEVELS, 3) > 10_000


def test_what_makes_no_sense_is_refused():
    with pytest.raises(LabError, match="strength 2 and 3, not 4"):
        covering_array(4)
    with pytest.raises(LabError, match="not 100 of 100"):
        hours(Job(tests=100), covering_array(2))
