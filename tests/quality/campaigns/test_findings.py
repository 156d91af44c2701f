import pytest

from scenarios.lab import finding
from scenarios.lab.commands import display
from simulations.choices import Plan
from tests.quality.campaigns.campaign import End
from tests.quality.campaigns.findings import Guard, campaign, true_findings, usable

GUARD = Guard()


def test_what_a_stranger_sends_is_one_line_or_a_result():
    tally = campaign(0, 60, guard=GUARD)
    assert tally.clean, str(tally)
    assert tally.ends[End.ONE_LINE]
    assert tally.ends[End.RESULT]


@pytest.mark.parametrize(
    ("owner", "name", "planted"),
    [
        (finding, "checked", lambda body: {**body, "plan": Plan.from_json(body["plan"])}),
        (finding, "check_depth", lambda data: None),
        (display, "printable", lambda text: text),
    ],
    ids=["no field checked", "any depth", "text as it is"],
)
def test_a_planted_fault_is_found(monkeypatch, owner, name, planted):
    monkeypatch.setattr(owner, name, planted)
    assert any(not campaign(seed, 100, guard=GUARD).clean for seed in range(20))


def test_code_that_a_finding_has_run_is_noticed(tmp_path):
    def runs_code(words):
        (tmp_path / "canary").write_text("ran")
        return 0

    tally = campaign(0, 3, runs_code, GUARD)
    assert set(tally.ends) == {End.CODE_RUN}


def test_the_findings_that_are_mutated_are_true():
    assert all(map(usable, true_findings()))
