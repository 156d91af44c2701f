"""The truncated pointer: not found as tested, silent on large machines, found at once in filled memory."""

from dataclasses import replace
from functools import partial
from typing import Any

import pytest
from hypothesis import Phase, find, given, settings
from hypothesis import strategies as st

from scenarios.lab.scenario import Exhausted, Variant
from scenarios.truncated_pointer import (
    LADDER,
    SCENARIO,
    TESTED_DOCUMENTS_MAX,
    every_pointer_leads_to_its_document,
    nothing_fails_in_silence,
    sessions,
)
from simulations.address_space import variants
from simulations.address_space.cuts import CUTS
from simulations.address_space.space import GIB
from simulations.address_space.system import Run, run
from simulations.address_space.variants import System
from simulations.address_space.workload import Session
from simulations.choices import Deviation, Plan, drawn, exhaustive, replay

KIB_IN_MIB = 1024

QUIETLY = settings(database=None, deadline=None, derandomize=True)

FAILS = settings(QUIETLY, max_examples=1000, phases=(Phase.generate, Phase.shrink))
"""For a demonstration. Explaining a failure takes longer than finding it, and `lab.check` says what it is."""


@pytest.mark.bug("truncated-pointer")
def test_each_variant_is_what_it_says(lab: Any, variant: Any) -> None:
    lab.check(variant)


def with_old_path(system: System, session: Session, documents: Any) -> Run:
    """Run a session in which the pointers to some documents take the old path, and nothing else deviates."""
    return run(system, session, drawn(Deviation("path.document", number, 1) for number in sorted(documents)))


# As it was tested: any session of a tester, any pointers on the old path. Nothing is found, and what that
# proves is small: no document of these sessions ever lay above 2 GiB.


def members(number: int) -> set[int]:
    """Return the set of which a number is the bit mask: Hypothesis draws that much faster than a set."""
    return {place for place in range(number.bit_length()) if number >> place & 1}


some_documents = st.integers(0, (1 << TESTED_DOCUMENTS_MAX) - 1).map(members)


@settings(QUIETLY, max_examples=500)
@given(sessions(), some_documents)
def test_on_the_test_machine_nothing_is_found_in_500_examples(session: Session, cut: set[int]) -> None:
    ran = with_old_path(variants.ON_THE_TEST_MACHINE, session, cut)
    every_pointer_leads_to_its_document(ran)
    assert ran.highest < 2 * GIB


TEST_MACHINE = replace(
    SCENARIO,
    variants=(
        Variant("as-shipped", "as shipped", variants.ON_THE_TEST_MACHINE, "Low memory only.", Exhausted(3)),
    ),
)


def test_what_was_searched_on_the_test_machine_and_what_that_proves() -> None:
    by_chance = TEST_MACHINE.hunt(searcher="random", budget=2000, verify=False)
    assert by_chance.verdict == "gave up"
    assert by_chance.rate_below == pytest.approx(
        1 - 0.05 ** (1 / 2000)
    )  # of failing runs on that machine, not elsewhere
    in_order = TEST_MACHINE.hunt(searcher="exhaustive", verify=False)
    assert in_order.verdict == "exhausted"
    assert "land" in in_order.says  # it was asked, with one answer: that is the machine, not the program


# Large machines: low memory is full, and what is cut comes down on somebody's data. After the cast through
# unsigned almost none of it is a crash.

large_documents = st.lists(st.integers(256 * KIB_IN_MIB, 512 * KIB_IN_MIB), min_size=16, max_size=24)


@pytest.mark.bug("truncated-pointer", finds="nothing_fails_in_silence")
@FAILS
@given(large_documents, st.integers(0, (1 << 24) - 1).map(members))
def test_on_a_large_machine_no_document_shows_the_data_of_another(sizes: list[int], cut: set[int]) -> None:
    unsigned = replace(variants.ON_THE_TEST_MACHINE, cut="unsigned-32")
    nothing_fails_in_silence(with_old_path(unsigned, Session(tuple(sizes)), cut))


