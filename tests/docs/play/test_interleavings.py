"""The table of schedules is the real world's, leaves nothing out, and is played like the world itself."""

import json

import pytest

from docs.play import python as play
from docs.play.python import scheduler, schedules
from scenarios.lab.execution import replayed
from scenarios.stale_cache import SCENARIO
from simulations.errors import PlanError
from tests.docs.play.reading import Reading
from tests.docs.play.test_scheduler import NAMES

TABLE = json.loads(json.dumps(schedules.table()))


@pytest.fixture
def without_threads(monkeypatch):
    """A place that cannot run threads, and has the table; calling it makes it so."""

    def begin():
        for module in (play, schedules, scheduler):
            monkeypatch.setattr(module, "can_run_threads", lambda: False)
        monkeypatch.setattr(schedules, "kept", lambda: TABLE)
        scheduler.count.cache_clear()

    yield begin
    scheduler.count.cache_clear()


@pytest.mark.parametrize("name", NAMES)
def test_the_table_has_as_many_schedules_as_there_are_and_as_many_fail(name):
    counted = scheduler.count(name)
    failing = [row for row in TABLE[name].values() if row["failure"]]
    assert (len(TABLE[name]), len(failing)) == (counted.runs, counted.failing)


@pytest.mark.parametrize("name", NAMES)
def test_each_plan_of_the_table_replays_with_its_digest(name):
    variant = SCENARIO.variant(name)
    for moves, row in TABLE[name].items():
        there = schedules._from_json(name, row)
        outcome = replayed(SCENARIO, variant, schedules.clients(name), there.plan)
        assert outcome.run.trace.digest() == there.run.trace.digest(), moves
        assert (outcome.failure and outcome.failure.message) == there.failure


def states(name):
    """Yield every state that can be reached by moves, the first one first."""
    begun = [{"level": name}]
    while begun:
        state = begun.pop()
        yield state
        moves = Reading(scheduler.show(state)).moves
        begun += [following for key, following in moves.items() if key.isdigit()]


@pytest.mark.parametrize("name", ["as-shipped", "write-through", "leases"])
def test_without_threads_each_state_of_the_page_is_the_same_and_says_where_it_is_from(name, without_threads):
    here = {tuple(state.items()): scheduler.show(state) for state in states(name)}
    proof = scheduler.show({"level": name, "all": "1"})
    without_threads()
    said = said_of_the_table()
    for state, page in here.items():
        assert scheduler.show(dict(state)) == page + said
    assert scheduler.show({"level": name, "all": "1"}) == proof + said


def said_of_the_table():
    """Return how the page says that its schedules were run before."""
    said = scheduler.elements.paragraph(scheduler._LOOKED_UP)
    assert "JSPI" in said
    return said


@pytest.mark.parametrize("moves", ["9", "09", "0" * 30, "x"])
def test_without_threads_a_move_that_does_not_exist_is_an_error_of_one_line_too(moves, without_threads):
    without_threads()
    with pytest.raises(PlanError, match="move"):
        scheduler.show({"moves": moves})
