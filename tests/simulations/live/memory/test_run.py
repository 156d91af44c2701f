"""The instrument on real processes: what it takes away, and what it says of a crash."""

import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from simulations.live.memory import specimen
from simulations.live.memory.filling import Filling
from simulations.live.memory.layout import GIB, MIB
from simulations.live.memory.options import Options

FILL = Filling("fill", 4 * GIB)
SQUEEZE = Filling("squeeze", 2 * GIB)
PLAIN = Filling("plain", 0)
PYTHON = [sys.executable, "-S"]
SPECIMEN = [*PYTHON, specimen.__file__]
CUT = """
import ctypes
libc = ctypes.CDLL(None)
libc.malloc.restype = ctypes.c_void_p
def cut(size=100):
    full = libc.malloc(size)
    print(hex(full), flush=True)
    return ctypes.c_char.from_address(ctypes.c_int(full).value).value
"""


def python(source):
    return [*PYTHON, "-c", source]


def crashing(traced, command, filling):
    """Run until it crashes: a truncated pointer may fall on usable memory, at most one time in eight here."""
    for _ in range(8):
        done = traced(command, filling)
        if done.returncode == -signal.SIGSEGV:
            return done
    raise AssertionError(f"{command} did not crash in 8 runs, {filling}")


def times(count, command):
    """A shell loop over a command; prints each exit status."""
    words = " ".join(command)
    return ["/bin/sh", "-c", f"for i in $(seq {count}); do {words} >/dev/null 2>&1; echo status $?; done"]


def test_squeezed_the_specimen_works_every_time(traced):
    done = traced(times(100, [*SPECIMEN, "--size", "64"]), SQUEEZE, Options(follow=True))
    assert done.stdout.split("\n").count("status 0") == 100
    assert done.report["crashes"] == []


def test_filled_the_specimen_crashes_every_time_and_each_crash_names_its_pointer(traced):
    done = traced(times(100, [*SPECIMEN, "--size", "64"]), FILL, Options(follow=True))
    crashed = done.stdout.split("\n").count("status 139")
    # An interpreter linked to low addresses keeps its image there, and a truncated pointer may fall on it.
    # Null hypothesis: it does so with the reported chance. Up to 0.3 %, a false alarm, more than 5 misses in
    # 100, is rarer than one in a million.
    miss = max(program["miss_chance"] for program in done.report["programs"])
    assert miss < 0.003
    assert crashed >= (100 if miss == 0 else 95)
    assert len(done.report["crashes"]) == crashed
    for crash in done.report["crashes"]:
        (explanation, *_) = crash["explanations"]
        low, high = (int(side, 16) for side in explanation["region"])
        assert low <= int(explanation["original"], 16) < high
        assert int(explanation["original"], 16) % 2**32 == int(crash["address"], 16) % 2**32
        assert any("open_documents" in line for line in crash["python"])


def test_the_declared_specimen_works_filled_and_squeezed(traced):
    for filling in (FILL, SQUEEZE):
        assert traced([*SPECIMEN, "--size", "64", "--declared"], filling).returncode == 0


@pytest.mark.parametrize("filling", [FILL, PLAIN, Filling("story", 64 * MIB)], ids=str)
def test_the_original_of_an_explanation_is_the_pointer_that_was_cut(traced, filling):
    use = (
        "hold = [bytearray(1 << 20) for _ in range(200)]\ncut(1 << 20)"
        if filling.kind == "story"
        else "cut()"
    )
    if filling.kind == "plain" and traced(python(CUT + use), filling).returncode == 0:
        pytest.skip("plain, this interpreter has a low heap, where the bug hides")
    done = crashing(traced, python(CUT + use), filling)
    (crash,) = done.report["crashes"]
    assert crash["explanations"][0]["original"] == done.stdout.strip()


