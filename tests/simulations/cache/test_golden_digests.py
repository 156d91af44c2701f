import json

import pytest

from simulations.cache.services import DESIGNS
from tests.simulations.cache import golden_digests
from tests.simulations.other_pythons import SURROUNDINGS, in_fresh_interpreter

SCRIPT = "tests/simulations/cache/golden_digests.py"


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


@pytest.mark.skip(reason="CPython in WebAssembly cannot start threads, and this world consists of them")
def test_they_are_the_same_under_another_python_altogether():
    """Stands here so that nobody takes the world for portable to where it is not."""


def test_every_design_is_on_record():
    entries = json.loads(golden_digests.RECORD.read_text(encoding="ascii"))
    assert {entry["design"] for entry in entries} == set(DESIGNS)
