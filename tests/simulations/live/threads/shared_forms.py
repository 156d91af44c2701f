"""Programs that lose an update: a kind of shared object, with every form of reading and of writing it.

A program is made of one form of each: `v` is what was read, and what is written is `v + 1`. It is valid if
two workers, one after the other, bring the value to 2.
"""

from __future__ import annotations

from itertools import cycle, islice
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator


class Kind(NamedTuple):
    """A kind of shared object.

    Attributes:
        make: Statements that make it, as `s.x`.
        value: An expression for the number that two workers should have brought to 2.
        reads: Forms of reading it, as statements that set `v`.
        writes: Forms of writing `v + 1`.
        prelude: What the program defines besides.
    """

    make: str
    value: str
    reads: tuple[str, ...]
    writes: tuple[str, ...]
    prelude: str = ""


KINDS: Final[dict[str, Kind]] = {
    "list": Kind(
        "s.x = [0]",
        "s.x[0]",
        (
            "v = (lambda a: a)(*s.x)",
            "v = max(*s.x, -1)",
            "v = list(itertools.starmap(max, [(a, 0) for a in s.x]))[0]",
            "match s.x:\n    case [v]: pass",
            "def g():\n    yield from s.x\nv = next(g())",
            "v = operator.methodcaller('__getitem__', 0)(s.x)",
            "v = int(pprint.pformat(s.x)[1:-1])",
        ),
        (
            "s.x[0] = v + 1",
            "list(map(s.x.__setitem__, [0], [v + 1]))",
            "for s.x[0] in [v + 1]: pass",
            "with contextlib.ExitStack() as stack: stack.callback(s.x.__setitem__, 0, v + 1)",
            "re.sub('a', lambda _: s.x.__setitem__(0, v + 1) or '', 'a')",
            "threading.Thread(target=s.x.__setitem__, args=(0, v + 1)).run()",
            "contextvars.copy_context().run(s.x.__setitem__, 0, v + 1)",
        ),
    ),
    "dict": Kind(
        "s.x = {'n': 0}",
        "s.x['n']",
        (
            "v = (lambda n: n)(**s.x)",
            "match s.x:\n    case {'n': v}: pass",
            "v = int('%(n)s' % s.x)",
            "v = int(string.Template('$n').substitute(s.x))",
            "v = max(map(s.x.get, ['n']))",
        ),
        (
            "s.x |= {'n': v + 1}",
            "operator.ior(s.x, {'n': v + 1})",
            "s.x.pop('n'); s.x.setdefault('n', v + 1)",
        ),
    ),
    "attribute": Kind(
        "s.x = Box(0)",
        "s.x.n",
        (
            "v = copy.copy(s.x).n",
            "v = s.x.__reduce_ex__(2)[2]['n']",
            "match s.x:\n    case Box(n=v): pass",
            "v = int(string.Formatter().format('{0.n}', s.x))",
        ),
        (
            "s.x.__dict__ = {'n': v + 1}",
            "list(map(setattr, [s.x], ['n'], [v + 1]))",
            "threading.Timer(0, setattr, (s.x, 'n', v + 1)).run()",
            "unittest.mock.patch.object(s.x, 'n', v + 1).start()",
        ),
        "import unittest.mock",
    ),
    "slot": Kind(
        "s.x = Slots()",
        "s.x.n",
        ("v = Slots.n.__get__(s.x)", "v = copy.copy(s.x).n"),
        ("Slots.n.__set__(s.x, v + 1)", "s.x.n = v + 1"),
    ),
    "pickled": Kind(
        "s.x = Box(0)",
        "s.x.n",
        ("v = pickle.loads(pickle.dumps(s.x)).n", "v = pickle.loads(pickle.dumps([s.x]))[0].n"),
        ("s.x.n = v + 1",),
        "Box.__reduce__ = object.__reduce__\nBox.__module__ = 'shared_forms_of_a_box'\n"
        "sys.modules[Box.__module__] = types.SimpleNamespace(Box=Box)",
    ),
    "SimpleNamespace": Kind(
        "s.x = types.SimpleNamespace(n=0)", "s.x.n", ("v = s.x.n",), ("s.x.__init__(n=v + 1)",)
    ),
    "exception": Kind("s.x = ValueError(0)", "s.x.args[0]", ("v = int(str(s.x))",), ("s.x.__init__(v + 1)",)),
    "environment": Kind(
        "os.environ['SHARED_FORM'] = '0'",
        "int(os.environ['SHARED_FORM'])",
        ("v = int(os.environ['SHARED_FORM'])", "v = int(os.getenv('SHARED_FORM'))"),
        ("os.environ['SHARED_FORM'] = str(v + 1)", "os.environ.update(SHARED_FORM=str(v + 1))"),
    ),
    "WeakKeyDictionary": Kind(
        "s.k = Box(0); s.x = weakref.WeakKeyDictionary({s.k: 0})",
        "s.x[s.k]",
        ("v = s.x[s.k]", "v = s.x.get(s.k)"),
        ("s.x[s.k] = v + 1", "s.x.update({s.k: v + 1})"),
    ),
    "memory": Kind(
        "s.x = memoryview(bytearray(1))",
        "s.x[0]",
        ("with memoryview(s.x) as m: v = m[0]", "v = s.x.cast('b')[0]", "v = struct.unpack('b', s.x)[0]"),
        ("with memoryview(s.x) as m: m[0] = v + 1", "io.BytesIO(bytes([v + 1])).readinto(s.x)"),
    ),
    "connection": Kind(
        "s.x = sqlite3.connect(':memory:', check_same_thread=False); s.x.execute('create table t (n)'); "
        "s.x.execute('insert into t values (0)')",
        "s.x.execute('select n from t').fetchone()[0]",
        ("v = s.x.execute('select n from t').fetchone()[0]", "(v,), = s.x.execute('select n from t')"),
        ("with s.x: s.x.execute('update t set n = ?', (v + 1,))",),
    ),
    "context of decimals": Kind(
        "s.x = decimal.Context(prec=1)",
        "s.x.prec - 1",
        ("v = s.x.prec - 1", "v = s.x.copy().prec - 1"),
        ("s.x.prec = v + 2", "decimal.setcontext(s.x); decimal.getcontext().prec = v + 2"),
    ),
    "logger": Kind(
        "L.setLevel(10)",
        "L.level - 10",
        ("v = L.level - 10", "v = L.getEffectiveLevel() - 10"),
        ("L.setLevel(v + 11)", "logging.getLogger('shared form').setLevel(v + 11)"),
        "L = logging.getLogger('shared form')",
    ),
    "what a logger is given": Kind(
        "s.x = [0]",
        "s.x[0]",
        ("L.warning('%s', s.x); v = int(H.said[1:-1])", "L.warning(s.x); v = int(H.said[1:-1])"),
        ("s.x[0] = v + 1",),
        "class Says(logging.Handler):\n    kept = threading.local()\n"
        "    def emit(self, record): self.kept.said = record.getMessage()\n"
        "    said = property(lambda self: self.kept.said)\n"
        "L = logging.getLogger('what it is given'); L.propagate = False; H = Says(); L.handlers[:] = [H]",
    ),
    "filters of warnings": Kind(
        "warnings.filters[:] = []",
        "len(warnings.filters)",
        ("v = len(warnings.filters)",),
        ("warnings.resetwarnings(); [warnings.filterwarnings('ignore', str(n)) for n in range(v + 1)]",),
    ),
    "header": Kind(
        "s.x = email.message.Message(); s.x['n'] = '0'",
        "int(s.x['n'])",
        ("v = int(s.x['n'])", "v = int(dict(s.x.items())['n'])"),
        ("s.x.replace_header('n', str(v + 1))",),
        "import email.message",
    ),
    "current folder": Kind(
        "os.makedirs(FOLDER + '/a/a/a', exist_ok=True); os.chdir(FOLDER)",
        "os.getcwd().count('/a')",
        ("v = os.getcwd().count('/a')",),
        ("os.chdir(FOLDER + '/a' * (v + 1))",),
    ),
    "mask of modes": Kind(
        "os.umask(0)",
        "(lambda m: os.umask(m) * 0 + m)(os.umask(0))",
        ("v = os.umask(0)",),
        ("os.umask(v + 1)",),
    ),
    "interval": Kind(
        "sys.setswitchinterval(0.005)",
        "round(sys.getswitchinterval() * 1000) - 5",
        ("v = round(sys.getswitchinterval() * 1000) - 5",),
        ("sys.setswitchinterval((v + 6) / 1000)",),
    ),
    "representation": Kind(
        "s.x = collections.UserDict(n=0)",
        "s.x['n']",
        ("v = int(repr(s.x)[6:-1])", "v = int(f'{s.x}'[6:-1])"),
        ("s.x.data = {'n': v + 1}", "s.x.update(n=v + 1)"),
    ),
}

