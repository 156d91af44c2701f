"""Findings from strangers: mutated with the checksum mended, then loaded, replayed and shown.

Hypothesis draws which fields of a true finding change, and to what: wrong types, numbers without bounds, text
that steer a terminal, inputs and plans of each scenario, cuts and repetitions of the file itself. Each mutant
goes through `replay` (plain, `--json` or `--trace`), `explain`, `export` or `step`.
"""

from __future__ import annotations

import contextlib
import io
import json
import sys
import tempfile
import threading
import time
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import hypothesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from scenarios.lab.commands import main as heisenlab
from scenarios.lab.finding import _checksum
from scenarios.lab.finding import load as load_finding
from scenarios.lab.hunt import hunt
from tests.quality.campaigns.campaign import End, Tally, main

if TYPE_CHECKING:
    from collections.abc import Callable

SECONDS_MAX: Final = 60.0
"""CPU seconds of one replay that count as a hang; the dearest input that is allowed takes some five."""
SCENARIOS: Final = ("invalid-mode", "stale-cache", "truncated-pointer", "vanishing-job")
HOSTILE: Final = (
    "\x1b]0;owned\x07", "\x1b[2J", "\x9b31m", "\u202eevil", "\u200b", "\ud800", "a\nb", "\r", "\x00", "{}",
    "%s", "[red]x[/]", "../../etc/passwd", "os:system",
    "tests.quality.campaigns.findings:CANARY",
)  # fmt: skip
"""Texts that steer a terminal, that mark-up would take for its own, and names of code and files."""

TEXT_FIELDS: Final = ("plan_in_words", "message", "plan_in_words", "by", "verified", "searcher")

HOW: Final = ("near",) * 5 + ("text",) * 3 + ("any",) * 3 + ("wrapped",) * 3 + ("drop", "add")
"""How a field is changed, the frequent ways more often."""

WRAPPED: Final = (
    lambda value: [value],
    lambda value: {"": value},
    lambda value: {str(value): value},
    json.dumps,
)
"""A value that is right but for its type."""

DEPTHS: Final = (10, 500, 5_000, 200_000)
"""How deep lists lie in each other where the file itself is damaged so."""

texts = st.sampled_from(HOSTILE) | st.text(max_size=20) | st.just("x" * 100_000)
numbers = st.integers(-3, 300) | st.integers() | st.sampled_from([2**31, 2**63, 2**64 + 1, 10**400])
floats = st.floats() | st.sampled_from([float("nan"), float("inf"), 1e308])
scalars = st.none() | st.booleans() | numbers | floats | texts
anything = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)
deep = st.integers(1, 200).map(lambda depth: json.loads("[" * depth + "]" * depth))
values = anything | deep


def small(given: Any, data: Any) -> Any:
    """Draw a value like another one: of its type, near it."""
    if isinstance(given, bool) or given is None:
        return data.draw(st.none() | st.booleans())
    if isinstance(given, int):
        return data.draw(st.integers(-2, 100) | st.just(given) | numbers)
    if isinstance(given, str):
        letters = st.text(alphabet=sorted(set(given)) or "a", max_size=12)
        return data.draw(letters | st.just(given * 2) | texts)
    if isinstance(given, list):
        items = [small(item, data) if data.draw(st.booleans()) else item for item in given[:20]]
        return items[: data.draw(st.integers(0, len(items)))] if data.draw(st.booleans()) else items
    if isinstance(given, dict):
        return {key: small(value, data) for key, value in given.items()}
    return data.draw(values)


def mutate(true: dict[str, Any], data: Any) -> Any:
    """Return a finding with one to three fields changed, keys dropped or added, and its checksum mended."""
    mutant = json.loads(json.dumps(true))
    for _ in range(data.draw(st.sampled_from([1, 1, 1, 2, 3]))):
        field = data.draw(st.sampled_from([*true, "input", "input", "plan"]))
        how = data.draw(st.sampled_from(HOW))
        if how == "drop":
            mutant.pop(field, None)
        elif how == "add":
            mutant[data.draw(texts)] = data.draw(values)
        elif how == "text":
            mutant[data.draw(st.sampled_from(TEXT_FIELDS))] = data.draw(st.sampled_from(HOSTILE))
        elif how == "near" and field in mutant:
            mutant[field] = small(mutant[field], data)
        elif how == "wrapped" and field in mutant:
            mutant[field] = data.draw(st.sampled_from(WRAPPED))(mutant[field])
        else:
            mutant[field] = data.draw(values)
    if data.draw(st.integers(0, 9)):
        content = {key: value for key, value in mutant.items() if key != "checksum"}
        with contextlib.suppress(RecursionError):
            mutant["checksum"] = _checksum(content)
    return mutant


def as_text(mutant: Any, data: Any) -> bytes:
    """Return the file of a mutant; now and then the file itself is damaged."""
    text = json.dumps(mutant)
    damage = data.draw(st.integers(0, 19))
    if damage == 0:
        text = text[: data.draw(st.integers(0, len(text)))]
    elif damage == 1:
        text = text.replace('"scenario"', '"scenario": 1, "scenario"', 1)
    elif damage == 2:
        return text.encode("utf-16")
    elif damage == 3:
        depth = data.draw(st.sampled_from(DEPTHS))
        text = text.replace('"seed": ', f'"seed": {"[" * depth}{"]" * depth}, "was": ', 1)
    return text.encode("utf-8", "surrogatepass")


