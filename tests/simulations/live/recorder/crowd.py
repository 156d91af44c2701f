"""Processes that wait, to be counted and weighed."""

from __future__ import annotations

import contextlib
import subprocess
import sys

CODE = """
import os, sys
children, generations = map(int, sys.argv[1:])
for _ in range(children):
    if os.fork() == 0:
        if generations == 1 or os.fork() == 0: print(flush=True)
        break
sys.stdin.read()
"""


@contextlib.contextmanager
def crowd(children, *, generations=1):
    """Run a process with children, and as many grandchildren if there are 2 generations."""
    process = subprocess.Popen(
        [sys.executable, "-c", CODE, str(children), str(generations)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    with process:
        for _ in range(children):
            process.stdout.readline()
        yield process
        process.stdin.close()
