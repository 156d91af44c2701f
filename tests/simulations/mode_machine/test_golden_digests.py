import json

import pytest

from tests.simulations.mode_machine import golden_digests
from tests.simulations.other_pythons import SURROUNDINGS, in_fresh_interpreter, in_webassembly

SCRIPT = "tests/simulations/mode_machine/golden_digests.py"


def recorded():
    return [entry["digest"] for entry in json.loads(golden_digests.RECORD.read_text(encoding="ascii"))]


def test_fifty_plans_have_fifty_digests():
    assert len(set(recorded())) == golden_digests.PLANS == 50


def test_the_digests_are_those_on_record():
    assert golden_digests.digests() == recorded()


@pytest.mark.parametrize(("hash_seed", "time_zone"), SURROUNDINGS)
def test_they_are_the_same_in_a_fresh_interpreter(hash_seed, time_zone):
    printed = in_fresh_interpreter(SCRIPT, hash_seed=hash_seed, time_zone=time_zone)
    assert printed.split() == recorded()


def test_they_are_the_same_under_another_python_altogether():
    assert in_webassembly(SCRIPT).split() == recorded()


def test_every_system_is_on_record():
    entries = json.loads(golden_digests.RECORD.read_text(encoding="ascii"))
    assert {entry["system"] for entry in entries} == set(golden_digests.systems())
