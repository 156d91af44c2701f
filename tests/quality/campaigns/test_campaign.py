import sys

from tests.quality.campaigns.campaign import End, Tally, main, program


def of(*ends):
    tally = Tally("toy", 3)
    for number, end in enumerate(ends):
        tally.count(end, f"try {number}")
    return tally


def test_a_tally_says_what_was_tried_and_how_each_ended():
    text = str(of(End.ONE_LINE, End.RESULT, End.RESULT, End.HANG))
    assert text.startswith(
        "toy, seed 3: tried 4, one clear line 1, legitimate result 2, traceback 0, hang 1, code run 0, "
        "left behind 0, lost 0"
    )
    assert text.endswith("\n  hang: try 3")


def test_a_campaign_that_tried_nothing_or_found_something_fails(capsys):
    assert main(lambda seed, tries: of(), "", ["--seed", "1"]) == 1
    assert main(lambda seed, tries: of(End.LOST), "", []) == 1
    assert main(lambda seed, tries: of(End.RESULT), "", []) == 0


def test_a_program_that_does_not_end_is_ended_and_its_children_too():
    code = "import subprocess, sys, time; subprocess.Popen(['sleep', '100']); time.sleep(100)"
    assert program([sys.executable, "-c", code], seconds_max=0.5).status is None


def test_a_traceback_is_seen():
    assert program([sys.executable, "-c", "1 / 0"]).tells_a_traceback
    assert not program([sys.executable, "-c", "print(1)"]).tells_a_traceback
