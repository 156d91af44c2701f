import shutil
import subprocess

import pytest

from simulations.live.memory.errors import RefusedError
from simulations.live.memory.filling import Filling
from simulations.live.memory.launch import Run, run


@pytest.fixture(scope="session")
def _tracing() -> str:
    """Why no process can be traced here; empty where it can."""
    try:
        done = run(["/bin/sh", "-c", "exit 0"], Filling("plain", 0), timeout=120)
    except RefusedError as refused:
        return str(refused)
    return done.stderr.strip() if done.returncode == 2 else ""


@pytest.fixture
def traced(_tracing: str):
    """`run`, with a time-out; the test is skipped, with the reason, where ptrace is not allowed."""
    if _tracing:
        pytest.skip(_tracing)

    def start(command, filling, options=None) -> Run:
        return run(command, filling, options, timeout=240)

    return start


@pytest.fixture(scope="session")
def compiled(tmp_path_factory):
    """Compile a C program; the test is skipped where there is no gcc."""
    gcc = shutil.which("gcc")
    if gcc is None:
        pytest.skip("needs gcc")
    folder = tmp_path_factory.mktemp("compiled")

    def build(name, source, *flags):
        path = folder / name
        path.with_suffix(".c").write_text(source)
        done = subprocess.run(
            [gcc, "-w", "-O0", *flags, "-o", path, path.with_suffix(".c")], capture_output=True, text=True
        )
        if done.returncode:
            pytest.skip(f"gcc cannot build this here: {done.stderr.splitlines()[-1]}")
        return str(path)

    return build
