"""What the instrument does not do, it says in one line, with what to do instead, and starts nothing."""

import os
import re
import struct
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from simulations.live.memory import launch
from simulations.live.memory.elf import check_program
from simulations.live.memory.errors import RefusedError
from simulations.live.memory.filling import Filling
from simulations.live.memory.launch import check_system, run
from simulations.live.memory.layout import GIB, MIB
from simulations.live.memory.options import Options

if sys.platform == "linux":
    from simulations.live.memory import seize

resource = pytest.importorskip("resource", reason="needs limits of processes")
FILL = Filling("fill", 4 * GIB)
ROOT = Path(__file__).parents[4]
FORBID_PTRACE = """
import ctypes, os, struct, sys
libc = ctypes.CDLL(None, use_errno=True)
rules = b"".join(struct.pack("HBBI", *rule) for rule in [
    (0x20, 0, 0, 0),             # load the number of the system call
    (0x15, 0, 1, 101),           # is it ptrace?
    (0x06, 0, 0, 0x00050001),    # then fail with EPERM
    (0x06, 0, 0, 0x7fff0000),    # else allow
])
buffer = ctypes.create_string_buffer(rules)
program = struct.pack("HxxxxxxP", 4, ctypes.addressof(buffer))
assert libc.prctl(38, 1, 0, 0, 0) == 0
if libc.prctl(22, 2, ctypes.c_char_p(program), 0, 0): sys.exit(77)
os.execv(sys.executable, [sys.executable, *sys.argv[1:]])
"""


def refused(done, words):
    """The one line that a refused run says."""
    assert done.returncode == 2
    assert done.stdout == ""
    assert re.fullmatch(rf"heisenlab: .*{words}.*\n", done.stderr), done.stderr


@pytest.mark.parametrize(
    ("platform", "machine", "words"),
    [
        ("darwin", "arm64", "macOS already keeps the low 4 GiB"),
        ("win32", "AMD64", "needs Linux on x86-64"),
        ("linux", "aarch64", "this is linux on aarch64"),
    ],
)
def test_another_system_is_refused_and_told_why(monkeypatch, platform, machine, words):
    monkeypatch.setattr(launch.sys, "platform", platform)
    monkeypatch.setattr(launch.platform, "machine", lambda: machine)
    with pytest.raises(RefusedError, match=words):
        check_system()
    with pytest.raises(RefusedError, match=words):
        run(["true"], FILL)


def elf_file(path, *, bits=2, machine=62, mode=0o755):
    path.write_bytes(
        b"\x7fELF" + bytes([bits, 1, 1]) + bytes(11) + machine.to_bytes(2, "little") + bytes(236)
    )
    path.chmod(mode)
    return path


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"bits": 1, "machine": 3}, "not a 64-bit x86-64 program"),
        ({"machine": 183}, "not a 64-bit x86-64 program"),
        ({"mode": 0o4755}, "set-user-id"),
        ({"mode": 0o2755}, "set-group-id"),
    ],
)
def test_a_program_that_cannot_be_filled(tmp_path, changes, words):
    with pytest.raises(RefusedError, match=words):
        check_program(str(elf_file(tmp_path / "program", **changes)))


def test_a_script_is_judged_by_its_interpreter(tmp_path):
    elf_file(tmp_path / "interpreter", bits=1)
    for name, start in [("inner", "interpreter"), ("outer", "inner")]:
        (tmp_path / name).write_text(f"#! {tmp_path / start} -x\n")
    with pytest.raises(RefusedError, match="interpreter is not a 64-bit"):
        check_program(str(tmp_path / "outer"))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("echo hi\n", "as in `sh"),
        ("#!\n", "names no interpreter"),
        ("#!/nonexistent/sh\n", "cannot read /nonexistent/sh"),
    ],
)
def test_a_script_without_an_interpreter(tmp_path, text, words):
    (tmp_path / "script").write_text(text)
    with pytest.raises(RefusedError, match=words):
        check_program(str(tmp_path / "script"))


@pytest.mark.skipif(sys.platform != "linux", reason="there is no watcher")
@pytest.mark.parametrize("told", [True, False])
def test_a_watcher_whose_command_has_ended_says_nothing(told, capfd):
    """As after Ctrl-C: the process that it is to watch is gone, and nobody hears what it says of that."""
    listen, tell = os.pipe()
    hear, report = os.pipe()
    gone = subprocess.Popen(["true"])
    gone.wait()
    pid = os.fork()
    if pid == 0:
        seize._watcher(SimpleNamespace(main=gone.pid), Options(), lambda _: None, listen, report)
    for descriptor in (hear, report, listen):
        os.close(descriptor)
    if told:
        os.write(tell, seize._READY)
    os.close(tell)
    os.waitpid(pid, 0)
    assert capfd.readouterr() == ("", "")


def test_a_command_that_is_not_there_or_not_executable_ends_as_in_a_shell(traced, tmp_path):
    (tmp_path / "text").write_text("hi")
    for command, status in [
        ("/nonexistent/x", 127),
        ("nonexistent-x", 127),
        (str(tmp_path / "text"), 126),
        (str(tmp_path), 126),
    ]:
        done = traced([command], FILL)
        assert done.returncode == status
        assert done.report is None
        assert re.fullmatch("heisenlab: .*\n", done.stderr)


