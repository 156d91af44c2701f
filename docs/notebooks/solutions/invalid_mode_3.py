"""Build: your repair, and a statement about every state that the machine can reach.

The model check goes through all states instead of through runs. As shipped it finds
the shortest way into a mode that does not exist; with a branch for unused codes that
is in the netlist too there is none, for any commands and any number of clocks.
"""

from simulations.mode_machine.model_check import RESET_HELPS, model_check
from simulations.mode_machine.variants import System

shipped = model_check(System(), claims=(RESET_HELPS,))
repaired = model_check(System(unused="recover"), claims=(RESET_HELPS,))
print("as shipped:", shipped)
print("repaired:  ", repaired)

assert shipped.counterexample is not None
assert shipped.clocks == 2
assert repaired.counterexample is None