def test_story_the_same_number_of_documents_works_each_time_and_the_next_one_fails(traced):
    counts = set()
    for _ in range(10):
        done = traced([*SPECIMEN, "--documents", "400"], Filling("story", 128 * MIB))
        assert done.returncode in (-signal.SIGSEGV, 1)  # 1: it fell on low memory, and had another length
        counts.add(done.stdout.count(" at "))
    (count,) = counts
    assert 10 < count < 128


def test_the_report_says_what_was_filled(traced):
    done = traced(["/bin/sh", "-c", "exit 0"], FILL)
    (program,) = done.report["programs"]
    assert program["left_open"] == []
    filled = sum(int(end, 16) - int(start, 16) for start, end in program["filled"])
    assert filled + program["miss_chance"] * 2**32 == pytest.approx(4 * GIB, abs=MIB)


@pytest.mark.parametrize("filling", [FILL, SQUEEZE], ids=str)
def test_nobody_can_map_where_it_was_filled_and_it_takes_no_memory(traced, filling):
    look = "print(open('/proc/self/status').read()); print(open('/proc/self/maps').read())"
    plain, bent = (traced(python(look), chosen).stdout for chosen in (PLAIN, filling))
    resident = [int(re.search(r"VmRSS:\s+(\d+) kB", text)[1]) for text in (plain, bent)]
    assert abs(resident[1] - resident[0]) < 1024
    places = [
        int(line.split("-")[0], 16)
        for line in bent.splitlines()
        if re.match(r"[0-9a-f]+-[0-9a-f]+ rw-p .* 0 *$", line)
    ]
    assert places
    image = 32 * MIB  # below it there may be a program that is linked there
    if filling.kind == "fill":
        assert all(place < image or place >= 4 * GIB for place in places)
    else:
        assert any(image < place < 2 * GIB for place in places)


def test_a_program_that_the_command_becomes_is_filled_and_its_children_only_when_followed(traced):
    chain = ["/bin/sh", "-c", f"exec {' '.join(SPECIMEN)} --size 64"]
    assert traced(chain, FILL).report["crashes"][0]["explanations"]
    child = ["/bin/sh", "-c", f"{' '.join(SPECIMEN)} --size 64; exit 5"]
    alone, followed = (traced(child, FILL, Options(follow=follow)) for follow in (False, True))
    assert alone.returncode == followed.returncode == 5
    assert alone.report["unfilled"]
    assert alone.report["crashes"] == []
    assert followed.report["unfilled"] == []
    assert followed.report["crashes"][0]["explanations"]


def test_a_program_that_a_thread_of_the_command_becomes_is_filled(traced):
    words = [*SPECIMEN, "--size", "64"]
    source = (
        f"import os, threading\nthreading.Thread(target=os.execv, args=({words[0]!r}, {words!r})).start()"
    )
    done = traced(python(source + "\nthreading.Event().wait()"), FILL)
    assert len(done.report["programs"]) == 2
    assert done.report["crashes"][0]["explanations"]


def test_a_forked_child_that_crashes_is_explained_by_its_parents_filler(traced):
    source = CUT + "import os\npid = os.fork()\nif pid == 0: cut()\nprint(os.waitpid(pid, 0)[1])"
    done = traced(python(source), FILL)
    assert done.returncode == 0
    (crash,) = done.report["crashes"]
    assert crash["explanations"][0]["original"] == done.stdout.split()[0]
    assert done.stdout.split()[1] in {"11", "139"}


def test_a_thread_that_crashes_is_explained(traced):
    source = CUT + "import threading\nt = threading.Thread(target=cut)\nt.start()\nt.join()"
    done = traced(python(source), FILL)
    assert done.returncode == -signal.SIGSEGV
    (crash,) = done.report["crashes"]
    assert crash["explanations"][0]["original"] == done.stdout.strip()
    assert "in cut" in crash["python"][0]


