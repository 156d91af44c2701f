"""The rules of the house, over source code as text: each returns the places that break it, with the way out.

`tests/test_house.py` applies them to the tree, and shows that each of them finds a planted violation.
"""

from __future__ import annotations

import ast
import json
import re
import sys
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Final, NamedTuple, TypeGuard

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

LINES_OF_A_FUNCTION_MAX: Final = 70
LINES_OF_A_FILE_MAX: Final = 600

TOP_LEVEL: Final = frozenset(
    {
        *("pyproject.toml", "README.md", "LICENSE", "CHANGELOG.md", "conftest.py"),
        *("simulations", "scenarios", "tests", "docs"),
    }
)
"""What the owner of the project fixed, the usual files, and the conftest that loads the plugin."""

OPEN_ON_PURPOSE: Final = frozenset({("scenarios.lab.scenario", "scenarios.lab.hunt")})
"""The one import that may close a circle: `Scenario.hunt` is what a user types."""


OF_OTHERS: Final = frozenset({("simulations/live/threads/control/carriers.py", "self.thread.name")})
"""What is written to an object of the standard library, by an attribute that a class of ours has too."""


class Violation(NamedTuple):
    """A place that breaks a rule, and the way out."""

    file: str
    line: int
    says: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.says}"


@dataclass(frozen=True)
class Room:
    """A part of the tree, and what it may import besides itself and the standard library."""

    name: str
    may: tuple[str, ...] = ()
    third_party: tuple[str, ...] = ()


_CONTRACT: Final = ("simulations.choices", "simulations.trace", "simulations.errors")
_INSTRUMENTS: Final = (
    "simulations.live.threads",
    "simulations.live.state_machines",
    "simulations.live.memory",
    "simulations.live.recorder",
)
_WORLDS: Final = (
    "simulations.mode_machine",
    "simulations.cache",
    "simulations.batch_job",
    "simulations.address_space",
)
_THREADS: Final = "simulations.live.threads"

ROOMS: Final = (
    Room("simulations"),
    Room("simulations.drawing.png", ("simulations",), ("cairosvg",)),
    Room("simulations.mode_machine", ("simulations",)),
    Room("simulations.cache", ("simulations", f"{_THREADS}.control")),
    Room("simulations.batch_job", ("simulations",), ("simpy",)),
    Room("simulations.address_space", ("simulations",)),
    Room("simulations.live", ("simulations",)),
    Room(_THREADS, ("simulations", f"{_THREADS}.control", f"{_THREADS}.search")),
    Room(f"{_THREADS}.control", ("simulations", _THREADS), ("js", "pyodide")),  # these in a browser only
    Room(f"{_THREADS}.search", ("simulations", _THREADS, f"{_THREADS}.control")),
    Room("simulations.live.state_machines", ("simulations",)),
    Room("simulations.live.memory", ("simulations",), ("psutil",)),
    Room("simulations.live.recorder", ("simulations",), ("psutil",)),
    Room("scenarios", ("scenarios.lab",)),
    Room("scenarios.lab", ("simulations",), ("hypothesis",)),
    Room("scenarios.lab.method", ("simulations", "scenarios.lab"), ("hypothesis", "distributed", "dask")),
    Room(
        "scenarios.lab.adaptors",
        ("simulations", "scenarios.lab", *_INSTRUMENTS),
        ("hypothesis", "pytest", "_pytest"),
    ),
    Room(
        "scenarios.lab.commands",
        (
            *("simulations", "simulations.drawing.png"),
            *("scenarios", "scenarios.lab", "scenarios.lab.adaptors", "scenarios.lab.method"),
            "scenarios.lab.teaching",
            *_INSTRUMENTS,
            *_WORLDS,
        ),
        ("rich",),
    ),
    Room("scenarios.lab.teaching", ("simulations", "scenarios.lab", "scenarios.lab.method"), ("hypothesis",)),
    Room("scenarios.lab.teaching.classroom", ("simulations",), ("hypothesis", "pytest")),
    Room("scenarios.lab.start", ("scenarios.lab", "scenarios.lab.commands"), ("pytest",)),  # entry points
    Room("scenarios.lab.commands.__main__", ("scenarios.lab.start",)),
    Room(
        "scenarios.lab.pytest_plugin",
        ("simulations", "scenarios.lab"),
        ("hypothesis", "pytest", "_pytest", "pytest_timeout", "rich"),
    ),
    *(
        Room(
            f"scenarios.{story}",
            ("simulations", "scenarios.lab", "scenarios.lab.adaptors", world, *_INSTRUMENTS),
            ("hypothesis", "pytest"),
        )
        for story, world in (
            ("invalid_mode", "simulations.mode_machine"),
            ("stale_cache", "simulations.cache"),
            ("vanishing_job", "simulations.batch_job"),
            ("truncated_pointer", "simulations.address_space"),
        )
    ),
)
"""A module belongs to the room with the longest name that fits. The engine imports no instrument, no world
and no story; an instrument imports no other and no world. The cache world stands on the scheduler, which is
the one arrow from a world to an instrument."""


