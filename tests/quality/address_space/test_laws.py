"""Each law beside its simulation. Null hypothesis: the probability is the law's; each comparison fails by
chance with probability 1e-5 (see `sampling`). The seeds are fixed."""

from dataclasses import replace
from fractions import Fraction

import pytest

from simulations.address_space import analysis
from simulations.address_space.space import GIB, MIB, Layout, Policy, Region
from simulations.address_space.system import run
from simulations.address_space.variants import System
from simulations.address_space.workload import Session
from simulations.choices import Deviation, drawn, substream
from tests.quality.address_space import randomised_heaps
from tests.quality.address_space.sampling import agrees

RUNS = 2000
CUT = [Deviation("path.document", 0, 1)]


@pytest.mark.parametrize("low", [32 * MIB, 512 * MIB, 1 * GIB, 3 * GIB])
def test_silent_at_first_use_is_the_mapped_part_of_the_low_addresses(low):
    island = Region(1 * MIB, low, "low memory", "island")
    layout = Layout(policy=Policy("random", 47), islands=(island,))
    system = System(cut="unsigned-32", layout=layout)
    silent = 0
    for seed in range(RUNS):
        use = run(system, Session((1024,), seed=seed), drawn(CUT)).uses[0]
        assert use.outcome != "silent" or use.victim == "low memory"
        silent += use.outcome == "silent"
    assert agrees(silent, RUNS, float(analysis.silent_at_first_use(low)))


def test_filling_takes_the_silence_out_of_what_is_not_mapped():
    island = Region(1 * MIB, 1 * GIB, "low memory", "island")
    system = System(cut="unsigned-32", layout=Layout(policy=Policy("random", 47), islands=(island,)))
    for filled in (system, replace(system, fill_below=4 * GIB)):
        # The image cannot be filled, so its part stays silent: what `Filled.still_mapped` reports.
        ran = [run(filled, Session((1024,), seed=seed), drawn(CUT)) for seed in range(RUNS)]
        assert agrees(sum(each.outcome == "silent" for each in ran), RUNS, 0.25)
        if each := ran[0].filled:
            assert analysis.silent_at_first_use(each.still_mapped) == Fraction(1, 4)


@pytest.mark.parametrize(
    ("free", "objects", "replicas"), [(875, 1, 1), (875, 1, 3), (500, 2, 3), (500, 3, 1)]
)
def test_diehard_theorem_1(free, objects, replicas):
    rng = substream(1, f"theorem 1 {free} {objects} {replicas}")
    masked = sum(
        randomised_heaps.overflow_masked(
            rng, slots=1000, live=1000 - free, objects=objects, replicas=replicas
        )
        for _ in range(RUNS)
    )
    assert agrees(masked, RUNS, float(analysis.overflow_masked(Fraction(free, 1000), objects, replicas)))


@pytest.mark.parametrize(("allocations", "replicas"), [(10, 1), (500, 1), (500, 3), (900, 3)])
def test_diehard_theorem_2(allocations, replicas):
    rng = substream(2, f"theorem 2 {allocations} {replicas}")
    intact = sum(
        randomised_heaps.dangling_intact(rng, free_slots=1000, allocations=allocations, replicas=replicas)
        for _ in range(RUNS)
    )
    assert agrees(intact, RUNS, float(analysis.dangling_intact(allocations, 1000, replicas)))


@pytest.mark.parametrize(("bits", "replicas"), [(4, 3), (4, 4), (8, 3), (1, 3)])
def test_diehard_theorem_3(bits, replicas):
    rng = substream(3, f"theorem 3 {bits} {replicas}")
    detected = sum(
        randomised_heaps.uninitialised_detected(rng, bits=bits, replicas=replicas) for _ in range(RUNS)
    )
    assert agrees(detected, RUNS, float(analysis.uninitialised_detected(bits, replicas)))


@pytest.mark.parametrize(("multiplier", "heaps"), [(2, 1), (2, 3), (4, 3), (8, 2)])
def test_exterminators_bound(multiplier, heaps):
    rng = substream(4, f"exterminator {multiplier} {heaps}")
    missed = sum(
        randomised_heaps.overflow_missed(rng, slots=400, multiplier=multiplier, heaps=heaps)
        for _ in range(RUNS)
    )
    assert agrees(missed, RUNS, float(analysis.overflow_missed(multiplier, heaps)))
