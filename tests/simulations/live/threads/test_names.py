"""No name in the user's program decides anything: not of an attribute, a method, a variable, a module."""

import ast
import functools
import sys
import threading
from collections import deque
from pathlib import Path
from types import ModuleType

import pytest

from simulations.live.threads import explore
from tests.quality.threads import thread_programs

PROGRAMS = (
    "account_transfer",
    "check_then_act_on_a_dict",
    "dict_changes_during_iteration",
    "stack",
    "lock_order",
    "double_checked_locking",
    "use_before_initialisation",
    "closure_and_global",
)
SCHEDULES_MAX = 120
HOSTILE = (
    "release",
    "_shutdown",
    "__repr__",
    "wait",
    "_release_save",
    "__exit__",
    "_is_owned",
    "start",
    "tried",
    "_flag",
    "acquire",
    "get",
    "locked",
    "join",
    "_after_fork",
    "is_set",
    "namedtuple_",
)
"""Names that mean something in the standard library, or did to the instrument."""


class Flagged:
    def __init__(self):
        self.flag = False
        self.seen = None

    def work(self):
        self.flag = True
        self.flag = False

    def look(self):
        self.seen = self.flag


def flag_is_not_seen(state):
    return not state.seen


def with_names(attribute, method):
    """The same program, with one attribute and one method called otherwise."""
    source = (
        "class Flagged:\n"
        "    def __init__(self):\n"
        f"        self.{attribute} = False\n"
        "        self.seen = None\n"
        f"    def {method}(self):\n"
        f"        self.{attribute} = True\n"
        f"        self.{attribute} = False\n"
        "    def look(self):\n"
        f"        self.seen = self.{attribute}\n"
    )
    space = {"__name__": "named"}
    exec(compile(source, "named.py", "exec"), space)
    return space["Flagged"], space["Flagged"].__dict__[method]


def shown(result):
    return result.verdict, result.schedules, result.preemptions, result.deviations


@functools.cache
def reference(searcher):
    return shown(explore(Flagged, [Flagged.work, Flagged.look], flag_is_not_seen, searcher=searcher))


@pytest.mark.parametrize(
    ("name", "searcher"),
    [*((name, "portfolio") for name in HOSTILE), ("release", "exhaustive"), ("_shutdown", "exhaustive")],
)
def test_an_attribute_and_a_method_may_have_any_name(name, searcher):
    for attribute, method in ((name, "work"), ("flag", name)):
        cls, work = with_names(attribute, method)
        result = explore(cls, {"work": work, "look": cls.look}, flag_is_not_seen, searcher=searcher)
        assert shown(result) == reference(searcher)


MODULES = (
    *("json", "json.decoder", "logging", "warnings", "inspect", "typing", "unittest", "enum", "threading"),
    *("queue", "functools", "random", "concurrent.futures.thread", "pytest", "_pytest.x", "hypothesis"),
    *("coverage", "pluggy", "debugpy.x", "importlib._bootstrap", "simulations.live.threads", "__main__"),
)
"""Names of modules that mean something to Python, to tools of tests, or to the instrument."""


def in_module(name, path):
    """The same program in a module of this name, in a file of this name."""
    source = (
        "class Flagged:\n"
        "    def __init__(self):\n"
        "        self.flag, self.seen = False, None\n"
        "    def work(self):\n"
        "        self.flag = True\n"
        "        self.flag = False\n"
        "    def look(self):\n"
        "        self.seen = self.flag\n"
    )
    space = {"__name__": name}
    exec(compile(source, str(path / f"{name.replace('.', '/')}.py"), "exec"), space)
    return space["Flagged"]


@pytest.mark.parametrize("name", MODULES)
def test_a_module_may_have_any_name(name, tmp_path):
    cls = in_module(name, tmp_path)
    result = explore(cls, {"work": cls.work, "look": cls.look}, flag_is_not_seen)
    assert shown(result) == reference("portfolio")


LIBRARY = {"lock", "amount"} | {
    name
    for kind in (list, dict, set, deque, threading.Thread, threading.Condition, threading.Event)
    for name in dir(kind)
}
"""Names of the bench that are not its own, or that its frame uses."""


class Renamed(ast.NodeTransformer):
    """Calls the attributes and methods of each program of the bench by hostile names."""

    def __init__(self):
        self.names = {}

    def visit_FunctionDef(self, node):
        if node.col_offset == 0:
            self.names = dict(zip(own_names(node), HOSTILE, strict=False))
        self.generic_visit(node)
        return node

    def visit_ClassDef(self, node):
        for member in node.body:
            if isinstance(member, ast.FunctionDef):
                member.name = self.names.get(member.name, member.name)
        self.generic_visit(node)
        return node

    def visit_Attribute(self, node):
        self.generic_visit(node)
        node.attr = self.names.get(node.attr, node.attr)
        return node

    def visit_Call(self, node):
        self.generic_visit(node)
        if getattr(node.func, "id", "") == "Box":
            for keyword in node.keywords:
                keyword.arg = self.names.get(keyword.arg, keyword.arg)
        return node


def own_names(program):
    """The attributes and methods that a program makes itself."""
    names = []
    for node in ast.walk(program):
        if isinstance(node, ast.ClassDef):
            names += [member.name for member in node.body if isinstance(member, ast.FunctionDef)]
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            names.append(node.attr)
        elif isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Box":
            names += [keyword.arg for keyword in node.keywords]
    return [name for name in dict.fromkeys(names) if name not in LIBRARY and not name.startswith("__")]


def renamed_module(folder, original):
    name = f"renamed_{Path(original.__file__).stem}"
    path = folder / f"{name}.py"
    path.write_text(ast.unparse(Renamed().visit(ast.parse(Path(original.__file__).read_text()))))
    module = ModuleType(name)
    sys.modules[name] = module
    exec(compile(path.read_text(), str(path), "exec"), vars(module))
    return module


@pytest.fixture(scope="module")
def renamed(tmp_path_factory):
    """The programs of the bench, by name, under hostile names."""
    folder = tmp_path_factory.mktemp("renamed")
    modules = [renamed_module(folder, module) for module in thread_programs.MODULES]
    yield {program.name: program for module in modules for program in module.PROGRAMS}
    for module in modules:
        del sys.modules[module.__name__]


@pytest.mark.parametrize("fixed", [False, True], ids=["broken", "repaired"])
@pytest.mark.parametrize("name", PROGRAMS)
def test_a_program_of_the_bench_may_use_any_names(name, fixed, renamed):
    as_it_is = {program.name: program for program in thread_programs.PROGRAMS}[name].make(fixed)
    other = renamed[name].make(fixed)
    first = explore(as_it_is.setup, as_it_is.workers, as_it_is.check, max_schedules=SCHEDULES_MAX)
    second = explore(other.setup, other.workers, other.check, max_schedules=SCHEDULES_MAX)
    assert shown(second) == shown(first)


def test_the_names_are_hostile_indeed(renamed):
    state = renamed["account_transfer"].make(False).setup()
    assert set(vars(state)) & set(HOSTILE)