@cache
def true_findings() -> list[dict[str, Any]]:
    """Return a true finding of each scenario."""
    found = [hunt(name, verify=False, searcher="exhaustive", budget=20_000).finding for name in SCENARIOS]
    return [each.to_json() for each in found if each is not None]


class Guard:
    """Notices what a command must not do: open other files to write, start programs, import code."""

    def __init__(self) -> None:
        self.seen: list[str] = []
        self.active = False
        sys.addaudithook(self._hook)

    def _hook(self, event: str, args: tuple[Any, ...]) -> None:
        if not self.active:
            return
        if event in {"os.system", "subprocess.Popen", "os.exec", "exec_by_name", "socket.connect"}:
            self.seen.append(event)
        elif (
            event == "import"
            and args
            and str(args[0]).startswith(("os:", "tests.quality.campaigns.findings:"))
        ):
            self.seen.append(f"import {args[0]}")
        elif event == "open" and isinstance(args[1], str) and set(args[1]) & set("wax+"):
            self.seen.append(f"open {args[0]} {args[1]}")


def call(command: Callable[[list[str]], int], words: list[str]) -> tuple[int | None, str, str, float]:
    """Run a command in this process; return status (None where it raised), output, errors and CPU seconds."""
    out, err = io.StringIO(), io.StringIO()
    began = time.process_time()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            status: int | None = command(words)
        except BaseException as error:  # noqa: BLE001  (which is what is looked for)
            status = None
            err.write(f"raised {type(error).__name__}: {error}")
    return status, out.getvalue(), err.getvalue(), time.process_time() - began


def judge(status: int | None, out: str, err: str, seconds: float) -> tuple[End, str]:
    """Return how one command ended."""
    steering = [each for each in out + err if not (each.isprintable() or each == "\n")]
    if status is None or "Traceback (most" in out + err or status >= 128:
        return End.TRACEBACK, err[-300:]
    if seconds > SECONDS_MAX:
        return End.HANG, f"{seconds:.0f} s of CPU time"
    if steering:
        return End.OTHER, f"steers the terminal with {steering[0]!r}"
    if status in {2, 125}:
        one_line = err.count("\n") == 1 and len(err) < 2000
        return (End.ONE_LINE, "") if one_line else (End.OTHER, f"no clear line: {err[:200]!r}")
    return (End.RESULT, "") if status in {0, 1} else (End.OTHER, f"exit status {status}")


def mistyped(content: bytes, true: dict[str, Any]) -> list[str]:
    """Return which fields of a file have another type than in a true finding; no reader may take them."""
    try:
        fields = json.loads(content)
        return [name for name, value in true.items() if type(fields[name]) is not type(value)]
    except (ValueError, TypeError, LookupError, RecursionError):
        return ["the whole"]


class _EnoughError(BaseException):
    """Ends a campaign at its first fault; Hypothesis lets it pass."""


def campaign(
    seed: int,
    tries: int,
    command: Callable[[list[str]], int] = heisenlab,
    guard: Guard | None = None,
    *,
    to_first_fault: bool = False,
) -> Tally:
    """Try mutants of true findings on `replay`, `explain`, `export` and `step`."""
    tally = Tally("findings", seed)
    guard = guard or Guard()
    true = true_findings()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "finding.json")

        @hypothesis.seed(seed)
        @settings(
            max_examples=tries,
            phases=(Phase.generate,),
            database=None,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        )
        @given(st.data())
        def attempt(data: Any) -> None:
            finding = data.draw(st.sampled_from(true))
            content = as_text(mutate(finding, data), data)
            path.write_bytes(content)
            words = ["replay", str(path)]
            words = data.draw(
                st.sampled_from(
                    [
                        words,
                        words,
                        [*words, "--json"],
                        [*words, "--trace"],
                        ["explain", str(path)],
                        ["export", str(path)],
                        ["step", finding["scenario"], str(path), "--json"],
                    ]
                )
            )
            before = (threading.active_count(), sorted(Path(folder).iterdir()))
            guard.seen.clear()
            guard.active = True
            try:
                end, why = judge(*call(command, words))
            finally:
                guard.active = False
            if guard.seen:
                end, why = End.CODE_RUN, guard.seen[0]
            elif (
                threading.active_count(),
                sorted(Path(folder).iterdir()),
            ) != before or path.read_bytes() != content:
                end, why = End.LEFT_BEHIND, "a thread or a file"
            elif end is End.RESULT and (wrong := mistyped(content, finding)):
                end, why = End.OTHER, f"took {wrong[0]} of another type"
            tally.count(end, f"{why}; {' '.join(words[:1])} of {content[:3000]!r}")
            if to_first_fault and tally.faults:
                raise _EnoughError

        with contextlib.suppress(_EnoughError):
            attempt()
    return tally


def usable(finding: dict[str, Any]) -> bool:
    """Return whether a true finding goes through a file unchanged, as the campaign presumes."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "finding.json")
        path.write_text(json.dumps(finding))
        return load_finding(path).to_json() == finding


if __name__ == "__main__":
    sys.exit(main(campaign, __doc__, size=1000))
