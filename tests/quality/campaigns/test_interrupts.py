import signal
import sys

import pytest

from tests.quality.campaigns.campaign import End
from tests.quality.campaigns.interrupts import campaign

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="it looks for processes of a session")


def test_an_interrupt_at_any_moment_is_a_line_or_a_result():
    tally = campaign(0, 4, names=("replay",))
    assert tally.clean, str(tally)


SLEEPS = "import time; time.sleep(0.4)"
STAYS = (
    "import subprocess as s, time; s.Popen(['sleep', '9'], stdout=s.DEVNULL, stderr=s.DEVNULL); "
    "time.sleep(0.4)"
)
LEAVES = "import time; open('half.part', 'w').close(); time.sleep(0.4)"


@pytest.mark.parametrize(
    ("code", "number", "end"),
    [
        (SLEEPS, signal.SIGINT, End.TRACEBACK),
        (STAYS, signal.SIGTERM, End.LEFT_BEHIND),
        (LEAVES, signal.SIGTERM, End.LEFT_BEHIND),
    ],
    ids=["a traceback", "a process", "a file"],
)
def test_a_planted_fault_is_found(code, number, end):
    tally = campaign(3, 3, lambda *words: [sys.executable, "-c", code], ("replay",), (number,))
    assert tally.ends[end], str(tally)
