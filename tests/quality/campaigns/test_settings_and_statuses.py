import sys

import pytest

from tests.quality.campaigns import determinism, statuses
from tests.quality.campaigns.campaign import End


def test_a_hunt_finds_the_same_under_other_settings():
    tally = determinism.campaign(0, 3, hunts=determinism.HUNTS[:1])
    assert tally.clean, str(tally)


PRINTS = """
import json, os, sys, time
if os.environ.get("PYTHONOPTIMIZE") and not sys.flags.ignore_environment:
    sys.stderr.write("refused under PYTHONOPTIMIZE\\n")
    sys.exit(2)
print(json.dumps(dict.fromkeys(sys.modules["__main__"].SAME, str({}))))
sys.exit(1)
"""


def prints(fact):
    """Return a program that ends as a hunt does, and whose result is a fact about its process."""
    return f"SAME = {determinism.SAME}\n{PRINTS.replace('{}', fact)}"


@pytest.mark.parametrize(
    "fact", ["hash('x')", "time.tzname", "os.getcwd()", "os.umask(0)", "sys.flags.dev_mode"]
)
def test_a_result_that_depends_on_a_setting_is_found(fact):
    tally = determinism.campaign(0, 8, prints(fact))
    assert any("status 1" in fault for fault in tally.faults), str(tally)


def test_a_result_that_depends_on_none_is_not():
    tally = determinism.campaign(0, 8, prints("sys.version"))
    assert tally.clean, str(tally)


def test_commands_end_with_the_status_that_says_what_happened():
    tally = statuses.campaign(0, 6)
    assert tally.clean, str(tally)


def test_a_status_that_says_nothing_is_found():
    tally = statuses.campaign(0, 2, lambda *words: [sys.executable, "-c", "raise SystemExit(77)"])
    assert tally.ends == {End.OTHER: 2}
