"""The page about demonstrations lists what there is, and says truly where each feature is shown."""

import json
import re

import pytest

from scenarios.lab.teaching import material
from scenarios.lab.teaching.demonstrations import DEMONSTRATIONS
from tests.docs.test_documentation import ROOT

PAGE = (ROOT / "docs/guide/demonstrations.md").read_text(encoding="utf-8")
LESSONS = {
    *("ten_minutes", "stale_cache", "invalid_mode", "truncated_pointer", "vanishing_job"),
    *("how_it_shrinks", "which_searcher", "flaky_ci", "which_code", "your_own_world"),
}
IN_FORM = "## Hypothesis by hand"
"""A lesson without this section is not one yet that shows Hypothesis."""


def rows(first):
    """Return the cells of the table whose first column has this name."""
    table = PAGE.partition(f"| {first} |")[2].partition("\n\n")[0].splitlines()[2:]
    return [[cell.strip() for cell in row.strip("|").split(" | ")] for row in table]


def names(cell):
    return [name.strip(" |") for name in cell.split(",") if name.strip(" |")]


def lesson(name):
    """Return the text of a notebook's cells; an empty text where it is not there, or not in the form yet."""
    if name not in material.notebooks():
        return ""
    cells = json.loads(material.notebooks()[name].read_text(encoding="utf-8"))["cells"]
    text = "\n".join("".join(cell["source"]) for cell in cells)
    return text if IN_FORM in text else ""


FEATURES = rows("feature")


def test_the_list_is_that_of_the_command():
    assert rows("demonstration") == [[f"`{demo.name}`", demo.idea()] for demo in DEMONSTRATIONS]


@pytest.mark.parametrize("row", FEATURES, ids=lambda row: row[0].split("`")[1])
def test_a_feature_occurs_where_the_table_says(row):
    words = re.findall(r"`([^`]+)`", row[0].partition("(")[0])
    shown, taught = names(row[1]), names(row[2]) if len(row) > 2 else []
    assert shown
    for name in shown:
        assert all(word in material.demos()[name].read_text(encoding="utf-8") for word in words), name
    for name in taught:
        assert name in LESSONS
        text = lesson(name)
        assert not text or any(word in text for word in words), name


def test_every_feature_of_hypothesis_that_is_to_be_taught_has_a_row():
    wanted = (
        "@given RuleBasedStateMachine target find @example assume explain reproduce_failure database event"
    )
    listed = {row[0].split("`")[1] for row in FEATURES if names(row[2])}
    assert set(wanted.split()) <= listed


def test_every_test_file_of_a_scenario_is_cited():
    files = {path.relative_to(ROOT).as_posix() for path in ROOT.glob("scenarios/*/test_*.py")}
    assert {row[0].strip("`") for row in rows("file")} == files
