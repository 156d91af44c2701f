import io
import json
import re
import shutil
import subprocess
import sys

import pytest
from rich.console import Console

from scenarios.lab.commands import main, record_display
from simulations.live import recorder
from simulations.live.recorder.plot import sparkline
from tests.simulations.live.recorder import written as w

COMMAND = (sys.executable, "-m", "scenarios.lab.commands", "record")

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the recorder reads /proc")


def heisenlab(*words, cwd=None, **more):
    return subprocess.run([*COMMAND, *map(str, words)], capture_output=True, text=True, cwd=cwd, **more)


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Three runs of one command that fail alike."""
    folder = tmp_path_factory.mktemp("recorded") / "runs"
    code = "import sys; print('at test 70'); sys.exit('ZeroDivisionError: it broke')"
    done = heisenlab("-o", folder, "--until-success", 3, "--", sys.executable, "-c", code)
    assert done.returncode == 1
    return folder


def test_until_success_reruns_what_fails_and_compares(runs):
    assert sorted(each.name for each in runs.iterdir()) == ["0001", "0002", "0003"]
    shown = heisenlab("show", runs)
    assert shown.returncode == 0
    assert "3 of 3 ended in the same way: status 1" in shown.stdout
    assert "3 of 3 wrote the same last line: ZeroDivisionError: it broke" in shown.stdout
    assert "next " not in shown.stdout, "deaths of a moment carry no advice"


def test_until_success_stops_at_the_first_success(tmp_path):
    code = "import pathlib, sys; p = pathlib.Path(sys.argv[1]); n = len(p.read_text()) if p.exists() else 0\n"
    code += "p.write_text('x' * (n + 1)); sys.exit(n < 2)"
    job = (sys.executable, "-c", code, tmp_path / "count")
    done = heisenlab("-o", tmp_path / "runs", "--until-success", 9, "--quiet", "--", *job)
    assert done.returncode == 0
    assert len(list((tmp_path / "runs").iterdir())) == 3


def test_show_prints_what_happened_and_why(runs):
    lines = heisenlab("show", runs).stdout
    for words in (
        "command",
        "exited with status 1",
        "at test 70",
        "suspects",
        "the job itself",
        "against:",
        "memory",
    ):
        assert words in lines
    assert "\x1b" not in lines, "no colour and no drawing where there is no terminal"


def test_show_of_one_run_compares_it_with_the_earlier_ones(runs):
    found = json.loads(heisenlab("show", "--json", runs / "0002").stdout)
    assert found["runs"]["count"] == 2
    assert found["folder"].endswith("0002")


def test_show_as_json(runs):
    found = json.loads(heisenlab("show", "--json", runs).stdout)
    assert (found["schema"], found["ending"]["how"], found["ending"]["status"]) == (1, "exited", 1)
    assert found["suspects"][0]["name"] == "application"
    assert found["suspects"][0]["for"]
    assert found["damage"] == {"lines": 0, "torn_bytes": 0}
    assert found["runs"]["deaths"] == 3


def test_the_verdict_as_json_leaves_the_output_alone(tmp_path):
    done = heisenlab("--json", "-o", tmp_path, "--", "echo", "hello")
    assert done.stdout == "hello\n"
    assert json.loads(done.stderr)["ending"]["status"] == 0


def test_quiet_is_quiet(tmp_path):
    done = heisenlab("--quiet", "-o", tmp_path, "--", "sh", "-c", "exit 9")
    assert (done.returncode, done.stdout, done.stderr) == (9, "", "")


def test_options_after_the_command_are_the_commands(tmp_path):
    done = heisenlab("--quiet", "-o", tmp_path, "--", "echo", "-o", "--json", "--", "show")
    assert done.stdout == "-o --json -- show\n"
    assert heisenlab("--quiet", "-o", tmp_path, "echo", "-n", "without dashes").stdout == "without dashes"


def test_the_folder_is_named_for_the_command(tmp_path):
    heisenlab("--quiet", "--", "/bin/true", cwd=tmp_path, env={"PYTHONPATH": ":".join(sys.path)})
    assert (tmp_path / "record-true" / "0001" / "log").is_file()


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ((), "name the command"),
        (("--",), "name the command"),
        (("--interval", "0", "--", "true"), "0.1 to 3600"),
        (("--interval", "soon", "--", "true"), "invalid float"),
        (("--until-success", "0", "--", "true"), "1 to 1000"),
        (("--redact", "(", "--", "true"), "no regular expression"),
        (("show",), "DIR"),
        (("show", "/no/such/folder"), "does not exist"),
        (("show", "/"), "no recorded run"),
    ],
)
def test_wrong_words_end_with_2_and_one_line_that_helps(words, told, capsys):
    try:
        status = main(["record", *words])
    except SystemExit as leaving:
        status = leaving.code
    assert status == 2
    assert told in capsys.readouterr().err


def test_a_log_that_is_noise_is_an_error_and_no_traceback(tmp_path, capsys):
    (tmp_path / "0001").mkdir()
    (tmp_path / "0001" / "log").write_bytes(bytes(range(256)) * 40)
    assert main(["record", "show", str(tmp_path)]) == 2
    assert "no readable record" in capsys.readouterr().err


def test_a_log_from_the_future_is_refused(tmp_path, capsys, runs):
    from simulations.live.recorder.log import Log, Record

    log = Log(tmp_path / "0001", create=True)
    log.append(Record(0, "start", {"schema": 99}))
    log.close(0)
    assert main(["record", "show", str(tmp_path)]) == 2
    assert "newer heisenlab" in capsys.readouterr().err


def test_a_damaged_log_is_shown_with_what_is_left(runs, tmp_path):
    (tmp_path / "0001").mkdir()
    content = (runs / "0001" / "log").read_bytes().replace(b"schema", b"sch\xffma")
    (tmp_path / "0001" / "log").write_bytes(content + b'01234567 [99999,"s",[1,')
    shown = heisenlab("show", tmp_path).stdout
    assert "the first record is damaged" in shown
    assert "1 damaged line left out" in shown
    assert "torn after 23 bytes" in shown
    assert "exited with status 1" in shown


def test_what_a_job_writes_cannot_steer_the_terminal_of_whoever_reads_it(tmp_path):
    heisenlab("--quiet", "-o", tmp_path, "--", "printf", r"\033[2J\033[31m[bold]red\007\001 alert\n")
    shown = heisenlab("show", tmp_path).stdout
    assert r"[bold]red\x07" in shown
    assert not {"\x1b", "\x07", "\x01"} & set(shown)


def test_a_run_that_never_began_does_not_hide_the_others(runs, tmp_path):
    shutil.copytree(runs / "0001", tmp_path / "0001")
    (tmp_path / "0002").mkdir()
    (tmp_path / "0002" / "log").touch()
    assert "exited with status 1" in heisenlab("show", tmp_path).stdout


def test_a_run_that_is_going_on_can_be_shown(tmp_path):
    with subprocess.Popen(
        [*COMMAND, "--quiet", "-o", str(tmp_path), "--", "sh", "-c", "echo ready; read line"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as recorder:
        recorder.stdout.readline()
        shown = heisenlab("show", "--json", tmp_path)
        recorder.stdin.write(b"\n")
        recorder.stdin.close()
    found = json.loads(shown.stdout)
    assert found["ending"]["how"] == "running"
    assert found["suspects"] == []


def test_a_sparkline_shows_the_largest_value_of_each_share_of_the_time():
    assert sparkline([0, 1, 2, 3, 4], [0, 10, 5, 5, 10], "_.:#", width=5) == "_#::#"
    assert sparkline([0.0, 4.0], [3.0, 3.0], "_#", width=4) == "#  #"
    assert sparkline([0.0, 1.0], [0.0, 0.0], "_#", width=2) == "__"


def test_a_series_ends_with_one_summary(tmp_path):
    done = heisenlab("-o", tmp_path, "--until-success", 3, "--", "sh", "-c", "exit 3")
    titles = re.findall("^heisenlab record: (.*)$", done.stderr, re.MULTILINE)
    assert {words.partition(" after ")[0] for words in titles[:3]} == {"exited with status 3"}
    assert titles[3:] == ["3 of 3 runs failed, 0 ended well"]
    assert done.stderr.count("shared") == 1
    assert "next" not in done.stderr
    again = heisenlab("--json", "-o", tmp_path, "--until-success", 2, "--", "false")
    shown = json.loads(again.stderr.splitlines()[-1])
    assert (shown["runs"]["deaths"], shown["runs"]["manners"]) == (2, {"status 1": 2})


@pytest.mark.parametrize("bar", ["50 %", "10 %\\r50 %\\r", "\\033[1A50 %", "done\\n"])
@pytest.mark.parametrize("where", ["1", "2"])
def test_the_verdict_begins_a_line_of_its_own(tmp_path, bar, where):
    """Both outputs go to one pipe, or to one file that is read along."""
    words = [*COMMAND, "-o", str(tmp_path / "runs"), "--", "sh", "-c", f"printf '{bar}' >&{where}; exit 1"]
    piped = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT).stdout
    with (tmp_path / "out").open("wb") as out:
        subprocess.run(words, stdout=out, stderr=out)
    for told in (piped, (tmp_path / "out").read_bytes()):
        before, _, _ = told.partition(b"heisenlab record: ")
        assert before.endswith(b"\n")
        assert not before.endswith(b"\n\n")


def test_a_signal_that_is_passed_on_is_explained(tmp_path):
    done = heisenlab("-o", tmp_path, "--", "sh", "-c", "kill -9 $$")
    assert done.returncode == -9
    assert "what a shell prints next, such as Killed, means the job" in done.stderr
    assert "means the job" not in heisenlab("-o", tmp_path, "--", "sh", "-c", "exit 9").stderr


PATH = "/very/long/path/that/no/terminal/of/60/columns/holds/" + "abcdef0123456789" * 4


@pytest.mark.parametrize("columns", [40, 60, 80, 100, 200])
def test_at_any_width_no_path_is_cut_and_no_curve_wrapped(tmp_path, monkeypatch, columns):
    ended = (w.end(w.HOUR_MS, -9), w.tail(w.HOUR_MS, PATH))
    w.written(tmp_path / "0001", w.start(command=["job", PATH]), *w.samples(w.HOUR_MS), *ended)
    found = recorder.report(tmp_path)
    out = io.StringIO()
    monkeypatch.setattr(
        record_display,
        "_console",
        lambda **_: Console(
            file=out, width=columns, force_terminal=True, color_system=None, markup=False, soft_wrap=True
        ),
    )
    record_display.print_report(found)
    told = out.getvalue()
    assert told.count(PATH) >= 2
    assert "…" not in told
    curves = [line for line in told.splitlines() if re.match(r"  (memory|processors|lines/s) ", line)]
    assert len(curves) == 3
    assert max(map(len, curves)) <= columns


BLOCKED = """
import builtins, os, signal, sys
real = builtins.__import__
def blocked(name, *rest, **more):
    if name.partition(".")[0] in {"fcntl", "termios", "tty", "pty", "resource", "grp", "pwd"}:
        raise ModuleNotFoundError(name)
    return real(name, *rest, **more)
