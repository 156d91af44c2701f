"""Renders a program of the differential test as Python source, in one of several layouts.

In all layouts but `module` and `library` the last thing that the code does is to call `RUN`, so that
everything is explored while the function, script or cell that holds it is still running.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import count
from textwrap import indent
from typing import Final, Literal

from tests.quality.threads.differential.syntax import (
    Add,
    Await,
    Call,
    Do,
    Hold,
    If,
    Load,
    Local,
    Notify,
    Program,
    Repeat,
    Save,
    Signal,
    Spawn,
    Stmt,
    Store,
)

Layout = Literal["module", "nested", "cell", "script", "library"]
LAYOUTS: Final[tuple[Layout, ...]] = ("module", "nested", "cell", "script", "library")

IMPORTS: Final = (
    "array",
    "collections",
    "contextlib",
    "ctypes",
    "functools",
    "heapq",
    "itertools",
    "mmap",
    "operator",
    "queue",
    "struct",
    "threading",
)
POOL: Final = "from concurrent.futures import ThreadPoolExecutor\n"
DECOYS: Final = """\
import time
def never_called(lock, things, thread, path):
    with open(path) as text:
        text.read()
    with lock:
        things.put(things.get())
    lock.acquire()
    lock.wait()
    lock.release()
    thread.join()
    time.sleep(1)
