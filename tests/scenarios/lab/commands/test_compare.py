import json

import pytest

from scenarios.lab.commands import main

SMALL = ["--hunts", "5", "--runs", "200", "--budget", "60", "--workers", "1"]


def test_the_searchers_stand_side_by_side(toy_installed, capsys):
    assert main(["compare", "toy", *SMALL]) == 0
    out = capsys.readouterr().out
    lines = out.splitlines()
    assert lines[0].startswith("toy / as-shipped: seeds from 0, digest ")
    assert [line.split()[0] for line in lines[3:7]] == ["hypothesis", "random", "plain", "exhaustive"]
    assert "noise model 'clumsy'" in out
    assert "To go through all plans of at most 1 deviation (exhaustive) takes" in out


def test_of_a_clean_variant_it_says_what_0_of_n_proves(toy_installed, capsys):
    assert main(["compare", "toy", "--variant", "fixed", *SMALL]) == 0
    out = capsys.readouterr().out
    assert "random: 0 of 200 runs; so a run fails with a probability below 1.5% (95 %)" in out
    assert "plain: 0 of 5 hunts; so a hunt of 60 runs finds it with a probability below 45.1% (95 %)" in out
    assert "a proof." in out


def test_json_is_one_value_and_the_same_on_two_processes(toy_installed, capsys):
    def digest(workers):
        assert main(["compare", "toy", *SMALL[:-1], workers, "--json"]) == 0
        return json.loads(capsys.readouterr().out)["digest"]

    assert digest("1") == digest("2")


def test_ctrl_c_says_how_to_go_on(toy_installed, capsys, monkeypatch, tmp_path):
    from scenarios.lab.commands import compare as command

    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(command, "compare", interrupted)
    assert main(["compare", "toy", *SMALL, "--state", str(tmp_path / "kept")]) == 130
    assert f"the same command goes on from {tmp_path / 'kept'}" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--budget", "0"], "budget is a whole number from 1, not 0"),
        (["--workers", "0"], "a pool has 1 or more workers, not 0"),
        (["--searcher", "luck"], "there is no searcher 'luck'"),
    ],
)
def test_wrong_options_are_one_line(toy_installed, capsys, arguments, says):
    assert main(["compare", "toy", *arguments]) == 2
    err = capsys.readouterr().err
    assert says in err
    assert err.count("\n") == 1
