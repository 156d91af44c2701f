"""A finding: a saved failing case with everything needed to replay it without Hypothesis.

The file is JSON. Loading one never runs code from it: the scenario is looked up by name in the catalogue, and
the input is built by the scenario's own type, which checks it.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import secrets
import stat
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from scenarios.lab.catalogue import get
from scenarios.lab.covered import HIDDEN, deviations, hidden
from scenarios.lab.execution import replayed
from scenarios.lab.files import read_at_most
from scenarios.lab.finding_fields import FieldError, check_depth, checked
from scenarios.lab.verdict import Minimality
from simulations.drawing.displayed import Displayed
from simulations.errors import LabError
from simulations.terminal_text import shortened, shown

if TYPE_CHECKING:
    from scenarios.lab.doctor import Fingerprint
    from scenarios.lab.scenario import Scenario
    from simulations.choices import Plan
    from simulations.drawing.marks import Picture
    from simulations.drawing.sheet import Sheet

__all__ = [
    "Finding",
    "FindingError",
    "check_writable",
    "decode_input",
    "encode_input",
    "from_json",
    "load",
    "write_whole",
]

FORMAT: Final = "heisenlab finding"
"""What a finding's file says it is."""
SCHEMA: Final = 1
"""The version of the file's format."""
_BYTES_MAX: Final = 16 * 1024 * 1024


class FindingError(LabError):
    """A file is not a finding that can be used.

    Common causes: the file is truncated, is something else, was written by another version of heisenlab, or
    was edited by hand.
    """