"""

ITEMS: Final = (
    "{at} = {{value}}",
    "operator.setitem({of}, {key}, {{value}})",
    "{of}.__setitem__({key}, {{value}})",
)
CLASSES: Final = {"Slotted": "slot", "Fields": "field"}
"""Classes that the state needs if there are places of a storage."""
GETS: Final = ("{at}", "operator.getitem({of}, {key})", "{of}.__getitem__({key})")


@dataclass(frozen=True)
class Access:
    """How a place is spelt: expressions that read it, and statements that write `{value}` to it.

    The first of each is the plain one, and can stand on the left of `+=`, if `plain`.
    """

    gets: tuple[str, ...]
    sets: tuple[str, ...]
    plain: bool = True


@dataclass(frozen=True)
class Source:
    """The text of the main module, and of the second one, which is empty but in the layout `library`."""

    main: str
    library: str = ""


def render(program: Program, layout: Layout) -> Source:
    """Return a program as Python source that defines or runs `setup`, `WORKERS` and `end`."""
    return _Renderer(program, layout).source()


class _Renderer:
    def __init__(self, program: Program, layout: Layout) -> None:
        self.program = program
        self.layout = layout
        self.names = [*program.names]
        self.places = [self._name(f"place_{number}") for number in range(len(program.places))]
        self.methods: list[str] = []
        self.functions: list[str] = []
        self.shared: list[str] = []
        self.threads: list[str] = []
        self.made: list[str] = []
        self.inside: list[str] = []
        self.helpers = count()
        self.bodies = list(program.threads)
        self.in_library = False
        self.exported = ["Shared"]
        self.exported += [name for name, storage in CLASSES.items() if self._placed(storage)]

    def _name(self, otherwise: str) -> str:
        return self.names.pop(0) if self.names else otherwise

    # -- the whole ------------------------------------------------------------------------------------------

    def source(self) -> Source:
        number = 0
        while number < len(self.bodies):
            self._thread(number)
            number += 1
        scope = [self._shared(), *self.shared]
        main = [*self.functions, *self.threads, self._setup(), self._end()]
        workers = ", ".join(f"thread_{index}" for index in range(len(self.program.threads)))
        main.append(f"WORKERS = [{workers}]")
        head = DECOYS if self.program.decoys else ""
        globals_ = "".join(f"{name} = 0\n" for name in self._placed("global"))
        if self.layout == "library":
            library = head + globals_ + "\n".join(scope)
            borrowed = f"import library\nfrom library import {', '.join(self.exported)}\n"
            return Source(_importing(head + borrowed + "\n".join(main)), _importing(library))
        everything = "\n".join([*scope, *main])
        if self.layout == "nested":
            cells = "".join(f"{name} = 0\n" for name in self._placed("cell"))
            body = indent(f"{cells}{everything}\nRUN(setup, WORKERS, end)\n", "    ")
            return Source(_importing(f"{head}{globals_}def build():\n{body}build()\n"))
        run = "" if self.layout == "module" else "\nRUN(setup, WORKERS, end)\n"
        return Source(_importing(f"{head}{globals_}{everything}{run}\n"))

    def _placed(self, storage: str) -> list[str]:
        pairs = zip(self.program.places, self.places, strict=True)
        return [name for place, name in pairs if place.storage == storage]

    def _outer(self) -> str:
        """Return the declarations that a function needs to write globals and cells."""
        text = "".join(f"global {name}\n" for name in self._placed("global") if self._owns_globals)
        if self.layout == "nested":
            text += "".join(f"nonlocal {name}\n" for name in self._placed("cell"))
        return text

    @property
    def _owns_globals(self) -> bool:
        return self.layout != "library" or self.in_library

    def _define(self, head: str, body: str) -> str:
        return f"{head}:\n{indent(self._outer() + body, '    ')}"

    # -- state ----------------------------------------------------------------------------------------------

    def _shared(self) -> str:
        """Return the class of the state."""
        slots = ", ".join(repr(name) for name in self._placed("slot"))
        text = f"class Slotted:\n    __slots__ = ({slots},)\n" if slots else ""
        fields = ", ".join(f"({name!r}, ctypes.c_int)" for name in self._placed("field"))
        if fields:
            text += f"class Fields(ctypes.Structure):\n    _fields_ = [{fields}]\n"
        text += "class Shared:\n"
        for name in self._placed("class"):
            text += f"    {name} = 0\n"
        for name in self._placed("property"):
            hidden = self._hidden(name)
            text += f"    @property\n    def {name}(s):\n        return s.{hidden}\n"
            text += f"    @{name}.setter\n    def {name}(s, value):\n        s.{hidden} = value\n"
        text += "".join(indent(method, "    ") for method in self.methods)
        return text + "    pass\n"

    def _hidden(self, name: str) -> str:
        return f"of_property_{self.places.index(name)}"

    def _setup(self) -> str:
        places = self.program.places
        size = max(len(places), 1)
        lines = ["s = Shared()", *(["s.slotted = Slotted()"] if self._placed("slot") else [])]
        lines += [f"s.{self._hidden(name)} = 0" for name in self._placed("property")]
        used = {place.storage for place in places}
        makers = {
            "list": f"s.of_list = [0] * {size}",
            "dict": f"s.of_dict = dict.fromkeys({self._placed('dict')}, 0)",
            "counter": f"s.of_counter = collections.Counter(dict.fromkeys({self._placed('counter')}, 0))",
            "deque": f"s.of_deque = collections.deque([0] * {size})",
            "array": f"s.of_array = array.array('i', [0] * {size})",
            "bytes": f"s.of_bytes = bytearray({size})\ns.of_view = memoryview(s.of_bytes)",
            "ctypes": f"s.of_ctypes = (ctypes.c_int * {size})()",
            "field": "s.of_fields = Fields()",
            "mmap": f"s.of_mmap = mmap.mmap(-1, {size})",
        }
        lines += [maker for storage, maker in makers.items() if storage in used]
        for index, place in enumerate(places):
            if place.storage in ("attribute", "slot", "class", "global"):
                lines.append(self._access(index).sets[0].format(value=0))
            if place.storage == "cell":
                lines += self._cell(self.places[index])
        lines += [f"s.store_{index} = {_maker(store)}" for index, store in enumerate(self.program.stores)]
        for index, sync in enumerate(self.program.syncs):
            kind = {"lock": "Lock", "rlock": "RLock", "condition": "Condition", "event": "Event"}
            maker = f"Semaphore({sync.value})" if sync.kind == "semaphore" else f"{kind[sync.kind]}()"
            lines.append(f"s.sync_{index} = threading.{maker}")
        lines += self.made
        return self._define("def setup()", "\n".join([*lines, "return s\n"]))

    def _cell(self, name: str) -> list[str]:
        """Return what makes a closure cell anew, and the functions that close over it."""
        if self.layout == "nested":
            return [f"{name} = 0"]
        load, save = f"load_{name}", f"save_{name}"
        return [
            f"{name} = 0",
            f"def {load}():\n    return {name}",
            f"def {save}(given):\n    nonlocal {name}\n    {name} = given",
            f"s.{load}, s.{save} = {load}, {save}",
        ]

    def _end(self) -> str:
        places = "".join(f"{self._access(index).gets[0]}, " for index in range(len(self.places)))
        stores = "".join(f"{_canonical(store, index)}, " for index, store in enumerate(self.program.stores))
        results = "".join(f"getattr(s, 'result_{index}', None), " for index in range(len(self.bodies)))
        return self._define("def end(s)", f"return ({places}), ({stores}), ({results})\n")

    # -- threads and helpers --------------------------------------------------------------------------------

    def _thread(self, number: int) -> None:
        self.inside = []
        body = self._block(self.bodies[number], number) or "pass\n"
        text = "a = b = 0\n" + "".join(self.inside)
        text += f"try:\n{indent(body, '    ')}"
        text += f"except Exception as error:\n    s.result_{number} = type(error).__name__\n"
        text += f"else:\n    s.result_{number} = (a, b)\n"
        self.threads.append(self._define(f"def thread_{number}(s)", text))

    def _block(self, body: tuple[Stmt, ...], number: int) -> str:
        return "".join(self._statement(statement, number) for statement in body)

    def _nested(self, head: str, body: tuple[Stmt, ...], number: int) -> str:
        return f"{head}:\n{indent(self._block(body, number) or 'pass' + chr(10), '    ')}"

    def _statement(self, statement: Stmt, number: int) -> str:
        match statement:
            case Load(place=place, into=into, form=form):
                gets = self._access(place).gets
                return f"{into} = {gets[form % len(gets)]}\n"
            case Save(place=place, base=base, plus=plus, form=form):
                sets = self._access(place).sets
                return sets[form % len(sets)].format(value=_sum(base, plus)) + "\n"
            case Add(place=place, plus=plus, form=form):
                return self._add(place, plus, form)
            case Do(store=store, operation=operation, argument=argument, into=into):
                return _operation(self.program.stores[store], f"s.store_{store}", operation, argument, into)
            case If(subject=subject, equals=equals, body=body, orelse=orelse):
                text = self._nested(f"if {subject} == {equals}", body, number)
                return text + (self._nested("else", orelse, number) if orelse else "")
            case Repeat(times=times, body=body):
                return self._nested(f"for _ in range({times})", body, number)
            case Hold():
                return self._hold(statement, number)
            case Await(sync=sync, place=place, how=how):
                wait = f"s.sync_{sync}.wait()\n"
                get = self._access(place).gets[0]
                if how == "wait_for":
                    return f"s.sync_{sync}.wait_for(lambda: {get})\n"
                return wait if how == "bare" else f"while {get} == 0:\n    {wait}"
            case Notify(sync=sync, everyone=everyone):
                return f"s.sync_{sync}.notify{'_all' if everyone else ''}()\n"
            case Signal(sync=sync, operation=operation, into=into):
                told = f"{into} = int(s.sync_{sync}.{operation}())\n"
                return told if operation in ("is_set", "locked", "wait") else f"s.sync_{sync}.{operation}()\n"
            case Call(body=body, form=form, into=into):
                return self._call(body, form, into, number)
            case Spawn():
                return self._spawn(statement, number)
        raise AssertionError(statement)

    def _hold(self, statement: Hold, number: int) -> str:
        name = f"s.sync_{statement.sync}"
        if statement.how == "with":
            return self._nested(f"with {name}", statement.body, number)
        body = self._block(statement.body, number) or "pass\n"
        if statement.how == "acquire":
            return f"{name}.acquire()\n{body}{name}.release()\n"
        inner = f"try:\n{indent(body, '    ')}finally:\n    {name}.release()\n"
        return f"if {name}.acquire(blocking=False):\n{indent(inner, '    ')}"

    def _spawn(self, statement: Spawn, number: int) -> str:
        numbers = range(len(self.bodies), len(self.bodies) + len(statement.bodies))
        self.bodies += statement.bodies
        between = self._block(statement.between, number)
        joined = "left" not in statement.how
        if "pool" not in statement.how:
            makers = {
                "thread": "threading.Thread(target=thread_{0}, args=(s,))",
                "thread left": "threading.Thread(target=thread_{0}, args=(s,))",
                "subclass": "Runner(thread_{0}, s)",
            }
            if statement.how == "subclass" and not any("class Runner" in text for text in self.functions):
                init = (
                    "def __init__(self, body, s):\n    super().__init__()\n    self.body, self.s = body, s\n"
                )
                run = "def run(self):\n    self.body(self.s)\n"
                self.functions.append(f"class Runner(threading.Thread):\n{indent(init + run, '    ')}")
            maker = makers[statement.how]
            starts = "".join(f"child_{n} = {maker.format(n)}\nchild_{n}.start()\n" for n in numbers)
            return starts + between + "".join(f"child_{n}.join()\n" for n in numbers if joined)
        pool = f"ThreadPoolExecutor({statement.width})"
        if statement.how == "pool of setup":
            self.made.append(f"s.pool_{numbers[0]} = {pool}")
            pool = f"s.pool_{numbers[0]}"
        body = "".join(f"future_{n} = pool.submit(thread_{n}, s)\n" for n in numbers) + between
        if not joined:
            return f"pool = {pool}\n{body}"
        body += "".join(f"future_{n}.result()\n" for n in numbers)
        return f"with {pool} as pool:\n{indent(body, '    ')}"

    def _call(self, body: tuple[Stmt, ...], form: str, into: Local, number: int) -> str:
        name = self._name(f"helper_{next(self.helpers)}_{number}")
        before = self.in_library
        self.in_library = self.layout == "library" and form in ("method", "property", "library")
        block = "h = 0\n" + self._block(body, number)
        match form:
            case "begun":
                text = "yield\nwhile True:\n" + indent(block + "yield h\n", "    ")
            case "generator" | "context":
                text = block + "yield h\n"
            case _:
                text = block + "return h\n"
        decorator = {"property": "@property\n", "context": "@contextlib.contextmanager\n"}.get(form, "")
        head = f"{'async ' if form == 'coroutine' else ''}def {name}(s)"
        function = decorator + self._define(head, text)
        self.in_library = before
        target = {
            "method": self.methods,
            "property": self.methods,
            "library": self.shared,
            "nested": self.inside,
        }
        if form == "begun":
            self.made += [f"s.begun_{name} = {name}(s)", f"next(s.begun_{name})"]
        if form == "enter":
            function = f"class {name}:\n    def __init__(self, s):\n        self.s = s\n" + indent(
                self._define("def __enter__(self)", "s = self.s\n" + text)
                + "def __exit__(self, *error):\n    return None\n",
                "    ",
            )
        if form == "library":
            self.exported.append(name)
        target.get(form, self.functions).append(function)
        return _calling(form, name, into)

    # -- places ---------------------------------------------------------------------------------------------

    def _add(self, place: int, plus: int, form: int) -> str:
        access = self._access(place)
        if access.plain and form % len(access.sets) == 0:
            return f"{access.gets[0]} += {plus}\n"
        get = access.gets[form % len(access.gets)]
        return access.sets[form % len(access.sets)].format(value=f"{get} + {plus}") + "\n"

    def _access(self, index: int) -> Access:
        name, storage = self.places[index], self.program.places[index].storage
        match storage:
            case "attribute":
                return _attribute("s", name)
            case "slot":
                return Access(
                    (f"s.slotted.{name}", f"getattr(s.slotted, {name!r})"),
                    (f"s.slotted.{name} = {{value}}", f"setattr(s.slotted, {name!r}, {{value}})"),
                )
            case "class":
                return Access(
                    (f"Shared.{name}", f"type(s).{name}", f"s.{name}"),
                    (
                        f"Shared.{name} = {{value}}",
                        f"type(s).{name} = {{value}}",
                        f"setattr(Shared, {name!r}, {{value}})",
                    ),
                )
            case "property":
                return Access(
                    (f"s.{name}", f"getattr(s, {name!r})"),
                    (f"s.{name} = {{value}}", f"setattr(s, {name!r}, {{value}})"),
                )
            case "field":
                return Access(
                    (f"s.of_fields.{name}", f"getattr(s.of_fields, {name!r})"),
                    (f"s.of_fields.{name} = {{value}}", f"setattr(s.of_fields, {name!r}, {{value}})"),
                )
            case "global" if self._owns_globals:
                return Access(
                    (name, f"globals()[{name!r}]"),
                    (f"{name} = {{value}}", f"globals()[{name!r}] = {{value}}"),
                )
            case "global":
                return Access((f"library.{name}",), (f"library.{name} = {{value}}",))
            case "cell" if self.layout == "nested":
                return Access((name,), (f"{name} = {{value}}",))
            case "cell":
                return Access((f"s.load_{name}()",), (f"s.save_{name}({{value}})",), plain=False)
            case "dict" | "counter":
                return _table(f"s.of_{storage}", name)
            case "bytes":
                return _bytes(index)
            case _:
                return _items(f"s.of_{storage}", repr(index))


def _importing(text: str) -> str:
    """Return a module's text with the imports that it needs in front."""
    needed = "".join(f"import {name}\n" for name in IMPORTS if f"{name}." in text)
    return needed + (POOL if "ThreadPoolExecutor(" in text else "") + text


