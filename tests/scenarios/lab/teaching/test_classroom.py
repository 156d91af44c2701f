"""The settings of a classroom: the same on every machine, and tracebacks that are short."""

from tests.scenarios.lab.teaching import demos

TESTS = """
import json
from hypothesis import settings
import pytest

class World:
    def __repr__(self):
        return "World(" + "x" * 300 + ")"

def test_settings():
    of = settings.default
    assert [of.deadline, of.derandomize, of.database, of.print_blob] == [None, True, None, False]

@pytest.mark.parametrize("world", [World()], ids=["world"])
def test_arguments(world):
    assert not world, "it is there"

def test_library():
    json.loads("{")
"""


def test_it_is_loaded_and_shows_neither_arguments_nor_the_frames_of_libraries(tmp_path):
    chosen, arguments, library = demos.session(tmp_path, {"test_all": TESTS}, *demos.CLASSROOM)["test_all"]
    assert chosen.outcome == "passed", chosen.report
    assert arguments.report.startswith("test_all.py:")
    assert "E   AssertionError: it is there" in arguments.report
    assert "world = " not in arguments.report
    assert "decoder.py" not in library.report
    assert 'json.loads("{")' in library.report


def test_another_profile_and_whole_tracebacks_can_be_asked_for(tmp_path):
    options = (*demos.CLASSROOM, "--hypothesis-profile=default", "--full-trace")
    chosen, _, library = demos.session(tmp_path, {"test_all": TESTS}, *options)["test_all"]
    assert chosen.outcome == "failure"
    assert "decoder.py" in library.report
