"""Simulations of randomised heaps, one for each law of `simulations.address_space.analysis` about them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from random import Random


def overflow_masked(rng: Random, *, slots: int, live: int, objects: int, replicas: int) -> bool:
    """Run one overflow in heaps of randomly placed objects; return whether some replica lost nothing.

    Args:
        rng: Where chance comes from.
        slots: The slots of the heap.
        live: How many of them hold a live object; the overflow comes from one more.
        objects: How many slots in a row are overwritten.
        replicas: How many heaps.
    """
    for _ in range(replicas):
        placed = rng.sample(range(slots), live + 1)
        culprit, others = placed[0], frozenset(placed[1:])
        if not any((culprit + step) % slots in others for step in range(1, objects + 1)):
            return True
    return False


def dangling_intact(rng: Random, *, free_slots: int, allocations: int, replicas: int) -> bool:
    """Free an object too early, allocate, and return whether some replica still holds it.

    Args:
        rng: Where chance comes from.
        free_slots: How many slots are free; the object's own, numbered 0, is one of them.
        allocations: How many of them are given out, at random.
        replicas: How many heaps.
    """
    return any(0 not in rng.sample(range(free_slots), allocations) for _ in range(replicas))


def uninitialised_detected(rng: Random, *, bits: int, replicas: int) -> bool:
    """Read memory that each replica has filled at random; return whether all differ."""
    return len({rng.randrange(1 << bits) for _ in range(replicas)}) == replicas


def overflow_missed(rng: Random, *, slots: int, multiplier: int, heaps: int) -> bool:
    """Overflow by one slot in heaps whose free slots hold a canary every second time; was it missed in all?

    Args:
        rng: Where chance comes from.
        slots: The slots of a heap; one in `multiplier` is live.
        multiplier: The heap is `multiplier` times larger than what lives in it.
        heaps: How many heaps.
    """
    for _ in range(heaps):
        placed = rng.sample(range(slots), slots // multiplier)
        if (placed[0] + 1) % slots not in placed and rng.randrange(2):
            return False
    return True
