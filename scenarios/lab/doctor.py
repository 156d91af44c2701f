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

DISTRIBUTION: Final = "heisenlab"
PACKAGES: Final = ("simulations", "scenarios")
CORE: Final = ("hypothesis", "pytest", "pytest-timeout", "psutil", "simpy", "rich")

Fingerprint: TypeAlias = "dict[str, Any]"

_GIT_SECONDS_MAX: Final = 10.0


@cache
def fingerprint() -> Fingerprint:
    """Return what identifies the code under test and what it runs on, as JSON-able data.

    Keys: `paths` (folder of each package), `python`, `implementation`, `platform`, `versions` (of the core
    packages; None where one is missing), `installed` and `source` (versions of heisenlab, None where
    unknown), `commit` and `dirty` (None outside a git checkout of heisenlab), `claimed_by` (for each package
    the other distributions that ship one of that name).

    Taken once in a process, since that is when its code was loaded.
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


def problems(of: Fingerprint) -> list[str]:
    """Return, in words and with the way out, what makes a result of this installation doubtful."""
    found = []
    for package, others in of["claimed_by"].items():
        if others:
            verb = "ships" if len(others) == 1 else "ship"
            found.append(
                f"{' and '.join(others)} also {verb} a package named {package}, and one overwrites the other "
                f"in silence: uninstall the other one and reinstall {DISTRIBUTION}"
            )
    folders = {str(Path(path).parent) for path in of["paths"].values()}
    if len(folders) > 1:
        found.append(
            f"simulations and scenarios come from different places ({' and '.join(sorted(folders))}): "
            f"something on the path shadows one of them; run from another folder"
        )
    if of["installed"] is None:
        found.append(
            f"{DISTRIBUTION} is not installed in this interpreter: run pip install -e . in its checkout"
        )
    elif of["source"] is not None and of["source"] != of["installed"]:
        found.append(
            f"installed is {of['installed']}, but the source under test says {of['source']}: "
            f"run pip install -e . again"
        )
    missing = [name for name, version in of["versions"].items() if version is None]
    if missing:
        found.append(f"not installed: {', '.join(missing)}; run pip install {' '.join(missing)}")
    return found


def instrument_problems() -> list[str]:
    """Return, in words and with the way out, which instruments cannot work in this interpreter.

    Nothing here makes a result of the other worlds doubtful.
    """
    from simulations.live.threads.control.standard_library import refusal  # noqa: PLC0415  (only needed here)

    reason = refusal()
    return [] if reason is None else [reason]


def differences(then: Fingerprint, now: Fingerprint) -> list[str]:
    """Return, one line each, in what two fingerprints differ; where a package is installed does not count."""
    before, after = _flat(then), _flat(now)
    lines = []
    for key in sorted(before.keys() | after.keys()):
        if key.startswith("paths.") or before.get(key) == after.get(key):
            continue
        lines.append(f"{key}: was {_show(before.get(key))}, is {_show(after.get(key))}")
    return lines


def _show(value: object) -> str:
    return "unknown" if value is None else str(value)


def _flat(of: Fingerprint, above: str = "") -> dict[str, object]:
    flat: dict[str, object] = {}
    for key, value in of.items():
        if isinstance(value, dict):
            flat.update(_flat(value, f"{above}{key}."))
        else:
            flat[above + key] = value
    return flat


def _folder(package: str) -> Path:
    spec = find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        return Path(f"{package} is not to be found")
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
    """Return commit and dirty flag of the checkout that holds the packages, and nothing of any other one."""
    if _source_version(root) is None or not (root / ".git").exists():
        return None, None
    commit = _git(root, "rev-parse", "HEAD")
    status = _git(root, "status", "--porcelain", "--untracked-files=normal")
    return commit, None if status is None else bool(status)


def _git(root: Path, *arguments: str) -> str | None:
    environment = {key: value for key, value in os.environ.items() if not key.startswith("GIT_")}
    try:
        done = subprocess.run(
            ["git", "-C", str(root), *arguments],
            capture_output=True,
            text=True,
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
