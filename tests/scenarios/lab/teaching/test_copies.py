"""What students get: no outputs, no solutions, and `...` where they write."""

import ast
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scenarios.lab.teaching import material
from scenarios.lab.teaching.copies import BEGINS, ENDS, LESSONS, copies, students_notebook


def source(cell):
    return "".join(cell["source"])


def tags(cell):
    return set(cell["metadata"].get("tags", ()))


def code_cell(text, *named, outputs=()):
    return {
        "cell_type": "code",
        "metadata": {"tags": [*named]},
        "source": text.splitlines(keepends=True),
        "outputs": [*outputs],
        "execution_count": 3,
    }


LINES = st.lists(st.sampled_from(["a = 1", "for x in a:", "    b(x)", "", "# a comment"]), max_size=4)


@given(before=LINES, theirs=LINES, after=LINES, indent=st.sampled_from(["", "    ", "        "]))
def test_what_stands_between_the_two_comments_is_for_the_student_to_write(before, theirs, after, indent):
    text = "\n".join([*before, indent + BEGINS, *theirs, indent + ENDS, *after])
    cell = code_cell(text, "yours", outputs=["printed"])
    (copy,) = students_notebook({"cells": [cell]})["cells"]
    assert source(copy) == "\n".join([*before, indent + BEGINS, f"{indent}...", indent + ENDS, *after])
    assert (copy["outputs"], copy["execution_count"]) == ([], None)
    assert source(cell) == text


@given(text=LINES, tag=st.sampled_from(["check", "varies", "solution", "claims"]))
def test_other_cells_are_kept_as_they_are_or_kept_back(text, tag):
    cells = [code_cell("\n".join(text), tag), {"cell_type": "markdown", "metadata": {}, "source": text}]
    copied = students_notebook({"cells": cells})["cells"]
    kept_back = tag in {"solution", "claims"}
    assert [source(cell) for cell in copied] == [source(cell) for cell in cells[kept_back:]]


@pytest.mark.parametrize("name", material.notebooks())
def test_no_students_notebook_gives_an_answer_away(name):
    whole = json.loads(material.notebooks()[name].read_text("utf-8"))
    copy = json.loads(copies(teacher=False)[f"notebooks/{name}.ipynb"])
    assert not any(cell.get("outputs") or {"solution", "claims"} & tags(cell) for cell in copy["cells"])
    completed = [cell for cell in whole["cells"] if "yours" in tags(cell)]
    to_complete = [cell for cell in copy["cells"] if "yours" in tags(cell)]
    for teachers, students in zip(completed, to_complete, strict=True):
        ast.parse(source(students))
        assert source(teachers).count(BEGINS) == source(teachers).count(ENDS) == 1
        assert source(students).count("...\n") == source(teachers).count("...\n") + 1
        assert len(students["source"]) < len(teachers["source"]) or len(teachers["source"]) <= 3


def test_the_lessons_in_their_order_are_all_notebooks_that_there_are():
    assert sorted(LESSONS) == [*material.notebooks()]


def test_a_teacher_has_the_material_as_it_is():
    found = copies(teacher=True)
    for path, text in found.items():
        assert (material.folder() / path).read_text("utf-8") == text
    assert {f"notebooks/solutions/{name}.py" for name in material.solutions()} <= {*found}
    assert {*copies(teacher=False)} == {path for path in found if "/solutions/" not in path}
