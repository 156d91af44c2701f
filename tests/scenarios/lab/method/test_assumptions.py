"""The ledger: every assumption holds in the world as it is, and is seen to be broken where it is broken."""

import dataclasses
import json

import pytest

import scenarios
from scenarios.lab.commands import main
from scenarios.lab.method import assumptions
from scenarios.lab.method.assumptions import Fate, Standing, break_one, ledger
from scenarios.lab.scenario import Assumption
from simulations.errors import LabError
from tests.scenarios.lab import toy

BREAKABLE = [
    pytest.param(scenario, each.name, id=f"{scenario.name}-{each.name}")
    for scenario in scenarios.catalogue().values()
    for each in scenario.assumptions
    if each.broken is not None
]

FALLS = {
    ("invalid-mode", "register"): {"watchdog-power-on-clear"},
    ("invalid-mode", "independence"): {"parity", "distance-3"},
    ("invalid-mode", "commands"): {"parity", "distance-3", "triple-vote"},
    ("invalid-mode", "power"): {"watchdog-power-on-clear"},
    ("stale-cache", "atomic"): {"leases", "versions"},
    ("stale-cache", "process"): {"single-flight"},
    ("stale-cache", "writers"): {"leases", "versions", "single-flight"},
    ("truncated-pointer", "islands"): set(),
    ("truncated-pointer", "bits"): {"full-width"},
}


@pytest.mark.parametrize("name", ["invalid-mode", "stale-cache", "vanishing-job", "truncated-pointer"])
def test_every_assumption_is_kept_or_says_why_it_is_not_checked(name, monkeypatch):
    monkeypatch.setattr(assumptions, "RUNS_MAX", 60)
    rows = ledger(scenarios.get(name))
    assert [row.assumption.name for row in rows if row.standing is Standing.VIOLATED] == []
    for row in rows:
        each = row.assumption
        assert (row.standing is Standing.KEPT) == (row.runs > 0) == (each.check is not None)
        assert bool(each.why_not) == (each.check is None or each.broken is None), each.name


@pytest.mark.parametrize(("scenario", "name"), BREAKABLE)
def test_a_broken_assumption_is_seen_and_what_is_stated_falls(scenario, name, monkeypatch):
    if (scenario.name, name) not in FALLS:  # hunts of seconds that state nothing here
        monkeypatch.setattr(assumptions, "_conclusion", lambda *_: None)
    monkeypatch.setattr(assumptions, "RUNS_MAX", 60)
    result = break_one(scenario, name)
    assert result.row.standing is Standing.VIOLATED, result.row
    if (scenario.name, name) in FALLS:
        fallen = {each.variant for each in result.conclusions if each.fate is Fate.FALLS}
        assert fallen == FALLS[scenario.name, name]


STEADY = Assumption(
    "lids",
    "Nobody spills.",
    lambda variant, run, chooser: _stainless(run),
    lambda scenario: dataclasses.replace(scenario, run=_always_stained),
)


def _stainless(run):
    assert run.stains < 100, f"{run.stains} stains"


def _always_stained(office, errands, chooser):
    day = toy.run(office, errands, chooser)
    return dataclasses.replace(day, stains=100)


WITH_LIDS = dataclasses.replace(
    toy.SCENARIO,
    variants=tuple(each for each in toy.SCENARIO.variants if each.name != "broken"),
    assumptions=(STEADY, Assumption("tea", "It is tea.", why_not="the world knows no drinks")),
)


def test_another_distribution_has_a_ledger_too():
    kept, unchecked = ledger(WITH_LIDS)
    assert (kept.standing, unchecked.standing) == (Standing.KEPT, Standing.UNCHECKED)
    result = break_one(WITH_LIDS, "lids")
    assert result.row.seen == "as-shipped: 100 stains"
    assert {each.variant: each.fate for each in result.conclusions} == {
        "as-shipped": Fate.CHANGES,
        "twice": Fate.CHANGES,
        "alarmed": Fate.FALLS,
        "fixed": Fate.FALLS,
        "likely": Fate.FALLS,
    }
    with pytest.raises(LabError, match="cannot be broken here: the world knows no drinks"):
        break_one(WITH_LIDS, "tea")


def test_the_command_shows_it_and_says_what_cannot_be_done(install_entry, capsys):
    install_entry("toy = tests.scenarios.lab.method.test_assumptions:WITH_LIDS")
    assert main(["assumptions", "toy"]) == 0
    assert "break one: heisenlab assumptions toy --break lids" in capsys.readouterr().out
    assert main(["assumptions", "toy", "--json"]) == 0
    assert [row["standing"] for row in json.loads(capsys.readouterr().out)] == ["kept", "not checked"]
    assert main(["assumptions", "toy", "--break", "lids"]) == 0
    assert "3 of 5 conclusions fall: alarmed, fixed, likely" in capsys.readouterr().out
    assert main(["assumptions", "toy", "--break", "lids", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["conclusions"][0]["fate"] == "changes"
    for name in ("tea", "none"):
        assert main(["assumptions", "toy", "--break", name]) == 2
    assert capsys.readouterr().err.count("\n") == 2


def test_a_violated_assumption_is_1(install_entry, capsys):
    install_entry("toy = tests.scenarios.lab.method.test_assumptions:VIOLATED")
    assert main(["assumptions", "toy"]) == 1
    assert "as-shipped: 100 stains" in capsys.readouterr().out


VIOLATED = dataclasses.replace(WITH_LIDS, run=_always_stained)