def _attribute(of: str, name: str) -> Access:
    scope = f'{{"s": {of}}}'
    return Access(
        (
            f"{of}.{name}",
            f"getattr({of}, {name!r})",
            f"vars({of})[{name!r}]",
            f"operator.attrgetter({name!r})({of})",
            f"eval('s.{name}', {scope})",
        ),
        (
            f"{of}.{name} = {{value}}",
            f"setattr({of}, {name!r}, {{value}})",
            f"vars({of})[{name!r}] = {{value}}",
            f"{of}.__setattr__({name!r}, {{value}})",
            f"exec('s.{name} = v', {{{{'s': {of}, 'v': {{value}}}}}})",
        ),
    )


def _items(of: str, key: str) -> Access:
    gets = tuple(text.format(at=f"{of}[{key}]", of=of, key=key) for text in GETS)
    sets = tuple(text.format(at=f"{of}[{key}]", of=of, key=key) for text in ITEMS)
    return Access(gets, sets)


def _table(of: str, name: str) -> Access:
    plain = _items(of, repr(name))
    return Access(
        (*plain.gets, f"{of}.get({name!r})"), (*plain.sets, f"dict.__setitem__({of}, {name!r}, {{value}})")
    )


def _bytes(index: int) -> Access:
    plain, view = _items("s.of_bytes", repr(index)), _items("s.of_view", repr(index))
    return Access(
        (
            *plain.gets[:2],
            view.gets[0],
            f"struct.unpack_from('B', s.of_bytes, {index})[0]",
            f"s.of_bytes[{index}:{index + 1}][0]",
        ),
        (
            *plain.sets[:2],
            view.sets[0],
            f"struct.pack_into('B', s.of_bytes, {index}, {{value}})",
            f"s.of_bytes[{index}:{index + 1}] = bytes([{{value}}])",
        ),
    )