def test_another_crash_is_reported_but_not_called_a_cut_pointer(traced):
    done = traced(python("import ctypes; ctypes.string_at(16)"), FILL)
    (crash,) = done.report["crashes"]
    assert crash["explanations"] == []
    assert "null pointer" in crash["hint"]
    assert "line 1" in crash["python"][-1]


def test_a_full_stack_is_not_called_a_cut_pointer(traced, compiled):
    source = """
    int down(int n) { volatile int a[100]; a[0] = n; return down(n + 1) + a[0]; }
    int main(void) { return down(0); }
    """
    for filling in (FILL, SQUEEZE):
        (crash,) = traced([compiled("deep", source)], filling).report["crashes"]
        assert crash["explanations"] == []
        assert "deep recursion" in crash["hint"]


def test_a_cut_pointer_whose_fault_the_program_survives_is_reported(traced):
    perl = shutil.which("perl")
    if perl is None:
        pytest.skip("needs perl, whose handlers can leave a fault")
    source = (
        "$SIG{SEGV} = sub { exit 3 }; unpack('p', pack('Q', unpack('Q', pack('p', 'text')) & 0xffffffff))"
    )
    done = traced([perl, "-e", source], FILL)
    assert done.report["crashes"][0]["in_filler"]
    assert done.report["crashes"][0]["survived"] == (done.returncode == 3)


def test_without_the_python_line_the_environment_is_untouched(traced):
    show = python("import os; print(*sorted(os.environ))")
    bare = set(subprocess.run(show, capture_output=True, text=True).stdout.split())
    seen = [set(traced(show, FILL, Options(python_lines=lines)).stdout.split()) for lines in (True, False)]
    assert seen == [bare | {"PYTHONFAULTHANDLER"}, bare]


@pytest.mark.parametrize("filling", [FILL, SQUEEZE], ids=str)
@pytest.mark.parametrize(
    ("program", "arguments", "output"),
    [
        ("git", ["--version"], "git version"),
        ("bash", ["-c", "seq 1000 | sort -n | { read a; tail -1; }"], "1000"),
        ("perl", ["-e", "my %h = map { $_ => 1 } 1..100000; print scalar keys %h"], "100000"),
        ("gcc", ["-xc", "-S", "-O2", "-o", "-", "/dev/null"], ".file"),
    ],
)
def test_real_programs_work(traced, filling, program, arguments, output):
    path = shutil.which(program)
    if path is None:
        pytest.skip(f"needs {program}")
    done = traced([path, *arguments], filling, Options(follow=True))
    assert done.returncode == 0, done.stderr
    assert output in done.stdout
    assert done.report["crashes"] == []
    assert all(item["left_open"] == [] for item in done.report["programs"])


@pytest.mark.parametrize("filling", [FILL, SQUEEZE], ids=str)
@pytest.mark.parametrize(
    "source",
    [
        "import threading\nfor _ in range(50): threading.Thread(target=sum, args=([],)).start()",
        "import subprocess, sys\nfor i in range(3): subprocess.run([sys.executable, '-c', ''], check=True)",
        "import multiprocessing as m\nwith m.get_context('fork').Pool(2) as p: assert p.map(abs, [-7])",
        "import sys\nsys.setrecursionlimit(9999)\nx = []\nfor _ in range(5000): x = [x]\nlen(repr(x))",
        "import mmap\nm = [mmap.mmap(-1, 1 << 20) for _ in range(500)]",
    ],
    ids=["threads", "subprocess", "multiprocessing", "deep recursion", "many mappings"],
)
def test_real_python_works(traced, filling, source):
    done = traced(python(source), filling, Options(follow=True))
    assert done.returncode == 0, done.stderr
    assert done.report["crashes"] == []


U32 = """
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
int main(void) {
    char *p = malloc(64);
    printf("%p\\n", (void *)p);
    fflush(stdout);
    uint32_t handle = (uint32_t)(uintptr_t)p;
    *(volatile char *)(uintptr_t)handle = 'x';
    return 0;
}
"""