class Import(NamedTuple):
    """An import of one of our modules or of a package, wherever it stands."""

    target: str
    line: int


@dataclass(frozen=True)
class Tree:
    """Source code by path, such as `simulations/trace.py`, and what it says."""

    sources: Mapping[str, str]

    @cached_property
    def parsed(self) -> dict[str, ast.Module]:
        """The syntax trees of the Python files."""
        return {path: ast.parse(text) for path, text in self.sources.items() if path.endswith(".py")}

    @cached_property
    def modules(self) -> dict[str, str]:
        """The paths of the modules that are shipped, by dotted name."""
        shipped = (path for path in self.parsed if path.startswith(("simulations/", "scenarios/")))
        return {dotted(path): path for path in shipped}

    def imports(self, path: str) -> Iterator[Import]:
        """Yield what a file imports, also for types only and inside functions."""
        for node in ast.walk(self.parsed[path]):
            if isinstance(node, ast.Import):
                yield from (Import(name.name, node.lineno) for name in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module:
                for name in node.names:
                    whole = f"{node.module}.{name.name}"
                    yield Import(whole if whole in self.modules else node.module, node.lineno)


def dotted(path: str) -> str:
    """Return the module that a file is, such as `simulations.trace`."""
    return path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def _within(name: str, package: str) -> bool:
    return name == package or name.startswith(f"{package}.")


def room_of(module: str) -> Room:
    """Return the room with the longest name that a module lies in."""
    return max((room for room in ROOMS if _within(module, room.name)), key=lambda room: len(room.name))


def layers(tree: Tree) -> list[Violation]:
    """Who imports what it may not."""
    found = []
    for module, path in tree.modules.items():
        room = room_of(module)
        for target, line in tree.imports(path):
            top = target.partition(".")[0]
            if top in {"simulations", "scenarios"}:
                other = room_of(target).name
                if other not in {room.name, *room.may}:
                    found.append(
                        Violation(
                            path,
                            line,
                            f"{room.name} may not import {target}; it may import "
                            f"{', '.join(room.may) or 'nothing of ours'}: move what both need down a layer",
                        )
                    )
            elif top not in sys.stdlib_module_names and top not in room.third_party:
                known = ", ".join(room.third_party) or "the standard library only"
                found.append(
                    Violation(path, line, f"{room.name} may not import {top}; it may import {known}")
                )
    return found


def circles(tree: Tree) -> list[Violation]:
    """Circles of imports, also through imports for types only and inside functions."""
    graph: dict[str, dict[str, int]] = {}
    for module, path in tree.modules.items():
        graph[module] = {
            target: line
            for target, line in tree.imports(path)
            if target in tree.modules and target != module and (module, target) not in OPEN_ON_PURPOSE
        }
    found = []
    for members in _components(graph):
        start = min(members)
        following, line = next((name, line) for name, line in graph[start].items() if name in members)
        found.append(
            Violation(
                tree.modules[start],
                line,
                f"a circle of imports: {', '.join(sorted(members))}; {start} imports {following}: "
                f"move what both need into a module below them",
            )
        )
    return found


def _components(graph: Mapping[str, Iterable[str]]) -> list[set[str]]:
    """Return the strongly connected sets of two and more (Tarjan, SIAM J. Comput. 1972)."""
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    found: list[set[str]] = []

    def visit(node: str) -> None:
        index[node] = low[node] = len(index)
        stack.append(node)
        for other in graph[node]:
            if other not in index:
                visit(other)
                low[node] = min(low[node], low[other])
            elif other in stack:
                low[node] = min(low[node], index[other])
        if low[node] == index[node]:
            members = set()
            while node not in members:
                members.add(stack.pop())
            if len(members) > 1:
                found.append(members)

    for node in graph:
        if node not in index:
            visit(node)
    return found


def sizes(tree: Tree) -> list[Violation]:
    """Functions and files that are too long to be read at one go."""
    found = []
    for path, module in tree.parsed.items():
        lines = tree.sources[path].count("\n")
        if lines > LINES_OF_A_FILE_MAX:
            found.append(
                Violation(
                    path, 1, f"{lines} lines, at most {LINES_OF_A_FILE_MAX}: part it by what it is about"
                )
            )
        for node in ast.walk(module):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.end_lineno is not None:
                long = node.end_lineno - node.lineno + 1
                if long > LINES_OF_A_FUNCTION_MAX:
                    says = f"{node.name} has {long} lines, at most {LINES_OF_A_FUNCTION_MAX}: name its parts"
                    found.append(Violation(path, node.lineno, says))
    return found


def top_level(paths: Iterable[str]) -> list[Violation]:
    """What stands at the top level and is not what the owner fixed."""
    tops = {path.partition("/")[0] for path in paths}
    return [
        Violation(name, 1, "does not belong at the top level: put it below docs/ or tests/")
        for name in sorted(tops - TOP_LEVEL)
        if not name.startswith(".")
    ]


def _bound(statement: ast.stmt) -> Iterator[tuple[str, int]]:
    """Yield the names that a statement at module level binds, imports apart."""
    if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        yield statement.name, statement.lineno
    elif isinstance(statement, ast.Assign):
        for target in statement.targets:
            for node in ast.walk(target):
                if isinstance(node, ast.Name):
                    yield node.id, statement.lineno
    elif isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
        yield statement.target.id, statement.lineno


def unused(tree: Tree) -> list[Violation]:
    """Names at module level that nothing uses: not the module, no other, no test, no page."""
    used: dict[str, set[str]] = {}
    for path, module in tree.parsed.items():
        used[path] = set(_used(module))
    pages = set(re.findall(r"\w+", " ".join(text for path, text in tree.sources.items() if path not in used)))
    found = []
    for path in tree.modules.values():
        elsewhere = pages.union(*(names for other, names in used.items() if other != path))
        for statement in tree.parsed[path].body:
            for name, line in _bound(statement):
                hook = name.startswith(("__", "pytest_", "test_"))
                if not hook and name not in used[path] and name not in elsewhere:
                    found.append(Violation(path, line, f"nothing uses {name}: delete it"))
    return found


def _used(module: ast.Module) -> Iterator[str]:
    for node in ast.walk(module):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
            yield node.id
        elif isinstance(node, ast.Attribute):
            yield node.attr
        elif isinstance(node, ast.ImportFrom):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            # A name in quotes: an annotation, an entry of `__all__`, something looked up by name.
            yield from re.findall(r"\w+", node.value)


def exported(module: ast.Module) -> dict[str, int] | None:
    """Return what `__all__` lists and at which line; None where there is none."""
    for statement in module.body:
        targets = [statement.target] if isinstance(statement, ast.AnnAssign) else []
        targets = statement.targets if isinstance(statement, ast.Assign) else targets
        if any(isinstance(target, ast.Name) and target.id == "__all__" for target in targets):
            value = getattr(statement, "value", None)
            if isinstance(value, ast.List | ast.Tuple):
                return {
                    item.value: item.lineno
                    for item in value.elts
                    if isinstance(item, ast.Constant) and isinstance(item.value, str)
                }
    return None


def public_names(tree: Tree) -> list[Violation]:
    """One border of the public interface: `__all__`, the reference pages, and what the pages import agree."""
    shown: dict[str, str] = {}
    for path, text in tree.sources.items():
        if path.startswith("docs/reference/"):
            shown |= dict.fromkeys(re.findall(r"automodule:: ([\w.]+)\n(?!   :no-members:)", text), path)
    found = []
    public: dict[str, set[str]] = {}
    for module, page in shown.items():
        path = tree.modules.get(module)
        if path is None:
            found.append(Violation(page, 1, f"shows {module}, which does not exist: take it off the page"))
            continue
        names = exported(tree.parsed[path])
        if names is None:
            found.append(Violation(path, 1, f"{page} shows it, so it needs __all__: list what is public"))
        public[module] = set(names or ())
    for module, path in tree.modules.items():
        if module not in shown and exported(tree.parsed[path]):
            found.append(Violation(path, 1, "has an __all__ and is on no reference page: add it to one"))
    for path, line, module, name in _taught(tree):
        if f"{module}.{name}" in tree.modules or (name is None and module in tree.modules):
            continue
        if name not in public.get(module, ()):
            way_out = "import what a reference page shows, or export it there"
            found.append(
                Violation(path, line, f"imports {name} from {module}, which is not public: {way_out}")
            )
    return found


def _taught(tree: Tree) -> Iterator[tuple[str, int, str, str | None]]:
    """Yield what README, pages and notebooks import of ours: file, line, module, name."""
    for path, text in tree.sources.items():
        if path.endswith(".md"):
            blocks = [
                (text[: match.start(1)].count("\n"), match.group(1))
                for match in re.finditer(r"```python\n(.*?)```", text, re.DOTALL)
            ]
        elif path.endswith(".ipynb"):
            cells = json.loads(text)["cells"]
            blocks = [(0, "".join(cell["source"])) for cell in cells if cell["cell_type"] == "code"]
        else:
            continue
        for offset, block in blocks:
            for match in _IMPORT.finditer(block):
                line = offset + 1 + block[: match.start()].count("\n")
                module, names, whole = match.groups()
                if whole is not None:
                    yield path, line, whole, None
                else:
                    yield from ((path, line, module, name) for name in re.findall(r"(?:^|,)\s*(\w+)", names))


_IMPORT: Final = re.compile(
    r"^[ \t]*(?:from ((?:simulations|scenarios)[\w.]*) import \(?([\w\s,]+)"
    r"|import ((?:simulations|scenarios)[\w.]*))",
    re.MULTILINE,
)
"""An import of ours; by its look, since a page also shows code that is not whole."""


def owners(tree: Tree) -> list[Violation]:
    """Who writes an attribute of an object that another module defines, in place of asking it to.

    What counts: an attribute that a class of the same room or instrument keeps, and none of the same file, of
    something that is not `self` and was not made in the function. Inside a file classes may know each other.
    """
    kept: dict[tuple[str, str], set[str]] = {}
    for module, path in tree.modules.items():
        for name in _kept(tree.parsed[path]):
            kept.setdefault((_part(module), name), set()).add(path)
    found = []
    for module, path in tree.modules.items():
        for node in _written(tree.parsed[path]):
            at = kept.get((_part(module), node.attr), set())
            text = ast.unparse(node)
            if at and path not in at and (path, text) not in OF_OTHERS:
                says = f"writes {text}, which {min(at)} keeps: give it a method that says what is to be done"
                found.append(Violation(path, node.lineno, says))
    return found


def _part(module: str) -> str:
    """Return the instrument that a module belongs to, or else its room."""
    return next((name for name in _INSTRUMENTS if _within(module, name)), room_of(module).name)


def _kept(module: ast.Module) -> Iterator[str]:
    """Yield the attributes that the classes of a module keep."""
    for defined in ast.walk(module):
        if isinstance(defined, ast.ClassDef):
            for node in ast.walk(defined):
                if (
                    isinstance(node, ast.AnnAssign)
                    and isinstance(node.target, ast.Name)
                    and node in defined.body
                ):
                    yield node.target.id
                elif _stored(node) and isinstance(node.value, ast.Name) and node.value.id == "self":
                    yield node.attr


def _stored(node: ast.AST) -> TypeGuard[ast.Attribute]:
    return isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store | ast.Del)


