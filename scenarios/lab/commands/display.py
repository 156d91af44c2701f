"""What the command prints: tables and colour on a terminal, plain lines elsewhere."""

from __future__ import annotations

import shlex
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from scenarios.lab.finding import encode_input
from scenarios.lab.scenario import Exhausted, Finds

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from scenarios.lab.doctor import Fingerprint
    from scenarios.lab.finding import Finding
    from scenarios.lab.hunt import Hunt
    from scenarios.lab.replay import Replay
    from scenarios.lab.scenario import Property, Scenario, Variant
    from scenarios.lab.searchers import Tally

_REDRAWN_EVERY_RUNS: Final = 10
_COLOURS: Final = {"found": "red", "exhausted": "green", "gave up": "yellow"}


def print_rows(header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a table: drawn on a terminal, aligned columns of plain text elsewhere."""
    console = Console()
    if console.is_terminal:
        table = Table()
        for name in header:
            table.add_column(name, overflow="fold")
        for row in rows:
            table.add_row(*(escape(cell) for cell in row))
        console.print(table)
        return
    widths = [max(len(row[column]) for row in [header, *rows]) for column in range(len(header))]
    for row in [header, *rows]:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def print_facts(facts: Sequence[tuple[str, str]]) -> None:
    """Print names and values: wrapped beside each other on a terminal, a line each elsewhere."""
    console = Console()
    if console.is_terminal:
        grid = Table.grid(padding=(0, 2))
        for name, value in facts:
            grid.add_row(f"[bold]{escape(name)}[/]", escape(value))
        console.print(grid)
        return
    width = max(len(name) for name, _ in facts)
    for name, value in facts:
        print(f"{name.ljust(width)}  {value}")


@contextmanager
def progress(what: str) -> Iterator[Callable[[Tally], None]]:
    """Draw a progress bar on the standard error where that is a terminal; yields what to call after a run."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task(what)

        def watch(tally: Tally) -> None:
            if tally.runs % _REDRAWN_EVERY_RUNS == 1:
                bar.update(
                    task, description=f"{what}: {tally.phase}", total=tally.limit, completed=tally.runs
                )

        yield watch


def summary(scenario: Scenario) -> dict[str, Any]:
    """Return a scenario's row in the catalogue, as JSON-able data."""
    return {
        "name": scenario.name,
        "title": scenario.title,
        "hidden_input": scenario.hidden_input,
        "question": scenario.question,
        "variants": [variant.name for variant in scenario.variants],
    }


def whole(scenario: Scenario) -> dict[str, Any]:
    """Return everything about a scenario, as JSON-able data."""
    story = scenario.story
    return {
        **summary(scenario),
        "story": {
            "who": story.who,
            "symptom": story.symptom,
            "believed": story.believed,
            "root_cause": story.root_cause,
            "lesson": story.lesson,
        },
        "assumptions": {each.name: each.statement for each in scenario.assumptions},
        "properties": {check.__name__: _claim(check) for check in scenario.properties},
        "variants": [
            {
                "name": variant.name,
                "kind": variant.kind,
                "summary": variant.summary,
                "expected": expected(variant),
            }
            for variant in scenario.variants
        ],
        "inputs": [encode_input(given) for given in scenario.ladder],
    }


def expected(variant: Variant) -> str:
    """Say what a hunt of a variant must come to."""
    if isinstance(variant.expect, Finds):
        return f"{variant.expect.by} fails"
    if isinstance(variant.expect, Exhausted):
        return f"exhausted at {variant.expect.deviations} deviation{'s'[: variant.expect.deviations != 1]}"
    return f"not found in {variant.expect.runs} runs"


def _claim(check: Property) -> str:
    return " ".join((check.__doc__ or "").split("\n\n")[0].split())


def print_catalogue(scenarios: Sequence[Scenario]) -> None:
    """Print a row per scenario."""
    rows = [(each.name, each.title, each.hidden_input, str(len(each.variants))) for each in scenarios]
    print_rows(("name", "title", "hidden input", "variants"), rows)


def print_scenario(scenario: Scenario) -> None:
    """Print a scenario's story, its assumptions, properties and variants."""
    story = scenario.story
    print_facts(
        [
            (scenario.name, scenario.title),
            ("who", story.who),
            ("symptom", story.symptom),
            ("believed", story.believed),
            ("root cause", story.root_cause),
            ("lesson", story.lesson),
            ("hidden input", scenario.hidden_input),
            ("asked", scenario.question),
        ]
    )
    print()
    if scenario.assumptions:
        print_rows(("assumed", "that"), [(each.name, each.statement) for each in scenario.assumptions])
        print()
    print_rows(("property", "claim"), [(check.__name__, _claim(check)) for check in scenario.properties])
    print()
    rows = [(each.name, each.kind, expected(each), each.summary) for each in scenario.variants]
    print_rows(("variant", "kind", "expected", "what was changed"), rows)
    print(f"\nhunt it: heisenlab hunt {scenario.name}")


def print_hunt(result: Hunt, saved_as: str | None) -> None:
    """Print what a hunt came to."""
    console = Console(soft_wrap=True)
    colour = _COLOURS[result.verdict]
    console.print(
        f"{escape(result.scenario)} / {escape(result.variant)}: [bold {colour}]{result.verdict}[/]",
        highlight=False,
    )
    found = result.finding
    spent = f"{result.search_runs} to search ({result.searcher}, seed {result.seed})"
    if found is None:
        print_facts([("verdict", result.says), ("runs", spent), ("time", f"{result.seconds:.2f} s")])
        return
    facts = [
        ("plan", found.plan_in_words),
        ("fails", f"{found.by}: {found.message}"),
        ("minimality", found.minimality),
        ("input", ", ".join(f"{key}={value}" for key, value in found.input.items())),
        ("runs", f"{spent}, {result.minimising_runs} to minimise"),
        ("digest", found.digest),
        ("verified", found.verified),
        ("time", f"{result.seconds:.2f} s"),
    ]
    if saved_as:
        facts.append(("replay", f"heisenlab replay {shlex.quote(saved_as)}"))
    print_facts(facts)


def print_replay(finding: Finding, result: Replay, *, with_trace: bool) -> None:
    """Print what a replay came to."""
    console = Console(soft_wrap=True)
    if with_trace:
        for event in result.outcome.run.trace:
            console.print(str(event), highlight=False, markup=False)
    said = {
        "identical": "[bold red]reproduced[/], identical to the finding",
        "differs": "[bold red]fails[/], but the trace is another one than in the finding",
        "holds": "[bold green]holds[/]: the finding does not show here",
    }[result.result]
    console.print(f"{escape(finding.scenario)} / {escape(finding.variant)}: {said}", highlight=False)
    failure = result.outcome.failure
    facts = [("plan", finding.plan_in_words), ("digest", result.digest)]
    if failure:
        facts.insert(1, ("fails", f"{failure.by}: {failure.message}"))
    if result.result != "identical":
        facts.append(("was", f"{finding.by}: {finding.message}; digest {finding.digest}"))
        facts += [
            ("changed since", line) for line in result.changed or ["nothing that the fingerprint shows"]
        ]
    print_facts(facts)


def print_fingerprint(of: Fingerprint, wrong: Sequence[str]) -> None:
    """Print what identifies the code under test, and what is wrong with it."""
    dirty = {True: ", with uncommitted changes", False: ", clean", None: ""}[of["dirty"]]
    facts = [
        *((f"{package} from", path) for package, path in of["paths"].items()),
        ("python", f"{of['python']} ({of['implementation']}, {of['platform']})"),
        ("heisenlab", f"installed {of['installed'] or 'no'}, source {of['source'] or 'not in a checkout'}"),
        ("commit", f"{of['commit'] or 'not in a git checkout of heisenlab'}{dirty}"),
        *((name, version or "missing") for name, version in of["versions"].items()),
        *(("problem", line) for line in wrong),
    ]
    print_facts(facts)
    if not wrong:
        print("\nno problem found")
