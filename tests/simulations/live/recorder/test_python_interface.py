"""The recorder from Python, without the command."""

import json
import os
import signal
import subprocess
import sys

import pytest

from simulations.live import recorder
from tests.simulations.live.recorder import written as w
from tests.simulations.live.recorder.live_run import wait_for

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the recorder reads /proc")

BROKEN = [sys.executable, "-c", "print('at test 7'); raise SystemExit('ZeroDivisionError: it broke')"]


def test_a_command_is_recorded_judged_and_reported(tmp_path, capfd):
    done = recorder.record(BROKEN, tmp_path)
    assert done == recorder.Recorded(tmp_path / "0001", 1)
    assert capfd.readouterr().out == "at test 7\n"
    found = recorder.verdict(recorder.load(tmp_path))
    assert (found.ending.how, found.ending.status) == (recorder.How.EXITED, 1)
    assert found.suspects[0].suspect.name == "application"
    assert "wrote last   ZeroDivisionError: it broke" in str(recorder.report(tmp_path))


def test_a_report_reads_as_the_command_prints_it(tmp_path):
    for _ in range(2):
        recorder.record(BROKEN, tmp_path)
    command = [sys.executable, "-m", "scenarios.lab.commands", "record", "show"]
    utf = {**os.environ, "PYTHONIOENCODING": "utf-8"}
    shown = subprocess.run([*command, tmp_path], capture_output=True, encoding="utf-8", check=True, env=utf)
    assert shown.stdout == f"{recorder.report(tmp_path)}\n"
    shown = subprocess.run([*command, "--json", str(tmp_path)], capture_output=True, text=True, check=True)
    assert json.loads(shown.stdout) == recorder.report(str(tmp_path)).to_json()


def test_a_signal_is_a_negative_status(tmp_path):
    assert recorder.record(["sh", "-c", "kill -9 $$"], tmp_path).status == -9
    assert recorder.record(["no-such-command-here"], tmp_path).status == 127


INTERRUPTED = """
import sys
from simulations.live import recorder
job = "import signal; print('ready', flush=True); signal.pause()"
try:
    recorder.record([sys.executable, "-c", job], sys.argv[1])
except KeyboardInterrupt:
    print(recorder.verdict(recorder.load(sys.argv[1])).ending.words)
"""


def test_an_interrupt_reaches_the_job_once_and_is_raised_when_it_has_ended(tmp_path):
    command = [sys.executable, "-c", INTERRUPTED, tmp_path]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True) as process:
        assert process.stdout.readline() == "ready\n"
        wait_for(lambda: recorder.load(tmp_path).witness, "the witness and its sentinel")
        os.killpg(process.pid, signal.SIGINT)
        words = process.stdout.read()
    assert process.returncode == 0
    assert "SIGINT" in words
    seen = recorder.load(tmp_path).signals
    assert [(each.signal, each.forwarded) for each in seen] == [(signal.SIGINT, False)]


def test_children_of_this_process_are_left_alone(tmp_path):
    with subprocess.Popen([sys.executable, "-c", "raise SystemExit(5)"]) as child:
        recorder.record(["true"], tmp_path)
        assert child.wait() == 5


def test_the_job_inherits_nothing_of_the_conversation(tmp_path, capfd):
    job = "import os; print(*sorted(map(int, os.listdir('/proc/self/fd')))[:5])"
    recorder.record([sys.executable, "-c", job], tmp_path)
    assert capfd.readouterr().out == "0 1 2 3\n", "3 is the listing itself"


def test_errors_are_those_of_the_recorder(tmp_path):
    with pytest.raises(recorder.RecorderError, match="out of range"):
        recorder.Options(interval_s=0)
    with pytest.raises(recorder.LogError, match="does not exist"):
        recorder.report(tmp_path / "nothing")


def test_a_log_file_of_the_job_is_read_along(tmp_path):
    log = tmp_path / "job.log"
    options = recorder.Options(log=log)
    recorder.record([sys.executable, "-c", f"open({str(log)!r}, 'w').write('the end\\n')"], tmp_path, options)
    assert recorder.load(tmp_path).last_lines == ("the end",)


def test_what_a_job_writes_cannot_steer_the_terminal(tmp_path):
    w.written(tmp_path / "0001", w.start(), w.end(5, 1), w.tail(5, "\x1b[2J\x07 alert"))
    shown = str(recorder.report(tmp_path))
    assert r"\x1b[2J\x07 alert" in shown
    assert not {"\x1b", "\x07"} & set(shown)


def test_ascii_is_enough_for_a_report(tmp_path):
    w.written(tmp_path / "0001", w.start(), *w.samples(w.HOUR_MS), w.end(w.HOUR_MS, 0))
    report = recorder.report(tmp_path)
    assert report.in_words(ascii_only=True).isascii()
    assert not str(report).isascii()
