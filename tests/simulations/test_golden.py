"""The golden digests of the four worlds: equal in every process, in every time zone, in every Python."""

import json
from dataclasses import dataclass
from types import ModuleType

import pytest

from simulations.cache.services import DESIGNS
from tests.simulations.address_space import golden as address_space
from tests.simulations.batch_job import golden as batch_job
from tests.simulations.cache import golden as cache
from tests.simulations.mode_machine import golden as mode_machine
from tests.simulations.other_pythons import SURROUNDINGS, in_fresh_interpreter, in_webassembly


@dataclass(frozen=True)
class World:
    """A world with its golden script, which prints a line for each of fifty plans.

    Attributes:
        golden: The script: `recorded()` and `digests()` return the lines.
        different_min: How many of the lines differ at least: some plans deviate where nothing comes of it.
        not_portable: Why it does not run in WebAssembly; empty where it does.
    """

    golden: ModuleType
    different_min: int = 50
    not_portable: str = ""

    @property
    def script(self) -> str:
        """The path of the script below the root of the checkout."""
        return self.golden.__name__.replace(".", "/") + ".py"


WORLDS = {
    "mode_machine": World(mode_machine),
    "cache": World(
        cache, not_portable="its threads need WebAssembly stack switching: see tests/docs/play/test_worlds.py"
    ),
    "batch_job": World(batch_job, different_min=40),
    "address_space": World(address_space, different_min=41),
}


@pytest.fixture(params=WORLDS)
def world(request):
    return WORLDS[request.param]


def test_fifty_plans_are_on_record_and_nearly_all_differ(world):
    assert len(world.golden.recorded()) == 50
    assert len(set(world.golden.recorded())) >= world.different_min


def test_the_digests_are_those_on_record(world):
    assert world.golden.digests() == world.golden.recorded()


@pytest.mark.parametrize(("hash_seed", "time_zone"), SURROUNDINGS)
def test_they_are_the_same_in_a_fresh_interpreter(world, hash_seed, time_zone):
    printed = in_fresh_interpreter(world.script, hash_seed=hash_seed, time_zone=time_zone)
    assert printed.splitlines() == world.golden.recorded()


def test_they_are_the_same_under_another_python_altogether(world):
    if world.not_portable:
        pytest.skip(world.not_portable)
    assert in_webassembly(world.script).splitlines() == world.golden.recorded()


def test_every_system_of_the_mode_machine_is_on_record():
    entries = json.loads(mode_machine.RECORD.read_text(encoding="ascii"))
    assert {entry["system"] for entry in entries} == set(mode_machine.systems())


def test_every_design_of_the_cache_is_on_record():
    entries = json.loads(cache.RECORD.read_text(encoding="ascii"))
    assert {entry["design"] for entry in entries} == set(DESIGNS)


def test_the_runs_of_the_batch_job_differ_too():
    digests = [json.loads(line)[3] for line in batch_job.recorded()]
    assert len(set(digests)) >= 30
