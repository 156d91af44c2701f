from dataclasses import replace

import pytest

from simulations.address_space.environment import ANYWHERE, in_words, old_path
from simulations.address_space.space import GIB, KIB, WINDOWS, Policy
from simulations.address_space.system import run
from simulations.address_space.variants import FILLED, ON_THE_TEST_MACHINE, VARIANTS, System
from simulations.address_space.workload import Session, long_session
from simulations.choices import Deviation, Plan, drawn, nominal, random, replay
from simulations.errors import LabError

LANDS_HIGH = Deviation("land.document", 0, 1)
TAKES_OLD_PATH = Deviation("path.document", 0, 1)


def outcome(system, session, *deviations):
    return run(system, session, replay(Plan(deviations))).outcome


def test_the_nominal_run_never_uses_the_old_path():
    for system in VARIANTS.values():
        assert run(system, Session((64, 1024, 4096)), nominal()).uses == ()


def test_the_bug_needs_the_place_and_the_path():
    shipped = VARIANTS["as-shipped"]
    session = Session((1024,))
    assert outcome(shipped, session, TAKES_OLD_PATH) == "right"
    assert outcome(shipped, session, LANDS_HIGH) == "right"
    assert outcome(shipped, session, LANDS_HIGH, TAKES_OLD_PATH) == "crash"


def test_filled_the_path_is_enough():
    assert outcome(FILLED, Session((1024,)), TAKES_OLD_PATH) == "crash"


def test_a_cut_pointer_that_comes_down_on_a_document_names_the_victim():
    full = Session((4 * 1024,) * 1500)
    ran = run(
        replace(ON_THE_TEST_MACHINE, cut="unsigned-32"), full, drawn([Deviation("path.document", 1400, 1)])
    )
    use = ran.wrong
    assert use.outcome == "silent"
    assert use.came_back == use.address - (1 << 32)
    victim = int(use.victim.removeprefix("document "))
    opened = {event.actor: event.detail for event in ran.trace if event.action == "open"}
    kib, address = opened[f"document {victim}"]
    assert address <= use.came_back < address + kib * KIB
    assert victim != use.document


def test_a_cut_pointer_that_comes_down_on_the_image_names_it():
    filled_to_4 = System(cut="unsigned-32", fill_below=4 * GIB)
    ran = run(filled_to_4, Session((8 * 1024, 1024)), drawn([Deviation("path.document", 0, 1)]))
    assert ran.outcome == "crash"  # 0x1_0000_0010 comes down to 0x10, which nobody can map
    ran = run(filled_to_4, Session((5 * 1024, 1024)), drawn([Deviation("path.document", 1, 1)]))
    assert (ran.outcome, ran.wrong.victim) == ("silent", "program image")


def test_a_pointer_is_used_some_documents_later_and_before_its_document_closes():
    late = Session((1024,) * 6, lag=3)
    assert run(FILLED, late, drawn([TAKES_OLD_PATH])).wrong.time == 3
    assert run(FILLED, Session((1024,) * 2, lag=30), drawn([TAKES_OLD_PATH])).wrong.time == 2
    closing = Session((1024,) * 6, open_max=1, lag=3)
    assert run(FILLED, closing, drawn([TAKES_OLD_PATH])).wrong.time == 1


def test_after_a_crash_nothing_happens_any_more():
    ran = run(FILLED, Session((1024,) * 6), drawn([TAKES_OLD_PATH]))
    assert ran.trace.events[-1].action == "use crash"
    assert len(ran.trace) == 2
    assert ran.uses == (ran.wrong,)


def test_after_silence_the_program_goes_on():
    system = System(cut="unsigned-32", fill_below=4 * GIB)
    ran = run(system, Session((5 * 1024,) * 9), drawn([Deviation("path.document", 1, 1)]))
    assert ran.outcome == "silent"
    assert ran.trace.events[-1].actor == "document 8"


def test_documents_close_at_the_limit_and_their_memory_is_used_again():
    ran = run(System(), Session((2048,) * 50, open_max=3), nominal())
    actions = [event.action for event in ran.trace]
    assert (actions.count("open"), actions.count("close")) == (50, 47)
    addresses = {event.detail[1] for event in ran.trace if event.action == "open"}
    assert len(addresses) <= 4


