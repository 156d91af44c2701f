"""The mode that does not exist: five modes in three bits, and noise.

Several 32-bit processors on one bus each keep one of five modes in a 3-bit register. Now and then the whole
machine dies; the reset button does nothing; a power cycle always helps. Nobody could reproduce it, because
nobody recorded which flip-flop was upset, and when.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from scenarios.invalid_mode.assumptions import ASSUMPTIONS
from scenarios.lab.scenario import Exhausted, Finds, Scenario, Story, Variant
from simulations.choices import Deviation, Plan
from simulations.mode_machine import variants
from simulations.mode_machine.encodings import show
from simulations.mode_machine.environment import ROUGH, in_words
from simulations.mode_machine.system import RESET_CLOCKS, Run, lost_processors, press_reset, run
from simulations.mode_machine.workload import LETTERS, Workload, typical_workload

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

PROCESSORS: Final = 3

CLOCKS_DRAWN_MAX: Final = 16
"""The longest workload that Hypothesis draws."""


def reset_brings_every_processor_back(run: Run) -> None:
    """After the reset command has been held, every processor is in a mode.

    The reset is pressed on a copy: the run itself stays as it was.
    """
    after = press_reset(run.system, run.final, clocks=RESET_CLOCKS)
    lost = [
        f"cpu{number} holds {show(run.system.encoding, after.processors[number].code)}"
        for number in lost_processors(run.system, after)
    ]
    assert not lost, f"after {RESET_CLOCKS} clocks of RESET {', '.join(lost)}, which is no mode"


def bus_is_granted_to_every_requester(run: Run) -> None:
    """A processor that requests the bus gets it within the promised number of clocks."""
    starved = run.first("starved")
    assert starved is None, f"{starved}; the promise is {run.system.grant_clocks_max()} clocks"


def no_silent_wrong_mode(run: Run) -> None:
    """A processor that is in the wrong mode has raised an alarm."""
    wrong = run.first("wrong mode")
    assert wrong is None, str(wrong)


def everyone(commands: str) -> Workload:
    """Return the workload in which every processor gets the same commands, one letter for each clock."""
    return Workload((commands,) * PROCESSORS)


LADDER: Final = (
    everyone("."),
    everyone(".."),
    everyone(".G"),
    everyone(".S"),
    everyone(".H"),
    everyone(".R"),
    everyone("..."),
    everyone(".S.."),
    Workload((".G.HR", ".HG.S", "..SGH")),
    Workload((".............", ".G...........", ".G...........")),
    typical_workload(clocks=16, seed=1),
)
"""From an idle clock to a working day."""


def workloads() -> SearchStrategy[Workload]:
    """Return the strategy of workloads: clock by clock, a command for each processor."""
    from hypothesis import strategies as st  # noqa: PLC0415  (a replay does without)

    clock = st.tuples(*[st.sampled_from(LETTERS)] * PROCESSORS)
    return st.lists(clock, min_size=1, max_size=CLOCKS_DRAWN_MAX).map(
        lambda clocks: Workload(tuple("".join(lane) for lane in zip(*clocks, strict=True)))
    )


_DEAD_RESET: Final = ("reset_brings_every_processor_back", "bus_is_granted_to_every_requester")
_UPSET_IN_IDLE: Final = Finds("reset_brings_every_processor_back", Plan([Deviation("cpu0.bit2", 1, 1)]))
"""001 becomes 101. A clock earlier the same upset would be harmless: 000 becomes 100, which is HALT."""

SCENARIO: Final = Scenario(
    name="invalid-mode",
    title="The mode that does not exist",
    story=Story(
        who="Bruce, who kept a machine of several 32-bit processors on one bus running.",
        symptom="Once in a long while the whole machine stopped. The reset button did nothing; switching it "
        "off and on always helped.",
        believed="That no state of the machine could survive a reset, so that the bug could not exist.",
        root_cause="Five modes in three bits leave three codes without a branch. Noise put one of them into "
        "a mode register, where it stayed: the reset is a command that the same state machine must decode.",
        lesson="A stored value can be anything its bits can hold. Give every code a way out, check that it "
        "is still there after synthesis, and route the reset around the logic that it must rescue.",
    ),
    hidden_input="noise on flip-flops",
    question="is a flip-flop upset in this clock, a command replaced, an old value latched?",
    run=run,
    ladder=LADDER,
    inputs=workloads,
    properties=(
        reset_brings_every_processor_back,
        bus_is_granted_to_every_requester,
        no_silent_wrong_mode,
    ),
    noise=ROUGH,
    phrase=in_words,
    moment=lambda clock: f"clock {clock}",
    variants=(
        Variant(
            "as-shipped",
            "as shipped",
            variants.AS_SHIPPED,
            "Five of eight codes have a branch; in the other three the register keeps its value.",
            _UPSET_IN_IDLE,
            _DEAD_RESET,
        ),
        Variant(
            "one-hot",
            "folk fix",
            variants.ONE_HOT_WITHOUT_RECOVERY,
            "One flip-flop per mode is said to be safer; without recovery it has 27 unused codes instead "
            "of 3, and every single upset leads to one.",
            Finds("reset_brings_every_processor_back", Plan([Deviation("cpu0.bit0", 0, 1)])),
            _DEAD_RESET,
        ),
        Variant(
            "gray-code",
            "folk fix",
            variants.GRAY_WITHOUT_SYNCHRONISER,
            "Neighbours in a Gray code differ by one bit, but mode changes do not form a line: no upset is "
            "needed, only a command that comes at the worst moment.",
            Finds("reset_brings_every_processor_back", Plan([Deviation("cpu0.latch0", 1, 1)])),
            _DEAD_RESET,
        ),
        Variant(
            "recovery-optimised-away",
            "folk fix",
            variants.RECOVERY_OPTIMISED_AWAY,
            "The source has a default arm that leads to INIT; synthesis finds it unreachable and removes it.",
            _UPSET_IN_IDLE,
            _DEAD_RESET,
        ),
        Variant(
            "watchdog-through-decoder",
            "folk fix",
            variants.RESET_WATCHDOG,
            "The watchdog notices, and sends the reset command to the very decoder that is lost.",
            _UPSET_IN_IDLE,
            _DEAD_RESET,
        ),
        Variant(
            "blind-recovery",
            "folk fix",
            variants.BLIND_RECOVERY,
            "Every code has a branch and nothing hangs; ten of fifteen upsets lead to a wrong mode instead, "
            "without an alarm.",
            Finds("no_silent_wrong_mode", Plan([Deviation("cpu0.bit1", 0, 1)])),
        ),
        Variant(
            "recovery",
            "fix",
            variants.RECOVERY,
            "A default arm that leads to INIT and survives in the netlist: the reset works again.",
            Exhausted(1),
            _DEAD_RESET,
        ),
        Variant(
            "watchdog-power-on-clear",
            "fix",
            variants.POWER_ON_WATCHDOG,
            "A watchdog beside the state machine that clears its flip-flops.",
            Exhausted(1),
            _DEAD_RESET,
        ),
        Variant(
            "parity",
            "fix",
            variants.PARITY_RECOVERY,
            "One more bit, so that any single upset is detected: the processor restarts, with an alarm.",
            Exhausted(1),
        ),
        Variant(
            "distance-3",
            "fix",
            variants.CORRECTING,
            "Six bits, so that any single upset in a clock is corrected; two in one register in one clock "
            "are not.",
            Exhausted(1),
        ),
        Variant(
            "triple-vote",
            "fix",
            variants.VOTING,
            "Three copies and a vote in each clock; two upsets of one bit in one clock outvote the truth.",
            Exhausted(1),
        ),
    ),
    assumptions=ASSUMPTIONS,
)
