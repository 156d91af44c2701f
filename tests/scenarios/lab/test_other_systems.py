"""What needs no Linux imports and runs where Linux's modules and functions are missing.

The standard library is loaded first, since it would look for what its own system has.
"""

import json
import subprocess
import sys

import pytest

from tests.simulations.live.recorder.written import end, job, samples, start, written

BLOCKED = r"""
import asyncio, concurrent.futures.process, contextlib, ctypes, importlib.abc, io, json, logging
import pkgutil
import multiprocessing.context, os, select, signal, subprocess, sys, tempfile, unittest.mock, urllib.request
import hypothesis, psutil, pytest, rich.console, rich.progress, rich.table, simpy

class Missing(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name in {"fcntl", "termios", "tty", "resource", "pwd", "grp", "pty"}:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

for name in ("fcntl", "termios", "tty", "resource", "pwd", "grp", "pty"):
    sys.modules.pop(name, None)
sys.meta_path.insert(0, Missing())
for name in ("fork", "forkpty", "openpty", "killpg", "setsid", "getsid", "getpgid", "getuid", "geteuid",
             "sysconf", "mkfifo", "pread", "sched_getaffinity", "getloadavg", "statvfs", "pidfd_open",
             "wait4", "O_NOFOLLOW", "waitid", "register_at_fork", "pwrite", "fdatasync", "fchmod",
             "set_blocking", "get_blocking", "uname", "memfd_create", "sync", "getpgrp", "setpgid", "mknod",
             "O_NONBLOCK", "O_CLOEXEC", "O_DIRECTORY", "chown", "nice"):
    if hasattr(os, name):
        delattr(os, name)
for name in ("poll", "epoll"):
    delattr(select, name)
for name in ("SIGHUP", "SIGQUIT", "SIGUSR1", "SIGUSR2", "SIGALRM", "SIGSTOP", "SIGTSTP", "SIGCONT", "SIGXCPU",
             "SIGBUS", "SIGRTMIN", "setitimer", "alarm", "pthread_kill", "pthread_sigmask", "sigwait",
             "SIGCHLD", "SIGPIPE", "SIGVTALRM", "SIGPROF", "SIGWINCH", "SIGXFSZ", "sigtimedwait", "pause"):
    delattr(signal, name)
opened = io.open
def no_proc(file, *rest, **more):
    if str(file).startswith("/proc"):
        raise FileNotFoundError(2, "No such file or directory", file)
    return opened(file, *rest, **more)
io.open = __builtins__.open = no_proc
sys.platform = sys.argv[1]
psutil.boot_time = lambda: 0.0  # the library looks for what its own system has, as above

failed = []
import simulations, scenarios
for package in (simulations, scenarios):
    for module in pkgutil.walk_packages(package.__path__, package.__name__ + ".", failed.append):
        last = module.name.rpartition(".")[2]
        if package is simulations and last != "__main__":
            try:
                importlib.import_module(module.name)
            except ImportError:
                failed.append(module.name)

from scenarios.lab.commands import main
ended = {}
for words in json.loads(sys.argv[2]):
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        status = main(words)
    ended[" ".join(words)] = [status, out.getvalue()[:3000], err.getvalue()]
print(json.dumps({"failed": failed, "ended": ended}))
"""

OF_LINUX = {"simulations.live.memory.seize", "simulations.live.memory.watch"}
OF_A_BROWSER = {"simulations.live.threads.control.stack_switching"}
"""What the instrument for memory loads only where it runs."""

HELPS = (
    "compare", "test", "bisect", "doctor", "new", "assumptions", "threads", "machine", "record", "journal",
)  # fmt: skip


@pytest.mark.skipif(sys.platform != "linux", reason="takes from Linux what other systems lack")
@pytest.mark.parametrize("platform", ["darwin", "win32"])
def test_all_but_the_instruments_of_linux_works_there(platform, tmp_path):
    finding, recording, journal = (str(tmp_path / name) for name in ("finding.json", "runs", "journal"))
    written(tmp_path / "runs" / "0001", start(), job(), *samples(9000), end(9000, 3))
    expected = {
        ("list",): 0,
        ("show", "stale-cache"): 0,
        ("hunt", "truncated-pointer", "--searcher", "random", "-o", finding): 1,
        ("hunt", "stale-cache", "--searcher", "exhaustive", "--state", str(tmp_path / "state")): 1,
        ("hunt", "truncated-pointer", "--searcher", "random", "--journal", journal): 1,
        ("hunt", "truncated-pointer", "--searcher", "random", "--journal", journal, "--json"): 1,
        ("journal", journal): 0,
        ("replay", finding): 1,
        ("step", "truncated-pointer", finding, "--json"): 0,
        ("causality", finding, "--json"): 0,
        ("isolate", finding): 0,
        ("explain", finding): 0,
        ("export", finding): 0,
        ("report", finding, "-o", str(tmp_path / "page.html")): 0,
        ("mark", finding): 0,
        ("learn", str(tmp_path / "lessons")): 0,
        ("replay", "stale-cache", "--plan", "[]"): 0,
        ("demo",): 0,
        ("docs",): 2,
        ("threads", "run", "--help"): 0,
        ("machine", "examine", "--help"): 0,
        **{(name, "--help"): 0 for name in HELPS},
        ("record", "show", recording): 0,
        ("report", recording, "-o", str(tmp_path / "end.html")): 0,
        ("memory", "run", "true"): 2,
        ("record", "--", "true"): 2,
    }
    done = subprocess.run(
        [sys.executable, "-c", BLOCKED, platform, json.dumps([*expected])],
        capture_output=True,
        text=True,
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout)
    assert set(seen["failed"]) <= OF_LINUX | OF_A_BROWSER
    statuses = {words: status for words, (status, _, _) in seen["ended"].items()}
    assert statuses == {" ".join(words): status for words, status in expected.items()}, seen["ended"]
    for words in ("memory run true", "record -- true"):
        _, out, err = seen["ended"][words]
        assert not out
        assert err.count("\n") == 1
        assert "Linux" in err or "macOS" in err
