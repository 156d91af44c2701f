"""Programs that lose an update, one for each way to touch what two threads share.

Each is a few lines over a state `s`: `s.x` is the shared object. The body reads it, and writes what it has
read plus one; `value` is how the end is looked at.
"""

from __future__ import annotations

from typing import Final, NamedTuple


class Idiom(NamedTuple):
    """A way to lose an update.

    Attributes:
        make: An expression for the shared object.
        body: What each worker does with it, a line each.
        value: An expression for the number that two workers should have brought to 2.
        imports: What the program imports.
    """

    make: str
    body: tuple[str, ...]
    value: str
    imports: tuple[str, ...] = ()


def _of(make: str, body: str, value: str, *imports: str) -> Idiom:
    return Idiom(make, tuple(body.split("; ")), value, imports)


IDIOMS: Final[dict[str, Idiom]] = {
    "attribute": _of("Box()", "v = s.x.n; s.x.n = v + 1", "s.x.n"),
    "augmented attribute": _of("Box()", "s.x.n += 1", "s.x.n"),
    "augmented item": _of("[0]", "s.x[0] += 1", "s.x[0]"),
    "slots": _of("Slots()", "v = s.x.n; s.x.n = v + 1", "s.x.n"),
    "class attribute": _of("type('C', (), {'n': 0})", "v = s.x.n; s.x.n = v + 1", "s.x.n"),
    "class attribute through instance": _of(
        "type('C', (), {'n': 0})()", "v = s.x.n; type(s.x).n = v + 1", "s.x.n"
    ),
    "base class attribute": _of(
        "type('D', (type('C', (), {'n': 0}),), {})", "v = s.x.n; s.x.__bases__[0].n = v + 1", "s.x.n"
    ),
    "method that is replaced": _of(
        "type('C', (), {'n': lambda self: 0})()",
        "v = s.x.n(); type(s.x).n = lambda self: v + 1",
        "s.x.n()",
    ),
    "property": _of("Property()", "v = s.x.n; s.x.n = v + 1", "s.x.n"),
    "descriptor": _of("Described()", "v = s.x.n; s.x.n = v + 1", "s.x.n"),
    "getattr": _of("Box()", "v = getattr(s.x, 'n'); setattr(s.x, 'n', v + 1)", "s.x.n"),
    "dunder setattr": _of("Box()", "v = s.x.__getattribute__('n'); s.x.__setattr__('n', v + 1)", "s.x.n"),
    "object setattr": _of(
        "Box()", "v = object.__getattribute__(s.x, 'n'); object.__setattr__(s.x, 'n', v + 1)", "s.x.n"
    ),
    "super setattr": _of("Super()", "v = s.x.n; s.x.n = v + 1", "s.x.n"),
    "vars": _of("Box()", "v = vars(s.x)['n']; vars(s.x)['n'] = v + 1", "s.x.n"),
    "dict of an instance": _of("Box()", "v = s.x.__dict__['n']; s.x.n = v + 1", "s.x.n"),
    "dict of an instance, updated": _of("Box()", "v = s.x.n; s.x.__dict__.update(n=v + 1)", "s.x.n"),
    "dict of an instance, kept": _of("Kept()", "v = s.x.n; s.x.kept['n'] = v + 1", "s.x.n"),
    "delattr": _of("Box()", "v = getattr(s.x, 'n', 9); s.x.__dict__.pop('n', 0); s.x.n = v + 1", "s.x.n"),
    "item": _of("[0]", "v = s.x[0]; s.x[0] = v + 1", "s.x[0]"),
    "negative item": _of("[0, 0]", "v = s.x[1]; s.x[-1] = v + 1", "s.x[1]"),
    "slice": _of("[0, 0]", "v = s.x[:1]; s.x[:1] = [v[0] + 1]", "s.x[0]"),
    "deleted item": _of("[0, 0, 0]", "v = len(s.x); del s.x[:]; s.x.extend([0] * (v - 1))", "3 - len(s.x)"),
    "item that is deleted": _of("[0, 0, 0]", "v = s.x[-1]; s.x.append(v + 1); del s.x[0]", "s.x[-1]"),
    "dict": _of("{'n': 0}", "v = s.x['n']; s.x['n'] = v + 1", "s.x['n']"),
    "dict get": _of("{}", "v = s.x.get('n', 0); s.x['n'] = v + 1", "s.x['n']"),
    "dict setdefault": _of("{}", "v = s.x.setdefault('n', 0); s.x.update(n=v + 1)", "s.x['n']"),
    "dict in": _of(
        "{'n': 0}", "v = len(s.x) - 1; s.x[object()] = 1 if v == 0 else 2", "sum(list(s.x.values())) - 1"
    ),
    "set": _of("set()", "v = len(s.x); s.x.add(v + 1)", "max(s.x)"),
    "set in": _of("set()", "v = 1 in s.x; s.x.add(2 if v else 1)", "max(s.x)"),
    "deque": _of("collections.deque([0])", "v = s.x[0]; s.x[0] = v + 1", "s.x[0]", "collections"),
    "deque end": _of("collections.deque([0])", "v = s.x[-1]; s.x.append(v + 1)", "s.x[-1]", "collections"),
    "deque whole": _of("collections.deque()", "v = len(s.x); s.x.append(v + 1)", "s.x[-1]", "collections"),
    "bytearray": _of("bytearray(1)", "v = s.x[0]; s.x[0] = v + 1", "s.x[0]"),
    "Counter": _of("collections.Counter()", "v = s.x['n']; s.x['n'] = v + 1", "s.x['n']", "collections"),
    "defaultdict": _of("collections.defaultdict(int)", "s.x['n'] += 1", "s.x['n']", "collections"),
    "OrderedDict": _of("collections.OrderedDict(n=0)", "s.x['n'] += 1", "s.x['n']", "collections"),
    "UserDict": _of("collections.UserDict(n=0)", "v = s.x['n']; s.x['n'] = v + 1", "s.x['n']", "collections"),
    "UserList": _of("collections.UserList([0])", "v = s.x[0]; s.x[0] = v + 1", "s.x[0]", "collections"),
    "ChainMap": _of(
        "collections.ChainMap({'n': 0})", "v = s.x['n']; s.x['n'] = v + 1", "s.x['n']", "collections"
    ),
    "array": _of("array.array('i', [0])", "v = s.x[0]; s.x[0] = v + 1", "s.x[0]", "array"),
    "memoryview": _of("memoryview(bytearray(1))", "v = s.x[0]; s.x[0] = v + 1", "s.x[0]"),
    "memoryview slice": _of(
        "memoryview(bytearray(2))", "v = s.x[:1].tolist(); s.x[:1] = bytes([v[0] + 1])", "s.x[0]"
    ),
    "memoryview of an array": _of(
        "array.array('i', [0])", "v = s.x[0]; memoryview(s.x)[0] = v + 1", "s.x[0]", "array"
    ),
    "memoryview of a bytearray": _of("bytearray(1)", "v = s.x[0]; memoryview(s.x)[0] = v + 1", "s.x[0]"),
    "ctypes array": _of("(ctypes.c_int * 1)()", "v = s.x[0]; s.x[0] = v + 1", "s.x[0]", "ctypes"),
    "ctypes value": _of("ctypes.c_int(0)", "v = s.x.value; s.x.value = v + 1", "s.x.value", "ctypes"),
    "ctypes structure": _of(
        "type('P', (ctypes.Structure,), {'_fields_': [('n', ctypes.c_int)]})()",
        "v = s.x.n; s.x.n = v + 1",
        "s.x.n",
        "ctypes",
    ),
    "ctypes from buffer": _of(
        "bytearray(4)", "v = s.x[0]; ctypes.c_int.from_buffer(s.x).value = v + 1", "s.x[0]", "ctypes"
    ),
    "mmap": _of("mmap.mmap(-1, 1)", "v = s.x[0]; s.x[0] = v + 1", "s.x[0]", "mmap"),
    "mmap read": _of(
        "mmap.mmap(-1, 1)",
        "s.x.seek(0); v = s.x.read(1)[0]; s.x.seek(0); s.x.write_byte(v + 1)",
        "s.x[0]",
        "mmap",
    ),
    "struct": _of(
        "bytearray(4)",
        "v, = struct.unpack_from('i', s.x); struct.pack_into('i', s.x, 0, v + 1)",
        "s.x[0]",
        "struct",
    ),
    "setitem of operator": _of(
        "[0]", "v = operator.getitem(s.x, 0); operator.setitem(s.x, 0, v + 1)", "s.x[0]", "operator"
    ),
    "iadd of operator": _of("[]", "v = len(s.x); operator.iadd(s.x, [v + 1])", "s.x[-1]", "operator"),
    "delitem of operator": _of(
        "{0: 0, 1: 1}", "v = len(s.x); operator.delitem(s.x, v - 1)", "2 - len(s.x)", "operator"
    ),
    "attrgetter": _of("Box()", "v = operator.attrgetter('n')(s.x); s.x.n = v + 1", "s.x.n", "operator"),
    "itemgetter": _of("[0]", "v = operator.itemgetter(0)(s.x); s.x[0] = v + 1", "s.x[0]", "operator"),
    "methodcaller": _of(
        "[0]", "v = operator.methodcaller('pop')(s.x); s.x.append(v + 1)", "s.x[0]", "operator"
    ),
    "methodcaller reads": _of(
        "{}", "v = operator.methodcaller('get', 'n', 0)(s.x); s.x['n'] = v + 1", "s.x['n']", "operator"
    ),
    "heapq": _of("[0]", "v = s.x[0]; heapq.heapreplace(s.x, v + 1)", "s.x[0]", "heapq"),
    "heapq push": _of("[]", "v = len(s.x); heapq.heappush(s.x, v + 1)", "max(s.x)", "heapq"),
    "nsmallest": _of("[0]", "v = heapq.nlargest(1, s.x)[0]; s.x.append(v + 1)", "max(s.x)", "heapq"),
    "bisect": _of("[]", "v = bisect.bisect(s.x, 9); bisect.insort(s.x, v + 1)", "max(s.x)", "bisect"),
    "equality": _of("[0]", "v = 0 if s.x == [0] else 1; s.x[0] = v + 1", "s.x[0]"),
    "order": _of("[0]", "v = 0 if s.x < [1] else 1; s.x[0] = v + 1", "s.x[0]"),
    "concatenation": _of("[0]", "v = (s.x + [9])[0]; s.x[0] = v + 1", "s.x[0]"),
    "repetition": _of("[0]", "v = (s.x * 2)[0]; s.x[0] = v + 1", "s.x[0]"),
    "union": _of("set()", "v = len(s.x | {9}) - 1; s.x |= {v + 1}", "max(s.x)"),
    "format": _of("[0]", "v = int(f'{s.x}'[1:-1]); s.x[0] = v + 1", "s.x[0]"),
    "format repr": _of("[0]", "v = int(f'{s.x!r:>20}'.strip()[1:-1]); s.x[0] = v + 1", "s.x[0]"),
    "percent": _of("[0]", "v = int(('%s' % s.x)[1:-1]); s.x[0] = v + 1", "s.x[0]"),
    "percent, in a tuple": _of("[0]", "v = int(('%s' % (s.x,))[1:-1]); s.x[0] = v + 1", "s.x[0]"),
    "str format": _of("[0]", "v = int('{}'.format(s.x)[1:-1]); s.x[0] = v + 1", "s.x[0]"),
    "repr": _of("[0]", "v = int(repr(s.x)[1:-1]); s.x[0] = v + 1", "s.x[0]"),
    "repr, deep": _of("[[0]]", "v = int(repr(s.x)[2:-2]); s.x[0][0] = v + 1", "s.x[0][0]"),
    "equality, deep": _of("[[0]]", "v = 0 if s.x == [[0]] else 1; s.x[0][0] = v + 1", "s.x[0][0]"),
    "json": _of("{'n': 0}", "v = json.loads(json.dumps(s.x))['n']; s.x['n'] = v + 1", "s.x['n']", "json"),
    "json, deep": _of(
        "[{'n': 0}]", "v = json.loads(json.dumps(s.x))[0]['n']; s.x[0]['n'] = v + 1", "s.x[0]['n']", "json"
    ),
    "pickle": _of(
        "Box()", "v = pickle.dumps(s.x.n and s.x.n); v = pickle.loads(v); s.x.n = v + 1", "s.x.n", "pickle"
    ),
    "pickle of a list": _of(
        "[[0]]", "v = pickle.loads(pickle.dumps(s.x))[0][0]; s.x[0][0] = v + 1", "s.x[0][0]", "pickle"
    ),
    "copy": _of("[0]", "v = copy.copy(s.x)[0]; s.x[0] = v + 1", "s.x[0]", "copy"),
    "deepcopy": _of("[[0]]", "v = copy.deepcopy(s.x)[0][0]; s.x[0][0] = v + 1", "s.x[0][0]", "copy"),
    "sorted": _of("[0]", "v = sorted(s.x)[0]; s.x[0] = v + 1", "s.x[0]"),
    "sum": _of("[0]", "v = sum(s.x); s.x[0] = v + 1", "s.x[0]"),
    "max": _of("[0]", "v = max(s.x); s.x[0] = v + 1", "s.x[0]"),
    "any": _of("[0]", "v = 1 if any(s.x) else 0; s.x[0] = v + 1", "s.x[0]"),
    "tuple": _of("[0]", "v = tuple(s.x)[0]; s.x[0] = v + 1", "s.x[0]"),
    "zip": _of("[0]", "v = next(zip(s.x, s.x))[0]; s.x[0] = v + 1", "s.x[0]"),
    "map": _of("[0]", "v = list(map(int, s.x))[0]; s.x[0] = v + 1", "s.x[0]"),
    "enumerate": _of("[0]", "v = [a for _, a in enumerate(s.x)][0]; s.x[0] = v + 1", "s.x[0]"),
    "reversed": _of("[0]", "v = next(reversed(s.x)); s.x[0] = v + 1", "s.x[0]"),
    "unpacking": _of("[0]", "v, = s.x; s.x[0] = v + 1", "s.x[0]"),
    "starred": _of("[0]", "v = [*s.x][0]; s.x[0] = v + 1", "s.x[0]"),
    "starred call": _of("[0]", "v = max(*s.x, -1); s.x[0] = v + 1", "s.x[0]"),
    "double starred call": _of("{'n': 0}", "v = dict(**s.x)['n']; s.x['n'] = v + 1", "s.x['n']"),
    "comprehension": _of("[0]", "v = [a for a in s.x][0]; s.x[0] = v + 1", "s.x[0]"),
    "generator expression": _of("[0]", "v = sum(a for a in s.x); s.x[0] = v + 1", "s.x[0]"),
    "for": _of("[0]", "for v in s.x: pass; s.x[0] = v + 1", "s.x[0]"),
    "match": _of("[0]", "match s.x:;     case [v]: s.x[0] = v + 1", "s.x[0]"),
    "truth": _of("[]", "v = 1 if s.x else 0; s.x.append(v + 1)", "s.x[-1]"),
    "not": _of("[]", "v = int(not (not s.x)); s.x.append(v + 1)", "s.x[-1]"),
    "shared iterator": _of("[iter([1, 2, 3]), 0]", "v = s.x[1]; next(s.x[0]); s.x[1] = v + 1", "s.x[1]"),
    "global": _of("None", "global G; v = G; G = v + 1", "G"),
    "globals": _of("None", "v = globals()['G']; globals()['G'] = v + 1", "G"),
    "globals and global": _of("None", "global G; v = globals()['G']; G = v + 1", "G"),
    "module attribute": _of(
        "types.ModuleType('m')", "v = getattr(s.x, 'n', 0); s.x.n = v + 1", "s.x.n", "types"
    ),
    "exec": _of("Box()", "exec('v = s.x.n\\ns.x.n = v + 1', {'s': s})", "s.x.n"),
    "exec in place": _of("Box()", "exec('v = s.x.n\\ns.x.n = v + 1')", "s.x.n"),
    "exec of names": _of("{'n': 0}", "exec('v = n\\nn = v + 1', s.x)", "s.x['n']"),
    "eval": _of("Box()", "v = eval('s.x.n'); eval('setattr(s.x, \"n\", v + 1)')", "s.x.n"),
    "compiled": _of("Box()", "exec(compile('v = s.x.n\\ns.x.n = v + 1', 'made', 'exec'))", "s.x.n"),
    "lambda made by eval": _of(
        "Box()",
        "v = eval('lambda s: s.x.n')(s); eval('lambda s, v: setattr(s.x, \"n\", v)')(s, v + 1)",
        "s.x.n",
    ),
    "reduce": _of(
        "[0]", "v = functools.reduce(lambda a, b: a + b, s.x); s.x[0] = v + 1", "s.x[0]", "functools"
    ),
    "partial": _of("[0]", "v = s.x[0]; functools.partial(s.x.__setitem__, 0)(v + 1)", "s.x[0]", "functools"),
    "partial of setattr": _of(
        "Box()", "v = s.x.n; functools.partial(setattr, s.x, 'n')(v + 1)", "s.x.n", "functools"
    ),
    "map with an effect": _of("Box()", "v = s.x.n; list(map(s.x.__setattr__, ['n'], [v + 1]))", "s.x.n"),
    "key function": _of("Box()", "v = s.x.n; sorted([1], key=lambda _: setattr(s.x, 'n', v + 1))", "s.x.n"),
    "singledispatch": _of(
        "Box()",
        "v = s.x.n; functools.singledispatch(lambda a, b: setattr(a, 'n', b))(s.x, v + 1)",
        "s.x.n",
        "functools",
    ),
    "file": _of(
        "io.BytesIO(b'0')",
        "v = int(s.x.getvalue()); s.x.seek(0); s.x.write(b'%d' % (v + 1))",
        "int(s.x.getvalue())",
        "io",
    ),
    "StringIO": _of(
        "io.StringIO()", "v = len(s.x.getvalue()); s.x.write('x' * (v + 1))", "len(s.x.getvalue()) - 1", "io"
    ),
    "dataclass": _of("Data()", "v = s.x.n; s.x.n = v + 1", "s.x.n"),
    "dataclass replace": _of(
        "[Data()]", "v = s.x[0].n; s.x[0] = dataclasses.replace(s.x[0], n=v + 1)", "s.x[0].n", "dataclasses"
    ),
    "SimpleNamespace": _of("types.SimpleNamespace(n=0)", "v = s.x.n; s.x.n = v + 1", "s.x.n", "types"),
    "contextvar": _of(
        "[contextvars.ContextVar('c', default=s), 0]",
        "v = s.x[1]; s.x[0].set(1); s.x[1] = v + 1",
        "s.x[1]",
        "contextvars",
    ),
    "weakref": _of("Box()", "r = weakref.ref(s.x); v = r().n; r().n = v + 1", "s.x.n", "weakref"),
    "weak proxy": _of("Box()", "r = weakref.proxy(s.x); v = r.n; r.n = v + 1", "s.x.n", "weakref"),
    "bound method kept": _of("Box()", "m = s.x.get; v = m(); s.x.n = v + 1", "s.x.n"),
    "callable object": _of("Called()", "s.x()", "s.x.n"),
    "defaults": _of("Defaults()", "v = s.x.f(); s.x.f.__func__.__defaults__ = (v + 1,)", "s.x.f()"),
    "cell": _of("cell()", "v = s.x[0](); s.x[1](v + 1)", "s.x[0]()"),
    "cell contents": _of("cell()", "v = s.x[0].__closure__[0].cell_contents; s.x[1](v + 1)", "s.x[0]()"),
    "mappingproxy": _of(
        "{'n': 0}", "v = types.MappingProxyType(s.x)['n']; s.x['n'] = v + 1", "s.x['n']", "types"
    ),
    "itertools chain": _of("[0]", "v = next(itertools.chain(s.x)); s.x[0] = v + 1", "s.x[0]", "itertools"),
    "islice": _of("[0]", "v = list(itertools.islice(s.x, 1))[0]; s.x[0] = v + 1", "s.x[0]", "itertools"),
    "list method of the type": _of(
        "[0]", "v = list.__getitem__(s.x, 0); list.__setitem__(s.x, 0, v + 1)", "s.x[0]"
    ),
    "sort": _of("[0, 0]", "v = s.x[1]; s.x[0] = v + 1; s.x.sort()", "s.x[1]"),
    "subclass of list": _of("L([0])", "v = s.x[0]; s.x[0] = v + 1", "s.x[0]"),
    "subclass of dict": _of("D(n=0)", "v = s.x['n']; s.x['n'] = v + 1", "s.x['n']"),
    "join": _of("['']", "v = len(''.join(s.x)); s.x[0] = 'a' * (v + 1)", "len(s.x[0])"),
    "bytes of a bytearray": _of("bytearray(1)", "v = bytes(s.x)[0]; s.x[0] = v + 1", "s.x[0]"),
    "int from bytes": _of("bytearray(1)", "v = int.from_bytes(s.x, 'big'); s.x[0] = v + 1", "s.x[0]"),
    "numpy item": _of("numpy.zeros(1, int)", "v = s.x[0]; s.x[0] = v + 1", "int(s.x[0])", "numpy"),
    "numpy in place": _of("numpy.zeros(1, int)", "v = s.x + 1; s.x[:] = v", "int(s.x[0])", "numpy"),
    "numpy view": _of("numpy.zeros(2, int)", "v = s.x[0]; s.x[:1][0] = v + 1", "int(s.x[0])", "numpy"),
    "numpy ufunc": _of(
        "numpy.zeros(1, int)", "v = s.x.copy(); numpy.add(v, 1, out=s.x)", "int(s.x[0])", "numpy"
    ),
    "enum": _of(
        "enum.Enum('E', {'A': 1})", "v = getattr(s.x.A, 'n', 0); s.x(1).n = v + 1", "s.x.A.n", "enum"
    ),
    "dataclass with slots": _of(
        "dataclasses.make_dataclass('D', [('n', int)], slots=True)(0)", "s.x.n += 1", "s.x.n", "dataclasses"
    ),
    "bounded deque": _of(
        "collections.deque([0], maxlen=1)", "v = s.x[-1]; s.x.append(v + 1)", "s.x[0]", "collections"
    ),
    "order of an OrderedDict": _of(
        "collections.OrderedDict({0: 0, 1: 0})",
        "k = next(iter(s.x)); s.x.move_to_end(k); s.x[k] += 1",
        "2 * min(s.x.values())",
        "collections",
    ),
    "Struct": _of(
        "bytearray(4)",
        "p = struct.Struct('i'); v = p.unpack_from(s.x)[0]; p.pack_into(s.x, 0, v + 1)",
        "s.x[0]",
        "struct",
    ),
    "place in a mmap": _of(
        "mmap.mmap(-1, 8)", "v = s.x[0]; s.x.seek(0); s.x.write_byte(v + 1)", "s.x[0]", "mmap"
    ),
    "place in a StringIO": _of(
        "io.StringIO('0')",
        "s.x.seek(0); v = int(s.x.read()); s.x.seek(0); s.x.write(str(v + 1))",
        "int(s.x.getvalue())",
        "io",
    ),
    "buffer of a BytesIO": _of(
        "io.BytesIO(bytes(1))",
        "v = s.x.getbuffer()[0]; s.x.getbuffer()[0] = v + 1",
        "s.x.getvalue()[0]",
        "io",
    ),
    "own context of decimals": _of(
        "decimal.Context(prec=1)", "v = s.x.prec; s.x.prec = v + 1", "s.x.prec - 1", "decimal"
    ),
    "own random state": _of(
        "[random.Random(1), 0]",
        "v = s.x[0].getstate(); a = s.x[0].random(); s.x[0].setstate(v); s.x[1] += s.x[0].random() == a",
        "s.x[1]",
        "random",
    ),
    "hash": _of(
        "[hashlib.md5(), set()]",
        "v = s.x[0].hexdigest(); s.x[0].update(b'x'); s.x[1].add(v)",
        "len(s.x[1])",
        "hashlib",
    ),
    "csv": _of(
        "[io.StringIO(), set()]",
        "v = s.x[0].tell(); csv.writer(s.x[0]).writerow([v]); s.x[1].add(v)",
        "len(s.x[1])",
        "csv",
        "io",
    ),
    "heapreplace": _of("[0]", "v = s.x[0]; heapq.heapreplace(s.x, v + 1)", "s.x[0]", "heapq"),
    "regular expression": _of(
        "[0]", "v = re.match('[0-9]', str(s.x[0]))[0]; s.x[0] = int(v) + 1", "s.x[0]", "re"
    ),
    "function in a substitution": _of(
        "[0]", "v = s.x[0]; re.sub('x', lambda _: str(s.x.__setitem__(0, v + 1)), 'x')", "s.x[0]", "re"
    ),
    "assignment expression": _of(
        "[0]", "print(end='') if (v := s.x[0]) > 9 else s.x.__setitem__(0, v + 1)", "s.x[0]"
    ),
    "function attribute": _of("lambda: 0", "s.x.n = getattr(s.x, 'n', 0) + 1", "s.x.n"),
    "partial attribute": _of(
        "functools.partial(id)", "s.x.n = getattr(s.x, 'n', 0) + 1", "s.x.n", "functools"
    ),
    "pointer": _of(
        "ctypes.pointer(ctypes.c_int(0))", "v = s.x[0]; s.x.contents.value = v + 1", "s.x[0]", "ctypes"
    ),
    "cast memory": _of("bytearray(8)", "m = memoryview(s.x).cast('i'); m[0] = m[0] + 1", "s.x[0]"),
    "named tuple": _of(
        "[collections.namedtuple('T', 'n')(0)]",
        "s.x[0] = s.x[0]._replace(n=s.x[0].n + 1)",
        "s.x[0].n",
        "collections",
    ),
    "numpy flat": _of(
        "numpy.zeros((1, 1), int)", "v = s.x.flat[0]; s.x.flat[0] = v + 1", "int(s.x[0, 0])", "numpy"
    ),
    "numpy take and put": _of(
        "numpy.zeros(1, int)", "v = s.x.take(0); s.x.put(0, v + 1)", "int(s.x[0])", "numpy"
    ),
    "numpy sum and fill": _of(
        "numpy.zeros(1, int)", "v = int(s.x.sum()); s.x.fill(v + 1)", "int(s.x[0])", "numpy"
    ),
    "iterator: count": _of(
        "[itertools.count(), 0]",
        "a = next(s.x[0]); b = next(s.x[0]); s.x[1] += b - a",
        "s.x[1]",
        "itertools",
    ),
    "iterator: zip": _of(
        "[zip([0, 1, 2, 3], 'abcd'), 0]",
        "a = next(s.x[0])[0]; b = next(s.x[0])[0]; s.x[1] += b - a",
        "s.x[1]",
    ),
    "iterator: map": _of(
        "[map(int, '0123'), 0]",
        "a = next(s.x[0]); b = next(s.x[0]); s.x[1] += b - a",
        "s.x[1]",
    ),
    "iterator: enumerate": _of(
        "[enumerate('abcd'), 0]",
        "a = next(s.x[0])[0]; b = next(s.x[0])[0]; s.x[1] += b - a",
        "s.x[1]",
    ),
    "iterator: reversed": _of(
        "[reversed([3, 2, 1, 0]), 0]",
        "a = next(s.x[0]); b = next(s.x[0]); s.x[1] += b - a",
        "s.x[1]",
    ),
    "iterator: dictionary": _of(
        "[iter({0: 0, 1: 0, 2: 0, 3: 0}), 0]",
        "a = next(s.x[0]); b = next(s.x[0]); s.x[1] += b - a",
        "s.x[1]",
    ),
    "iterator: accumulate": _of(
        "[itertools.accumulate([1, 1, 1, 1]), 0]",
        "a = next(s.x[0]); b = next(s.x[0]); s.x[1] += b - a",
        "s.x[1]",
        "itertools",
    ),
    "iterator: groupby": _of(
        "[itertools.groupby([0, 1, 2, 3]), 0]",
        "a = next(s.x[0])[0]; b = next(s.x[0])[0]; s.x[1] += b - a",
        "s.x[1]",
        "itertools",
    ),
    "iterator: tee": _of(
        "[itertools.tee([0, 1, 2, 3])[0], 0]",
        "a = next(s.x[0]); b = next(s.x[0]); s.x[1] += b - a",
        "s.x[1]",
        "itertools",
    ),
    "iterator: unpacked": _of(
        "[struct.iter_unpack('b', bytes(range(4))), 0]",
        "a = next(s.x[0])[0]; b = next(s.x[0])[0]; s.x[1] += b - a",
        "s.x[1]",
        "struct",
    ),
    "iterator: generator": _of(
        "[(number for number in range(4)), 0]",
        "a = next(s.x[0]); b = next(s.x[0]); s.x[1] += b - a",
        "s.x[1]",
    ),
}