@pytest.mark.parametrize(
    ("kind", "words"),
    [("uint32_t", "cut to unsigned 32 bits"), ("int32_t", "cut to "), ("float", "rounded to a 32-bit float")],
)
@pytest.mark.parametrize("flag", ["-pie", "-no-pie", "-static"])
def test_a_compiled_program_is_filled_and_explained(traced, compiled, kind, words, flag):
    program = compiled(
        f"{kind}{flag}",
        U32.replace("uint32_t handle = (uint32_t)", f"volatile {kind} handle = ({kind})"),
        flag,
    )
    done = crashing(traced, [program], FILL)
    (crash,) = done.report["crashes"]
    (explanation, *_) = crash["explanations"]
    assert words in explanation["cut"]
    low, high = (int(side, 16) for side in explanation["region"])
    assert low <= int(done.stdout, 16) < high
    if kind != "float":
        assert explanation["original"] == done.stdout.strip()
    assert "(main+" in crash["instruction"]


def test_a_crash_in_the_library_names_the_callers_of_the_program(traced, compiled):
    source = """
    #include <stdint.h>
    #include <stdlib.h>
    #include <string.h>
    size_t measure(unsigned handle) { return strlen((char *)(uintptr_t)handle) + 1; }
    int main(void) { return measure((unsigned)(uintptr_t)strdup("text")); }
    """
    (crash,) = crashing(traced, [compiled("callers", source, "-fno-builtin")], FILL).report["crashes"]
    assert crash["instruction"].startswith("libc")
    assert ["(measure+" in crash["callers"][0], "(main+" in crash["callers"][1]] == [True, True]


def test_a_cut_function_pointer_is_explained_where_it_was_called(traced, compiled):
    source = """
    #include <stdint.h>
    static void hello(void) {}
    int main(void) {
        volatile unsigned handle = (unsigned)(uintptr_t)hello;
        ((void (*)(void))(uintptr_t)handle)();
        return 0;
    }
    """
    (crash,) = traced([compiled("jump", source, "-pie")], FILL).report["crashes"]
    assert crash["explanations"][0]["region_name"] == "jump"
    assert "(main+" in crash["callers"][0]


def test_a_pointer_in_a_double_is_no_bug(traced, compiled):
    source = U32.replace("uint32_t handle = (uint32_t)", "volatile double handle = (double)")
    assert traced([compiled("double", source)], FILL).returncode == 0


def test_a_program_linked_low_hides_the_bug_until_it_is_filled(traced, compiled):
    program = compiled("low", U32, "-no-pie")
    assert traced([program], PLAIN).returncode == 0
    assert traced([program], SQUEEZE).returncode == 0
    assert traced([program], FILL).returncode == -signal.SIGSEGV


def test_a_relative_command_and_script_are_found_as_a_shell_finds_them(traced, tmp_path, monkeypatch):
    script = tmp_path / "script"
    script.write_text("#!/bin/sh\necho $1 $0\n")
    script.chmod(0o755)
    monkeypatch.chdir(tmp_path)
    assert traced(["./script", "a b"], FILL).stdout == "a b ./script\n"
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    assert traced(["script", "x"], FILL).stdout == f"x {Path(tmp_path, 'script')}\n"


def test_a_child_that_may_not_be_read_and_a_program_that_forbids_it_are_let_be(traced, tmp_path):
    program = tmp_path / "program"
    program.write_bytes(Path("/bin/sh").resolve().read_bytes())
    program.chmod(0o111)
    done = traced(["/bin/sh", "-c", f"{program} -c 'exit 4'"], FILL, Options(follow=True))
    assert done.returncode == 4
    forbid = "\nlibc.prctl(4, 0, 0, 0, 0)  # PR_SET_DUMPABLE\ncut()"
    assert traced(python(CUT + forbid), FILL).returncode == -signal.SIGSEGV
    if os.geteuid():  # root may look at everything
        assert any("was not filled" in note for note in done.report["notes"])