def test_what_does_not_fit_is_refused_and_counted():
    small = VARIANTS["small-documents"]
    assert run(small, Session((1024, 1025)), nominal()).refused == 1
    tiny = System(layout=replace(WINDOWS, islands=(), top=64 * 64 * KIB))
    ran = run(tiny, Session((8 * 1024, 1024)), nominal())
    assert [event.action for event in ran.trace] == ["refused", "open"]


def test_a_handle_and_a_full_pointer_survive_wherever_memory_lands():
    for name in ("handle", "full-width"):
        for landing in range(1, len(ANYWHERE)):
            where = Deviation("land.document", 0, landing)
            assert outcome(VARIANTS[name], Session((1024,)), where, TAKES_OLD_PATH) == "right"


def test_a_handle_that_is_cut_leads_to_another_document_or_to_none():
    system = System(keeps="handle", cut="shift-3")  # keeps multiples of 8
    nine = Session((1024,) * 9)
    assert run(system, nine, drawn([Deviation("path.document", 8, 1)])).outcome == "right"
    ran = run(system, nine, drawn([Deviation("path.document", 7, 1)]))
    assert (ran.outcome, ran.wrong.victim) == ("silent", "document 0")
    closed = Session((1024,) * 30, open_max=1)
    assert run(system, closed, drawn([Deviation("path.document", 29, 1)])).outcome == "crash"


def test_answers_are_said_in_words():
    chooser = replay(Plan([LANDS_HIGH, TAKES_OLD_PATH]))
    run(VARIANTS["as-shipped"], Session((1024,)), chooser)
    assert [in_words(point) for point in chooser.points] == [
        "document mapping 0 lands above 2 GiB",
        "the pointer to document 0 takes the old path",
    ]


def test_the_highest_document_is_told_by_its_end():
    assert run(System(), Session((1024, 1024)), nominal()).highest == 0x12_0010 + 1024 * KIB
    assert run(FILLED, Session((1024,)), nominal()).highest > 6 * GIB
    assert run(replace(System(), document_kib_max=1), Session((1024,)), nominal()).highest == 0


def test_a_long_session_fills_memory_to_the_size_and_no_further():
    session = long_session(1 * GIB, churn=10, seed=3)
    assert len(session.documents) == 256 + 10
    assert session == long_session(1 * GIB, churn=10, seed=3) != long_session(1 * GIB, churn=10, seed=4)
    assert 0.9 * GIB < run(System(), session, nominal()).highest < 1.3 * GIB


def test_each_seed_and_policy_gives_one_trace():
    for policy in (Policy("bottom-up"), Policy("top-down"), Policy("random", 40), Policy("best-fit")):
        system = System(layout=replace(WINDOWS, policy=policy))
        session = long_session(1 * GIB // 4, seed=7)
        digests = {run(system, session, random(old_path(0.1), 7)).trace.digest() for _ in range(2)}
        assert len(digests) == 1


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"documents": ()}, "1 to 100000 documents, not "),
        ({"documents": (0,)}, "in KiB is a whole number from 1 to 67108864, not 0"),
        ({"documents": (1,), "open_max": 0}, "open_max is a whole number from 1"),
        ({"documents": (1,), "lag": -1}, "lag is a whole number from 0"),
    ],
)
def test_a_session_that_makes_no_sense_is_refused(wrong, message):
    with pytest.raises(ValueError, match=message):
        Session(**wrong)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"cut": "half"}, "there is no cut 'half'"),
        ({"keeps": "both"}, "a pointer or a handle, not 'both'"),
        ({"landings": ()}, "not \\(\\)"),
        ({"landings": ANYWHERE[1:]}, "landings are a prefix"),
        ({"fill_below": -1}, "fill_below is 0 or more, not -1"),
        ({"filled": "late"}, "drained or not; not 'late'"),
        ({"reserve": -1}, "reserve is 0 or more, not -1"),
    ],
)
def test_a_system_that_makes_no_sense_is_refused(wrong, message):
    with pytest.raises(LabError, match=message):
        System(**wrong)
