"""The rules of the house hold in the tree, and each of them finds a planted violation."""

import subprocess
from pathlib import Path

import pytest

from tests import house
from tests.house import Tree

ROOT = Path(__file__).parents[1]
READ = (".py", ".md", ".ipynb", ".toml")


@pytest.fixture(scope="module")
def paths():
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True
    )
    if listed.returncode:
        pytest.skip("not a checkout, so it cannot be said which files belong to it")
    return [path for path in listed.stdout.splitlines() if (ROOT / path).is_file()]


@pytest.fixture(scope="module")
def tree(paths):
    return Tree({path: (ROOT / path).read_text(encoding="utf-8") for path in paths if path.endswith(READ)})


RULES = (
    house.layers,
    house.circles,
    house.sizes,
    house.unused,
    house.public_names,
    house.docstrings,
    house.owners,
)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_the_tree_keeps(rule, tree):
    violations = rule(tree)
    assert not violations, "\n".join(map(str, violations))


def test_the_top_level_is_what_the_owner_fixed(paths):
    violations = house.top_level(paths)
    assert not violations, "\n".join(map(str, violations))


def test_every_room_exists(tree):
    for room in house.ROOMS:
        assert any(module == room.name or module.startswith(f"{room.name}.") for module in tree.modules), room


LONG = "def long():\n" + "    pass\n" * house.LINES_OF_A_FUNCTION_MAX