for name in ("fcntl", "termios", "tty", "pty", "resource", "grp", "pwd"):
    sys.modules.pop(name, None)
import psutil, subprocess, rich.console
builtins.__import__ = blocked
sys.platform = sys.argv[1]
if sys.platform == "win32":
    for name in ("sysconf", "fork", "openpty", "getsid", "O_CLOEXEC", "O_NONBLOCK", "O_NOCTTY", "waitid"):
        delattr(os, name)
    for name in ("SIGHUP", "SIGKILL", "SIGQUIT", "SIGXCPU", "SIGALRM", "SIGCHLD", "SIGRTMIN", "SIGBUS",
                 "pthread_sigmask", "sigwait", "sigtimedwait"):
        delattr(signal, name)
from scenarios.lab.commands import main
status = main(sys.argv[2:])
loaded = "simulations.live.recorder" in sys.modules
print("loaded", loaded, file=sys.stderr)
sys.exit(status)
"""


@pytest.mark.parametrize("platform", ["darwin", "win32"])
def test_where_linux_is_missing_record_refuses_in_one_line_and_show_works(runs, tmp_path, platform):
    start = [sys.executable, "-c", BLOCKED, platform, "record"]
    refused = subprocess.run([*start, "-o", tmp_path / "x", "--", "true"], capture_output=True, text=True)
    assert refused.returncode == 2
    first, second = refused.stderr.splitlines()
    assert f"needs Linux, and this is {platform}" in first
    assert second == "loaded False", "nothing heavy is imported before"
    assert not (tmp_path / "x").exists()
    shown = subprocess.run([*start, "show", runs], capture_output=True, text=True)
    assert (shown.returncode, shown.stderr) == (0, "loaded True\n")
    assert "exited with status 1" in shown.stdout
