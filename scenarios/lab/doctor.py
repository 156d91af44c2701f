"""Is the code under test the code you think it is?

The fingerprint says which files, versions and commit a result came from. It goes into every finding, and a
replay whose result differs says what differs in it.
"""

from __future__ import annotations

import os
import platform
import subprocess
import sys
import tomllib
from functools import cache
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final, TypeAlias

__all__ = ["CORE", "Fingerprint", "differences", "fingerprint", "problems"]

DISTRIBUTION: Final = "heisenlab"
"""The name under which the packages are installed."""
PACKAGES: Final = ("simulations", "scenarios")
"""The packages under test."""
CORE: Final = ("hypothesis", "pytest", "pytest-timeout", "psutil", "simpy", "rich")
"""The distributions whose versions may change a result."""

Fingerprint: TypeAlias = "dict[str, Any]"
"""The JSON-able data that `fingerprint` returns."""

_GIT_SECONDS_MAX: Final = 10.0


@cache
def fingerprint() -> Fingerprint:
    """Return what identifies the code under test, and what it runs on, as JSON-able data.

    Keys: `paths` (folder of each package), `python`, `implementation`, `platform`, `versions` (of the core
    packages; None where one is missing), `installed` and `source` (versions of heisenlab, None where
    unknown), `commit` and `dirty` (None outside a git checkout of heisenlab), `claimed_by` (for each package
    the other distributions that ship one of that name).

    It is taken once in a process: the code is loaded once, too.
    """
    root = _folder("scenarios").parent
    commit, dirty = _git_state(root)
    return {
        "paths": {package: str(_folder(package)) for package in PACKAGES},
        "python": platform.python_version(),
        "implementation": platform.python_implementation(),
        "platform": f"{sys.platform} {platform.machine()}",
        "versions": {name: _version(name) for name in CORE},
        "installed": _version(DISTRIBUTION),
        "source": _source_version(root),
        "commit": commit,
        "dirty": dirty,
        "claimed_by": _claims(),
    }


def problems(taken: Fingerprint) -> list[str]:
    """Return what makes a result of this installation doubtful, one line each, with the way out.

    Args:
        taken: The fingerprint of the installation.
    """
    found = []
    for package, others in taken["claimed_by"].items():
        if others:
            verb = "ships" if len(others) == 1 else "ship"
            found.append(
                f"{' and '.join(others)} also {verb} a package named {package}, and one silently "
                f"overwrites the other: uninstall the other one and reinstall {DISTRIBUTION}"
            )
    folders = {str(Path(path).parent) for path in taken["paths"].values()}
    if len(folders) > 1:
        found.append(
            f"simulations and scenarios come from different places ({' and '.join(sorted(folders))}): "
            f"something on the path shadows one of them; run from another folder"
        )
    if taken["installed"] is None:
        found.append(
            f"{DISTRIBUTION} is not installed in this interpreter: run pip install -e . in its checkout"
        )
    elif taken["source"] is not None and taken["source"] != taken["installed"]:
        found.append(
            f"installed is {taken['installed']}, but the source under test says {taken['source']}: "
            f"run pip install -e . again"
        )
    missing = [name for name, version in taken["versions"].items() if version is None]
    if missing:
        found.append(f"not installed: {', '.join(missing)}; run pip install {' '.join(missing)}")
    return found


def differences(then: Fingerprint, now: Fingerprint) -> list[str]:
    """Return the differences between two fingerprints, one line each; the packages' folders do not count."""
    before, after = (_flat({key: taken[key] for key in taken if key != "paths"}) for taken in (then, now))
    return [
        f"{key}: was {_show(before.get(key))}, is {_show(after.get(key))}"
        for key in sorted(before.keys() | after.keys())
        if before.get(key) != after.get(key)
    ]


def _show(value: object) -> str:
    return "unknown" if value is None else str(value)


def _flat(taken: Fingerprint, above: str = "") -> dict[str, object]:
    flat: dict[str, object] = {}
    for key, value in taken.items():
        if isinstance(value, dict):
            flat.update(_flat(value, f"{above}{key}."))
        else:
            flat[above + key] = value
    return flat


def _folder(package: str) -> Path:
    spec = find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        return Path(f"{package} cannot be found")
    return Path(next(iter(spec.submodule_search_locations))).resolve()


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _source_version(root: Path) -> str | None:
    """Return the version that the checkout claims, or None where the packages are not in one."""
    try:
        project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    except (OSError, ValueError, KeyError):
        return None
    version = project.get("version")
    return version if project.get("name") == DISTRIBUTION and isinstance(version, str) else None


def _git_state(root: Path) -> tuple[str | None, bool | None]:
    """Return commit and dirty flag of the checkout that holds the packages; never those of another one."""
    if _source_version(root) is None or not (root / ".git").exists():
        return None, None
    commit = _git(root, "rev-parse", "HEAD")
    status = _git(root, "status", "--porcelain", "--untracked-files=normal")
    return commit, None if status is None else bool(status)


def _git(root: Path, *arguments: str) -> str | None:
    """Ask git; it takes no lock, which would be in the user's way where git is killed while it holds it."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith("GIT_")}
    try:
        done = subprocess.run(
            ["git", "--no-optional-locks", "-C", str(root), *arguments],
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=_GIT_SECONDS_MAX,
            env=environment,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None


def _claims() -> dict[str, list[str]]:
    owners = metadata.packages_distributions()
    return {
        package: sorted({owner for owner in owners.get(package, []) if owner.lower() != DISTRIBUTION})
        for package in PACKAGES
    }
