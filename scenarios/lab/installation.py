"""What can be wrong with an installation beyond its fingerprint: copies, stale bytecode, edits, versions.

Each function looks for one thing and returns what it found, one line each, with the way out. None of them
imports what it looks at.
"""

from __future__ import annotations

import base64
import csv
import hashlib
import importlib.util
import json
import marshal
import re
import tomllib
import urllib.error
import urllib.request
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from scenarios.lab.doctor import DISTRIBUTION, PACKAGES
from scenarios.lab.files import read_at_most
from simulations.errors import LabError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

LABELS: Final = ("development", "staging", "production")
"""What the variable that the user names may say."""
INDEX: Final = "https://pypi.org/pypi"
"""Where a newer version is asked for, only when the user wants it."""

_HEADER_BYTES: Final = 16
_UNCHECKED_HASH: Final = 0b01
_CHECKED_HASH: Final = 0b11
_SECONDS_MAX: Final = 5.0
_ANSWER_BYTES_MAX: Final = 64 * 1024 * 1024
_SHOWN_MAX: Final = 3


def copies(path: Sequence[str]) -> list[str]:
    """Return the packages of which there is more than one copy on a path such as `sys.path`."""
    found = []
    for package in PACKAGES:
        places = dict.fromkeys(
            (Path(entry) / package).resolve()
            for entry in path
            if _is_file(Path(entry or ".") / package / "__init__.py")
        )
        used, others = next(iter(places), None), [*places][1:]
        if others:
            found.append(
                f"{package} is on the path {len(places)} times: {used} is used, "
                f"{' and '.join(map(str, others))} is shadowed; take one off the path or uninstall it"
            )
    return found


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # it may not be looked at, so Python does not import it either
        return False


def stale_bytecode(folders: Sequence[Path]) -> list[str]:
    """Return the modules of which Python would run compiled code that is not that of their source.

    Args:
        folders: The folders of the packages.
    """
    stale = [str(path) for folder in folders for path in _stale(folder)]
    if not stale:
        return []
    more = f" and {len(stale) - _SHOWN_MAX} more" if len(stale) > _SHOWN_MAX else ""
    line = (
        f"stale bytecode, which runs in place of the source: {', '.join(stale[:_SHOWN_MAX])}{more}; delete "
        f"it, and set PYTHONDONTWRITEBYTECODE=1 where files are replaced within a second"
    )
    return [line]


def _stale(folder: Path) -> Iterator[Path]:
    for source in sorted(folder.rglob("*.py")):
        compiled = Path(importlib.util.cache_from_source(str(source)))
        if compiled.is_file() and _differs(source, compiled):
            yield compiled
    for compiled in sorted(folder.rglob("*.pyc")):
        # Beside its place and not in __pycache__, compiled code is imported also without a source.
        if compiled.parent.name != "__pycache__" and not compiled.with_suffix(".py").exists():
            yield compiled


def _differs(source: Path, compiled: Path) -> bool:
    """Return whether Python would take compiled code for that of a source, and is wrong."""
    try:
        text, code, status = source.read_bytes(), compiled.read_bytes(), source.stat()
        if code[:4] != importlib.util.MAGIC_NUMBER or len(code) <= _HEADER_BYTES:
            return False
        flags = int.from_bytes(code[4:8], "little")
        if flags == _CHECKED_HASH:
            return False
        if flags == _UNCHECKED_HASH:
            return code[8:16] != importlib.util.source_hash(text)
        stamped = (int.from_bytes(code[8:12], "little"), int.from_bytes(code[12:16], "little"))
        if stamped != (int(status.st_mtime) & 0xFFFFFFFF, len(text) & 0xFFFFFFFF):
            return False  # Python sees that, and compiles anew
        loaded = marshal.loads(code[_HEADER_BYTES:])  # noqa: S302  (what an import would load)
        return bool(loaded != compile(text, str(source), "exec", dont_inherit=True))
    except (OSError, ValueError, EOFError, TypeError, SyntaxError):
        return True


def edited(name: str = DISTRIBUTION) -> list[str]:
    """Return whether files of an installed distribution are not those that were installed."""
    try:
        distribution = metadata.distribution(name)
    except metadata.PackageNotFoundError:
        return []
    changed = []
    for row in csv.reader((distribution.read_text("RECORD") or "").splitlines()):
        path, said = (*row, "", "")[:2]
        if not path.endswith(".py") or not said.startswith("sha256="):
            continue
        try:
            content = Path(str(distribution.locate_file(path))).read_bytes()
        except OSError:
            changed.append(f"{path} (missing)")
            continue
        digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
        if digest != said.removeprefix("sha256="):
            changed.append(path)
    if not changed:
        return []
    line = (
        f"{len(changed)} installed files of {name} are not those that were installed: "
        f"{', '.join(changed[:_SHOWN_MAX])}; run pip install --force-reinstall {name}"
    )
    return [line]


