"""The lessons in a JupyterLite: each runs from its first cell to its last, and asks no foreign host.

Two run by default; with HEISENLAB_LESSONS=all every one does, which takes minutes.
"""

import json
import os
import time

import pytest

from docs.play.lite import LIVE, NEEDS_A_COMPUTER, lesson
from tests.docs import notebooks
from tests.docs.notebook_form import NOTEBOOKS, is_code, tags
from tests.docs.play import sites

BY_DEFAULT = ("ten_minutes", "stale_cache")
WITH_LONG_WORDS = "vanishing_job"
LESSONS = sorted(path.stem for path in NOTEBOOKS.glob("*.ipynb"))
WAIT_S = 600.0
"""How long a lesson may take; a machine may be slow, and nothing is measured."""
OPEN = "window.jupyterapp?.shell.currentWidget?.content?.model"
READY = """async () => {
  const panel = jupyterapp.shell.currentWidget;
  await panel.context.ready;
  await panel.sessionContext.ready;
}"""
RUN = """() => {
  const cells = jupyterapp.shell.currentWidget.content.model.sharedModel.cells;
  for (const cell of cells) {
    if (cell.cell_type !== "code") continue;
    cell.outputs = [];
    cell.execution_count = null;
  }
  window.over = false;
  jupyterapp.commands.execute("notebook:run-all-cells").finally(() => { window.over = true; });
}"""
CELLS = "jupyterapp.shell.currentWidget.content.model.toJSON().cells"
SAVE = 'jupyterapp.commands.execute("docmanager:save")'
PHONE_PX = 390
CUT_OFF = """() => {
  const seen = [...document.querySelectorAll(".jp-Cell")].filter((each) => each.clientWidth);
  const left = [...document.querySelectorAll(".jp-Cell .hl-table :is(th, td)")];
  const wide = (each) => each.scrollWidth > each.clientWidth + 1;
  const kinds = ".cm-content, .jp-RenderedHTMLCommon, pre";
  const shown = seen.flatMap((each) => [...each.querySelectorAll(kinds)]);
  return [
    Math.min(...seen.map((each) => each.clientWidth)),
    shown.filter(wide).length,
    left.filter((each) => getComputedStyle(each).textAlign !== "left").length,
  ];
}"""
"""The width of the narrowest cell, how many are cut off, how many cells of tables are not set to the left."""


@pytest.fixture(scope="module")
def lab(tab, base):
    """A tab for the lessons."""
    if not (sites.built() / "lite").is_dir():
        pytest.skip("the folder has no JupyterLite: build it with --lite")
    tab.page.set_viewport_size({"width": 1280, "height": 900})
    return tab


def opened(lab, base, name):
    """Open a lesson as a link of the site does."""
    lab.page.goto(f"{base}lite/notebooks/index.html?path={name}.ipynb")
    lab.page.wait_for_function(OPEN)
    lab.page.evaluate(READY)


def executed(lab, base, name):
    """Open a lesson, run all its cells, and return them; fail at once where Python itself fails."""
    asked = []
    lab.page.context.on("request", lambda request: asked.append(request.url))
    opened(lab, base, name)
    lab.page.evaluate(RUN)
    end = time.monotonic() + WAIT_S
    while not lab.page.evaluate("over"):
        assert lab.errors == []
        assert time.monotonic() < end, lab.page.evaluate(CELLS)
        lab.page.wait_for_timeout(500)
    cells = lab.page.evaluate(CELLS)
    lab.page.evaluate(SAVE)
    assert any(url.endswith("pyodide.asm.wasm") for url in asked), "what the kernel asks for was not seen"
    return [{**cell, "source": "".join(cell["source"])} for cell in cells]


@pytest.mark.timeout(900)
@pytest.mark.parametrize("name", LESSONS)
def test_a_lesson_runs_to_its_end(lab, base, name):
    if name not in BY_DEFAULT and os.environ.get("HEISENLAB_LESSONS") != "all":
        pytest.skip("HEISENLAB_LESSONS=all runs this one too")
    cells = executed(lab, base, name)
    committed = notebooks.read(NOTEBOOKS / f"{name}.ipynb")
    for there, here in zip(cells, committed.cells, strict=True):
        if LIVE in tags(here):
            assert not is_code(there)
            assert NEEDS_A_COMPUTER in there["source"]
            assert here["source"] in there["source"]
            continue
        if is_code(there):
            assert there["source"] == here["source"]
            assert [output for output in there["outputs"] if output["output_type"] == "error"] == []
            assert there["execution_count"]
    assert lab.foreign == []
    assert lab.errors == []


def test_on_a_telephone_a_lesson_has_the_page_and_nothing_is_cut_off(lab, base):
    opened(lab, base, WITH_LONG_WORDS)
    lab.page.add_style_tag(content=".jp-Cell { content-visibility: visible !important; }")
    lab.page.wait_for_function("said => document.body.textContent.includes(said)", arg=NEEDS_A_COMPUTER)
    try:
        lab.page.set_viewport_size({"width": PHONE_PX, "height": 844})
        lab.page.wait_for_function(f"document.querySelector('.jp-Cell').clientWidth < {PHONE_PX}")
        width, cut_off, set_elsewhere = lab.page.evaluate(CUT_OFF)
        assert width > 0.9 * PHONE_PX
        assert (cut_off, set_elsewhere) == (0, 0)
    finally:
        lab.page.set_viewport_size({"width": 1280, "height": 900})


def test_where_no_lesson_is_named_they_are_listed():
    root = sites.built() / "lite"
    assert root.is_dir() or pytest.skip("the folder has no JupyterLite")
    config = json.loads((root / "jupyter-lite.json").read_text(encoding="utf-8"))["jupyter-config-data"]
    assert (root / config["appUrl"] / "index.html").is_file()


def test_no_source_map_is_shipped():
    assert (sites.built() / "lite").is_dir() or pytest.skip("the folder has no JupyterLite")
    assert list((sites.built() / "lite").rglob("*.map")) == []


def test_a_link_leads_to_a_notebook_or_is_none():
    words = "[one](../guide/one.md), [two](two.ipynb), [three](https://example.org/../three)"
    (cell,) = lesson({"cells": [{"cell_type": "markdown", "metadata": {}, "source": [words]}]})["cells"]
    assert cell["source"] == words.replace("[one](../guide/one.md)", "one")


def test_a_live_cell_says_what_it_needs_and_what_it_printed():
    live = {
        "cell_type": "code",
        "id": "a",
        "metadata": {"tags": [LIVE]},
        "source": ["import os\n", "os.fork()"],
        "outputs": [{"output_type": "stream", "name": "stdout", "text": ["a child\n"]}],
        "execution_count": 1,
    }
    drawn = {"output_type": "display_data", "data": {"text/html": ["<p>", "</p>"]}, "metadata": {}}
    other = {**live, "id": "b", "metadata": {}, "outputs": [*live["outputs"], drawn]}
    shown, left = lesson({"cells": [live, other]})["cells"]
    assert left["source"] == other["source"]
    assert left["metadata"] == {"trusted": True}  # or no picture is shown before the cell runs
    assert left["outputs"][0]["text"] == "a child\n"
    assert left["outputs"][1]["data"] == {"text/html": "<p></p>"}
    assert shown["cell_type"] == "markdown"
    for said in (NEEDS_A_COMPUTER, "os.fork()", "a child"):
        assert said in shown["source"]
