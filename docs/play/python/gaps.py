"""Fill the gaps: a program that keeps a pointer in 32 bits, and how much of low memory is filled before it.

A state is how far memory is `fill`ed, in half GiB; the `cut`; and, where memory lands at random, how much low
memory is in use (`low`, in quarters of a GiB) and how often the program was `launched`.
"""

from __future__ import annotations

import shlex
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from simulations.address_space.analysis import silent_at_first_use
from simulations.address_space.picture import cut_of, tracks
from simulations.address_space.space import GIB, MIB, Layout, Policy, Region
from simulations.address_space.system import run
from simulations.address_space.variants import ON_THE_TEST_MACHINE, System
from simulations.address_space.workload import Session
from simulations.choices import Deviation, drawn
from simulations.drawing.marks import Tone
from simulations.drawing.page import fragment
from simulations.errors import LabError

from . import elements

if TYPE_CHECKING:
    from simulations.address_space.system import Run

    from .elements import State

FILLS_MAX: Final = 16
"""In half GiB."""
LOWS_MAX: Final = 15
"""In quarters of a GiB; more than 4 GiB is not low."""
_LOW: Final = 4
LAUNCHES: Final = 100
"""How often the program is launched at a time."""
LAUNCHES_MAX: Final = 2000
CUTS: Final = ("signed-32", "unsigned-32", "none")
_OLD_PATH: Final = (Deviation("path.document", 0, 1),)
_DOCUMENT: Final = Session((1024,))
_SAYS: Final = {
    "right": "The pointer comes back right: nothing is lost, and no test can tell.",
    "silent": "The program reads other memory in silence, and goes on.",
    "crash": "The program crashes at the first use: now there is something to debug.",
}
_TONES: Final = {"right": Tone.GOOD, "silent": Tone.BAD, "crash": Tone.BAD}


def opened(fill: int, cut: str) -> Run:
    """Open one document of 1 MiB, whose pointer takes the path that cuts it.

    Args:
        fill: Up to where every gap is filled before, in half GiB.
        cut: The name of the cut.
    """
    system = replace(ON_THE_TEST_MACHINE, cut=cut, fill_below=fill * GIB // 2)
    return run(system, _DOCUMENT, drawn(_OLD_PATH))


def launched(low: int, cut: str, launches: int) -> int:
    """Launch the program where memory lands at random; return how often the first use was silent.

    Args:
        low: How much low memory is in use, in quarters of a GiB.
        cut: The name of the cut.
        launches: How often, each time with a seed of its own, from 0.
    """
    return sum(_is_silent(low, cut, seed) for seed in range(launches))


@lru_cache(maxsize=4 * LAUNCHES_MAX)
def _is_silent(low: int, cut: str, seed: int) -> bool:
    islands = (Region(1 * MIB, low * GIB // 4, "low memory", "island"),) if low else ()
    system = System(cut=cut, layout=Layout(policy=Policy("random", 47), islands=islands))
    uses = run(system, replace(_DOCUMENT, seed=seed), drawn(_OLD_PATH)).uses
    return bool(uses) and uses[0].outcome == "silent"


def show(state: State) -> str:
    """Return the page in a state, as HTML.

    Args:
        state: `fill`, `cut`, `low` and `launched`.
    """
    fill, low = _number(state, "fill", 0, FILLS_MAX), _number(state, "low", _LOW, LOWS_MAX)
    cut = state.get("cut", CUTS[0])
    whole = opened(fill, cut)
    use = whole.uses[0]
    given = {"fill": str(fill), "cut": cut, "low": str(low)}
    links = []
    if fill:
        links.append(elements.move("fill less", {**given, "fill": str(fill - 1)}, key="ArrowLeft"))
    if fill < FILLS_MAX:
        links.append(elements.move("fill more", {**given, "fill": str(fill + 1)}, key="ArrowRight"))
    said = f"Filled up to {fill / 2:g} GiB. {_SAYS[use.outcome]}"
    parts = [
        elements.says(said, _TONES[use.outcome]),
        elements.moves("filling", links),
        fragment(tracks(whole.regions, cut=cut_of(use))),
        elements.natively(_line(fill, cut), whole.trace.digest()),
        _law(given, low, cut, _number(state, "launched", 0, LAUNCHES_MAX)),
    ]
    return "".join(parts)


def _number(state: State, name: str, first: int, most: int) -> int:
    said = state.get(name, str(first))
    if not said.isascii() or not said.isdecimal() or int(said) > most:
        raise LabError(f"{name} is a whole number from 0 to {most}, not {said}")
    return int(said)


def _line(fill: int, cut: str) -> str:
    program = (
        "from dataclasses import replace; from simulations.address_space.system import run; "
        "from simulations.address_space.variants import ON_THE_TEST_MACHINE as machine; "
        "from simulations.address_space.workload import Session; "
        "from simulations.choices import Deviation, drawn; "
        f'system = replace(machine, cut="{cut}", fill_below={fill * GIB // 2}); '
        f"print(run(system, Session({_DOCUMENT.documents}), "
        'drawn([Deviation("path.document", 0, 1)])).trace.digest())'
    )
    return shlex.join(["python", "-c", program])


def _law(given: State, low: int, cut: str, launches: int) -> str:
    more = min(launches + LAUNCHES, LAUNCHES_MAX)
    parts = [
        "<h2>Where memory lands at random</h2>\n",
        elements.paragraph(
            f"With {low / 4:g} GiB of low memory in use and none filled, the first use of a cut pointer is "
            "silent where the lower half of its address happens to be in use."
        ),
    ]
    if launches:
        silent = launched(low, cut, launches)
        shares = [("launched", launches), ("silent", f"{silent}, {silent / launches:.1%}")]
        shares.append(("not silent", launches - silent))
        shares.append(("the exact law", _exact(low, cut)))
        parts.append(elements.facts(shares))
    if more > launches:
        again = elements.move(
            f"launch it {more - launches} times", {**given, "launched": str(more)}, key="l", long=True
        )
        parts.append(elements.moves("launches", [again]))
    return "".join(parts)


def _exact(low: int, cut: str) -> str:
    if cut == "none":
        return "0.0%, since nothing is cut"
    most = 2 * GIB if cut == "signed-32" else 4 * GIB  # from there on an address with a sign is negative
    reached = min(low * GIB // 4, most)
    return f"{float(silent_at_first_use(reached)):.1%}, which is {reached / GIB:g} of 4 GiB"


def _form() -> str:
    options = "".join(f"<option>{cut}</option>" for cut in CUTS)
    low = "Low memory in use, where memory lands at random:"
    return (
        elements.slider("Fill every gap up to", "fill", FILLS_MAX, 0, scale=0.5, unit="GiB")
        + f'<label>What becomes of the pointer <select name="cut" data-change>{options}</select></label>\n'
        + elements.slider(low, "low", LOWS_MAX, _LOW, scale=0.25, unit="GiB")
    )


PAGE: Final = elements.Page(
    name="gaps",
    title="Fill the gaps",
    sentences=(
        "A program of 64 bits keeps a pointer in a field of 32, and on the test machine that does no harm.",
        "Each row below is a part of its address space, sixteen times as long as the row below it.",
        "Fill the gaps in low memory before it starts, and see where the cut pointer comes down.",
    ),
    try_this="Fill up to 1.5 GiB, then to 2; choose unsigned-32, and do it again. Then launch it 100 times.",
    form=_form(),
)
