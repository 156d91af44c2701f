import pytest

from simulations.choices import Deviation, Plan, nominal, replay
from simulations.drawing.marks import Node, Tone
from simulations.drawing.text import lines
from simulations.errors import LabError
from simulations.mode_machine import variants
from simulations.mode_machine.encodings import TRIPLE
from simulations.mode_machine.picture import diagram, history, lanes, pictures, table
from simulations.mode_machine.system import run
from simulations.mode_machine.variants import System
from simulations.mode_machine.workload import Workload

WORKLOAD = Workload((".G.....", ".G....H", "..G.S.."))
PLAN = Plan([Deviation("cpu1.command", 2, 1), Deviation("cpu0.bit2", 3, 1)])


@pytest.fixture
def lost():
    return run(System(), WORKLOAD, replay(PLAN))


def test_lanes_show_a_processor_that_is_lost_and_the_bus_that_goes_round_without_it(lost):
    assert lanes(lost).splitlines() == [
        "clock  0    1    2    3    4    5    6    7",
        "cpu0   INIT IDLE RUN  RUN  ?110 ?110 ?110 ?110",
        "cpu1   INIT IDLE RUN  RUN  RUN  RUN  RUN  HALT",
        "cpu2   INIT IDLE IDLE RUN  RUN  STEP HALT HALT",
        "bus    cpu0 cpu0 cpu0 cpu1 cpu2 cpu1 cpu2 cpu1",
    ]


def test_lanes_can_be_cut_out(lost):
    assert lanes(lost, first=3, last=4).splitlines()[:2] == ["clock  3    4", "cpu0   RUN  ?110"]


@pytest.mark.parametrize(("first", "last"), [(-1, 3), (4, 3), (0, 8)])
def test_clocks_that_are_not_in_the_run_are_refused(lost, first, last):
    with pytest.raises(LabError, match=f"clocks {first} to {last} are not in the run; it has clocks 0 to 7"):
        lanes(lost, first=first, last=last)


def test_a_run_without_a_trace_cannot_be_drawn():
    with pytest.raises(LabError, match="run it with trace=True"):
        lanes(run(System(), WORKLOAD, nominal(), trace=False))


def test_the_last_entry_of_the_history_is_the_final_state(lost):
    rows = history(lost)
    assert [len(row) for row in rows.values()] == [8] * 4
    assert [row[-1] for row in rows.values()] == ["?110", "HALT", "HALT", "cpu1"]


def test_the_table_says_what_happens_in_each_clock(lost):
    lines = table(lost).splitlines()
    assert lines[0] == "| clock | cpu0 | cpu1 | cpu2 | bus | what happens |"
    assert lines[4] == "| 2 | RUN | RUN | IDLE | cpu0 | cpu1 glitch GO; cpu2 command GO |"
    assert lines[5] == "| 3 | RUN | RUN | RUN | cpu1 | cpu0 upset 110 ?110 |"
    assert len(lines) == 2 + 8


def test_the_unused_codes_of_the_shipped_machine_are_an_island():
    drawn = diagram(variants.AS_SHIPPED)
    assert [node.name for node in drawn.nodes if node.island] == ["?101", "?110", "?111"]
    said = lines(drawn)
    assert "HALT -> INIT: RESET" in said
    assert [line for line in said if line.startswith("?")] == [
        f"?{code:03b} ({drawn.island}) -> ?{code:03b} ({drawn.island}): any command, RESET too"
        for code in (5, 6, 7)
    ]


def test_a_recovery_is_a_way_off_the_island():
    drawn = diagram(variants.RECOVERY)
    assert [line for line in lines(drawn) if line.startswith("?")] == [
        f"?{code:03b} ({drawn.island}) -> INIT: any command" for code in (5, 6, 7)
    ]


@pytest.mark.parametrize(
    ("system", "more"), [(variants.ONE_HOT_WITHOUT_RECOVERY, 19), (System(encoding=TRIPLE), 184)]
)
def test_a_large_island_is_drawn_in_part_and_says_so(system, more):
    drawn = diagram(system)
    assert drawn.nodes[-1] == Node(f"and {more} more", island=True)
    assert len(drawn.nodes) == 5 + 8 + 1


def test_a_run_that_fails_stands_above_one_that_passes_with_what_is_no_mode_marked(lost):
    failing, passing, machine = pictures(lost, run(lost.system, lost.workload, nominal()))
    bad = [cell.text for row in failing.rows for cell in row if cell.tone is Tone.BAD]
    assert bad
    assert all(text.startswith("?") for text in bad)
    assert not any(cell.tone is Tone.BAD for row in passing.rows for cell in row)
    assert machine == diagram(lost.system)
