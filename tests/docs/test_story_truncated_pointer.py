"""The figures of the story are what the simulation gives; its table is checked with the detection table."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from scenarios.truncated_pointer import SCENARIO
from simulations.address_space import picture, variants
from simulations.address_space.cuts import CUTS
from simulations.address_space.space import GIB
from simulations.address_space.system import run
from simulations.address_space.workload import Session
from simulations.choices import Deviation, drawn
from tests.quality.address_space import test_detection as detection

PAGE = (Path(__file__).parents[2] / "docs/stories/truncated_pointer.md").read_text(encoding="utf-8")
PROSE = " ".join(PAGE.split())


def test_where_filling_stops():
    assert f"of the first 40 documents of 1 MiB, {detection.silent_at_first_use(4 * GIB)} are silent" in PROSE
    assert detection.silent_at_first_use(6 * GIB) == 0


def test_the_pictures():
    unsigned = replace(variants.ON_THE_TEST_MACHINE, cut="unsigned-32")
    ran = run(unsigned, Session((64 * 1024,) * 71), drawn([Deviation("path.document", 70, 1)]))
    (shown,) = re.findall(r"```text\n(.*?)```", PAGE, re.DOTALL)
    assert shown in picture.text(ran.regions, use=ran.wrong, width=32)


@pytest.mark.parametrize("variant", ["as-shipped", "filled"])
def test_the_hunts(variant):
    finding = SCENARIO.hunt(variant, verify=False).finding
    assert f"plan        {finding.plan_in_words}\n" in PAGE
    if variant == "as-shipped":
        assert f"fails       {finding.by}: {finding.message}\nminimality  {finding.minimality}\n" in PAGE


def test_the_lines_of_the_cuts():
    lines = [int(line, 16) for line in re.findall(r"^\| (0x[0-9A-F_]+) \|", PAGE, re.MULTILINE)]
    assert lines == [
        CUTS[name].line for name in ("signed-32", "unsigned-32", "shift-3", "mask-47", "float32")
    ]
    (block,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    exec(compile(block, "truncated_pointer.md", "exec"), {})
