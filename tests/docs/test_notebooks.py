"""Each notebook runs in a clean kernel, in an empty folder, and prints what was committed with it."""

from pathlib import Path

import pytest

nbclient = pytest.importorskip("nbclient", reason="executing notebooks needs the extra 'test'")
nbformat = pytest.importorskip("nbformat", reason="executing notebooks needs the extra 'test'")

NOTEBOOKS = sorted((Path(__file__).parents[2] / "docs/notebooks").glob("*.ipynb"))


def printed(notebook):
    return [
        [output.get("text") or output.get("data", {}).get("text/plain") for output in cell.outputs]
        for cell in notebook.cells
        if cell.cell_type == "code"
    ]


@pytest.mark.timeout(600)
@pytest.mark.filterwarnings("ignore")  # what the Jupyter packages warn of is not ours to mend
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs_and_prints_what_it_shows(path, tmp_path):
    committed = nbformat.read(path, as_version=4)
    fresh = nbformat.read(path, as_version=4)
    client = nbclient.NotebookClient(
        fresh, timeout=300, kernel_name="python3", resources={"metadata": {"path": str(tmp_path)}}
    )
    client.execute()
    assert printed(fresh) == printed(committed)


def test_there_are_notebooks():
    assert NOTEBOOKS
