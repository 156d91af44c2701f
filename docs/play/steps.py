"""What the builds for the browser have in common: versions, and commands that work or say what is missing."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]

PYODIDE: Final = "314.0.7"
"""The version of Pyodide: CPython 3.14 in WebAssembly."""
PYTHON: Final = "3.14"
PLATFORM: Final = "pyemscripten_2026_0_wasm32"
"""What wheels for that version are called."""
NEEDED: Final = ("hypothesis==6.170.17", "simpy==4.1.2", "sortedcontainers==2.4.0")
PIP: Final = (sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check")
SERVED: Final = ("pyodide.mjs", "pyodide.asm.mjs", "pyodide.asm.wasm", "pyodide-lock.json")
"""The files of Pyodide that a page loads, besides the standard library."""


class BuildError(Exception):
    """A step did not work; the message says which, and what to do."""


def run(*command: str | Path, folder: Path | None = None) -> None:
    """Run a command, perhaps in a folder; raises `BuildError` with what it printed where it fails."""
    program = shutil.which(command[0])
    if program is None:
        raise BuildError(f"{command[0]} is needed; install it")
    done = subprocess.run([program, *command[1:]], cwd=folder, capture_output=True, text=True)
    if done.returncode:
        raise BuildError(f"{' '.join(map(str, command))} failed:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")


def pyodide(work: Path) -> Path:
    """Return the folder of the npm package; fetch it, unless HEISENLAB_PYODIDE names one of this version."""
    given = Path(os.environ.get("HEISENLAB_PYODIDE", ROOT / "node_modules"), "pyodide")
    package = given / "package.json"
    if package.exists() and json.loads(package.read_text(encoding="utf-8"))["version"] == PYODIDE:
        return given
    run("npm", "install", "--silent", "--no-audit", "--no-fund", "--prefix", work, f"pyodide@{PYODIDE}")
    return work / "node_modules" / "pyodide"


def download(folder: Path, *needed: str) -> None:
    """Fetch the wheels of these distributions for WebAssembly, without what they depend on."""
    abi = f"cp{PYTHON.replace('.', '')}"
    run(
        *(*PIP, "download", "--no-deps", "--only-binary=:all:", "--platform", PLATFORM),
        *("--implementation", "cp", "--python-version", PYTHON, "--abi", abi, "-d", folder, *needed),
    )
