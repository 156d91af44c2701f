"""The table of interleavings is the real world's, and leaves nothing out."""

import pytest

import scenarios
from docs.play.interleavings import READER_AND_WRITER, table
from scenarios.lab.execution import replayed
from simulations.choices import Plan

TABLE = table()
BUG = scenarios.get("stale-cache")


@pytest.mark.parametrize("name", TABLE)
def test_every_answer_that_can_be_given_leads_to_a_run(name):
    runs = {tuple(option for _, _, option, *_ in run["asked"]): run["asked"] for run in TABLE[name]}
    begun = {answers[:length] for answers in runs for length in range(len(answers) + 1)}
    for answers, asked in runs.items():
        for position, (_, options, *_) in enumerate(asked):
            for option in range(options):
                assert (*answers[:position], option) in begun


@pytest.mark.parametrize("name", TABLE)
def test_runs_with_the_same_answers_so_far_ask_the_same_next(name):
    asked_after = {}
    for run in TABLE[name]:
        answers = tuple(option for _, _, option, *_ in run["asked"])
        for position, (label, options, _, *rest) in enumerate(run["asked"]):
            question = (label, options, *rest)
            assert asked_after.setdefault(answers[:position], question) == question


@pytest.mark.parametrize("name", TABLE)
def test_each_plan_replays_with_its_digest(name):
    variant = BUG.variant(name)
    for run in TABLE[name]:
        outcome = replayed(BUG, variant, READER_AND_WRITER, Plan.from_json(run["plan"]))
        assert outcome.run.trace.digest() == run["digest"]
        assert (outcome.failure is None) == (run["failure"] is None)
    assert any(run["failure"] for run in TABLE["as-shipped"])
    assert not any(run["failure"] for run in TABLE["leases"])
