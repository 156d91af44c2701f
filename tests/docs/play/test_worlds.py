"""The worlds in a browser: what is found there is what is found here, to the last digit of the digest."""

import zipfile
from pathlib import Path

import pytest

import scenarios
from scenarios.lab.finding import from_json
from scenarios.lab.hunt import hunt
from scenarios.lab.replay import Result, replay
from scenarios.lab.verify import ALONE
from tests.docs.play.sites import ROOT, as_json, built
from tests.simulations.test_golden import WORLDS

SEARCHERS = ("exhaustive", "hypothesis", "random")
OF_THE_PLACE = {"fingerprint", "verified", "checksum"}
OF_THE_SEARCH = {"search_runs", "minimising_runs", "seed", "searcher", "minimality"}
NAMES = tuple(scenarios.catalogue())


def same(finding, *, but=frozenset()):
    """Return what must be equal in any two places where the same bug is found."""
    return {key: value for key, value in finding.items() if key not in OF_THE_PLACE | but}


@pytest.fixture(scope="module")
def lab(tab, base):
    """The lab in a tab, started."""
    tab.page.goto(f"{base}probe.html")
    assert tab.page.evaluate("started") == {"ready": True, "threads": True}
    return tab


def test_the_folder_was_built_from_these_sources():
    with zipfile.ZipFile(built() / "python" / "lab.zip") as archive:
        sources = [name for name in archive.namelist() if name.startswith(("simulations/", "scenarios/"))]
        different = [
            name
            for name in sources
            if (ROOT / name).is_file() and archive.read(name) != (ROOT / name).read_bytes()
        ]
    assert len(sources) > 100
    assert different == [], "build it again"


def test_the_same_scenarios_are_there(lab):
    assert lab.call("play.lab:names") == list(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_an_enumeration_there_takes_the_same_runs_to_the_same_finding(lab, name):
    here = hunt(name, searcher="exhaustive", verify=False)
    there = lab.call("play.lab:hunt", name, "as-shipped", "exhaustive")["finding"]
    assert same(there) == same(as_json(here.finding.to_json()))
    assert there["verified"] == ALONE


@pytest.mark.parametrize("searcher", SEARCHERS)
@pytest.mark.parametrize("name", NAMES)
def test_every_search_there_ends_in_the_golden_finding(lab, name, searcher):
    golden = as_json(hunt(name, searcher="exhaustive", verify=False).finding.to_json())
    there = lab.call("play.lab:hunt", name, "as-shipped", searcher)["finding"]
    assert same(there, but=OF_THE_SEARCH) == same(golden, but=OF_THE_SEARCH)
    assert replay(from_json(there)).result is Result.IDENTICAL


@pytest.mark.parametrize("name", NAMES)
def test_a_finding_from_here_replays_there(lab, name):
    for variant in scenarios.get(name).variants:
        finding = hunt(name, variant.name, searcher="exhaustive", budget=200, verify=False).finding
        if finding is not None:
            seen = lab.call("play.lab:replay", as_json(finding.to_json()))
            assert (seen["result"], seen["digest"]) == (Result.IDENTICAL, finding.digest)


@pytest.mark.parametrize("world", WORLDS)
def test_fifty_plans_of_each_world_have_the_digests_on_record(lab, world):
    golden = WORLDS[world].golden
    for path in Path(golden.__file__).parent.glob("golden*"):
        if path.is_file():
            where = f"/golden/tests/{path.relative_to(ROOT / 'tests')}"
            lab.call(
                "builtins:exec",
                f"import pathlib, sys\nwhere = pathlib.Path({where!r})\n"
                f"where.parent.mkdir(parents=True, exist_ok=True)\n"
                f"where.write_text({path.read_text(encoding='utf-8')!r})\n"
                f"sys.path.append('/golden') if '/golden' not in sys.path else None",
            )
    there = lab.call("builtins:eval", f"__import__({golden.__name__!r}, fromlist=['digests']).digests()")
    assert there == golden.recorded()


@pytest.mark.parametrize("variant", ["leases", "versions"])
def test_a_fix_of_the_cache_is_exhausted_there_with_the_runs_of_here(lab, variant):
    here = hunt("stale-cache", variant, searcher="exhaustive", verify=False).to_json()
    there = lab.call("play.lab:hunt", "stale-cache", variant, "exhaustive")["hunt"]
    for key in ("verdict", "says", "search_runs"):
        assert there[key] == as_json(here)[key]
