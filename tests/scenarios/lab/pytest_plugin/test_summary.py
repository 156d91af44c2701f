import dataclasses
from functools import cache

import pytest

from scenarios.lab.hunt import hunt
from scenarios.lab.pytest_plugin.summary import Row, minimality, render
from tests.scenarios.lab.toy import SCENARIO


@cache
def came_to(variant, **options):
    return hunt(SCENARIO, variant, verify=False, **options)


def row(variant="as-shipped", *, as_expected=True, **options):
    chosen = SCENARIO.variant(variant)
    came = came_to(variant, **options)
    return Row(
        test="test_toy.py::test",
        scenario=SCENARIO.name,
        catalogued=True,
        variant=variant,
        shown=f"{SCENARIO.name}-{variant}",
        position=SCENARIO.variants.index(chosen),
        kind=chosen.kind,
        hidden_input=SCENARIO.hidden_input,
        withstands=2,
        hunt=came.to_json(),
        finding=came.finding.to_json() if came.finding else None,
        as_expected=as_expected,
    )


def command(kept):
    return f"heisenlab replay some/long/folder/{kept.scenario}.json" if kept.finding else ""


def shown(*rows, width=120, spoilers=True):
    return render(rows, width, spoilers=spoilers, replay=command)


def test_a_row_is_the_same_after_a_journey_to_another_process():
    kept = row()
    assert Row.loads(kept.dumps()) == kept
    assert kept.found() is not None
    assert row("fixed", searcher="exhaustive").found() is None


def test_a_bug_has_a_row_its_plan_and_its_command():
    kept = row()
    kept = dataclasses.replace(kept, hunt={**kept.hunt, "search_runs": 1, "minimising_runs": 24})
    assert shown(kept) == [
        "bug  verdict  search  minimising  minimality  hidden input",
        "toy  found     1 run     24 runs  least       who spills",
        "    everything nominal, except: b spills at step 1",
        "    heisenlab replay some/long/folder/toy.json",
    ]


def test_a_narrow_terminal_gets_one_figure_a_line_and_a_command_that_is_whole():
    lines = shown(row(), width=40)
    assert [line.partition(":")[0].strip() for line in lines[:6]] == [
        "bug",
        "verdict",
        "search",
        "minimising",
        "minimality",
        "hidden input",
    ]
    assert "    heisenlab replay some/long/folder/toy.json" in lines
    assert all(len(line) <= 40 for line in lines if "replay" not in line)


@pytest.mark.parametrize("width", [0, 1, 20, 10_000])
def test_any_width_is_survived(width):
    assert "    heisenlab replay some/long/folder/toy.json" in shown(row(), row("fixed"), width=width)


def test_hunts_by_one_searcher_share_a_row_and_those_by_another_have_their_own():
    lines = shown(*(row(seed=seed) for seed in range(3)), row(searcher="random"))
    assert [line.split("  ")[0] for line in lines if not line.startswith(" ")] == [
        "bug",
        "toy",
        "toy (random)",
    ]
    assert "found 3 of 3" in lines[1]
    assert " to " in lines[1]
    assert lines.count("    everything nominal, except: b spills at step 1") == 2


def test_a_bug_that_was_not_found_says_so_and_has_no_command():
    lines = shown(row(budget=1, as_expected=False))
    assert lines[1].split() == ["toy", "gave", "up", "1", "run", "-", "-", "who", "spills"]
    assert lines[2] == "    nothing found in 1 runs"
    assert len(lines) == 3


def test_repairs_are_counted_once_in_the_order_of_the_scenario():
    rows = [row("likely", budget=50), row("fixed", searcher="exhaustive"), row("twice"), row("twice", seed=1)]
    assert shown(*rows, row("alarmed", as_expected=False), width=200) == [
        (
            "toy: folk fixes broken: twice; NOT AS DOCUMENTED: alarmed; fixes that hold, "
            "exhausted at 2 deviations: fixed; fixes in which nothing was found: likely (50 runs)"
        )
    ]


def test_a_fix_that_breaks_beyond_its_bound_is_no_failure_and_is_told():
    beyond = dataclasses.replace(row("twice"), kind="fix", withstands=1)
    assert shown(beyond) == ["toy: fixes that break beyond the 1 deviation that they are exhausted at: twice"]


def test_without_spoilers_neither_cause_nor_fix_is_told():
    told = "\n".join(shown(row(), row("twice"), row("fixed", searcher="exhaustive"), spoilers=False))
    assert "heisenlab replay" in told
    assert "folk fixes broken: 1; fixes that hold, exhausted at 2 deviations: 1" in told
    assert not [word for word in ("spills", "twice", "fixed") if word in told]


def test_labels_of_a_plan_that_is_least_over_them_are_a_cause():
    hunted = {"minimality": "least over labels b.cup"}
    assert minimality(hunted, spoilers=True) == "least over labels b.cup"
    assert minimality(hunted, spoilers=False) == "least over labels"
    assert minimality({"minimality": "1-minimal"}, spoilers=False) == "1-minimal"
