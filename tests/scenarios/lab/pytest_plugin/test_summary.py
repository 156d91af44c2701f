import dataclasses
from functools import cache

import pytest

from scenarios.lab.hunt import hunt
from scenarios.lab.pytest_plugin.rows import Row
from scenarios.lab.pytest_plugin.summary import minimality, render
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


def figures(kept, **changes):
    return dataclasses.replace(kept, hunt={**kept.hunt, **changes})


def test_a_bug_has_a_line_in_the_table_then_its_plan_and_its_command():
    assert shown(figures(row(), search_runs=1, minimising_runs=24)) == [
        "bug  verdict  search runs  minimising  minimal  folk fixes  fixes  hidden input",
        "toy  found              1          24  least    -           -      who spills",
        "",
        "toy",
        "    everything nominal, except: b spills at step 1",
        "    heisenlab replay some/long/folder/toy.json",
    ]


def of_the_catalogue():
    """The rows of a session over the four bugs, as long in their figures as they are."""
    longest = {"search_runs": 63, "minimising_runs": 1605}
    shipped = figures(row(), **longest)
    repairs = [row("twice"), row("alarmed"), row("fixed", searcher="exhaustive")]
    return [
        dataclasses.replace(each, scenario=name, hidden_input="the layout of the address space")
        for name in ("invalid-mode", "stale-cache", "truncated-pointer", "vanishing-job")
        for each in (shipped, *repairs)
    ]


@pytest.mark.parametrize("width", [80, 100])
def test_four_bugs_are_a_table_of_five_lines_where_people_have_their_terminals(width):
    lines = shown(*of_the_catalogue(), width=width)
    heading, *bugs = lines[: lines.index("")]
    assert heading == "bug                verdict  search runs  minimising  minimal  folk fixes  fixes"
    assert bugs == [
        f"{name:<17}  found             63        1605  least    2 broken    1 hold"
        for name in ("invalid-mode", "stale-cache", "truncated-pointer", "vanishing-job")
    ]
    assert max(map(len, lines)) <= width
    assert "truncated-pointer (hidden input: the layout of the address space)" in lines


def test_in_a_narrow_terminal_columns_move_below_the_table_and_nothing_is_lost():
    lines = shown(*of_the_catalogue(), width=60)
    assert lines[0] == "bug                verdict  search runs  folk fixes  fixes"
    assert max(len(line) for line in lines if "replay" not in line) <= 60
    below = " ".join(" ".join(lines).split())
    moved = "(minimising: 1605; minimal: least; hidden input: the layout of the address space)"
    assert below.count(moved) == 4


def test_a_command_is_whole_however_narrow_the_terminal():
    lines = shown(row(), width=40)
    assert "    heisenlab replay some/long/folder/toy.json" in lines
    assert all(len(line) <= 40 for line in lines if "replay" not in line)


def test_labels_of_a_plan_stand_below_the_table_only():
    labels = "b.cup, a.cup"
    lines = shown(figures(row(), minimality=f"least over labels {labels}"))
    assert "  least over labels  " in lines[1]
    assert "    least over the labels b.cup, a.cup" in lines
    hidden = shown(figures(row(), minimality=f"least over labels {labels}"), spoilers=False)
    assert "cup" not in "".join(hidden)


@pytest.mark.parametrize("width", [0, 1, 20, 10_000])
def test_any_width_is_survived(width):
    assert "    heisenlab replay some/long/folder/toy.json" in shown(row(), row("fixed"), width=width)


def test_hunts_by_one_searcher_share_a_line_and_those_by_another_have_their_own():
    lines = shown(*(row(seed=seed) for seed in range(3)), row(searcher="random"))
    assert [line.split("  ")[0] for line in lines if line and not line.startswith(" ")] == [
        "bug",
        "toy",
        "toy (random)",
        "toy",
        "toy (random)",
    ]
    assert "  3 found  " in lines[1]
    assert " to " in lines[1]
    assert lines.count("    everything nominal, except: b spills at step 1") == 2


@pytest.mark.parametrize("variants", [("as-shipped", "twice"), ("twice", "as-shipped", "twice")])
def test_each_plan_is_followed_by_what_replays_it(variants):
    shipped = [dataclasses.replace(row(name), kind="as shipped") for name in variants]
    plans = {name: row(name).hunt["plan_in_words"] for name in ("as-shipped", "twice")}
    assert len(set(plans.values())) == 2
    lines = render(shipped, 120, spoilers=True, replay=lambda kept: f"replay {kept.variant}")
    below = [line.strip() for line in lines if line.startswith("    ")]
    assert below == [line for name, plan in plans.items() for line in (plan, f"replay {name}")]
    hidden = render(shipped, 120, spoilers=False, replay=lambda kept: f"replay {kept.variant}")
    assert [line.strip() for line in hidden if line.startswith("    ")] == [
        f"replay {name}" for name in plans
    ]


def test_a_bug_that_was_not_found_says_so_and_has_no_command():
    lines = shown(row(budget=1, as_expected=False))
    assert lines[1].split() == ["toy", "gave", "up", "1", "-", "-", "-", "-", "who", "spills"]
    assert lines[2:] == ["", "toy", "    nothing found in 1 runs"]


def test_one_that_was_not_found_each_time_says_how_often():
    lines = shown(row(), row(budget=1, as_expected=False))
    assert "  1 of 2 found  " in lines[1]


def test_repairs_are_counted_once_in_the_order_of_the_scenario():
    rows = [row("likely", budget=50), row("fixed", searcher="exhaustive"), row("twice"), row("twice", seed=1)]
    assert shown(*rows, row("alarmed", as_expected=False)) == [
        "bug  verdict  search runs  minimising  minimal  folk fixes     fixes   hidden input",
        "toy  -                  -           -  -        1 of 2 broken  2 hold  who spills",
        "",
        "toy",
        "    folk fixes broken: twice",
        "    NOT AS DOCUMENTED: alarmed",
        "    fixes that hold, exhausted at 2 deviations: fixed",
        "    fixes in which nothing was found: likely (50 runs)",
    ]


def test_a_fix_that_breaks_beyond_its_bound_is_no_failure_and_is_told():
    beyond = dataclasses.replace(row("twice"), kind="fix", withstands=1)
    said = "    fixes that break beyond the 1 deviation that they are exhausted at: twice"
    assert shown(beyond)[-1] == said


def test_without_spoilers_neither_cause_nor_fix_is_told():
    told = "\n".join(shown(row(), row("twice"), row("fixed", searcher="exhaustive"), spoilers=False))
    assert "heisenlab replay" in told
    assert "folk fixes broken: 1\n    fixes that hold, exhausted at 2 deviations: 1" in told
    assert not [word for word in ("spills", "twice", "fixed") if word in told]


def test_labels_of_a_plan_that_is_least_over_them_are_a_cause():
    hunted = {"minimality": "least over labels b.cup"}
    assert minimality(hunted, spoilers=True) == "least over labels b.cup"
    assert minimality(hunted, spoilers=False) == "least over labels"
    assert minimality({"minimality": "1-minimal"}, spoilers=False) == "1-minimal"
