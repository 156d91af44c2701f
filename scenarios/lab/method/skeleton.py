"""A new scenario, as files: small, and green from the first minute. What it holds is meant to be replaced."""

from __future__ import annotations

import json
import keyword
import re
import tempfile
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

from scenarios.lab.catalogue import GROUP, names
from simulations.errors import LabError

NAME_CHARACTERS_MAX: Final = 64
"""The names of its files are made from it, and a file system takes 255 bytes."""
_NAME: Final = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")

_PROJECT: Final = """\
[build-system]
requires = ["hatchling>=1.27"]
build-backend = "hatchling.build"

[project]
name = "@NAME@"
version = "0.1.0"
description = "A scenario for heisenlab."
requires-python = ">=3.11"
dependencies = ["heisenlab"]

[project.entry-points."@GROUP@"]
@NAME@ = "@MODULE@:SCENARIO"

[tool.hatch.build.targets.wheel]
packages = ["@MODULE@"]

[tool.pytest.ini_options]
pythonpath = ["."]
testpaths = ["tests"]
"""

_CONFTEST: Final = """\
pytest_plugins = ["scenarios.lab.pytest_plugin"]
"""

_README: Final = """\
# @NAME@

A scenario for [heisenlab](https://pypi.org/project/heisenlab/).

    pytest                          # the bug is found, its fix holds, the canary sings
    pip install -e .                # then the commands know it:
    heisenlab show @NAME@
    heisenlab hunt @NAME@

| file | what is in it |
| --- | --- |
| `@MODULE@/world.py` | the world: what runs, and where its environment is asked |
| `@MODULE@/__init__.py` | the scenario: story, property, variants, assumptions |
| `tests/test_@MODULE@.py` | each variant is what it says; the property can fail |
| `lesson.ipynb` | a first lesson |
"""

_WORLD: Final = '''\
"""The world: two clerks and one balance. Replace it with yours; keep the form of `run`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from simulations.trace import Trace

if TYPE_CHECKING:
    from simulations.choices import Chooser


@dataclass(frozen=True)
class System:
    """What variants differ in."""

    locked: bool


@dataclass(frozen=True)
class Payments:
    """The input: what everybody records. Its fields must fit into JSON."""

    amounts: tuple[int, ...]


@dataclass(frozen=True)
class Run:
    """What is known after a run."""

    trace: Trace
    balance: int
    expected: int


def run(system: System, payments: Payments, chooser: Chooser) -> Run:
    """Run the world; every answer of the environment comes from the chooser, the first option is nominal."""
    trace, balance, read_before = Trace(), 0, 0
    for number, amount in enumerate(payments.amounts):
        chooser.at(number)
        seen = balance
        if not system.locked and number and chooser.pick("other clerk", ("waits", "writes")) == "writes":
            seen = read_before
            trace.record(number, "other clerk", "writes", seen)
        read_before = balance
        balance = seen + amount
        trace.record(number, "clerk", "writes", balance)
    return Run(trace, balance, sum(payments.amounts))
'''

_SCENARIO: Final = '''\
"""@TITLE@: a scenario for heisenlab."""

from __future__ import annotations

from scenarios.lab.scenario import Assumption, Exhausted, Finds, Scenario, Story, Variant
from simulations.choices import ChoicePoint, Deviation, NoiseModel, Plan

from @MODULE@.world import Payments, Run, System, run


def no_payment_is_lost(run: Run) -> None:
    """The balance is the sum of the payments."""
    assert run.balance == run.expected, f"{run.balance} instead of {run.expected}"


def in_words(point: ChoicePoint) -> str:
    """Say an answer that was not nominal."""
    return f"the other clerk writes back an old balance before payment {point.time}"


SCENARIO = Scenario(
    name="@NAME@",
    title="@TITLE@",
    story=Story(
        who="A branch with two counters.",
        symptom="Now and then a payment is missing in the evening.",
        believed="That somebody mistypes.",
        root_cause="Both clerks read the balance before either writes it.",
        lesson="Reading and writing back is one step, or it is two bugs.",
    ),
    hidden_input="the order of the clerks' steps",
    question="does the other clerk write in between?",
    run=run,
    ladder=(Payments((10,)), Payments((10, 20)), Payments((10, 20, 30))),
    properties=(no_payment_is_lost,),
    variants=(
        Variant(
            "as-shipped",
            "as shipped",
            System(locked=False),
            "Nobody waits for anybody.",
            Finds("no_payment_is_lost", Plan([Deviation("other clerk", 0, 1)])),
        ),
        Variant("locked", "fix", System(locked=True), "One clerk at a time.", Exhausted(2)),
    ),
    noise=NoiseModel("a busy day", {"other clerk": 0.1}),
    phrase=in_words,
    assumptions=(Assumption("two clerks", "There are no more than two clerks."),),
)
'''

