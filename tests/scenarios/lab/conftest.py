import pytest


@pytest.fixture
def toy_installed(tmp_path_factory, monkeypatch):
    """The toy scenario, as if another distribution had brought it."""
    site = tmp_path_factory.mktemp("site")
    install(site, "toy-stories", "toy = tests.scenarios.lab.toy:SCENARIO")
    monkeypatch.syspath_prepend(site)


@pytest.fixture
def install_entry(tmp_path_factory, monkeypatch):
    """Installs a distribution with one entry point of the laboratory's group."""

    def installed(entry):
        site = tmp_path_factory.mktemp("site")
        install(site, "others", entry)
        monkeypatch.syspath_prepend(site)

    return installed


def install(site, name, entry):
    folder = site / f"{name.replace('-', '_')}-1.0.dist-info"
    folder.mkdir()
    (folder / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    (folder / "entry_points.txt").write_text(f"[heisenlab.scenarios]\n{entry}\n")