@dataclass(frozen=True, kw_only=True)
class Finding(Displayed):
    """A failing case.

    Attributes:
        scenario: The name of the scenario.
        variant: The name of the variant.
        input: The input as JSON-able data.
        plan: The deviations.
        plan_in_words: The same in the words of the world.
        by: The property that fails: the signature of the failure.
        message: What the property saw.
        digest: The digest of the trace.
        minimality: In what sense the plan is minimal: the text of a `scenarios.lab.verdict.Minimality`.
        searcher: The name of the searcher that found it.
        seed: The seed of the search.
        search_runs: Runs until it was found.
        minimising_runs: Runs until it was minimal.
        verified: How it was confirmed that a replay is identical.
        fingerprint: The code and the machine that it was found with.
    """

    scenario: str
    variant: str
    input: Any
    plan: Plan
    plan_in_words: str
    by: str
    message: str
    digest: str
    minimality: str
    searcher: str
    seed: int
    search_runs: int
    minimising_runs: int
    verified: str
    fingerprint: Fingerprint = field(default_factory=dict)

    @property
    def facts(self) -> tuple[tuple[str, str], ...]:
        """The finding in names and values, as commands print it."""
        given = self.input.items() if isinstance(self.input, dict) else [("", self.input)]
        return (
            ("plan", self.plan_in_words),
            ("fails", f"{self.by}: {self.message}"),
            ("minimality", self.minimality),
            ("input", ", ".join(f"{key}={value}" for key, value in given)),
            ("runs", f"{self.search_runs} to search, {self.minimising_runs} to minimise"),
            ("digest", self.digest),
            ("verified", self.verified),
        )

    @property
    def covered_facts(self) -> tuple[tuple[str, str], ...]:
        """The same without the cause."""
        cover = {
            "plan": deviations(len(self.plan)),
            "minimality": Minimality.read(self.minimality).value,
            "input": HIDDEN,
        }
        return tuple((name, cover.get(name, value)) for name, value in self.facts)

    def sheet(self) -> Sheet:
        """Return what is shown of it: what it holds, and how it runs here."""
        from simulations.drawing.sheet import Facts, Sheet  # noqa: PLC0415  (only what is shown is drawn)

        title = f"{self.scenario} / {self.variant}"
        if hidden():
            return Sheet(title=title, blocks=(Facts(self.covered_facts),))
        return Sheet(title=title, blocks=(Facts(self.facts),), pictures=self.pictures())

    def pictures(self) -> tuple[Picture, ...]:
        """Return the pictures of its run; none where there is no such scenario, or it runs otherwise."""
        from scenarios.lab.pictures import pictures_of  # noqa: PLC0415  (only what is shown is drawn)

        try:
            scenario = get(self.scenario)
            variant, given = scenario.variant(self.variant), decode_input(scenario, self.input)
            outcome = replayed(scenario, variant, given, self.plan)
        except LabError:
            return ()
        if outcome.run.trace.digest() != self.digest:
            return ()
        return pictures_of(scenario, variant, given, self.plan, outcome)

    def __repr__(self) -> str:
        plan = deviations(len(self.plan)) if hidden() else self.plan_in_words
        return shortened(f"<Finding {self.scenario} / {self.variant}: {plan} ({self.by})>")

    def to_json(self) -> dict[str, Any]:
        """Return the finding as JSON-able data, schema version and checksum included."""
        body = {entry.name: getattr(self, entry.name) for entry in dataclasses.fields(self)}
        body["plan"] = self.plan.to_json()
        content = {"format": FORMAT, "schema": SCHEMA, **body}
        return {**content, "checksum": _checksum(content)}

    def to_text(self) -> str:
        """Return what the file of the finding holds."""
        return json.dumps(self.to_json(), indent=2) + "\n"

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the finding to a file, whole or not at all.

        A new file gets the mode that the umask asks for; one that is there keeps its own.

        Raises:
            FindingError: the file exists and is not a finding, or it cannot be written.
        """
        check_writable(path)
        write_whole(Path(path), self.to_text())


def check_writable(path: str | os.PathLike[str]) -> None:
    """Check that a finding could be saved there, so that a long hunt does not end in an error.

    Raises:
        FindingError: the folder is missing or not writable, or the file holds something else.
    """
    target = Path(path)
    folder = target.parent
    try:
        if not folder.is_dir():
            raise FindingError(f"{folder} is not a folder; make it first, or name another file")
        if target.is_dir():
            raise FindingError(f"{target} is a folder; name a file in it")
        if target.exists() and not target.is_file():
            return  # a device or a pipe: written as it is
        if not os.access(folder, os.W_OK):
            raise FindingError(f"{folder} is not writable; name a file elsewhere")
        holds_something = target.exists() and target.stat().st_size
    except (OSError, ValueError) as error:  # a name that is too long, a byte that no name has
        reason = getattr(error, "strerror", None) or error
        raise FindingError(f"cannot write {shown(str(path))}: {reason}; name another file") from error
    if holds_something:
        try:
            load(target)
        except FindingError as error:
            raise FindingError(
                f"{error}; it is left as it is: name another file, or remove it yourself"
            ) from error


def write_whole(path: Path, content: str | bytes) -> None:
    """Write a file beside its place and rename it into it, so that it is never there in part.

    A device or a pipe is written as it is. A file that is there keeps its mode; a link still leads to it.

    Raises:
        FindingError: the folder does not allow it or the disk is full.
    """
    data = content.encode() if isinstance(content, str) else content
    beside: Path | None = None
    try:
        target = Path(os.path.realpath(path))  # an error where the current folder has been removed
        if target.exists() and not target.is_file():
            _write_as_it_is(target, data)
            return
        beside = target.with_name(f".{target.name[:_NAME_KEPT]}.{secrets.token_hex(4)}.part")
        with beside.open("xb") as file:
            if target.exists():
                beside.chmod(stat.S_IMODE(target.stat().st_mode))
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(target)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise FindingError(f"cannot write {path}: {reason}; nothing was changed") from error
    finally:
        if beside is not None:
            with suppress(OSError):
                beside.unlink(missing_ok=True)


def _write_as_it_is(target: Path, data: bytes) -> None:
    """Write to a device or a pipe; one that nobody reads is an error rather than a wait without end."""
    descriptor = os.open(target, os.O_WRONLY | getattr(os, "O_NONBLOCK", 0))
    with open(descriptor, "wb") as file:  # noqa: PTH123  (there is no other way from a number)
        if hasattr(os, "O_NONBLOCK"):
            os.set_blocking(descriptor, True)
        file.write(data)


_NAME_KEPT: Final = 100
"""How much of a name its unfinished copy keeps, so that the longest name still has one."""


def load(path: str | os.PathLike[str]) -> Finding:
    """Read a finding.

    Raises:
        FindingError: the file is not a finding of this schema, unchanged since it was written; the message
            says which of these it is.
    """
    where = shortened(str(path))
    try:
        text = read_at_most(path, _BYTES_MAX, "a finding").decode("utf-8")
    except UnicodeDecodeError as error:
        raise FindingError(f"{where} is not a finding: it is not text") from error
    except LabError as error:
        raise FindingError(str(error)) from error
    if not text.strip():
        raise FindingError(f"{where} is empty; hunt again with -o {where}")
    try:
        data = json.loads(text, parse_constant=_refuse, object_pairs_hook=_once)
    except FieldError as error:
        raise FindingError(f"{where} is not a finding: {error}") from error
    except (ValueError, RecursionError) as error:
        hint = "it ends too early" if _cut_short(text, error) else "it is not JSON"
        raise FindingError(f"{where} is not a finding: {hint}") from error
    return from_json(data, where=where)


def _refuse(constant: str) -> object:
    raise FieldError(f"it holds {constant}, which is no number of JSON")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return an object; one that says a thing twice means two things to two readers."""
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise FieldError(f"it says {shown(twice)} twice")
    return found


