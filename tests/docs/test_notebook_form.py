"""Each notebook has the form of a lesson; and each rule of the form finds a planted violation."""

import ast
import copy
import subprocess
import sys

import pytest

from tests.docs import notebook_form, notebooks
from tests.docs.notebook_form import NOTEBOOKS, RULES, SECTIONS, Lesson, is_code, shown, tags

PATHS = sorted(NOTEBOOKS.glob("*.ipynb"))


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_a_notebook_keeps(rule, path):
    violations = list(rule(notebooks.read(path)))
    assert not violations, "\n".join([path.stem, *violations])


def test_what_cells_that_are_not_live_import_needs_nothing_that_a_browser_has_not():
    code_cells = [cell for path in PATHS for cell in notebooks.read(path).cells if is_code(cell)]
    sources = [cell["source"] for cell in code_cells if "live" not in tags(cell)]
    nodes = [node for source in sources for node in ast.walk(ast.parse(source))]
    imports = sorted({ast.unparse(node) for node in nodes if isinstance(node, ast.Import | ast.ImportFrom)})
    program = "\n".join(["import sys", "sys.modules['psutil'] = None", *imports])
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_a_solution_is_of_a_lesson():
    lessons = {path.stem for path in NOTEBOOKS.glob("*.ipynb")}
    assert {name.rpartition("_")[0] for name in notebooks.solutions()} <= lessons


def code(source, *tags, text=""):
    outputs = [{"output_type": "stream", "text": text}] if text else []
    return {"cell_type": "code", "metadata": {"tags": [*tags]}, "source": source, "outputs": outputs}


def table(source, html):
    data = {"text/plain": "long " * 30, "text/html": html}
    return code(source) | {"outputs": [{"output_type": "execute_result", "data": data}]}


def words(source, *tags):
    return {"cell_type": "markdown", "metadata": {"tags": [*tags]}, "source": source}


SOLUTION = "assert 1 + 1 == 2\n"
SOUND = Lesson(
    "stale_cache",
    (
        words("# A title\n\n**Prerequisites:** Python. **Minutes:** 45."),
        code("import scenarios"),
        *(words(f"## {name}\n\nWords.") for name in SECTIONS[:5]),
        code("def f():\n    # your turn\n    return 1\n    # until here", "yours"),
        code("assert f() == 1", "check"),
        *(words(f"## {name}\n\nWords.") for name in SECTIONS[5:13]),
        *(
            cell
            for number, kind in enumerate(("Read", "Change", "Build"), 1)
            for cell in (words(f"### {number}. {kind}: why?"), words(shown(SOLUTION), "solution"))
        ),
        *(words(f"## {name}\n\nWords.") for name in SECTIONS[13:]),
        code("assert f() == 1", "claims"),
    ),
    {f"stale_cache_{number}": SOLUTION for number in (1, 2, 3)},
)
YOURS, SOLVED, LAST = SOUND.tagged("yours")[0], SOUND.tagged("solution")[0], len(SOUND.cells) - 1


def test_the_sound_lesson_breaks_no_rule():
    assert [found for rule in RULES for found in rule(SOUND)] == []


def test_a_table_is_broken_into_lines_by_the_page():
    wide = Lesson(SOUND.name, replaced(1, table("a", "<td>" + "long " * 30 + "</td>")), SOUND.solutions)
    assert list(notebook_form.room(wide)) == []


def replaced(number, cell):
    return (*SOUND.cells[:number], cell, *SOUND.cells[number + 1 :])


def without(number):
    return (*SOUND.cells[:number], *SOUND.cells[number + 1 :])


PLANTED = [
    pytest.param("sections", without(2), "'You will be able to' is missing", id="a section is missing"),
    pytest.param("sections", replaced(3, words("## A look")), "none of the form", id="a section is renamed"),
    pytest.param("sections", SOUND.cells[::-1], "another order", id="the order is another"),
    pytest.param("head", without(0), "Minutes", id="no title"),
    pytest.param("imports", replaced(1, code("import a, b\n" * 6)), "6 lines of imports", id="many imports"),
    pytest.param("imports", replaced(1, code("import json")), "plumbing", id="plumbing"),
    pytest.param("imports", replaced(1, code("def f():\n    from os import path")), "plumbing", id="hidden"),
    pytest.param("room", replaced(1, code("a" * 89)), "89 columns", id="long code"),
    pytest.param("room", replaced(1, code("a", text="b\n" + "c" * 89)), "89 columns", id="a long output"),
    pytest.param(
        "room",
        replaced(1, table("a", "<p>short</p><pre>short\n" + "&lt;" * 89 + "</pre>")),
        "89 columns",
        id="long lines in HTML",
    ),
    pytest.param("room", replaced(1, code("a\n" * 36)), "36 lines", id="a long cell"),
    pytest.param("turns", replaced(YOURS, code("f = 1")), "no cell has the tag", id="nothing to write"),
    pytest.param("turns", replaced(YOURS, code("f = 1", "yours")), "belong together", id="no marks"),
    pytest.param(
        "turns",
        replaced(YOURS, code("# your turn\n\n# until here", "yours")),
        "nothing stands",
        id="no answer",
    ),
    pytest.param("turns", without(YOURS + 1), "must check", id="no check"),
    pytest.param("turns", replaced(1, code("import scenarios", "hard")), "tag 'hard'", id="an unknown tag"),
    pytest.param("claims", without(LAST), "the tag 'claims'", id="no claims"),
    pytest.param("claims", replaced(LAST, code("f()", "claims")), "asserts nothing", id="an empty claim"),
    pytest.param("claims", replaced(YOURS + 1, code("f()", "check")), "asserts nothing", id="an empty check"),
    pytest.param("live", replaced(YOURS, code("f = 1", "live")), "uses f, which only", id="not made there"),
    pytest.param("exercises", without(SOLVED), "show solutions/stale_cache_1.py", id="a solution is gone"),
    pytest.param(
        "exercises",
        replaced(SOLVED, words("2", "solution")),
        "solutions/stale_cache_1",
        id="another solution",
    ),
    pytest.param("exercises", without(SOLVED - 1), "numbered from 1", id="an exercise is gone"),
    pytest.param(
        "exercises", SOUND.cells[: SOLVED + 2], "must be Read, Change and Build", id="one kind only"
    ),
]


@pytest.mark.parametrize(("rule", "cells", "says"), PLANTED)
def test_a_rule_finds(rule, cells, says):
    lesson = Lesson(SOUND.name, copy.deepcopy(cells), SOUND.solutions)
    found = list(getattr(notebook_form, rule)(lesson))
    assert any(says in each for each in found), found


def test_a_solution_without_a_file_and_a_file_without_an_exercise_are_found():
    nameless = Lesson(SOUND.name, SOUND.cells, {"stale_cache_9": SOLUTION})
    found = "\n".join(notebook_form.exercises(nameless))
    assert "exercise 1 has no solution" in found
    assert "stale_cache_9.py solves no exercise" in found
