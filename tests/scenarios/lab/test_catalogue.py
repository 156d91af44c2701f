import subprocess
import sys

import pytest

import scenarios
from scenarios.lab import catalogue as engine
from scenarios.lab.scenario import Scenario
from simulations.errors import LabError
from tests.scenarios.lab import toy
from tests.scenarios.lab.conftest import install


def test_every_folder_is_a_scenario_of_its_name():
    catalogue = scenarios.catalogue()
    assert "lab" not in catalogue
    for name, scenario in catalogue.items():
        assert isinstance(scenario, Scenario)
        assert scenario.name == name
        assert scenarios.get(name) is scenario


def test_another_distribution_can_add_one(toy_installed):
    assert scenarios.get("toy") is toy.SCENARIO
    assert list(scenarios.catalogue())[-1] == "toy"


def test_an_unknown_name_is_answered_with_the_nearest(toy_installed):
    with pytest.raises(LabError, match="no scenario 'toyy'; did you mean toy"):
        scenarios.get("toyy")
    with pytest.raises(LabError, match=r"no scenario 'zzzz'; there are .*toy"):
        scenarios.get("zzzz")


@pytest.mark.parametrize(
    ("entry", "says"),
    [
        ("gone = no_such_module:SCENARIO", "scenario gone of others .*No module named"),
        ("odd = os:path", "scenario odd of others .*holds no Scenario"),
        ("odd = tests.scenarios.lab.toy:SCENARIO", "holds the scenario 'toy' under the name 'odd'"),
    ],
)
def test_a_broken_plug_in_is_left_out_with_a_warning(install_entry, entry, says):
    install_entry(entry)
    with pytest.warns(UserWarning, match=says):
        catalogue = scenarios.catalogue()
    assert not {"gone", "odd"} & set(catalogue)


def test_a_plug_in_cannot_replace_a_scenario_of_ours(install_entry):
    install_entry("invalid-mode = tests.scenarios.lab.toy:SCENARIO")
    assert scenarios.get("invalid-mode") is not toy.SCENARIO


def test_importing_scenarios_imports_neither_hypothesis_nor_pytest_and_prints_nothing():
    code = (
        "import scenarios, sys; scenarios.catalogue(); import scenarios.lab.verify, scenarios.lab.replay; "
        "print([name for name in ('hypothesis', 'pytest') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert (done.stdout.strip(), done.stderr) == ("[]", "")


def test_a_distribution_that_is_installed_later_is_noticed(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    assert "toy" not in scenarios.catalogue()
    install(tmp_path, "toy-stories", "toy = tests.scenarios.lab.toy:SCENARIO")
    assert scenarios.get("toy") is toy.SCENARIO


def test_entry_points_are_read_once_while_nothing_changes(tmp_path, monkeypatch):
    reads = []
    monkeypatch.setattr(engine, "entry_points", lambda **options: reads.append(options) or [])
    monkeypatch.syspath_prepend(tmp_path)  # what was read before does not count
    for _ in range(3):
        scenarios.get("invalid-mode")
    assert reads == [{"group": engine.GROUP}]


@pytest.mark.usefixtures("toy_installed")
def test_an_entry_point_of_the_backport_is_one_too():
    importlib_metadata = pytest.importorskip("importlib_metadata", reason="comes with the extra 'cluster'")
    (entry,) = importlib_metadata.entry_points(group=engine.GROUP, name="toy")
    assert engine._load("toy", entry) is toy.SCENARIO