def _written(scope: ast.AST, made: frozenset[str] = frozenset({"self", "cls"})) -> Iterator[ast.Attribute]:
    """Yield the attributes that are written of what was not made in the same function, or around it."""
    inner, nodes = [], list(ast.iter_child_nodes(scope))
    for node in nodes:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            inner.append(node)
        else:
            nodes += ast.iter_child_nodes(node)
    made |= {
        target.id
        for node in nodes
        if isinstance(node, ast.Assign) and _makes(node.value)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    for node in nodes:
        if _stored(node) and not (isinstance(node.value, ast.Name) and node.value.id in made):
            yield node
    for function in inner:
        yield from _written(function, made)


def _makes(value: ast.expr) -> bool:
    """Return whether an expression calls a class, by its look."""
    name = value.func if isinstance(value, ast.Call) else None
    last = name.attr if isinstance(name, ast.Attribute) else name.id if isinstance(name, ast.Name) else ""
    return last.lstrip("_")[:1].isupper()


def docstrings(tree: Tree) -> list[Violation]:
    """Public names without a docstring, constants included."""
    documented = {module: _documented(tree.parsed[path]) for module, path in tree.modules.items()}
    found = []
    for module, path in tree.modules.items():
        for name, line in (exported(tree.parsed[path]) or {}).items():
            if name in documented[module] or f"{module}.{name}" in tree.modules:
                continue
            origin = _origin(tree, path, name)
            if origin is None:
                found.append(Violation(path, line, f"__all__ lists {name}, which is not there: take it out"))
            elif name not in documented.get(origin, ()):
                found.append(
                    Violation(path, line, f"{name} is public and has no docstring in {origin}: write it")
                )
    return found


def _documented(module: ast.Module) -> set[str]:
    """Return the names at module level that have a docstring; a constant's stands below it."""
    names = set()
    for statement, below in zip(module.body, [*module.body[1:], None], strict=True):
        bound = [name for name, _ in _bound(statement)]
        if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            told = ast.get_docstring(statement) is not None
        else:
            told = (
                isinstance(below, ast.Expr)
                and isinstance(below.value, ast.Constant)
                and isinstance(below.value.value, str)
            )
        if told:
            names.update(bound)
    return names


def _origin(tree: Tree, path: str, name: str) -> str | None:
    """Return the module that defines a name which a module exports; None if it is not there."""
    module = tree.parsed[path]
    if any(name == bound for statement in module.body for bound, _ in _bound(statement)):
        return dotted(path)
    for node in module.body:
        if isinstance(node, ast.ImportFrom) and node.module in tree.modules:
            for alias in node.names:
                if (alias.asname or alias.name) == name:
                    return _origin(tree, tree.modules[node.module], alias.name)
    return None
