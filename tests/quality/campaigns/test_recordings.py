"""The campaigns of the recorder in a short form, and a fault planted in each."""

import sys

import pytest

from scenarios.lab.commands import record_display
from simulations.live.recorder import recording, report
from tests.quality.campaigns import exit_statuses, recordings
from tests.quality.campaigns.campaign import End


def test_damaged_recordings_are_refused_in_one_line_or_shown():
    tally = recordings.campaign(seed=3, tries=40)
    assert tally.clean, str(tally)
    assert tally.ends.total() == 40


def test_a_recording_that_steers_a_terminal_is_noticed(monkeypatch):
    for module in (sys.modules[report.__module__], record_display):
        monkeypatch.setattr(module, "printable", lambda words: words)
    assert recordings.campaign(seed=1, tries=30).ends[End.OTHER] > 0


def test_a_value_that_is_not_checked_is_noticed(monkeypatch, capsys):
    monkeypatch.setattr(recording, "_row", lambda values: values)
    assert recordings.campaign(seed=1, tries=20).ends[End.TRACEBACK] > 0


@pytest.mark.skipif(sys.platform != "linux", reason="the recorder reads /proc")
def test_statuses_are_passed_on():
    tally = exit_statuses.campaign(seed=5, tries=16)
    assert tally.clean, str(tally)


def test_a_status_that_gets_lost_is_noticed(monkeypatch):
    monkeypatch.setattr(
        exit_statuses,
        "run_all",
        lambda cases: [(0 if case.recorded else 3, "") for case in cases],
    )
    assert exit_statuses.campaign(seed=5, tries=2).ends[End.LOST] == 2
