"""The lessons in a JupyterLite: each runs from its first cell to its last, and asks no foreign host.

One runs by default; with HEISENLAB_LESSONS=all every one does, which takes minutes.
"""

import os

import pytest

from docs.play.lite import LIVE, NEEDS_A_COMPUTER, lesson
from tests.docs.notebook_form import NOTEBOOKS
from tests.docs.play import sites

BY_DEFAULT = ("ten_minutes",)
LESSONS = sorted(path.stem for path in NOTEBOOKS.glob("*.ipynb"))
OPEN = """async (path) => {
  await jupyterapp.restored;
  const panel = await jupyterapp.commands.execute("docmanager:open", { path, factory: "Notebook" });
  await panel.context.ready;
  await panel.sessionContext.ready;
}"""
RUN = """async () => {
  const cells = jupyterapp.shell.currentWidget.content.model.sharedModel.cells;
  for (const cell of cells) if (cell.cell_type === "code") cell.outputs = [];
  await jupyterapp.commands.execute("notebook:run-all-cells");
  return jupyterapp.shell.currentWidget.content.model.toJSON().cells;
}"""
CLOSE = """async () => {
  await jupyterapp.commands.execute("docmanager:save");
  await jupyterapp.commands.execute("kernelmenu:shutdown");
  await jupyterapp.commands.execute("application:close");
}"""


@pytest.fixture(scope="module")
def lab(tab, base):
    """JupyterLab in a tab."""
    if not (sites.built() / "lite").is_dir():
        pytest.skip("the folder has no JupyterLite: build it with --lite")
    tab.page.goto(f"{base}lite/lab/index.html")
    tab.page.wait_for_function("window.jupyterapp")
    return tab


@pytest.mark.timeout(900)
@pytest.mark.parametrize("name", LESSONS)
def test_a_lesson_runs_to_its_end(lab, name):
    if name not in BY_DEFAULT and os.environ.get("HEISENLAB_LESSONS") != "all":
        pytest.skip("HEISENLAB_LESSONS=all runs this one too")
    lab.page.evaluate(OPEN, f"{name}.ipynb")
    cells = [cell for cell in lab.page.evaluate(RUN) if cell["cell_type"] == "code"]
    lab.page.evaluate(CLOSE)
    errors = [
        (output["ename"], output["evalue"], "".join(cell["source"]))
        for cell in cells
        for output in cell["outputs"]
        if output["output_type"] == "error"
    ]
    assert errors == []
    assert all(cell["execution_count"] for cell in cells if "".join(cell["source"]).strip())


def test_no_source_map_is_shipped():
    assert (sites.built() / "lite").is_dir() or pytest.skip("the folder has no JupyterLite")
    assert list((sites.built() / "lite").rglob("*.map")) == []


def test_a_live_cell_says_what_it_needs_and_what_it_printed():
    live = {
        "cell_type": "code",
        "id": "a",
        "metadata": {"tags": [LIVE]},
        "source": ["import os\n", "os.fork()"],
        "outputs": [{"output_type": "stream", "name": "stdout", "text": ["a child\n"]}],
        "execution_count": 1,
    }
    other = {**live, "id": "b", "metadata": {}}
    shown, left = lesson({"cells": [live, other]})["cells"]
    assert left == other
    assert shown["cell_type"] == "markdown"
    for said in (NEEDS_A_COMPUTER, "os.fork()", "a child"):
        assert said in shown["source"]
