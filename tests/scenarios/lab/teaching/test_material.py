"""The material for teaching is found in a checkout, and is in the wheel as it stands here."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from scenarios.lab.teaching import material
from simulations.errors import LabError

ROOT = Path(__file__).parents[4]
SHIPPED = ("docs/demos", "docs/notebooks")


def test_in_a_checkout_it_is_the_folder_of_the_documentation():
    assert material.folder() == ROOT / "docs"
    assert {"given"} <= material.demos().keys()
    assert {"stale_cache"} <= material.notebooks().keys()
    for name, path in [
        *material.demos().items(),
        *material.notebooks().items(),
        *material.solutions().items(),
    ]:
        assert path.is_file()
        assert path.stem == name
    assert material.talk() in {None, ROOT / "docs/talk.md"}


def test_the_wheel_holds_every_file_of_it_and_an_installation_finds_them(tmp_path, monkeypatch):
    pytest.importorskip("hatchling", reason="building the wheel needs hatchling")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    with zipfile.ZipFile(next(tmp_path.glob("*.whl"))) as wheel:
        wheel.extractall(tmp_path / "site", [name for name in wheel.namelist() if "/teaching/" in name])
    installed = tmp_path / "site/scenarios/lab/teaching"
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard", *SHIPPED], cwd=ROOT, capture_output=True, text=True
    ).stdout.split()
    assert listed
    for name in listed:
        assert (installed / Path(name).relative_to("docs")).read_bytes() == (ROOT / name).read_bytes()
    here = material.notebooks()
    monkeypatch.setattr(material, "_HERE", installed)
    assert material.folder() == installed
    assert material.notebooks().keys() == here.keys()


def test_an_installation_that_is_not_whole_says_so(tmp_path, monkeypatch):
    monkeypatch.setattr(material, "_HERE", tmp_path / "scenarios/lab/teaching")
    with pytest.raises(LabError, match="install heisenlab again"):
        material.folder()
