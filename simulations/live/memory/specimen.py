"""The truncated pointer in pure Python: a C function that returns a pointer, called without saying so.

ctypes takes the result of a foreign function for a C `int` unless `restype` says otherwise, so the address
that `strdup` returns keeps its low 32 bits, and comes back sign-extended. It works wherever memory happens to
be low:

    python -m simulations.live.memory.specimen --documents 300
    heisenlab memory run --story 256M -- python -m simulations.live.memory.specimen --documents 300

With `--declared` the same program says what the function returns, and works everywhere.
"""

from __future__ import annotations

import argparse
import ctypes
import sys


def open_documents(count: int, size: int, *, declared: bool) -> int:
    """Load `count` documents of `size` bytes through the C library, keep them open, and measure each.

    Args:
        count: Documents.
        size: Bytes of a document. glibc takes those of 128 KiB and more from a mapping of their own.
        declared: Say what the C functions return, and so keep all 64 bits.

    Returns:
        How many documents had their right length; the first that has not is the last that is opened.
    """
    libc = ctypes.CDLL(None)
    if declared:
        libc.strdup.restype = ctypes.c_void_p
        libc.strlen.argtypes = [ctypes.c_void_p]
        libc.strlen.restype = ctypes.c_size_t
    text = b"x" * size
    for number in range(1, count + 1):
        document = libc.strdup(text)
        print(f"document {number} at {document:#x}", flush=True)  # noqa: T201  (a program prints)
        length = libc.strlen(document)
        if length != size:
            print(f"document {number} has length {length} instead of {size}: it reads other memory")  # noqa: T201  (a program prints)
            return number - 1
    return count


def main() -> int:
    """Run the specimen; exit status 1 where a document did not have its length."""
    parser = argparse.ArgumentParser(description="Load documents through a pointer that is cut to a C int.")
    parser.add_argument("--documents", type=int, default=1, metavar="N", help="how many (default 1)")
    parser.add_argument("--size", type=int, default=1 << 20, metavar="BYTES", help="of each (default 1 MiB)")
    parser.add_argument(
        "--declared", action="store_true", help="say that the C functions return pointers: the fix"
    )
    asked = parser.parse_args()
    right = open_documents(asked.documents, asked.size, declared=asked.declared)
    print(f"{right} of {asked.documents} documents have their length")  # noqa: T201  (a program prints)
    return 0 if right == asked.documents else 1


if __name__ == "__main__":
    sys.exit(main())
