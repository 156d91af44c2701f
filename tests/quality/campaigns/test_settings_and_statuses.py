import sys

from tests.quality.campaigns import determinism, statuses
from tests.quality.campaigns.campaign import End


def test_a_hunt_finds_the_same_under_other_settings():
    tally = determinism.campaign(0, 3)
    assert tally.clean, str(tally)


PLANTED = determinism.START.replace(
    "import sys;", "import sys, os, json; json.dumps = lambda data, dumps=json.dumps, **o: dumps("
    "{**data, 'digest': hash('x')} if 'says' in data else data, **o);",
)  # fmt: skip


def test_a_result_that_depends_on_the_hash_seed_is_found():
    assert not determinism.campaign(0, 6, PLANTED).clean


def test_commands_end_with_the_status_that_says_what_happened():
    tally = statuses.campaign(0, 6)
    assert tally.clean, str(tally)


def test_a_status_that_says_nothing_is_found():
    tally = statuses.campaign(0, 2, lambda *words: [sys.executable, "-c", "raise SystemExit(77)"])
    assert tally.ends == {End.OTHER: 2}