def _sum(base: Local | None, plus: int) -> str:
    return f"{base} + {plus}" if base else str(plus)


def _maker(store: Store) -> str:
    first = list(store.first)
    match store.kind:
        case "list":
            return repr(first)
        case "heap":
            return repr(sorted(first))
        case "dict":
            return repr({value: value for value in first})
        case "set":
            return f"set({first})"
        case "deque":
            return f"collections.deque({first})"
        case "count":
            return "itertools.count()"
        case "queue" | "simple queue":
            maker = "Queue" if store.kind == "queue" else "SimpleQueue"
            return f"queue.{maker}()"
    raise AssertionError(store)


def _canonical(store: Store, index: int) -> str:
    name = f"s.store_{index}"
    match store.kind:
        case "list" | "deque":
            return f"tuple({name})"
        case "heap" | "set":
            return f"tuple(sorted({name}))"
        case "dict":
            return f"tuple(sorted({name}.items()))"
        case "count":
            return f"next({name})"
        case _:
            return f"tuple({name}.get() for _ in range({name}.qsize()))"


SPELLINGS: Final = {
    ("list", "append"): "{of}.append({x})",
    ("deque", "append"): "{of}.append({x})",
    ("list", "insert"): "{of}.insert(0, {x})",
    ("deque", "insert"): "{of}.appendleft({x})",
    ("deque", "pop first"): "{into} = {of}.popleft()",
    ("list", "pop"): "{into} = {of}.pop()",
    ("deque", "pop"): "{into} = {of}.pop()",
    ("dict", "put"): "{of}[1] = {x}",
    ("dict", "get"): "{into} = {of}.get({x}, 0)",
    ("dict", "pop"): "{into} = {of}.pop({x}, 0)",
    ("dict", "setdefault"): "{into} = {of}.setdefault(1, {x})",
    ("dict", "delete"): "del {of}[{x}]",
    ("heap", "put"): "heapq.heappush({of}, {x})",
    ("heap", "get"): "{into} = heapq.heappop({of})",
    ("count", "next"): "{into} = next({of})",
    ("queue", "put"): "{of}.put({x})",
    ("queue", "get"): "{into} = {of}.get()",
    ("queue", "length"): "{into} = {of}.qsize()",
    ("simple queue", "put"): "{of}.put({x})",
    ("simple queue", "get"): "{into} = {of}.get()",
    ("simple queue", "length"): "{into} = {of}.qsize()",
}
SPELLINGS_OF_ALL: Final = {
    "first": "{into} = {of}[0]",
    "length": "{into} = len({of})",
    "sum": "{into} = sum({of})",
    "remove": "{of}.remove({x})",
    "clear": "{of}.clear()",
    "contains": "{into} = int({x} in {of})",
    "add": "{of}.add({x})",
    "discard": "{of}.discard({x})",
}


