"""Exact laws of truncated pointers and of randomised heaps, each of which a simulation must agree with.

Sources of the laws that are not ours: Berger and Zorn, "DieHard: probabilistic memory safety for unsafe
languages", PLDI 2006, section 6; Novark, Berger and Zorn, "Exterminator: automatically correcting memory
errors with high probability", PLDI 2007.
"""

from __future__ import annotations

from fractions import Fraction

__all__ = [
    "dangling_intact",
    "found_when_filled",
    "overflow_masked",
    "overflow_missed",
    "silent_at_first_use",
    "uninitialised_detected",
]


def silent_at_first_use(low_mapped: int, *, bits: int = 32) -> Fraction:
    """Return the probability that the first use of a truncated pointer reads other memory and does not crash.

    It is the part of the cut range that is mapped, where the address that was cut is even modulo 2^bits.

    Args:
        low_mapped: Bytes mapped below 2^bits, those of filler not counted.
        bits: How many bits the cut keeps.
    """
    if not 0 <= low_mapped <= 1 << bits:
        raise ValueError(f"below 2^{bits} there are 0 to {1 << bits} bytes, not {low_mapped}")
    return Fraction(low_mapped, 1 << bits)


def found_when_filled(q: float, allocations: int) -> float:
    """Return the probability that a filled run finds the bug: that at least one pointer takes the old path.

    Args:
        q: The probability that a pointer takes the old path, from 0 to 1.
        allocations: How many documents are opened, from 0.
    """
    if not 0 <= q <= 1:
        raise ValueError(f"a probability lies from 0 to 1, not {q}")
    if allocations < 0:
        raise ValueError(f"a run has 0 or more allocations, not {allocations}")
    return float(1 - (1 - q) ** allocations)


def overflow_masked(free: Fraction, objects: int, replicas: int = 1) -> Fraction:
    """Return DieHard's theorem 1: the probability that an overflow overwrites no live object in some replica.

    Args:
        free: The free part of the heap, from 0 to 1.
        objects: How many objects' worth of bytes the overflow writes, at least 1.
        replicas: How many replicas run, each with a heap randomised on its own; not 2, for which no vote
            decides.
    """
    _check_replicas(replicas)
    return 1 - (1 - Fraction(free) ** objects) ** replicas


def dangling_intact(allocations: int, free_slots: int, replicas: int = 1) -> Fraction:
    """Return DieHard's theorem 2: at least how probable an object freed too early is intact in some replica.

    Args:
        allocations: How many allocations of its size come before it should have been freed.
        free_slots: How many slots of its size are free; at least as many as allocations.
        replicas: As of `overflow_masked`.
    """
    _check_replicas(replicas)
    if not 0 <= allocations <= free_slots:
        raise ValueError(f"the theorem holds for 0 to {free_slots} allocations, not {allocations}")
    return 1 - Fraction(allocations, free_slots) ** replicas


def uninitialised_detected(bits: int, replicas: int) -> Fraction:
    """Return DieHard's theorem 3: the probability that reading random memory differs in all replicas.

    Args:
        bits: How many bits are read, at least 1.
        replicas: How many replicas run, at least 3.
    """
    _check_replicas(replicas)
    values = 1 << bits
    if replicas > values:
        return Fraction(0)
    probability = Fraction(1)
    for taken in range(replicas):
        probability *= Fraction(values - taken, values)
    return probability


def _check_replicas(replicas: int) -> None:
    if replicas < 1 or replicas == 2:
        raise ValueError(f"DieHard runs alone or with 3 and more replicas, not {replicas}")


def overflow_missed(multiplier: int, heaps: int) -> Fraction:
    """Return Exterminator's bound: at most how probable an overflow spoils a canary in none of the heaps.

    Args:
        multiplier: How many times larger the heap is than what lives in it, at least 1.
        heaps: How many heaps, each randomised on its own, are looked at.
    """
    if multiplier < 1 or heaps < 0:
        raise ValueError(
            f"the bound holds for a multiplier from 1 and heaps from 0, not {multiplier}, {heaps}"
        )
    return (1 - Fraction(multiplier - 1, 2 * multiplier)) ** heaps
