"""A finding: a saved failing case with everything needed to replay it without Hypothesis.

The file is JSON. Loading one never runs code from it: the scenario is looked up by name in the catalogue, and
the input is built by the scenario's own type, which checks it.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from simulations.choices import Plan
from simulations.errors import LabError

if TYPE_CHECKING:
    from scenarios.lab.doctor import Fingerprint
    from scenarios.lab.scenario import Scenario

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
class Finding:
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

    def to_json(self) -> dict[str, Any]:
        """Return the finding as JSON-able data, schema version and checksum included."""
        body = {entry.name: getattr(self, entry.name) for entry in dataclasses.fields(self)}
        body["plan"] = self.plan.to_json()
        content = {"format": FORMAT, "schema": SCHEMA, **body}
        return {**content, "checksum": _checksum(content)}

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the finding to a file, whole or not at all.

        Raises:
            FindingError: the file exists and is not a finding, or it cannot be written.
        """
        check_writable(path)
        write_whole(Path(path), json.dumps(self.to_json(), indent=2) + "\n")


def check_writable(path: str | os.PathLike[str]) -> None:
    """Check that a finding could be saved there, so that a long hunt does not end in an error.

    Raises:
        FindingError: the folder is missing or not writable, or the file holds something else.
    """
    target = Path(path)
    folder = target.parent
    if not folder.is_dir():
        raise FindingError(f"{folder} is not a folder; make it first, or name another file")
    if target.is_dir():
        raise FindingError(f"{target} is a folder; name a file in it")
    if not os.access(folder, os.W_OK):
        raise FindingError(f"{folder} is not writable; name a file elsewhere")
    if target.exists() and target.stat().st_size:
        try:
            load(target)
        except FindingError as error:
            raise FindingError(
                f"{error}; it is left as it is: name another file, or remove it yourself"
            ) from error


def write_whole(path: Path, text: str) -> None:
    """Write a text file beside its place and rename it into it, so that it is never there in part.

    Raises:
        FindingError: the folder does not allow it or the disk is full.
    """
    try:
        handle, beside = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part")
    except OSError as error:
        raise FindingError(f"cannot write {path}: {error.strerror}; nothing was changed") from error
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        Path(beside).chmod(0o644)
        Path(beside).replace(path)
    except OSError as error:
        Path(beside).unlink(missing_ok=True)
        raise FindingError(f"cannot write {path}: {error.strerror}; nothing was changed") from error
    except BaseException:
        Path(beside).unlink(missing_ok=True)
        raise


def load(path: str | os.PathLike[str]) -> Finding:
    """Read a finding.

    Raises:
        FindingError: the file is not a finding of this schema, unchanged since it was written; the message
            says which of these it is.
    """
    where = Path(path)
    try:
        if where.stat().st_size > _BYTES_MAX:
            raise FindingError(
                f"{where} is larger than any finding ({_BYTES_MAX} bytes); is it the right file?"
            )
        text = where.read_text(encoding="utf-8")
    except OSError as error:
        raise FindingError(f"cannot read {where}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise FindingError(f"{where} is not a finding: it is not text") from error
    if not text.strip():
        raise FindingError(f"{where} is empty; hunt again with -o {where}")
    try:
        data = json.loads(text)
    except (ValueError, RecursionError) as error:
        hint = "it ends too early" if _cut_short(text, error) else "it is not JSON"
        raise FindingError(f"{where} is not a finding: {hint}") from error
    return from_json(data, where=str(where))


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
    if schema != SCHEMA:
        age = "an older" if isinstance(schema, int) and schema < SCHEMA else "another"
        raise FindingError(
            f"{where} was written by {age} heisenlab: schema {schema!r}, this one reads {SCHEMA}; "
            f"replay it with the version that wrote it, or hunt again"
        )
    content = {key: value for key, value in data.items() if key != "checksum"}
    if data.get("checksum") != _checksum(content):
        raise FindingError(
            f"{where} was changed after it was written: its checksum does not fit; hunt again with -o"
        )
    body = {key: value for key, value in content.items() if key not in {"format", "schema"}}
    known = {entry.name for entry in dataclasses.fields(Finding)}
    if body.keys() != known:
        odd = ", ".join(sorted(body.keys() ^ known))
        raise FindingError(f"{where} is not a finding of schema {SCHEMA}: missing or unknown: {odd}")
    try:
        body["plan"] = Plan.from_json(body["plan"])
    except LabError as error:
        raise FindingError(f"{where} holds no usable plan: {error}") from error
    for name in _TEXTS:
        if not isinstance(body[name], str):
            raise FindingError(f"{where} is not a finding: {name} is {body[name]!r}, not a text")
    for name in _NUMBERS:
        if type(body[name]) is not int:
            raise FindingError(f"{where} is not a finding: {name} is {body[name]!r}, not a whole number")
    if not isinstance(body["fingerprint"], dict):
        raise FindingError(f"{where} is not a finding: fingerprint is {body['fingerprint']!r}, not an object")
    return Finding(**body)


_TEXTS: Final = (
    "scenario",
    "variant",
    "plan_in_words",
    "by",
    "message",
    "digest",
    "minimality",
    "searcher",
    "verified",
)
_NUMBERS: Final = ("seed", "search_runs", "minimising_runs")


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
        raise FindingError(f"an input of {scenario.name} is an object, not {data!r}")
    try:
        return scenario.input_type(**{key: _tuples(value) for key, value in data.items()})
    except (TypeError, ValueError, LabError) as error:
        raise FindingError(f"{scenario.name} does not take this input any more: {error}") from error


def _tuples(value: Any) -> Any:
    return tuple(_tuples(item) for item in value) if isinstance(value, list) else value