LAYOUTS: Final = ("module", "nested", "main")

_PRELUDE: Final = """
import collections, contextlib, contextvars, copy, decimal, io, itertools, logging, operator, os, pickle
import pprint, re, sqlite3, string, struct, sys, threading, types, warnings, weakref

class Box:
    def __init__(self, n):
        self.n = n

class Slots:
    __slots__ = ("n",)
    def __init__(self):
        self.n = 0

class State:
    def __init__(self):
        self.lock = threading.Lock()
        s = self
        {make}
"""


def pairs(kind: Kind) -> Iterator[tuple[str, str]]:
    """Yield pairs of forms, so that each form of a kind is in one of them."""
    count = max(len(kind.reads), len(kind.writes))
    return islice(zip(cycle(kind.reads), cycle(kind.writes), strict=False), count)


def source(kind: Kind, read: str, write: str, *, layout: str, locked: bool) -> str:
    """Return a program that defines `State`, `worker` and `check`."""
    body = [*read.split("\n"), *write.split("\n")]
    if locked:
        body = ["with s.lock:", *(f"    {line}" for line in body)]
    functions = [
        "def worker(s):",
        *(f"    {line}" for line in body),
        "def check(s):",
        f"    return bool(({kind.value}) == 2)",
    ]
    if layout == "nested":
        functions = ["def outer():", *(f"    {line}" for line in functions), "    return worker, check"]
        functions.append("worker, check = outer()")
    return "\n".join((_PRELUDE.replace("{make}", kind.make), kind.prelude, *functions, ""))
