"""The figures of the story are what the analysis gives, and its code prints what it shows."""

import re
from pathlib import Path

import scenarios
from simulations.cache import variants
from simulations.cache.analysis import census
from simulations.cache.picture import lanes
from simulations.cache.stress import Stress
from simulations.cache.system import run
from simulations.cache.workload import Workload
from simulations.choices import exactly, replay
from tests.docs.test_documentation import code

PAGE = Path(__file__).parents[2] / "docs/stories/stale_cache.md"
TEXT = PAGE.read_text()
BUG = scenarios.get("stale-cache")
LEAST = BUG.variant().expect.least


def test_the_table_of_interleavings():
    for name, design, text, shown in (
        ("as shipped", "as_shipped", "r w", "a read, a write"),
        ("lock around the fill", "lock_around_fill", "r w", "a read, a write"),
        ("delete twice", "delete_twice", "r w", "a read, a write"),
        ("write through", "write_through", "w w", "two writes"),
        ("leases", "leases", "rr wr w", "`rr wr w`"),
        ("versions", "versions", "rr wr w", "`rr wr w`"),
        ("single flight", "single_flight", "rr wr w", "`rr wr w`"),
    ):
        counted = census(design, Workload(tuple(text.split())))
        assert f"| {name} | {shown} | {counted.interleavings:,} | {counted.stale} |" in TEXT


def test_the_run_of_the_least_plan():
    assert lanes(run(variants.AS_SHIPPED, Workload(("r", "w")), replay(LEAST))) + "\n" in code(PAGE, "text")


def test_the_hunt():
    found = BUG.hunt(verify=False).finding
    (shown,) = code(PAGE, "console")
    assert f"plan        {found.plan_in_words}\n" in shown
    assert f"fails       {found.by}: {found.message}\n" in shown
    assert f"minimality  {found.minimality}\n" in shown


def test_the_first_three_folk_fixes_fall_to_the_very_same_pause():
    folk = [variant.expect.least for variant in BUG.variants if variant.kind == "folk fix"]
    assert folk[:3] == [LEAST] * 3
    assert all(len(plan) == 1 for plan in folk)


def test_to_go_back_in_time_takes_three_choices_at_least():
    workload = Workload(("rr", "wr", "w"))
    for system in (variants.LEASES, variants.SINGLE_FLIGHT):
        for k in range(3):
            for ran in exactly(lambda chooser, system=system: run(system, workload, chooser), k):
                for check in BUG.properties:
                    check(ran.result)


def test_the_code_for_ones_own_threads(capsys):
    (block,) = code(PAGE, "python")
    exec(compile(block, "stale_cache.md", "exec"), {})
    assert capsys.readouterr().out == "found 1 least: every lesser schedule was run\n"


def test_the_table_of_the_stress_test_states_what_its_counts_mean():
    rows = re.findall(r"\| (\d+) of ([\d,]+) \| (.*?) per million \|", TEXT)
    assert len(rows) == 4
    for stale, runs, said in rows:
        stressed = Stress(int(runs.replace(",", "")), int(stale), 0.005, 20)
        assert f"rate is {said} per million" in str(stressed)
