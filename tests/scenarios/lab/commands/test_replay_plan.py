"""`heisenlab replay NAME --plan`: any run by its values, without a file."""

import json

import pytest

import scenarios
from scenarios.lab.commands import main
from scenarios.lab.finding import encode_input
from scenarios.lab.hunt import hunt

NAMES = tuple(scenarios.catalogue())


def words_of(finding):
    given = ["--input", json.dumps(finding.input), "--plan", json.dumps(finding.plan.to_json())]
    return ["replay", finding.scenario, "--variant", finding.variant, *given]


@pytest.mark.parametrize("name", NAMES)
def test_of_a_finding_fails_with_its_digest_and_the_nominal_run_holds(name, capsys):
    finding = hunt(name, searcher="exhaustive", verify=False).finding
    assert main([*words_of(finding), "--json"]) == 1
    said = json.loads(capsys.readouterr().out)
    assert (said["by"], said["digest"]) == (finding.by, finding.digest)
    nominal = json.dumps(encode_input(scenarios.get(name).ladder[0]))
    assert main(["replay", name, "--plan", "[]", "--input", nominal]) == 0
    assert "every property holds" in capsys.readouterr().out


def test_prints_plan_and_failure_in_words_and_with_no_spoilers_neither(capsys):
    finding = hunt("stale-cache", searcher="exhaustive", verify=False).finding
    assert main([*words_of(finding), "--trace"]) == 1
    out = capsys.readouterr().out
    assert finding.plan_in_words in out
    assert finding.message in out
    assert "database.write" in out
    assert main([*words_of(finding), "--no-spoilers"]) == 1
    assert finding.plan_in_words not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--plan", "[["], "no JSON"),
        (["--plan", "[" * 100_000], "no JSON"),
        (["--plan", '{"a": 1}'], "a plan is a list"),
        (["--plan", '[["nobody", 0, 1]]'], "never asked"),
        (["--plan", "[]", "--variant", "magic"], "no variant"),
        (["--plan", "[]", "--input", "[]"], "is an object"),
        (["--input", "{}"], "belong to a --plan"),
    ],
)
def test_what_makes_no_run_is_one_line_and_2(words, says, capsys):
    with pytest.raises(SystemExit) as ended:
        raise SystemExit(main(["replay", "stale-cache", *words]))
    assert ended.value.code == 2
    assert says in capsys.readouterr().err


def test_a_plan_is_not_for_bisecting(capsys):
    with pytest.raises(SystemExit) as ended:
        raise SystemExit(main(["replay", "stale-cache", "--plan", "[]", "--bisect"]))
    assert ended.value.code == 125
    assert "takes a finding" in capsys.readouterr().err
