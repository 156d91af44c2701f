"""The pointer that lost its upper half: 64 bits go into a field of 32, and come back right for years.

Nine million lines of C++, and somewhere in them a pointer is kept in 32 bits. A week after the release the
program crashes, and nobody can reproduce it: where memory lands at low addresses, nothing is lost, and
nobody recorded where an allocation landed. It was found by a utility that filled every gap in memory, until
the bug had to show itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from scenarios.lab.scenario import Exhausted, Finds, Scenario, Story, Variant
from scenarios.truncated_pointer.assumptions import ASSUMPTIONS
from simulations.address_space import variants
from simulations.address_space.environment import IN_THE_FIELD, in_words
from simulations.address_space.system import Run, run
from simulations.address_space.workload import Session
from simulations.choices import Deviation, Plan

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

MIB_IN_KIB: Final = 1024

TESTED_DOCUMENTS_MAX: Final = 8
TESTED_DOCUMENT_KIB_MAX: Final = 64 * MIB_IN_KIB
"""Documents such as testers use: together they never fill the low 2 GiB."""


def every_pointer_leads_to_its_document(run: Run) -> None:
    """Following the pointer to a document leads to that document."""
    use = run.wrong
    assert use is None, (
        f"document {use.document} lies at {use.address:#x}, its pointer came back as {use.came_back:#x}: "
        f"{'crash' if use.outcome == 'crash' else f'it was read silently from {use.victim}'}"
    )


def nothing_fails_in_silence(run: Run) -> None:
    """Following a wrong pointer never silently reads something else."""
    silent = next((use for use in run.uses if use.outcome == "silent"), None)
    assert silent is None, f"document {silent.document} was read from {silent.victim}, without an error"


LADDER: Final = (
    Session((1 * MIB_IN_KIB,)),
    Session((1 * MIB_IN_KIB, 64, 2 * MIB_IN_KIB)),
    Session((12 * MIB_IN_KIB,) * 3),
    Session((512, 4 * MIB_IN_KIB, 64, 1 * MIB_IN_KIB, 40 * MIB_IN_KIB, 96), open_max=3, lag=1, seed=1),
)
"""From one document to a morning's work."""


def sessions() -> SearchStrategy[Session]:
    """Return the strategy of sessions such as testers run."""
    from hypothesis import strategies as st  # noqa: PLC0415  (a replay does without)

    sizes = st.lists(st.integers(1, TESTED_DOCUMENT_KIB_MAX), min_size=1, max_size=TESTED_DOCUMENTS_MAX)
    return st.builds(
        Session,
        documents=sizes.map(tuple),
        open_max=st.none() | st.integers(1, TESTED_DOCUMENTS_MAX),
        lag=st.integers(0, 4),
    )


_OLD_PATH: Final = Deviation("path.document", 0, 1)
_ABOVE_2_GIB: Final = Plan([Deviation("land.document", 0, 1), _OLD_PATH])
"""A pointer on the old path is not enough, and memory above 2 GiB is not enough. It takes both."""

SCENARIO: Final = Scenario(
    name="truncated-pointer",
    title="The pointer that lost its upper half",
    story=Story(
        who="Chris, who looked after nine million lines of C++.",
        symptom="A week after the release it crashed, and nobody could reproduce it; three people spent "
        "four weeks on it.",
        believed="That what cannot be reproduced on any machine in the house cannot be found there.",
        root_cause="A pointer was kept in 32 bits. Where memory lands low, as it did on every machine in the "
        "house, the upper half is zero and nothing is lost.",
        lesson="Where an allocation lands is an input. Control it: fill every gap in low memory, and the bug "
        "that was silent on large machines crashes at the first use on every machine.",
    ),
    hidden_input="the layout of the address space",
    question="where does this mapping land, and which path does this pointer take?",
    run=run,
    ladder=LADDER,
    inputs=sessions,
    properties=(every_pointer_leads_to_its_document, nothing_fails_in_silence),
    noise=IN_THE_FIELD,
    phrase=in_words,
    moment=lambda documents: f"doc {documents}",
    variants=(
        Variant(
            "as-shipped",
            "as shipped",
            variants.AS_SHIPPED,
            "A pointer to a document is kept in a LONG: 32 bits, with a sign.",
            Finds("every_pointer_leads_to_its_document", _ABOVE_2_GIB),
        ),
        Variant(
            "filled",
            "as shipped",
            variants.FILLED,
            "The same program, on the test machine, after every gap below 6 GiB was filled: where memory "
            "lands no longer matters, and one deviation is enough.",
            Finds("every_pointer_leads_to_its_document", Plan([_OLD_PATH])),
        ),
        Variant(
            "cast-through-unsigned",
            "folk fix",
            variants.CAST_THROUGH_UNSIGNED,
            "(unsigned)(uintptr_t)p: the compiler no longer warns. The limit moves from 2 to 4 GiB, and "
            "crashes become silent.",
            Finds("every_pointer_leads_to_its_document", Plan([Deviation("land.document", 0, 2), _OLD_PATH])),
        ),
        Variant(
            "small-documents",
            "folk fix",
            variants.SMALL_DOCUMENTS,
            "Documents above 1 MiB are refused, since only large ones ever crashed; but an address is not a "
            "matter of size.",
            Finds("every_pointer_leads_to_its_document", _ABOVE_2_GIB),
        ),
        Variant(
            "low-heap",
            "folk fix",
            variants.LOW_HEAP,
            "Documents come from a heap in low memory, as under Valgrind, where the program is always right: "
            "until the heap is full.",
            Finds(
                "every_pointer_leads_to_its_document",
                Plan([Deviation("land.document", 0, 1), Deviation("path.document", 1, 1)]),
            ),
        ),
        Variant(
            "full-width",
            "fix",
            variants.FULL_WIDTH,
            "The field is as wide as a pointer: LONG_PTR, uintptr_t.",
            Exhausted(3),
        ),
        Variant(
            "handle",
            "fix",
            variants.HANDLE,
            "The field keeps its 32 bits and gets a type of its own, the number of a table entry, which no "
            "pointer converts to.",
            Exhausted(3),
        ),
    ),
    assumptions=ASSUMPTIONS,
)
