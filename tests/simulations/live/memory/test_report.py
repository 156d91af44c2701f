import json
import os
import signal

import pytest

from simulations.live.memory.crash import Crash, explain
from simulations.live.memory.filling import Filling
from simulations.live.memory.layout import Region, Span
from simulations.live.memory.report import Program, Report, report_json, report_lines

pytestmark = pytest.mark.skipif(os.name != "posix", reason="wait statuses are those of POSIX")
HEAP = Region(Span(0x7EFC6023A000, 0x7EFC60282000), "rw-p")
CRASH = Crash(
    pid=7,
    program="/usr/bin/python3.11",
    signal="SIGSEGV",
    code=2,
    address=0x6025CCA0,
    in_filler=True,
    instruction="libc.so.6+0x167ad8",
    callers=("libffi.so.8+0x6b0d (ffi_call+0xcd)",),
    explanations=explain(0x6025CCA0, (HEAP,)),
    python=('File "x.py", line 6 in load', 'File "x.py", line 7 in <module>'),
)


def program(pid, name, miss=0.0):
    return Program(pid, f"/usr/bin/{name}", (Span(0x1000, 0x400000), Span(0x401000, 1 << 32)), (), miss, 412)


def report(**changes):
    known = {
        "command": ("python", "x.py"),
        "filling": Filling(),
        "status": int(signal.SIGSEGV),
        "programs": (program(7, "env"), program(7, "python3.11", miss=0.0017)),
        "crashes": (CRASH,),
        "unfilled": (),
        "notes": (),
    }
    return Report(**{**known, **changes})


SHOWN = """\
python x.py: killed by SIGSEGV; filled below 4 GiB
  python3.11 (pid 7): 2 gaps filled, 4 GiB, no memory used; 0.4 ms; {miss} 0.17 %
SIGSEGV in python3.11 (pid 7)
  address      0x6025cca0, inside the filler
  cause        0x6025cca0 is 0x7efc6025cca0 {cut}
  points into  anonymous memory 0x7efc6023a000-0x7efc60282000 rw-p
  coincidence  a random value would be explained with probability 0.0069 %
  instruction  libc.so.6+0x167ad8
  called from  libffi.so.8+0x6b0d (ffi_call+0xcd)
  Python       File "x.py", line 6 in load
               File "x.py", line 7 in <module>"""


def test_the_report_as_text():
    cut = "cut to unsigned 32 bits, or signed, which is the same below 2 GiB"
    miss = "chance to miss a pointer cut to 32 bits"
    assert "\n".join(report_lines(report())) == SHOWN.format(cut=cut, miss=miss)


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"status": 7 << 8}, "python x.py: exit status 7; filled below 4 GiB"),
        (
            {"status": None, "filling": Filling("squeeze", 2 << 30)},
            "python x.py: let go; squeezed below 2 GiB",
        ),
        ({"command": ("sh", "-c", "a\nb")}, "sh -c 'a b': killed by SIGSEGV; filled below 4 GiB"),
        (
            {"unfilled": ("ls", "git", "ls")},
            "  started but not filled or watched: 3 (ls, git); --follow fills them too",
        ),
        ({"notes": ("it rained",)}, "  note: it rained"),
        ({"programs": tuple(program(pid, "x") for pid in range(9))}, "  and 4 more programs"),
    ],
)
def test_lines_of_other_reports(changes, line):
    assert line in report_lines(report(**changes))


def test_a_long_command_is_cut_short():
    (title, *_) = report_lines(report(command=("sh", "-c", "x" * 5000)))
    assert len(title) < 200
    assert " ...: killed by" in title


def test_the_report_as_json_is_json_and_its_addresses_are_hexadecimal():
    value = json.loads(json.dumps(report_json(report())))
    assert (value["exit_status"], value["signal"]) == (None, "SIGSEGV")
    assert value["programs"][1]["filled"] == [["0x1000", "0x400000"], ["0x401000", "0x100000000"]]
    assert value["crashes"][0]["explanations"][0]["original"] == "0x7efc6025cca0"