def bare_run(command, filling, **limits):
    """`run` in a Python of its own, under other limits."""
    source = (
        "import resource, sys\n"
        + "".join(f"resource.setrlimit(resource.{name}, {values})\n" for name, values in limits.items())
        + "from simulations.live.memory import Filling, run\n"
        f"done = run({command!r}, Filling({filling.kind!r}, {filling.size}))\n"
        "sys.stdout.write(done.stdout); sys.stderr.write(done.stderr); sys.exit(done.returncode)"
    )
    return subprocess.run(
        [sys.executable, "-c", source],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )


def test_a_limit_on_address_space(traced):
    hard = resource.getrlimit(resource.RLIMIT_AS)[1]
    done = bare_run(["/bin/sh", "-c", "echo no"], FILL, RLIMIT_AS=(16 * GIB, hard))
    refused(done, "`ulimit -v` is 16777216 KiB, .*run `ulimit -v unlimited`")


def test_an_unlimited_stack_is_refused_where_memory_would_not_go_low(traced):
    if resource.getrlimit(resource.RLIMIT_STACK)[1] != resource.RLIM_INFINITY:
        pytest.skip("the stack cannot be made unlimited here")
    unlimited = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
    command = ["/bin/sh", "-c", "echo yes"]
    refused(
        bare_run(command, Filling("squeeze", 2 * GIB), RLIMIT_STACK=unlimited),
        "not enough room for the stack",
    )
    assert bare_run(command, FILL, RLIMIT_STACK=unlimited).stdout == "yes\n"


def test_too_many_gaps_for_the_mappings_that_are_left(traced):
    done = traced(["/bin/sh", "-c", "echo no"], FILL, Options(reserve=1 << 30))
    refused(done, r"too many gaps: .*vm\.max_map_count")


def test_a_limit_that_leaves_no_room(traced):
    refused(traced(["/bin/sh", "-c", "echo no"], Filling("squeeze", 16 * MIB)), "leaves 16 MiB")


def test_a_limit_below_the_programs_own_image(traced, compiled):
    program = compiled("image", "int main(void) { return 0; }", "-no-pie")
    refused(traced([program], Filling("fill", MIB)), "program's own image")


def test_a_process_that_is_traced_already(traced):
    strace = "/usr/bin/strace"
    if not Path(strace).exists():
        pytest.skip("needs strace")
    source = (
        "from simulations.live.memory import Filling, run; import sys\n"
        "sys.stderr.write(run(['true'], Filling()).stderr)"
    )
    done = subprocess.run(
        [strace, "-f", "-o", os.devnull, sys.executable, "-c", source],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert re.fullmatch(r"heisenlab: ptrace is not allowed here .*traces this one already.*\n", done.stderr)


def test_where_seccomp_forbids_ptrace_it_says_so_and_names_the_way_without():
    source = (
        "from simulations.live.memory import Filling, run; import sys\n"
        "done = run(['true'], Filling()); sys.stderr.write(done.stderr); sys.exit(done.returncode)"
    )
    done = subprocess.run(
        [sys.executable, "-c", FORBID_PTRACE, "-c", source],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    if done.returncode == 77:
        pytest.skip("seccomp filters are not available here")
    refused(done, "ptrace is not allowed here .*(seccomp|ptrace_scope).*--in-process")


def test_a_set_user_id_program_started_by_the_command_is_noted(traced, tmp_path):
    program = tmp_path / "program"
    program.write_bytes(Path("/bin/sh").resolve().read_bytes())
    program.chmod(0o4755)
    done = traced(["/bin/sh", "-c", f"{program} -c 'exit 4'"], FILL, Options(follow=True))
    assert done.returncode == 4
    assert any("set-user-id" in note for note in done.report["notes"])


ELF32 = (
    b"\x7fELF\x01\x01\x01"
    + bytes(9)
    + struct.pack("<HHIIIIIHHHHHH", 2, 3, 1, 0x8048054, 52, 0, 0, 52, 32, 1, 0, 0, 0)
    + struct.pack("<IIIIIIII", 1, 0, 0x8048000, 0x8048000, 96, 96, 5, 0x1000)
    + bytes.fromhex("bb2a000000b801000000cd80")  # exit(42)
)


def test_a_32_bit_program_started_by_the_command_runs_unfilled(traced, tmp_path):
    program = tmp_path / "program"
    program.write_bytes(ELF32)
    program.chmod(0o755)
    try:
        bare = subprocess.run([program]).returncode
    except OSError:
        pytest.skip("this kernel runs no 32-bit programs")
    if bare != 42:
        pytest.skip("this kernel runs no 32-bit programs")
    done = traced(["/bin/sh", "-c", f"{program}; exit $?"], FILL, Options(follow=True))
    assert done.returncode == 42
    assert any("no 64-bit" in note for note in done.report["notes"])
    refused(traced([str(program)], FILL), "not a 64-bit x86-64 program")


def test_a_program_that_may_not_be_read(tmp_path):
    program = elf_file(tmp_path / "program", mode=0o111)
    if os.access(program, os.R_OK):
        pytest.skip("root may read everything")
    with pytest.raises(RefusedError, match="may be run but not read"):
        check_program(str(program))


def test_a_program_with_capabilities(tmp_path):
    program = elf_file(tmp_path / "program")
    try:
        os.setxattr(program, "security.capability", bytes.fromhex("0100000200200000000000000000000000000000"))
    except OSError:
        pytest.skip("only root may give capabilities")
    with pytest.raises(RefusedError, match="has capabilities"):
        check_program(str(program))
