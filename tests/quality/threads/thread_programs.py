"""A bench of small programs with a concurrency bug, each with a repaired twin.

The patterns are the classic ones, known from SCTBench (github.com/mc-imperial/sctbench) and the literature;
the programs are our own. Each is made by a function of one argument: whether to make the repaired twin.
"""

from tests.quality.threads import atomicity_programs, waiting_programs

MODULES = (atomicity_programs, waiting_programs)
PROGRAMS = [program for module in MODULES for program in module.PROGRAMS]