def _cut_short(text: str, error: Exception) -> bool:
    return (
        isinstance(error, json.JSONDecodeError)
        and text.lstrip().startswith("{")
        and not text.rstrip().endswith("}")
    )


def from_json(data: object, *, where: str = "this") -> Finding:
    """Read what `Finding.to_json` returned.

    Args:
        data: What `json.loads` returned.
        where: The name that messages give it, such as its path.

    Raises:
        FindingError: as `load`.
    """
    if not isinstance(data, dict) or data.get("format") != FORMAT:
        raise FindingError(f'{where} is not a finding: it does not say "format": "{FORMAT}"')
    schema = data.get("schema")
    if type(schema) is not int or schema != SCHEMA:
        age = "an older" if isinstance(schema, int) and schema < SCHEMA else "another"
        raise FindingError(
            f"{where} was written by {age} heisenlab: schema {shown(schema)}, this one reads {SCHEMA}; "
            f"replay it with the version that wrote it, or hunt again"
        )
    content = {key: value for key, value in data.items() if key != "checksum"}
    try:
        check_depth(content)
        if data.get("checksum") != _checksum(content):
            raise FindingError(
                f"{where} was changed after it was written: its checksum does not fit; hunt again with -o"
            )
        body = {key: value for key, value in content.items() if key not in {"format", "schema"}}
        known = {entry.name for entry in dataclasses.fields(Finding)}
        if body.keys() != known:
            odd = shortened(", ".join(sorted(body.keys() ^ known)))
            raise FindingError(f"{where} is not a finding of schema {SCHEMA}: missing or unknown: {odd}")
        return Finding(**checked(body))
    except FieldError as error:
        raise FindingError(f"{where} is not a finding: {error}") from error


def _checksum(content: dict[str, Any]) -> str:
    canonical = json.dumps(content, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()


def encode_input(given: Any) -> Any:
    """Return an input as JSON-able data.

    Raises:
        LabError: it is not a frozen dataclass of JSON-able fields.
    """
    if not dataclasses.is_dataclass(given) or isinstance(given, type):
        raise LabError(f"an input is a frozen dataclass, not {given!r}")
    encoded = {entry.name: getattr(given, entry.name) for entry in dataclasses.fields(given)}
    try:
        data = json.loads(json.dumps(encoded, allow_nan=False))
    except (TypeError, ValueError) as error:
        raise LabError(f"the input {given!r} does not fit into JSON: {error}") from error
    if type(given)(**{key: _tuples(value) for key, value in data.items()}) != given:
        raise LabError(
            f"the input {given!r} is not the same after JSON; its fields must be texts, numbers and tuples"
        )
    return data


def decode_input(scenario: Scenario, data: object) -> Any:
    """Build an input of a scenario from what `encode_input` returned.

    Raises:
        FindingError: the scenario's inputs have another form now.
    """
    if not isinstance(data, dict):
        raise FindingError(f"an input of {scenario.name} is an object, not {shown(data)}")
    try:
        return scenario.input_type(**{key: _tuples(value) for key, value in data.items()})
    except Exception as error:
        # Whatever a constructor raises on what a stranger wrote; that of another distribution checks less.
        said = shortened(str(error) or type(error).__name__, _REASON_MAX)
        raise FindingError(f"{scenario.name} does not take this input any more: {said}") from error


_REASON_MAX: Final = 400


def _tuples(value: Any) -> Any:
    return tuple(_tuples(item) for item in value) if isinstance(value, list) else value