PLANTED = [
    pytest.param(
        house.layers,
        {"simulations/trace.py": "", "simulations/batch_job/system.py": "import hypothesis\n"},
        "simulations/batch_job/system.py:1: simulations.batch_job may not import hypothesis",
        id="a world imports Hypothesis",
    ),
    pytest.param(
        house.layers,
        {
            "simulations/live/memory/report.py": "from simulations.live.recorder import log\n",
            "simulations/live/recorder/log.py": "",
        },
        "simulations/live/memory/report.py:1: simulations.live.memory may not import "
        "simulations.live.recorder.log",
        id="an instrument imports another",
    ),
    pytest.param(
        house.layers,
        {
            "scenarios/lab/hunt.py": "def f():\n    from simulations.cache import world\n",
            "simulations/cache/world.py": "",
        },
        "scenarios/lab/hunt.py:2: scenarios.lab may not import simulations.cache.world",
        id="the engine imports a world, late",
    ),
    pytest.param(
        house.layers,
        {
            "simulations/live/threads/control/a.py": "from simulations.live.threads.search import b\n",
            "simulations/live/threads/search/b.py": "",
        },
        "simulations/live/threads/control/a.py:1: simulations.live.threads.control may not import "
        "simulations.live.threads.search.b",
        id="who holds the threads knows who searches",
    ),
    pytest.param(
        house.circles,
        {
            "simulations/a.py": "from simulations.b import f\n",
            "simulations/b.py": "from simulations.c import f\n",
            "simulations/c.py": "if TYPE_CHECKING:\n    from simulations.a import f\n",
        },
        "simulations/a.py:1: a circle of imports: simulations.a, simulations.b, simulations.c",
        id="a circle that closes for types only",
    ),
    pytest.param(
        house.sizes,
        {"tests/test_a.py": LONG},
        f"tests/test_a.py:1: long has {house.LINES_OF_A_FUNCTION_MAX + 1} lines",
        id="a long function",
    ),
    pytest.param(
        house.sizes,
        {"tests/test_a.py": "\n" * (house.LINES_OF_A_FILE_MAX + 1)},
        f"tests/test_a.py:1: {house.LINES_OF_A_FILE_MAX + 1} lines",
        id="a long file",
    ),
    pytest.param(
        house.unused,
        {"simulations/a.py": "import os\n\nSINK = 'a name that nothing uses'\n"},
        "simulations/a.py:3: nothing uses SINK",
        id="an unused constant",
    ),
    pytest.param(
        house.public_names,
        {"docs/reference/a.md": ".. automodule:: simulations.a\n", "simulations/a.py": "def f(): pass\n"},
        "simulations/a.py:1: docs/reference/a.md shows it, so it needs __all__",
        id="a page shows a module without a border",
    ),
    pytest.param(
        house.public_names,
        {"docs/reference/a.md": ".. automodule:: simulations.gone\n"},
        "docs/reference/a.md:1: shows simulations.gone, which does not exist",
        id="a page shows what is gone",
    ),
    pytest.param(
        house.public_names,
        {"simulations/a.py": "__all__ = ['f']\n"},
        "simulations/a.py:1: has an __all__ and is on no reference page",
        id="public and on no page",
    ),
    pytest.param(
        house.public_names,
        {
            "docs/reference/a.md": ".. automodule:: simulations.a\n",
            "simulations/a.py": "__all__ = ['f']\n",
            "README.md": "\n```python\nfrom simulations.a import g\n```\n",
        },
        "README.md:3: imports g from simulations.a, which is not public",
        id="the README teaches an inside",
    ),
    pytest.param(
        house.public_names,
        {
            "docs/notebooks/a.ipynb": '{"cells": [{"cell_type": "code", '
            '"source": ["%matplotlib inline\\n", "from simulations.b import c"]}]}'
        },
        "docs/notebooks/a.ipynb:2: imports c from simulations.b, which is not public",
        id="a notebook teaches an inside",
    ),
    pytest.param(
        house.docstrings,
        {"simulations/a.py": "__all__ = ['N']\n\nN = 1\n"},
        "simulations/a.py:1: N is public and has no docstring in simulations.a",
        id="a public constant without a docstring",
    ),
    pytest.param(
        house.docstrings,
        {
            "simulations/a.py": "from simulations.b import f\n\n__all__ = ['f']\n",
            "simulations/b.py": "def f(): pass\n",
        },
        "simulations/a.py:3: f is public and has no docstring in simulations.b",
        id="a public function without a docstring, elsewhere",
    ),
    pytest.param(
        house.docstrings,
        {"simulations/a.py": "__all__ = ['f']\n"},
        "simulations/a.py:1: __all__ lists f, which is not there",
        id="public and not there",
    ),
    pytest.param(
        house.owners,
        {
            "simulations/live/threads/control/a.py": "class A:\n    def f(self): self.step = 1\n",
            "simulations/live/threads/search/b.py": "def f(run):\n    def g():\n        run.a.step += 1\n",
        },
        "simulations/live/threads/search/b.py:3: writes run.a.step, which simulations/live/threads/control/a",
        id="what another object keeps is written, in a function inside",
    ),
    pytest.param(
        house.owners,
        {
            "scenarios/lab/a.py": "@dataclass\nclass A:\n    tally: int = 0\n",
            "scenarios/lab/b.py": "def f(a):\n    a = vigils[a]\n    a.tally, x = 1, 2\n",
        },
        "scenarios/lab/b.py:3: writes a.tally, which scenarios/lab/a.py",
        id="a field of a dataclass is written elsewhere",
    ),
]


@pytest.mark.parametrize(("rule", "sources", "says"), PLANTED)
def test_a_planted_violation_is_found(rule, sources, says):
    assert [str(found) for found in rule(Tree(sources)) if str(found).startswith(says)]


def test_what_a_function_made_it_may_write_and_so_may_the_file_of_its_class():
    made = {
        "simulations/a.py": "class A:\n    def f(self, a): self.x = a.x = 1\n",
        "simulations/b.py": "def f():\n    a = simulations.a.A()\n    a.x = 1\n    threading.y = 1\n",
    }
    assert house.owners(Tree(made)) == []


def test_a_planted_folder_at_the_top_is_found():
    assert [str(found) for found in house.top_level(["tools/x.py", ".gitignore", "docs/idea.md"])] == [
        "tools:1: does not belong at the top level: put it below docs/ or tests/"
    ]
