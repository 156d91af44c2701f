"""`python -m simulations.live.recorder`: the process that `simulations.live.recorder.record` starts."""

import sys

from simulations.live.recorder.launch import main

main(*sys.argv[1:])
