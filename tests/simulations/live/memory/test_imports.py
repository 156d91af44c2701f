import subprocess
import sys
from pathlib import Path

from simulations.live import memory

ROOT = Path(memory.__file__).parents[3]
UNIX_ONLY = ("resource", "fcntl", "termios", "pwd", "grp")


def test_the_instrument_imports_where_there_is_no_unix():
    code = (
        "import sys\n"
        f"sys.modules.update(dict.fromkeys({UNIX_ONLY}))\n"
        "from simulations.live import memory\n"
        "print(memory.Filling(), callable(memory.run), callable(memory.fill_low))\n"
        "print(*[name for name in sys.modules if name.endswith(('ptrace', 'seize', 'memory.watch'))])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True, timeout=240
    )
    assert done.stdout.splitlines() == ["filled below 4 GiB True True", ""]


def test_every_public_name_is_there():
    assert sorted(memory.__all__) == memory.__all__
    assert all(hasattr(memory, name) for name in memory.__all__)
