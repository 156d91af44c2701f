"""Change: other codes for the modes. Can no upset of IDLE be fatal? Can none of any?

Yes for one mode: give the three neighbours of its code to other modes. Never for all:
whichever five of the eight codes are used, at least 5 of the 15 single upsets of a used
code end in an unused one.
"""

from itertools import combinations


def fatal(codes: set[int]) -> list[tuple[int, int]]:
    """Return the upsets (code, bit) that lead from a used code to an unused one."""
    flips = [(code, bit) for code in sorted(codes) for bit in range(3)]
    return [(code, bit) for code, bit in flips if code ^ (1 << bit) not in codes]


sheltered = {0b000, 0b001, 0b010, 0b100, 0b111}  # IDLE is 000
assert not [bit for code, bit in fatal(sheltered) if code == 0b000]

counts = sorted(len(fatal(set(codes))) for codes in combinations(range(8), 5))
print("fatal upsets, of 15, in the best and in the worst of", len(counts), "choices:")
print(counts[0], counts[-1])
assert counts[0] == 5
assert len(fatal({0, 1, 2, 3, 4})) == 5  # as shipped: INIT 000 to HALT 100
