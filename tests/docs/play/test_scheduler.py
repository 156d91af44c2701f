"""You are the scheduler: the game has every schedule, and each is the one that the command line replays."""

import pytest

from docs.play.python import scheduler
from scenarios.lab.hunt import hunt
from scenarios.stale_cache import SCENARIO
from simulations.drawing.marks import Tone
from simulations.errors import PlanError
from tests.docs.play.reading import Reading, natively

NAMES = [variant.name for variant in SCENARIO.variants]


def ends(state):
    """Yield the pages at which a game can end, from a state on."""
    page = Reading(scheduler.show(state))
    if page.command:
        yield page
        return
    for key, following in page.moves.items():
        if key.isdigit():
            yield from ends(following)


def is_bad(page):
    return any(said.startswith(Tone.BAD) for said in page.says)


@pytest.mark.parametrize("name", ["as-shipped", "write-through", "leases", "versions"])
def test_a_game_has_every_schedule_once_and_as_many_fail_as_are_counted(name):
    pages = list(ends({"level": name}))
    counted = scheduler.count(name)
    assert counted.complete
    assert len({page.command for page in pages}) == len(pages) == counted.runs
    assert sum(map(is_bad, pages)) == counted.failing


def test_the_line_of_each_schedule_gives_the_digest_that_the_page_shows():
    for page in ends({}):
        assert natively(page) == page.digest


@pytest.mark.parametrize("name", NAMES)
def test_what_the_counter_says_is_what_the_variant_is(name):
    counted = scheduler.count(name)
    assert counted.complete
    assert bool(counted.failing) == (SCENARIO.variant(name).kind != "fix")
    said = Reading(scheduler.show({"level": name, "all": "1"})).says[-1]
    assert str(counted.runs) in said
    assert said.endswith("fail.") == bool(counted.failing)


def test_the_finding_of_the_lab_is_one_of_the_schedules():
    finding = hunt("stale-cache", searcher="exhaustive", verify=False).finding
    assert finding.digest in {page.digest for page in ends({}) if is_bad(page)}


def test_a_broken_variant_leads_to_the_next_one():
    broken = next(page for page in ends({"level": "as-shipped"}) if is_bad(page))
    assert broken.moves["n"] == {"level": NAMES[1]}


def test_a_move_can_be_taken_back_at_each_step():
    page = Reading(scheduler.show({"level": "as-shipped", "moves": "01"}))
    assert page.moves["ArrowLeft"] == {"level": "as-shipped", "moves": "0"}


def test_a_game_that_is_cut_off_is_no_proof(monkeypatch):
    monkeypatch.setattr(scheduler, "DEVIATIONS_MAX", 2)
    scheduler.count.cache_clear()
    said = Reading(scheduler.show({"level": "versions", "all": "1"})).says[-1]
    scheduler.count.cache_clear()
    assert said.endswith("which is not all of them.")


@pytest.mark.parametrize("moves", ["9", "0" * 30])
def test_a_move_that_does_not_exist_is_an_error_of_one_line(moves):
    with pytest.raises(PlanError, match="move"):
        scheduler.show({"moves": moves})
