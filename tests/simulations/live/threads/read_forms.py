"""Ways to read, and to write in another thread, so that what is read shows which came first.

`s` is the shared state. What was read stands in `v`; another thread writes in between or does not.
"""

from __future__ import annotations

from typing import Final, NamedTuple


class Form(NamedTuple):
    """A way to read what another thread writes.

    Attributes:
        make: Statements that make what is shared.
        read: Statements that set `v` to what is read.
        write: Statements that change it.
        prelude: What the program defines besides.
    """

    make: str
    read: str
    write: str
    prelude: str = ""


def reading_a_cell(*lines: str) -> Form:
    """Return the form of a function that reads a variable `n` of the function around it."""
    read = "".join(f"        {line}\n" for line in ("if 0: n", *lines))
    write = "    def write():\n        nonlocal n\n        n += 1\n"
    prelude = f"def cells():\n    n = 0\n    def read():\n{read}{write}    return read, write"
    return Form("s.read, s.write = cells()", "v = s.read()", "s.write()", prelude)


NESTED: Final = "s.x = ValueError(); s.x.b = ValueError(); s.x.b.n = 0"
RANKS: Final = "class R0: rank = 0\nclass R1: rank = 1\nclass R2: rank = 2\nR = [R0, R1, R2]"
ABOVE: Final = "class A0: rank = 0\nclass A1: rank = 1\nclass A2: rank = 2\nA = [A0, A1, A2]"
FORMS: Final[dict[str, Form]] = {
    "class of an object": Form("s.x = R0()", "v = s.x.__class__.rank", "s.x.__class__ = R[v + 1]", RANKS),
    "isinstance": Form(
        "s.x = R0()", "v = 0 if isinstance(s.x, R0) else 1", "s.x.__class__ = R[v + 1]", RANKS
    ),
    "match class": Form(
        "s.x = R0()", "match s.x:\n    case R0(): v = 0\n    case _: v = 1", "s.x.__class__ = R[v + 1]", RANKS
    ),
    "subclasses": Form(
        "s.x = type('Base', (), {}); s.keep = []",
        "v = len(s.x.__subclasses__())",
        "s.keep.append(type('D', (s.x,), {'rank': v}))",
    ),
    "metaclass attr": Form(
        "s.x = M('C', (), {}); M.n = 0", "v = s.x.n", "type(s.x).n = v + 1", "class M(type): n = 0"
    ),
    "bases of an instance's class": Form(
        "s.x = type('C', (A0,), {})()", "v = s.x.rank", "type(s.x).__bases__ = (A[v + 1],)", ABOVE
    ),
    "mro": Form(
        "s.x = type('C', (A0,), {})", "v = s.x.__mro__[1].rank", "s.x.__bases__ = (A[v + 1],)", ABOVE
    ),
    "issubclass": Form(
        "s.x = type('C', (A0,), {})",
        "v = 0 if issubclass(s.x, A0) else 1",
        "s.x.__bases__ = (A[v + 1],)",
        ABOVE,
    ),
    "function annotations": Form(
        "s.x = (lambda: 0); s.x.__annotations__ = {'n': 0}",
        "v = s.x.__annotations__['n']",
        "s.x.__annotations__ = {'n': v + 1}",
    ),
    "exception args": Form(
        "s.x = E(0)", "v = s.x.args[0]", "s.x.args = (v + 1,)", "class E(BaseException): pass"
    ),
    "dir": Form(
        "s.x = Box()",
        "v = len([a for a in dir(s.x) if a[0] == 'n'])",
        "setattr(s.x, f'n{v}', 1)",
        "class Box: pass",
    ),
    "dunder dir": Form(
        "s.x = Box()",
        "v = len([a for a in s.x.__dir__() if a[0] == 'n'])",
        "setattr(s.x, f'n{v}', 1)",
        "class Box: pass",
    ),
    "dir of a class": Form(
        "s.x = type('C', (), {})", "v = len([a for a in dir(s.x) if a[0] == 'n'])", "setattr(s.x, f'n{v}', 1)"
    ),
    "property by attrgetter": Form(
        "s.x = P()",
        "v = s.x.n",
        "s.x._n = v + 1",
        "class P:\n    def __init__(self): self._n = 0\n    n = property(operator.attrgetter('_n'))",
    ),
    "property by itemgetter": Form(
        "s.x = P()",
        "v = s.x.n",
        "s.x[0] = v + 1",
        "class P(list):\n    def __init__(self): self.append(0)\n    n = property(operator.itemgetter(0))",
    ),
    "f-string deep": Form("s.x = [[0]]", "v = int(f'{s.x}'[2:-2])", "s.x[0][0] = v + 1"),
    "f-string of a tuple": Form("s.x = ([0],)", "v = int(f'{s.x}'[2:-3])", "s.x[0][0] = v + 1"),
    "match empty": Form("s.x = []", "match s.x:\n    case []: v = 0\n    case _: v = 1", "s.x.append(v)"),
    "match at least one": Form(
        "s.x = []", "match s.x:\n    case [_, *_]: v = 1\n    case _: v = 0", "s.x.append(v)"
    ),
    "import from": Form(
        (
            "sys.modules['read_forms_of_a_module'] = types.ModuleType('read_forms_of_a_module'); "
            "sys.modules['read_forms_of_a_module'].n = 0"
        ),
        "from read_forms_of_a_module import n as v",
        "sys.modules['read_forms_of_a_module'].n = v + 1",
    ),
    "importlib": Form(
        "sys.modules['read_forms_of_a_module'] = types.SimpleNamespace(n=0)",
        "v = importlib.import_module('read_forms_of_a_module').n",
        "sys.modules['read_forms_of_a_module'] = types.SimpleNamespace(n=v + 1)",
        "import importlib",
    ),
    "super attr": Form(
        "s.x = D()",
        "v = s.x.get()",
        "type(s.x).__mro__[1].n = v + 1",
        (
            "class B: n = 0\nclass D(B):\n    n = 5\n    def __init__(self): B.n = 0\n"
            "    def get(self): return super().n"
        ),
    ),
    "special method is a C function": Form(
        "s.x = L0(); ITEMS[:] = [0]",
        "v = s.x[0]",
        "ITEMS[0] = v + 1",
        "ITEMS = [0]\nclass L0:\n    __getitem__ = staticmethod(ITEMS.__getitem__)",
    ),
    "call is a C function": Form(
        "s.x = L0(); ITEMS[:] = []",
        "v = len(ITEMS)",
        "s.x(v)",
        "ITEMS = [0]\nclass L0:\n    __call__ = staticmethod(ITEMS.append)",
    ),
    "getattr is a C function": Form(
        "s.x = L0(); ITEMS.clear()",
        "v = s.x.n or 0",
        "ITEMS['n'] = v + 1",
        "ITEMS = {}\nclass L0:\n    __getattr__ = staticmethod(ITEMS.get)",
    ),
    "module getattr": Form(
        "s.x = types.ModuleType('m'); D.clear(); s.x.__getattr__ = D.get",
        "v = s.x.n or 0",
        "D['n'] = v + 1",
        "D = {}",
    ),
    "builtins name": Form(
        "builtins.READ_FORM = 0; s.x = 0", "v = READ_FORM", "builtins.READ_FORM = v + 1", "import builtins"
    ),
    "below a TextIOWrapper": Form(
        "s.raw = io.BytesIO(); s.w = io.TextIOWrapper(s.raw, write_through=True)",
        "v = len(s.raw.getvalue())",
        "s.w.write('x')",
    ),
    "below a BufferedWriter flush": Form(
        "s.raw = io.BytesIO(); s.w = io.BufferedWriter(s.raw)",
        "v = len(s.raw.getvalue())",
        "s.w.write(b'x'); s.w.flush()",
    ),
    "below a csv.writer": Form(
        "s.raw = io.StringIO(); s.w = csv.writer(s.raw)",
        "v = len(s.raw.getvalue())",
        "s.w.writerow([1])",
        "import csv",
    ),
    "below a csv.DictWriter": Form(
        "s.raw = io.StringIO(); s.w = csv.DictWriter(s.raw, ['a'])",
        "v = len(s.raw.getvalue())",
        "s.w.writerow({'a': 1})",
        "import csv",
    ),
    "below a codecs writer": Form(
        "s.raw = io.BytesIO(); s.w = codecs.getwriter('utf8')(s.raw)",
        "v = len(s.raw.getvalue())",
        "s.w.write('x')",
        "import codecs",
    ),
    "below a StreamHandler": Form(
        "s.raw = io.StringIO(); s.w = logging.StreamHandler(s.raw)",
        "v = len(s.raw.getvalue())",
        "s.w.handle(logging.makeLogRecord({'msg': 'x'}))",
    ),
    "below a pickler": Form(
        "s.raw = io.BytesIO(); s.w = pickle.Pickler(s.raw)", "v = len(s.raw.getvalue())", "s.w.dump(1)"
    ),
    "below a PrettyPrinter": Form(
        "s.raw = io.StringIO(); s.w = pprint.PrettyPrinter(stream=s.raw)",
        "v = len(s.raw.getvalue())",
        "s.w.pprint([1])",
    ),
    "below a bytesio buffer": Form(
        "s.raw = io.BytesIO(b'a'); s.w = s.raw.getbuffer()", "v = s.raw.getvalue()", "s.w[0] = 1"
    ),
    "below a QueueHandler": Form(
        ("s.raw = []; s.w = logging.handlers.QueueHandler(types.SimpleNamespace(put_nowait=s.raw.append))"),
        "v = len(s.raw)",
        "s.w.handle(logging.makeLogRecord({'msg': 'x'}))",
        "import logging.handlers",
    ),
    "below a reader of a reader": Form(
        "s.raw = io.BytesIO(b'ab\\ncd\\n'); s.w = io.BufferedReader(s.raw)",
        "v = s.raw.tell()",
        "s.w.readline()",
    ),
    "below a csv DictReader": Form(
        "s.raw = iter(['a', 'b', 'c']); s.w = csv.DictReader(s.raw)",
        "v = next(s.raw)",
        "next(s.w)",
        "import csv",
    ),
    "below a unpickler": Form(
        "s.raw = io.BytesIO(pickle.dumps(1)); s.w = pickle.Unpickler(s.raw)", "v = s.raw.tell()", "s.w.load()"
    ),
    "element kept child": Form(
        "s.x = ET.fromstring('<a><b>0</b></a>'); s.b = s.x[0]",
        "v = ET.tostring(s.x)",
        "s.b.text = '1'",
        "import xml.etree.ElementTree as ET",
    ),
    "element attrib": Form(
        "s.x = ET.fromstring('<a n=\"0\"/>'); s.b = s.x.attrib",
        "v = s.x.get('n')",
        "s.b['n'] = '1'",
        "import xml.etree.ElementTree as ET",
    ),
    "iterator over memoryview": Form(
        "s.x = memoryview(bytearray(1)); s.i = iter(s.x)", "v = list(s.i)", "s.x[0] = 1"
    ),
    "iterator over ctypes": Form(
        "s.x = (ctypes.c_int * 1)(); s.i = iter(s.x)", "v = list(s.i)", "s.x[0] = 1"
    ),
    "iterator over numpy": Form(
        "s.x = np.zeros(1, int); s.i = iter(s.x)", "v = list(s.i)", "s.x[0] = 1", "import numpy as np"
    ),
    "iterator over mmap": Form("s.x = mmap.mmap(-1, 1); s.i = iter(s.x)", "v = next(s.i)", "s.x[0] = 1"),
    "iterator over map over partial": Form(
        "s.x = [0]; s.i = map(functools.partial(operator.getitem, s.x), [0])", "v = list(s.i)", "s.x[0] = 1"
    ),
    "iterator over map over attrgetter": Form(
        "s.x = types.SimpleNamespace(n=0); s.i = map(operator.attrgetter('n'), [s.x])",
        "v = list(s.i)",
        "s.x.n = 1",
    ),
    "iterator over map itemgetter": Form(
        "s.x = [0]; s.i = map(operator.itemgetter(0), [s.x])", "v = list(s.i)", "s.x[0] = 1"
    ),
    "iterator over chain of lists": Form(
        "s.x = [0]; s.i = itertools.chain.from_iterable([s.x])", "v = list(s.i)", "s.x[0] = 1"
    ),
    "iterator over tee of a shared source": Form(
        "s.src = iter([0, 1, 2]); s.a, s.b = itertools.tee(s.src)", "v = next(s.a)", "next(s.src)"
    ),
    "match group of a bytearray": Form(
        "s.x = bytearray(b'ab'); s.m = re.match(b'a', s.x)", "v = s.m.group()", "s.x[0] = 98"
    ),
    "match item of a bytearray": Form(
        "s.x = bytearray(b'ab'); s.m = re.match(b'a', s.x)", "v = s.m[0]", "s.x[0] = 98"
    ),
    "picklebuffer": Form(
        "s.x = bytearray(2); s.i = pickle.PickleBuffer(s.x)", "v = bytes(s.i)", "s.x[0] = 98"
    ),
    "lru_cache of C function": Form(
        "s.x = [0]; s.f = functools.lru_cache(s.x.__getitem__)", "v = s.f(0)", "s.x[0] = 1"
    ),
    "partial keywords": Form("s.x = functools.partial(dict, n=0)", "v = s.x()", "s.x.keywords['n'] = 1"),
    "partial state": Form(
        "s.x = functools.partial(int)", "v = s.x()", "s.x.__setstate__((float, (), {}, {}))"
    ),
    "attrgetter through slot": Form(
        "s.x = Sl(); s.x.b = Sl(); s.x.b.b = 0",
        "v = operator.attrgetter('b.b')(s.x)",
        "s.x.b.b = 1",
        "class Sl: __slots__ = ('b',)",
    ),
    "attrgetter through class": Form(
        "s.x = type('C', (), {'b': Box()})()",
        "v = operator.attrgetter('b.n')(s.x)",
        "type(s.x).b.n = 1",
        "class Box: n = 0",
    ),
    "min key getter index": Form(
        "s.x = [Box(), Box()]; s.x[1].n = 5",
        "v = s.x.index(min(s.x, key=operator.attrgetter('n')))",
        "s.x[0].n = 9",
        "class Box: n = 0",
    ),
    "sorted key getter": Form(
        "s.x = [Box(), Box()]; s.x[1].n = 5",
        "v = [s.x.index(a) for a in sorted(s.x, key=operator.attrgetter('n'))]",
        "s.x[0].n = 9",
        "class Box: n = 0",
    ),
    "format attr deep": Form(
        "s.x = Box(); s.x.b = Box()", "v = '{0.b.n}'.format(s.x)", "s.x.b.n = 1", "class Box: n = 0"
    ),
    "format_map attr": Form(
        "s.x = Box()", "v = '{b.n}'.format_map({'b': s.x})", "s.x.n = 1", "class Box: n = 0"
    ),
    "format attr bound": Form(
        "s.x = Box(); s.f = '{0.n}'.format", "v = s.f(s.x)", "s.x.n = 1", "class Box: n = 0"
    ),
    "repr of namespace": Form("s.x = types.SimpleNamespace(n=0)", "v = repr(s.x)", "s.x.n = 1"),
    "f-string of namespace in list": Form("s.x = types.SimpleNamespace(n=0)", "v = f'{[s.x]}'", "s.x.n = 1"),
    "namespace eq": Form(
        "s.x = types.SimpleNamespace(n=0)", "v = s.x == types.SimpleNamespace(n=0)", "s.x.n = 1"
    ),
    "namespace in": Form(
        "s.x = types.SimpleNamespace(n=0)", "v = types.SimpleNamespace(n=0) in [s.x]", "s.x.n = 1"
    ),
    "index of namespace": Form(
        "s.x = types.SimpleNamespace(n=0)", "v = [s.x].count(types.SimpleNamespace(n=0))", "s.x.n = 1"
    ),
    "repr of slice": Form("s.x = [0]; s.p = slice(s.x)", "v = repr(s.p)", "s.x[0] = 1"),
    "eq of slice": Form("s.x = [0]; s.p = slice(s.x)", "v = s.p == slice([0])", "s.x[0] = 1"),
    "tuple subclass with init": Form(
        "s.x = [0]", "v = T(s.x)", "s.x[0] = 1", "class T(tuple):\n    def __init__(self, x): pass"
    ),
    "int subclass with init": Form(
        "s.x = bytearray(b'0')",
        "v = int(I(s.x))",
        "s.x[0] = 49",
        "class I(int):\n    def __init__(self, x): pass",
    ),
    "frozenset subclass with init": Form(
        "s.x = [0]", "v = I(s.x)", "s.x[0] = 49", "class I(frozenset):\n    def __init__(self, x): pass"
    ),
    "array subclass with init": Form(
        "s.x = [0]",
        "v = I('i', s.x)",
        "s.x[0] = 49",
        "class I(array.array):\n    def __init__(self, c, x): pass",
    ),
    "type dict": Form("s.x = {'n': 0}", "v = type('C', (), s.x).n", "s.x['n'] = 1"),
    "math.dist of lists": Form("s.x = [0]", "v = math.dist(s.x, [0])", "s.x[0] = 1", "import math"),
    "attrgetter through property": Form(
        "s.x = Pr()",
        "v = operator.attrgetter('p.n')(s.x)",
        "s.x.b.n = 1",
        (
            "class Box: n = 0\nclass Pr:\n    def __init__(self): self.b = Box()\n"
            "    p = property(lambda self: self.b)"
        ),
    ),
    "csv dialect": Form(
        "csv.unregister_dialect('read form') if 'read form' in csv.list_dialects() else 0",
        "v = 'read form' in csv.list_dialects()",
        "csv.register_dialect('read form', delimiter=';')",
        "import csv",
    ),
    "csv dialect used": Form(
        "csv.register_dialect('read form', delimiter=',')",
        "v = next(csv.reader(['a;b'], 'read form'))",
        "csv.register_dialect('read form', delimiter=';')",
        "import csv",
    ),
    "numpy void and array": Form(
        "s.x = np.zeros(1, [('n', int)]); s.a = s.x[0]", "v = s.a['n']", "s.x['n'] = 1", "import numpy as np"
    ),
    "numpy recarray": Form(
        "s.x = np.rec.array([(0,)], dtype=[('n', int)]); s.a = s.x[0]",
        "v = s.x.n[0]",
        "s.a.n = 1",
        "import numpy as np",
    ),
    "numpy strided": Form(
        "s.x = np.zeros(4, int); s.a = np.lib.stride_tricks.as_strided(s.x, (2,), (8,))",
        "v = s.x[0]",
        "s.a[0] = 1",
        "import numpy as np",
    ),
    "numpy flatiter": Form(
        "s.x = np.zeros(1); s.a = s.x.flat", "v = s.x[0]", "s.a[0] = 1", "import numpy as np"
    ),
    "numpy len": Form(
        "s.x = np.zeros(2)", "v = len(s.x)", "s.x.resize(3, refcheck=False)", "import numpy as np"
    ),
    "mmaps of one file": Form(
        (
            "f = open(FOLDER + '/file', 'wb+'); f.write(b'a'); f.flush(); "
            "s.x = mmap.mmap(f.fileno(), 1); s.y = mmap.mmap(f.fileno(), 1); f.close()"
        ),
        "v = s.x[0]",
        "s.y[0] = 1",
    ),
    "mmap against the file": Form(
        (
            "f = open(FOLDER + '/file', 'wb+'); f.write(b'a'); f.flush(); "
            "s.x = mmap.mmap(f.fileno(), 1); f.close()"
        ),
        "with open(FOLDER + '/file', 'rb') as f: v = f.read()",
        "s.x[0] = 1; s.x.flush()",
    ),
    "ctypes struct member": Form(
        "s.x = S(); s.y = s.x.p",
        "v = s.x.p.n",
        "s.y.n = 1",
        (
            "class P(ctypes.Structure): _fields_ = [('n', ctypes.c_int)]\n"
            "class S(ctypes.Structure): _fields_ = [('p', P)]"
        ),
    ),
    "ctypes union": Form(
        "s.x = U()",
        "v = s.x.a",
        "s.x.b = 1",
        "class U(ctypes.Union): _fields_ = [('a', ctypes.c_int), ('b', ctypes.c_int)]",
    ),
    "memoryview release": Form(
        "s.x = memoryview(bytearray(1))", "try: v = s.x[0]\nexcept ValueError: v = -1", "s.x.release()"
    ),
    "os.environ expandvars": Form(
        "os.environ['READ_FORM'] = '0'",
        "v = os.path.expandvars('$READ_FORM')",
        "os.environ['READ_FORM'] = '1'",
    ),
    "abspath": Form("os.chdir('/tmp')", "v = os.path.abspath('a')", "os.chdir('/')"),
    "struct_time of list": Form(
        "s.l = [2020, 1, 1, 0, 0, 0, 0, 1, 0]", "v = time.struct_time(s.l)[0]", "s.l[0] = 2021", "import time"
    ),
    "email parts": Form(
        (
            "s.m = email.message.EmailMessage(); s.m.set_content('a'); s.m.add_attachment('b'); "
            "s.p = list(s.m.iter_parts())[0]"
        ),
        "v = 'X-N' in s.m.as_string()",
        "s.p['X-N'] = '1'",
        "import email.message",
    ),
    "traceback deep": Form(
        "s.e = ValueError(0); s.e.__cause__ = KeyError(0); s.c = s.e.__cause__",
        "v = traceback.format_exception(s.e)",
        "s.c.args = (1,)",
        "import traceback",
    ),
    "repr deep 6": Form("s.x = [[[[[[0]]]]]]", "v = repr(s.x)", "s.x[0][0][0][0][0][0] = 1"),
    "eq deep 6": Form("s.x = [[[[[[0]]]]]]", "v = s.x == [[[[[[0]]]]]]", "s.x[0][0][0][0][0][0] = 1"),
    "codecs error handler": Form(
        "codecs.register_error('read_form', lambda e: ('0', e.end))",
        "v = '\u00e4'.encode('ascii', 'read_form')",
        "codecs.register_error('read_form', lambda e: ('1', e.end))",
        "import codecs",
    ),
    "cell in the body of a class": reading_a_cell("class X: v = n", "return X.v"),
    "cell by locals": reading_a_cell("return locals()['n']"),
    "cell by vars": reading_a_cell("return vars()['n']"),
    "cell by eval": reading_a_cell("return eval('n')"),
    "cell by a frame": reading_a_cell("return sys._getframe().f_locals['n']"),
    "truth of what comes from two branches": Form(
        "s.x = []; s.one = 1", "v = not (s.x if s.one else 1 < 2)", "s.x.append(v)"
    ),
    "numpy positive": Form("s.x = np.zeros(1, int)", "v = (+s.x)[0]", "s.x[0] = 1", "import numpy as np"),
    "keyword defaults": Form(
        "s.x = default; s.x.__kwdefaults__ = {'n': 0}",
        "v = s.x()",
        "s.x.__kwdefaults__['n'] = 1",
        "def default(*, n): return n",
    ),
    "namespace by vars": Form("s.x = types.SimpleNamespace(n=0)", "v = s.x.n", "vars(s.x)['n'] = 1"),
    "method in C by __call__": Form("s.x = []", "v = len(s.x)", "s.x.append.__call__(v)"),
    "type by __call__": Form("s.x = [0]", "v = type.__call__(tuple, s.x)", "s.x[0] = 1"),
    "class by __call__": Form("s.x = {'n': 0}", "v = type.__call__(type, 'C', (), s.x).n", "s.x['n'] = 1"),
    "name of a thread": Form("s.x = threading.Thread(name='a')", "v = s.x.name", "s.x.name = 'b'"),
    "pickle dump": Form(
        NESTED,
        "f = io.BytesIO(); pickle.dump(s.x, f); v = f.getvalue()",
        "s.x.b.n = 1",
    ),
    "pickler": Form(
        NESTED,
        "f = io.BytesIO(); pickle.Pickler(f).dump(s.x); v = f.getvalue()",
        "s.x.b.n = 1",
    ),
    "pickle by copyreg": Form(
        "copyreg.pickle(P, lambda p: (int, ()))",
        "v = type(pickle.loads(pickle.dumps(P())))",
        "copyreg.pickle(P, lambda p: (float, ()))",
        "import copyreg\nclass P: pass",
    ),
    "members of a class": Form("s.x = type('C', (), {})", "v = len(inspect.getmembers(s.x))", "s.x.n = 1"),
    "patched class": Form(
        "s.x = type('C', (), {'n': 0})",
        "v = s.x.n",
        "unittest.mock.patch.object(s.x, 'n', 1).start()",
        "import unittest.mock",
    ),
    "patched module": Form(
        "sys.modules['read_forms_of_a_module'] = types.SimpleNamespace(n=0)",
        "v = sys.modules['read_forms_of_a_module'].n",
        "unittest.mock.patch('read_forms_of_a_module.n', 1).start()",
        "import unittest.mock",
    ),
    "slice is given a list": Form("s.x = [0]", "y = [9]; y[:] = s.x; v = y[0]", "s.x[0] = 1"),
    "item is given a slice": Form("s.x = [0]", "y = [9]; y[slice(None)] = s.x; v = y[0]", "s.x[0] = 1"),
    "setitem is given a slice": Form(
        "s.x = [0]", "y = [9]; operator.setitem(y, slice(None), s.x); v = y[0]", "s.x[0] = 1"
    ),
    "method is given a slice": Form(
        "s.x = [0]", "y = [9]; y.__setitem__(slice(None), s.x); v = y[0]", "s.x[0] = 1"
    ),
    "memory is given memory": Form(
        "s.x = bytearray(1)", "y = memoryview(bytearray(1)); y[:] = s.x; v = y[0]", "s.x[0] = 1"
    ),
    "UserList": Form("s.x = [0]", "v = collections.UserList(s.x)[0]", "s.x[0] = 1"),
    "broken barrier": Form("s.x = threading.Barrier(1)", "v = s.x.broken", "s.x.abort()"),
    "weakref count": Form(
        "s.o = Box(); s.l = []",
        "v = weakref.getweakrefcount(s.o)",
        "s.l.append(weakref.ref(s.o))",
        "class Box: pass",
    ),
    "refcount": Form("s.o = []; s.l = []", "v = sys.getrefcount(s.o)", "s.l.append(s.o)"),
}
UNSEEN: Final = frozenset(
    [
        "attrgetter through property",
        "builtins name",
        "call is a C function",
        "cell by a frame",
        "cell by eval",
        "cell by locals",
        "cell by vars",
        "codecs error handler",
        "getattr is a C function",
        "keyword defaults",
        "module getattr",
        "refcount",
        "special method is a C function",
        "weakref count",
    ]
)
"""Forms whose order cannot be told apart, which forbid a proof."""

PRELUDE: Final = """
import array, collections, codecs, contextlib, csv, ctypes, decimal, functools, importlib, inspect, io
import sqlite3
import itertools, logging, math, mmap, operator, os, pickle, pprint, re, sys, threading, time, traceback
import types
import weakref

class State:
    def __init__(self):
        self.lock = threading.Lock()
        self.seen = None
        s = self
        {make}
"""


def source(form: Form, *, locked: bool) -> str:
    """Return a program that defines `State`, `reads` and `writes`."""
    read, write = ([*lines.split("\n")] for lines in (form.read, form.write))
    if locked:
        read, write = (["with s.lock:", *(f"    {line}" for line in lines)] for lines in (read, write))
    functions = [
        "def reads(s):",
        *(f"    {line}" for line in read),
        "    s.seen = str(v)",
        "def writes(s):",
        "    v = 0",
        *(f"    {line}" for line in write),
    ]
    return "\n".join((PRELUDE.replace("{make}", form.make), form.prelude, *functions, ""))
