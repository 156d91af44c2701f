"""The curve of each story names its deviations, and agrees with what is known exactly from elsewhere."""

from fractions import Fraction
from itertools import combinations

import pytest

import scenarios
from scenarios.lab.hunt import hunt
from scenarios.lab.method.causality import causality
from simulations.cache.analysis import census
from simulations.cache.workload import Workload
from simulations.mode_machine import variants
from simulations.mode_machine.encodings import decode
from simulations.mode_machine.environment import noise_model
from simulations.mode_machine.netlist import synthesise
from simulations.mode_machine.system import RESET_CLOCKS
from simulations.mode_machine.workload import LETTERS, Command
from simulations.noise import NoiseModel

FIGURES = {
    "invalid-mode": (0.0153, [6.0]),
    "stale-cache": (0.0178125, [0.415, 1.0, 4.322]),
    "truncated-pointer": (0.001, [4.322, 5.644]),
    "vanishing-job": (0.0482, [2.0, 1.0, 1.0]),
}
"""P at the start, and the bits of what is named: all deviations, and in the cache two ties."""


def found(name, variant="as-shipped"):
    return hunt(name, variant, searcher="exhaustive", verify=False).finding


@pytest.mark.parametrize("name", FIGURES)
def test_all_deviations_are_named_in_order_with_their_bits_and_nothing_else(name):
    start, bits = FIGURES[name]
    finding = found(name)
    curve = causality(finding)
    assert curve.resamples == 0
    assert curve.start.low <= start * 1.01
    assert start <= curve.start.high * 1.01
    assert curve.start.high <= 1.1 * curve.start.low
    assert [each.label for each in curve.points if each.deviation] == [each.label for each in finding.plan]
    assert all(each.deviation or each.forced for each in curve.named)
    assert [each.bits for each in curve.named] == pytest.approx(bits, abs=0.05)
    assert all(each.bits <= each.surprisal + 0.05 for each in curve.points)
    assert curve.named[-1].after.value >= 0.95


@pytest.mark.parametrize("name", FIGURES)
def test_sampling_names_the_deviations_too(name):
    finding = found(name)
    curve = causality(finding, exact_runs=0, resamples=100)
    assert curve.resamples == 100
    deviations = [each for each in curve.points if each.deviation]
    others = [each.bits for each in curve.points if not each.deviation and not each.forced]
    assert len(deviations) == len(finding.plan)
    last = deviations[-1]
    assert last.after.value >= 0.9
    assert last.bits > max([*others, 0.1])


def hangs(clocks, commands, p):
    """The probability that one processor ends in a code that the reset does not leave: in fractions."""
    netlist = synthesise(variants.AS_SHIPPED)
    encoding = variants.AS_SHIPPED.encoding
    codes = {encoding.words[0]: Fraction(1)}
    masks = [sum(1 << bit for bit in some) for n in range(4) for some in combinations(range(3), n)]
    for clock in range(clocks):
        following = {}
        command = Command(LETTERS.index(commands[clock]))
        for code, chance in codes.items():
            for mask in masks:
                flips = mask.bit_count()
                after = netlist.next_code[command][code ^ mask]
                weight = chance * p**flips * (1 - p) ** (3 - flips)
                following[after] = following.get(after, 0) + weight
        codes = following
    lost = Fraction(0)
    for code, chance in codes.items():
        for _ in range(RESET_CLOCKS):
            code = netlist.next_code[Command.RESET][code]  # noqa: PLW2901  (the register, clock by clock)
        lost += chance * (decode(encoding, code) is None)
    return lost


@pytest.mark.parametrize("p", [Fraction(1, 100), Fraction(1, 10**6)])
def test_in_the_mode_machine_the_start_is_what_the_netlist_gives(p):
    finding = found("invalid-mode")
    curve = causality(finding, noise=noise_model("upsets", upset=p))
    (lanes,) = finding.input.values()
    commands = lanes[0]
    one = hangs(len(commands), commands, p)
    exact = float(1 - (1 - one) ** 3)
    assert curve.start.low <= exact * (1 + 1e-9)
    assert exact <= curve.start.high * (1 + 1e-9)
    assert curve.start.high <= 1.1 * curve.start.low


STALE = ["as-shipped", "lock-around-fill", "delete-twice", "write-through"]


@pytest.mark.parametrize("variant", STALE)
def test_in_the_cache_a_failure_has_a_probability_where_the_census_has_stale_ends(variant):
    finding = found("stale-cache", variant)
    curve = causality(finding)
    workload = Workload(tuple(finding.input["clients"]))
    system = scenarios.get("stale-cache").variant(variant).system
    assert any(outcome.stale for outcome in census(system.design, workload).outcomes)
    assert 0 < curve.start.low <= curve.start.high < 1


@pytest.mark.parametrize("q", [Fraction(1, 2), Fraction(1, 5), Fraction(1, 20), Fraction(1, 10**6)])
def test_in_the_cache_the_start_is_what_the_schedules_add_up_to(q):
    """Of the schedules of a reader and a writer, three lead to the one stale interleaving of the census.

    Whoever waits for the database, and who starts, is followed by either client with probability 1/2; after
    each request a client pauses with probability q. The stale end needs that the reader has read before the
    writer writes, pauses then (q), and that the writer does not pause between its two requests (1 - q):

    * the reader starts (1/2) and goes on through its wait (1/2), pauses, and so does the writer's wait (1/2);
    * the reader starts (1/2), the writer is next (1/2), both wait, and the reader is next (1/2);
    * the writer starts (1/2), the reader is next (1/2), both wait, and the reader is next (1/2).
    """
    finding = found("stale-cache")
    assert finding.input["clients"] == ["r", "w"]
    noise = NoiseModel("pauses", {"* after *": q}, otherwise="uniform")
    start = causality(finding, noise=noise).start
    exact = float(Fraction(3, 8) * q * (1 - q))
    assert start.low <= exact * (1 + 1e-9)
    assert exact <= start.high * (1 + 1e-9)
    assert start.high <= 1.1 * start.low