def test_the_cast_through_unsigned_makes_no_crash_and_filling_makes_nothing_else() -> None:
    unsigned = replace(variants.ON_THE_TEST_MACHINE, cut="unsigned-32")
    six_gib, numbers = Session((4 * KIB_IN_MIB,) * 1536), range(1100, 1536, 12)
    # Nothing crashes, so that one run shows what each pointer does.
    uses = with_old_path(unsigned, six_gib, numbers).uses
    plain = [use.outcome for use in uses if use.address >= 4 * GIB]
    assert plain.count("silent") == len(plain) > 30
    filled = replace(unsigned, fill_below=variants.FILLED.fill_below)
    firsts = [with_old_path(filled, six_gib, {number}).uses[0] for number in numbers]
    loud = [use.outcome for use in firsts if use.address >= 4 * GIB]
    assert loud.count("crash") == len(loud) > 30


# Filled: the same program, the same machine, small documents. Every pointer on the old path is found.


@pytest.mark.bug("truncated-pointer", finds="every_pointer_leads_to_its_document")
@FAILS
@given(sessions(), some_documents)
def test_filled_the_first_pointer_on_the_old_path_crashes(session: Session, cut: set[int]) -> None:
    every_pointer_leads_to_its_document(with_old_path(variants.FILLED, session, cut))


def test_filled_every_plan_that_is_wrong_is_loud() -> None:
    # Exhausted at two deviations on the whole ladder: filling does not repair the bug, it ends the silence.
    outcomes = set()
    for session in LADDER:
        for ran in exhaustive(partial(run, variants.FILLED, session), 2):
            nothing_fails_in_silence(ran.result)
            outcomes.add(ran.result.outcome)
    assert outcomes == {"right", "crash"}


def test_filled_from_inside_small_documents_are_missed_until_the_allocator_is_drained() -> None:
    # The first code that a program calls comes too late: the allocator holds free low memory already.
    small, large = Session((64,)), Session((256,))
    from_inside = replace(variants.FILLED, filled="from inside")
    drained = replace(variants.FILLED, filled="from inside, drained")
    assert with_old_path(variants.FILLED, small, {0}).outcome == "crash"
    assert with_old_path(from_inside, large, {0}).outcome == "crash"
    assert with_old_path(from_inside, small, {0}).outcome == "right"
    assert with_old_path(drained, small, {0}).outcome == "crash"


# The diagnosis: let Hypothesis draw the address itself. It shrinks to the line from which on bits are lost,
# and the line names the cut.

addresses = st.integers(0, (1 << 57) // 16 - 1).map(lambda step: step * 16)


@pytest.mark.parametrize(
    ("cut", "line"),
    [
        ("signed-32", 0x8000_0000),
        ("unsigned-32", 0x1_0000_0000),
        ("shift-3", 0x8_0000_0000),
        ("mask-47", 0x8000_0000_0000),
        ("float32", 0x1000_0010),
    ],
)
def test_an_address_shrinks_to_the_line_that_names_the_cut(cut: str, line: int) -> None:
    lost = find(addresses, lambda address: CUTS[cut](address) != address, settings=settings(QUIETLY))
    assert lost == line


@settings(QUIETLY, max_examples=1000)
@given(addresses.filter(lambda address: address < 1 << 53))
def test_a_double_loses_nothing(address: int) -> None:
    assert CUTS["double"](address) == address


# The finding, step by step: neither deviation alone is the bug.


def test_it_takes_the_place_and_the_path() -> None:
    place, path = Deviation("land.document", 0, 1), Deviation("path.document", 0, 1)
    for plan in (Plan(), Plan([place]), Plan([path])):
        every_pointer_leads_to_its_document(run(variants.AS_SHIPPED, LADDER[0], replay(plan)))
    both = run(variants.AS_SHIPPED, LADDER[0], replay(Plan([place, path])))
    with pytest.raises(AssertionError, match="came back as 0xffffffff80000010: crash"):
        every_pointer_leads_to_its_document(both)