def _operation(store: Store, of: str, operation: str, argument: Local | int, into: Local) -> str:
    spelling = SPELLINGS.get((store.kind, operation)) or SPELLINGS_OF_ALL[operation]
    text = spelling.format(of=of, x=argument, into=into)
    return text + ("\n" if "{into}" in spelling else f"\n{into} = 0\n")


def _calling(form: str, name: str, into: Local) -> str:
    """Return a statement that runs a helper and takes what it returns."""
    direct = {
        "method": f"s.{name}()",
        "partial": f"functools.partial({name}, s)()",
        "generator": f"next({name}(s))",
        "begun": f"next(s.begun_{name})",
        "map": f"list(map({name}, [s]))[0]",
        "lambda": f"(lambda: {name}(s))()",
        "property": f"s.{name}",
        "factory": f"collections.defaultdict(lambda: {name}(s))['k']",
    }
    match form:
        case "context" | "enter":
            return f"with {name}(s) as {into}:\n    pass\n"
        case "exec":
            return f"scope = {{'f': {name}, 's': s}}\nexec('h = f(s)', scope)\n{into} = scope['h']\n"
        case "coroutine":
            return f"try:\n    {name}(s).send(None)\nexcept StopIteration as stop:\n    {into} = stop.value\n"
        case _:
            return f"{into} = {direct.get(form, f'{name}(s)')}\n"