def beside_a_checkout(folder: Path, paths: Mapping[str, str]) -> list[str]:
    """Return whether one stands in a checkout of heisenlab while another copy is under test.

    Args:
        folder: Where one stands.
        paths: The folders of the packages under test.
    """
    for place in (folder, *folder.parents):
        try:
            project = tomllib.loads((place / "pyproject.toml").read_text(encoding="utf-8")).get("project", {})
        except (OSError, ValueError):
            continue
        here = {str((place / package).resolve()) for package in paths}
        if project.get("name") == DISTRIBUTION and here != {*paths.values()}:
            used = ", ".join(sorted({str(Path(each).parent) for each in paths.values()}))
            line = (
                f"you stand in the checkout {place}, but what is under test is in {used}: "
                f"run pip install -e {place}"
            )
            return [line]
        return []
    return []


def label(variable: str, environment: Mapping[str, str]) -> tuple[str | None, list[str]]:
    """Return what a variable says the environment is, and what is wrong with that.

    Args:
        variable: The name of the variable.
        environment: Such as `os.environ`.
    """
    said = environment.get(variable)
    if said is None:
        return None, [f"{variable} is not set: set it to {', '.join(LABELS)}"]
    if said not in LABELS:
        return said, [f"{variable} says {said!r}, which is none of {', '.join(LABELS)}"]
    return said, []


_LOCK_BYTES_MAX: Final = 64 * 2**20
_PIN_MAX: Final = 1000
"""How much of a line is looked at: a pin is shorter."""


def against_lock(path: Path) -> list[str]:
    """Return where the installed versions are not those of a lock file.

    Args:
        path: A list of `name==version` (pip freeze, pip-compile) or a TOML lock of uv, Poetry, PDM or pylock.

    Raises:
        LabError: it cannot be read, or is neither.
    """
    try:
        text = read_at_most(path, _LOCK_BYTES_MAX, "a lock file").decode("utf-8")
    except UnicodeDecodeError as error:
        raise LabError(f"cannot read the lock file {path}: {error}") from error
    locked = _toml_lock(text) if path.suffix in {".toml", ".lock"} else _pinned(text)
    if not locked:
        raise LabError(
            f"{path} pins no versions; name a file with lines such as simpy==4.1.2, or a TOML lock"
        )
    installed = {_normal(dist.name): dist.version for dist in metadata.distributions() if dist.name}
    found = []
    for name, (versions, needed) in sorted(locked.items()):
        have = installed.get(name)
        if have is None and needed:
            found.append(f"{name} is locked at {versions[0]} and not installed: install from {path}")
        elif have is not None and have not in versions:
            found.append(f"{name} is {have}, locked at {' or '.join(versions)}: install from {path}")
    return found


def _normal(name: str) -> str:
    """Return a name as the index compares it (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _pinned(text: str) -> dict[str, tuple[list[str], bool]]:
    locked: dict[str, tuple[list[str], bool]] = {}
    for line in text.splitlines():
        match = re.match(
            r"\s*([A-Za-z0-9][\w.-]*)\s*(?:\[[^\]]*\])?\s*===?\s*([^\s;,\\#]+)\s*(;)?", line[:_PIN_MAX]
        )
        if match:
            locked[_normal(match[1])] = ([match[2]], match[3] is None)
    return locked


def _toml_lock(text: str) -> dict[str, tuple[list[str], bool]]:
    try:
        data = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError):
        return _pinned(text)
    locked: dict[str, tuple[list[str], bool]] = {}
    tables = [data.get(key) for key in ("package", "packages")]
    for table in (each for tables_of in tables if isinstance(tables_of, list) for each in tables_of):
        if not isinstance(table, dict):
            continue
        name, version = table.get("name"), table.get("version")
        if isinstance(name, str) and isinstance(version, str):
            # Such a lock lists optional packages, too, and one name in several versions for several systems.
            locked.setdefault(_normal(name), ([], False))[0].append(version)
    return locked


def newest(index: str = INDEX) -> str:
    """Return the newest version that an index has.

    Args:
        index: The address under which `NAME/json` is found.

    Raises:
        LabError: it cannot be asked, as without a network.
    """
    address = f"{index.rstrip('/')}/{DISTRIBUTION}/json"
    if not address.startswith(("https://", "http://")):
        raise LabError(f"an index is an address such as {INDEX}, not {index!r}")
    try:
        with urllib.request.urlopen(address, timeout=_SECONDS_MAX) as answer:  # noqa: S310  (checked above)
            data: Any = json.loads(answer.read(_ANSWER_BYTES_MAX))
        return str(data["info"]["version"])
    except urllib.error.HTTPError as error:
        raise LabError(f"{address} says {error.code} {error.reason}") from error
    except (OSError, ValueError, KeyError, TypeError) as error:
        reason = getattr(error, "reason", None) or error
        raise LabError(f"{address} cannot be asked: {reason}") from error


def is_newer(version: str, than: str) -> bool:
    """Return whether a version is newer, by its numbers; of a pre-release only the numbers count."""
    ours, theirs = _numbers(than), _numbers(version)
    return theirs > ours


def _numbers(version: str) -> list[int]:
    """Return the numbers that a version begins with, without zeros at the end."""
    match = re.match(r"v?(\d{1,9}(?:\.\d{1,9}){0,9})", version)
    numbers = [int(part) for part in match[1].split(".")] if match else []
    while numbers and not numbers[-1]:
        numbers.pop()
    return numbers
