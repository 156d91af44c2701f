"""A stranger's finding in whose run the world never stops asking: every command refuses it in one line."""

from types import SimpleNamespace

import pytest

from scenarios.lab import catalogue
from scenarios.lab.commands import main
from scenarios.lab.finding import load
from scenarios.lab.hunt import hunt
from scenarios.lab.pytest_plugin.replay import ReplayItem
from simulations.errors import QuestionLimitError
from tests.scenarios.lab import toy

COMMANDS = {
    "replay": ("replay", "FILE"),
    "replay --trace": ("replay", "FILE", "--trace"),
    "replay --bisect": ("replay", "FILE", "--bisect"),
    "step": ("step", "toy", "FILE", "--json"),
    "explain": ("explain", "FILE"),
    "causality": ("causality", "FILE"),
    "isolate": ("isolate", "FILE"),
}
BATCH = ("a.cup",) * 50_000


def endless(system, errands, chooser):
    """A world that asks one by one, then many at once, for ever; the plan is asked for at first."""
    toy.run(system, errands, chooser)
    while True:
        chooser.pick("b.cup", ("steady", "spills", "drops"))
        chooser.deviating(BATCH)


@pytest.fixture
def file(tmp_path, monkeypatch):
    path = tmp_path / "finding.json"
    hunt(toy.SCENARIO, verify=False).finding.save(path)
    monkeypatch.setattr(catalogue, "_ours", lambda: {"toy": "tests.scenarios.lab.test_endless:ENDLESS"})
    monkeypatch.setattr(catalogue, "_load", lambda name, source: toy.with_run(endless))
    return path


@pytest.mark.parametrize("words", COMMANDS.values(), ids=COMMANDS)
def test_is_refused_in_one_line(words, file, capsys):
    status = main([str(file) if word == "FILE" else word for word in words])
    out, err = capsys.readouterr()
    assert status == (125 if "--bisect" in words else 2)
    assert err.count("\n") == 1
    assert "asks more than 1000000 questions" in err
    assert "--questions-max" in err
    assert not out


def test_is_a_failed_test_of_pytest(file):
    item = SimpleNamespace(finding=load(file), user_properties=[], hide=False)
    with pytest.raises(QuestionLimitError):
        ReplayItem.runtest(item)


@pytest.mark.parametrize(("most", "status"), [(5, 2), (6, 2), (7, 1), (8, 1)])
def test_the_limit_is_that_many_questions(most, status, file, monkeypatch, capsys):
    monkeypatch.setattr(catalogue, "_load", lambda name, source: toy.SCENARIO)
    assert main(["replay", str(file), "--questions-max", str(most)]) == status  # two steps and an alarm
