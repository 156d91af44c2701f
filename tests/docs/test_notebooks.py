"""Each notebook runs in a clean kernel, in an empty folder: it prints what is committed, and leaves nothing.

A notebook takes at most 40 s on two quiet cores. That is not asserted.
"""

import os
import subprocess
import sys

import pytest

from tests.docs import notebooks
from tests.docs.notebook_form import NOTEBOOKS, tags

pytest.importorskip("nbclient", reason="executing notebooks needs the extra 'test'")
pytest.importorskip("ipykernel", reason="executing notebooks needs the extra 'test'")

PATHS = sorted(NOTEBOOKS.glob("*.ipynb"))


def printed(cells):
    # In how many pieces a kernel sends what a cell prints depends on how fast it prints. Of what is drawn the
    # text alternative is compared, so that a colour can be changed without running all notebooks again.
    shown = []
    for cell in cells:
        if cell["cell_type"] == "code" and "varies" not in tags(cell):
            data = [output["data"] for output in cell["outputs"] if "data" in output]
            text = "".join(output.get("text", "") for output in cell["outputs"])
            shown.append((cell["source"], text, [(sorted(each), each["text/plain"]) for each in data]))
    return shown


def left_behind(folder):
    # In a checkout Hypothesis keeps the constants that it reads in our modules; a wheel has no local modules.
    files = [path for path in folder.rglob("*") if path.is_file()]
    return [path for path in files if path.parent.name != "constants" and path.name != ".gitignore"]


@pytest.mark.timeout(600)
@pytest.mark.filterwarnings("ignore")  # what the Jupyter packages warn of is not ours to mend
@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_a_notebook_runs_and_prints_what_it_shows(path, tmp_path):
    fresh = notebooks.run(path, tmp_path)
    assert printed(fresh.cells) == printed(notebooks.read(path).cells)
    assert left_behind(tmp_path) == []


@pytest.mark.parametrize("name", sorted(notebooks.solutions()))
def test_a_solution_runs_by_itself_and_asserts(name, tmp_path, tmp_path_factory):
    path = NOTEBOOKS / f"solutions/{name}.py"
    assert "assert " in path.read_text(encoding="utf-8")
    # Hypothesis keeps what it reads in modules that are not installed, which in a checkout are all of ours.
    elsewhere = {**os.environ, "HYPOTHESIS_STORAGE_DIRECTORY": str(tmp_path_factory.mktemp("hypothesis"))}
    done = subprocess.run([sys.executable, path], cwd=tmp_path, env=elsewhere, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert left_behind(tmp_path) == []


def test_there_are_notebooks():
    assert PATHS
