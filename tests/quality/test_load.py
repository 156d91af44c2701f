import contextlib
import signal
import subprocess
import sys
import time

import psutil
import pytest

from tests.quality import load

PYTHON = ("--", sys.executable, "-c")
PATIENCE_SECONDS = 120


def test_each_run_is_told_and_the_loops_are_gone_afterwards(capsys):
    before = psutil.Process().children()
    assert load.main(["--busy", "2", "--times", "3", *PYTHON, "pass"]) == 0
    out = capsys.readouterr().out
    assert out.count(" passed ") == out.count("  2, ") == 3
    assert out.endswith(" 3 of 3\n")
    assert psutil.Process().children() == before


def test_a_run_that_fails_is_told_with_its_last_lines(capsys):
    assert load.main(["--busy", "0", "--times", "2", *PYTHON, "print('its last'); raise SystemExit(3)"]) == 1
    told = capsys.readouterr()
    assert "exit status 3" in told.out
    assert told.out.endswith(" 0 of 2\n")
    assert told.err.count("its last") == 2


def test_a_status_that_must_be_is_no_failure():
    words = ["--busy", "0", "--times", "1", "--status", "3", *PYTHON, "raise SystemExit(3)"]
    assert load.main(words) == 0


def test_loops_that_have_ended_are_told(monkeypatch):
    @contextlib.contextmanager
    def ended(count, busy=load.busy):
        with busy(count) as loops:
            for loop in loops:
                loop.kill()
                loop.wait()
            yield loops

    monkeypatch.setattr(load, "busy", ended)
    assert load.main(["--busy", "1", "--times", "1", *PYTHON, "pass"]) == 1


@pytest.mark.parametrize(
    "number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL], ids=lambda each: each.name
)
def test_the_loops_end_with_the_program_that_is_ended(number):
    words = ["--busy", "2", "--times", "1", *PYTHON, "import time; time.sleep(300)"]
    started = []
    process = subprocess.Popen([sys.executable, "-m", "tests.quality.load", *words], cwd=load.ROOT)
    patience = time.monotonic() + PATIENCE_SECONDS
    try:
        while len(started) < 3 and time.monotonic() < patience:
            time.sleep(0.05)
            started = psutil.Process(process.pid).children()
        loops = [each for each in started if "-S" in each.cmdline()]
        process.send_signal(number)
        process.wait(PATIENCE_SECONDS)
        ending = loops if number == signal.SIGKILL else started  # nobody can end its command after that
        while any(map(alive, ending)):  # or the time-out of the test says that they stay
            time.sleep(0.01)
    finally:
        for each in [process, *started]:
            with contextlib.suppress(psutil.Error):
                each.kill()
        process.wait(PATIENCE_SECONDS)
    assert len(loops) == 2
    assert len(started) == 3


def alive(process):
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