_TEST: Final = '''\
"""The bug is found, the fix holds, and the property can fail."""

import pytest
from simulations.choices import Deviation, Plan, nominal, replay

from @MODULE@ import SCENARIO, no_payment_is_lost
from @MODULE@.world import Payments, System, run


@pytest.mark.bug(SCENARIO)
def test_each_variant_is_what_it_says(lab, variant):
    lab.check(variant)


def test_canary_the_property_fails_where_it_must():
    broken = run(System(locked=False), Payments((10, 20)), replay(Plan([Deviation("other clerk", 0, 1)])))
    with pytest.raises(AssertionError, match="20 instead of 30"):
        no_payment_is_lost(broken)


def test_the_nominal_run_holds():
    no_payment_is_lost(run(System(locked=False), Payments((10, 20, 30)), nominal()))
'''

_LESSON: Final = (
    "# @TITLE@\n\nA run is a function of its input and of what the environment answers.",
    (
        "from simulations.choices import nominal\n\nfrom @MODULE@ import SCENARIO\n\n"
        "run = SCENARIO.run(SCENARIO.variant().system, SCENARIO.ladder[-1], nominal())\n"
        'print(*run.trace, sep="\\n")'
    ),
    "Once the answers are a value, the bug is an ordinary failing test.",
    (
        "found = SCENARIO.hunt().finding\nprint(found.plan_in_words)\n"
        "assert found.plan == SCENARIO.variant().expect.least"
    ),
    "The fix holds up to a bound, which is stated.",
    (
        'fixed = SCENARIO.hunt("locked", searcher="exhaustive")\nprint(fixed.says)\n'
        'assert fixed.verdict == "exhausted"'
    ),
)
"""The cells of the notebook, words and code in turn."""


def files_of(name: str) -> dict[str, str]:
    """Return the files of a new scenario, by their path in its folder.

    Raises:
        LabError: the name does not do, or is taken by a scenario or by a module that can be imported.
    """
    if len(name) > NAME_CHARACTERS_MAX:
        raise LabError(
            f"a name of {len(name)} characters is too long; use at most {NAME_CHARACTERS_MAX}, such as "
            f"lost-update"
        )
    if not _NAME.fullmatch(name):
        raise LabError(f"{name!r} is no name of a scenario; use lower case and hyphens, such as lost-update")
    if name in names():
        raise LabError(f"there is a scenario {name} already; choose another name")
    module = name.replace("-", "_")
    if keyword.iskeyword(module) or find_spec(module) is not None:
        raise LabError(f"{module} is a word or a module of Python already; choose another name")
    words = {
        "@NAME@": name,
        "@MODULE@": module,
        "@GROUP@": GROUP,
        "@TITLE@": name.replace("-", " ").capitalize(),
    }
    templates = {
        "pyproject.toml": _PROJECT,
        "README.md": _README,
        "conftest.py": _CONFTEST,
        f"{module}/__init__.py": _SCENARIO,
        f"{module}/world.py": _WORLD,
        f"tests/test_{module}.py": _TEST,
        "lesson.ipynb": json.dumps(_notebook(), indent=1) + "\n",
    }
    return {path: _filled(text, words) for path, text in templates.items()}


def _filled(text: str, words: dict[str, str]) -> str:
    for mark, word in words.items():
        text = text.replace(mark, word)
    return text


def _notebook() -> dict[str, Any]:
    cells: list[dict[str, Any]] = []
    for number, source in enumerate(_LESSON):
        code: dict[str, Any] = {"cell_type": "code", "execution_count": None, "outputs": []}
        kind: dict[str, Any] = code if number % 2 else {"cell_type": "markdown"}
        cells.append(
            {**kind, "id": f"cell-{number}", "metadata": {}, "source": source.splitlines(keepends=True)}
        )
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    return {"cells": cells, "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5}


def new(name: str, folder: Path) -> list[str]:
    """Write a new scenario, whole or not at all; return its files.

    Args:
        name: Lower case with hyphens, such as `lost-update`.
        folder: Where it goes: a folder that does not exist yet, in one that does.

    Raises:
        LabError: the name does not do, the folder exists, or it cannot be written.
    """
    files = files_of(name)
    if folder.exists() or folder.is_symlink():
        raise LabError(f"{folder} exists and is left as it is; name another folder with --at")
    try:
        with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{name}-") as beside:
            whole = Path(beside, "whole")
            for path, text in files.items():
                target = whole / path
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_text(text, encoding="utf-8")
            whole.rename(folder)
    except OSError as error:
        raise LabError(f"cannot write {folder}: {error.strerror}; name another folder with --at") from error
    return sorted(files)
