import subprocess
import sys
from pathlib import Path

import simulations.address_space

FOLDER = Path(simulations.address_space.__file__).parent
MODULES = sorted(f"simulations.address_space.{path.stem}" for path in FOLDER.glob("[a-z]*.py"))


def test_the_world_needs_neither_its_instrument_nor_a_test_library():
    assert len(MODULES) >= 9
    code = (
        f"import sys, {', '.join(MODULES)}\n"
        "print(*[name for name in sys.modules if name.startswith(('hypothesis', 'pytest', 'scenarios', "
        "'ctypes', 'matplotlib', 'simulations.live.memory'))])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=FOLDER.parents[1],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert done.stdout.split() == []
