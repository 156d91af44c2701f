import itertools
import re

import pytest

from simulations.batch_job.database import (
    EXHAUSTIVE,
    GREEDY,
    count_pairs,
    edges,
    greedy_pairs,
    measured,
    pairs,
    planning_ms,
)
from simulations.errors import LabError

SHAPES = ("chain", "cycle", "star", "clique")


def _brute_force(tables, conditions):
    """Count the pairs by looking at all pairs of sets."""
    linked = set(conditions) | {(right, left) for left, right in conditions}

    def connected(members):
        reached, frontier = {members[0]}, [members[0]]
        while frontier:
            here = frontier.pop()
            fresh = [table for table in members if table not in reached and (here, table) in linked]
            reached.update(fresh)
            frontier += fresh
        return len(reached) == len(members)

    sets = [
        members
        for size in range(1, tables)
        for members in itertools.combinations(range(tables), size)
        if connected(members)
    ]
    return sum(
        1
        for left, right in itertools.combinations(sets, 2)
        if not set(left) & set(right) and any(pair in linked for pair in itertools.product(left, right))
    )


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("tables", [1, 2, 3, 5, 6])
def test_pairs_are_counted_as_by_looking_at_all_pairs_of_sets(shape, tables):
    conditions = edges(shape, tables)
    assert count_pairs(tables, conditions) == _brute_force(tables, conditions) == pairs(shape, tables)


def test_a_query_of_no_named_shape_is_counted_too():
    conditions = [(0, 1), (1, 2), (2, 0), (2, 3), (3, 4), (1, 5)]
    assert count_pairs(6, conditions) == _brute_force(6, conditions)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("tables", [8, 10])
def test_the_closed_forms_are_what_is_counted(shape, tables):
    assert pairs(shape, tables) == count_pairs(tables, edges(shape, tables))


def test_planning_takes_what_was_measured_where_it_was_measured():
    for row in measured():
        if row.shape == "star":
            assert planning_ms(EXHAUSTIVE, row.tables) == round(row.seconds * 1000)


def test_to_explain_a_query_of_twenty_tables_takes_a_quarter_of_an_hour():
    assert 15 <= planning_ms(EXHAUSTIVE, 20) / 60_000 < 16
    assert planning_ms(EXHAUSTIVE, 19) == 279_000


def test_the_planning_time_grows_with_every_table():
    times = [planning_ms(EXHAUSTIVE, tables) for tables in range(8, 24)]
    assert times == sorted(set(times))


def test_a_bounded_planner_answers_at_once():
    assert planning_ms(GREEDY, 20) <= 10
    assert greedy_pairs(4) == 6 + 3 + 1


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (
            lambda: edges("snowflake", 4),
            "no query of shape 'snowflake'; there are chain, cycle, star, clique",
        ),
        (lambda: pairs("snowflake", 4), "no query of shape 'snowflake'"),
        (lambda: edges("star", 0), "at least one table, not 0"),
        (lambda: count_pairs(30, []), "counted for 1 to 14 tables, not 30"),
        (lambda: planning_ms("genius", 4), "no planner 'genius'; there are exhaustive, greedy"),
    ],
)
def test_what_makes_no_sense_is_refused(ask, message):
    with pytest.raises(LabError, match=re.escape(message)):
        ask()