PRELUDE: Final = """
import dataclasses
import threading

G = 0

class State:
    def __init__(self):
        global G
        G = 0
        self.lock = threading.Lock()
        s = self
        self.x = {make}

class Box:
    def __init__(self):
        self.n = 0

    def get(self):
        return self.n

class Slots:
    __slots__ = ("n",)

    def __init__(self):
        self.n = 0

class Property:
    def __init__(self):
        self._n = 0

    @property
    def n(self):
        return self._n

    @n.setter
    def n(self, value):
        self._n = value

class Descriptor:
    def __get__(self, thing, kind):
        return thing.__dict__.get("hidden", 0)

    def __set__(self, thing, value):
        thing.__dict__["hidden"] = value

class Described:
    n = Descriptor()

class Super:
    def __init__(self):
        self.n = 0

    def __setattr__(self, name, value):
        super().__setattr__(name, value)

class Kept:
    def __init__(self):
        self.n = 0
        self.kept = Kept2(self)

class Kept2:
    def __init__(self, owner):
        self.space = owner.__dict__

    def __setitem__(self, key, value):
        self.space[key] = value

class Called:
    def __init__(self):
        self.n = 0

    def __call__(self):
        v = self.n
        self.n = v + 1

class Defaults:
    def __init__(self):
        def f(self, n=0):
            return n
        import types
        self.f = types.MethodType(f, self)

@dataclasses.dataclass
class Data:
    n: int = 0

class L(list):
    pass

class D(dict):
    pass

def cell():
    n = 0

    def get():
        return n

    def put(value):
        nonlocal n
        n = value

    return get, put
"""


def source(idiom: Idiom, *, locked: bool) -> str:
    """Return the program: `State`, `worker` and `check`."""
    body = list(idiom.body)
    lines = []
    if body[0].startswith("global "):
        lines.append(body.pop(0))
    if locked:
        lines += ["with s.lock:", *(f"    {line}" for line in body)]
    else:
        lines += body
    return "\n".join(
        (
            *(f"import {name}" for name in idiom.imports),
            PRELUDE.replace("{make}", idiom.make),
            "def worker(s):",
            *(f"    {line}" for line in lines),
            "",
            "def check(s):",
            f"    return bool(({idiom.value}) == 2)",
            "",
        )
    )
