"""Build: a cut of your own, and its line.

A 32-bit float has 24 significant binary digits. Aligned to 16 bytes, the first address
that it cannot hold is 2**28 + 16. So a script that keeps a pointer in such a number
fails above 256 MiB, and only for some pointers: the neighbour 2**28 survives.
"""

import struct

from hypothesis import find, settings
from hypothesis import strategies as st


def float_32(address):
    (came_back,) = struct.unpack("f", struct.pack("f", float(address)))
    return int(came_back)


addresses = st.integers(0, 2**49 - 1).map(lambda step: step * 16)
line = find(
    addresses,
    lambda address: float_32(address) != address,
    settings=settings(database=None),
)
print(f"{line:#x}")

assert line == 2**28 + 16
assert float_32(2**28) == 2**28
