"""Ways to read, and to write in another thread, what lies outside of a program or belongs to its process."""

from __future__ import annotations

from typing import Final

from tests.simulations.live.threads.read_forms import Form

FILE: Final = "s.f = open(FOLDER + '/file', 'w+b', 0); s.f.write(b'old'); s.f.seek(0)"
WHOLE: Final = "with open(FOLDER + '/file', 'rb') as f: v = f.read()"
OVER: Final = "with open(FOLDER + '/file', 'r+b', 0) as f: f.write(b'new')"
LONGER: Final = "with open(FOLDER + '/file', 'ab') as f: f.write(b'a')"
DATABASE: Final = (
    "s.x = sqlite3.connect(':memory:', check_same_thread=False); s.x.execute('create table t (n)'); "
    "s.x.execute('insert into t values (1)'); s.c = s.x.execute('select n from t')"
)

FORMS: Final[dict[str, Form]] = {
    "mode of a file": Form(
        FILE + "; os.chmod(FOLDER + '/file', 0o644)",
        "v = os.stat(FOLDER + '/file').st_mode",
        "os.chmod(FOLDER + '/file', 0o600)",
    ),
    "size of a file by its number": Form(
        FILE,
        "v = os.fstat(s.f.fileno()).st_size",
        LONGER,
    ),
    "file emptied by a constructor": Form(
        FILE,
        WHOLE,
        "io.FileIO(FOLDER + '/file', 'w').close()",
    ),
    "below a pickle to a file": Form(
        FILE,
        WHOLE,
        "pickle.dump(1, s.f)",
    ),
    "below a print to a file": Form(
        "s.f = open(FOLDER + '/file', 'w')",
        WHOLE,
        "print('x', file=s.f, flush=True)",
    ),
    "lines of a file": Form(
        FILE,
        "v = 0\nfor line in s.f: v = line",
        OVER,
    ),
    "list of a file": Form(
        FILE,
        "v = list(s.f)",
        OVER,
    ),
    "reader of a file": Form(
        f"{FILE}; s.r = csv.reader(io.TextIOWrapper(s.f))",
        "v = next(s.r)",
        OVER,
    ),
    "unpickled file": Form(
        FILE + "; s.f.write(pickle.dumps(b'old')); s.f.seek(0)",
        "v = pickle.load(s.f)",
        "with open(FOLDER + '/file', 'r+b', 0) as f: f.write(pickle.dumps(b'new'))",
    ),
    "entry of a folder": Form(
        FILE + "; s.e = [one for one in os.scandir(FOLDER) if one.name == 'file'][0]",
        "v = s.e.stat().st_size",
        LONGER,
    ),
    "current folder and a file": Form(
        (
            "os.makedirs(FOLDER + '/a', exist_ok=True); os.chdir(FOLDER)\n"
            "        for name in ('file', 'a/file'):\n            with open(name, 'w') as f: f.write(name)"
        ),
        "with open('file') as f: v = f.read()",
        "os.chdir(FOLDER + '/a')",
    ),
    "mask and a new file": Form(
        "os.umask(0o22)",
        (
            "with open(FOLDER + '/file', 'w') as f: v = os.fstat(f.fileno()).st_mode\n"
            "os.remove(FOLDER + '/file')"
        ),
        "os.umask(0o77)",
    ),
    "changes of a database": Form(
        DATABASE, "v = s.x.total_changes", "s.x.execute('insert into t values (2)')"
    ),
    "transaction of a database": Form(DATABASE, "v = s.x.in_transaction", "s.x.commit()"),
    "rows of a database": Form(DATABASE, "v = [row for row in s.c]", "s.c.fetchone()"),
    "kind of the rows of a database": Form(
        DATABASE, "v = type(s.x.execute('select n from t').fetchone())", "s.x.row_factory = sqlite3.Row"
    ),
    "zone of the clock": Form(
        "os.environ['TZ'] = 'UTC'; time.tzset()",
        "v = time.localtime(0).tm_hour",
        "os.environ['TZ'] = 'EST5'; time.tzset()",
    ),
    "digits of a number": Form(
        "sys.set_int_max_str_digits(4300)",
        "try: v = len(str(10**700))\nexcept ValueError: v = 0",
        "sys.set_int_max_str_digits(640)",
    ),
    "locale": Form(
        "locale.setlocale(locale.LC_ALL, 'C')",
        "v = locale.setlocale(locale.LC_ALL)",
        "locale.setlocale(locale.LC_ALL, 'C.UTF-8')",
        "import locale",
    ),
}
UNSEEN: Final = frozenset(["digits of a number", "locale", "zone of the clock"])
"""Forms whose order cannot be told apart, which forbid a proof."""
