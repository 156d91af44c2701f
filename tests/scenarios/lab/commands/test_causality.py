import dataclasses
import json

import pytest

from scenarios.lab.commands import main
from scenarios.lab.hunt import hunt
from scenarios.lab.method import causality
from simulations.choices import NoiseModel
from tests.scenarios.lab import toy
from tests.scenarios.lab.toy import SCENARIO


@pytest.fixture
def file(tmp_path, monkeypatch):
    noise = NoiseModel("calm", {"*.cup": 0.01, "*.alarm": 0.01})
    calm = dataclasses.replace(SCENARIO, noise=noise)
    monkeypatch.setattr(causality, "get", lambda _: calm)
    path = tmp_path / "finding.json"
    hunt(SCENARIO, "twice", searcher="exhaustive", verify=False).finding.save(path)
    return str(path)


def test_every_deviation_has_its_bits_and_its_caret(file, capsys):
    assert main(["causality", file]) == 0
    out = capsys.readouterr().out
    lines = out.splitlines()
    assert "noise model 'calm'" in lines[1]
    assert "certified by enumeration" in lines[1]
    curve, carets = lines[3], lines[4]
    assert len(curve) <= 80
    # The caret of a choice stands below the first cell in which it was made.
    first, second = (place for place, mark in enumerate(carets) if mark == "^")
    assert curve[second] == "█" != curve[second - 1]
    assert first < second
    assert "+6.64" in out
    assert "b spills at step 2" in out
    assert "All choices together: 13.29 bits" in out


def test_a_sampled_curve_says_so_and_stands_beside_what_is_certain(file, capsys):
    assert main(["causality", file, "--exact-runs", "0", "--resamples", "30"]) == 0
    out = capsys.readouterr().out
    assert "sampled, 30 runs each" in out
    assert "after, certainly" in out


def test_json(file, capsys):
    assert main(["causality", file, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["points"][0]["k"] == 0


def test_a_finding_of_no_scenario_here_is_one_line(tmp_path, capsys):
    path = tmp_path / "finding.json"
    hunt(toy.with_run(toy.run), verify=False).finding.save(path)
    assert main(["causality", str(path)]) == 2
    err = capsys.readouterr().err
    assert "there is no scenario 'toy'" in err
    assert err.count("\n") == 1
