import json
import os
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scenarios.lab.finding import (
    Finding,
    FindingError,
    decode_input,
    encode_input,
    from_json,
    load,
    write_whole,
)
from scenarios.lab.hunt import hunt
from simulations.choices import Plan
from simulations.errors import LabError
from tests.scenarios.lab.toy import SCENARIO, Errands


@pytest.fixture(scope="module")
def finding():
    return hunt(SCENARIO, verify=False).finding


@pytest.fixture
def path(finding, tmp_path):
    path = tmp_path / "finding.json"
    finding.save(path)
    return path


def test_survives_the_file(finding, path):
    assert load(path) == finding


def test_holds_everything_that_a_replay_needs(finding):
    data = finding.to_json()
    assert data["format"] == "heisenlab finding"
    assert data["schema"] == 1
    assert data["plan"] == [["b.cup", 1, 1]]
    assert data["input"] == {"steps": 2}
    assert data["by"] == "nothing_is_stained"
    assert set(data["fingerprint"]) >= {"python", "versions", "commit", "dirty", "paths"}


def rewritten(path, **changes):
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


class TestAFileThatCannotBeUsed:
    """Each gives one line that says what it is, and the file stays as it was."""

    def check(self, path, says):
        before = path.read_bytes()
        with pytest.raises(FindingError, match=says) as caught:
            load(path)
        assert str(path) in str(caught.value)
        assert "\n" not in str(caught.value)
        assert path.read_bytes() == before

    def test_every_truncation_is_refused(self, path):
        whole = path.read_text().rstrip()
        for length in range(0, len(whole), 7):
            path.write_text(whole[:length])
            with pytest.raises(FindingError):
                load(path)

    def test_truncated(self, path):
        path.write_text(path.read_text()[:200])
        self.check(path, "ends too early")

    def test_empty(self, path):
        path.write_text("")
        self.check(path, "is empty")

    def test_not_json(self, path):
        path.write_text("PK\x03\x04 and so on")
        self.check(path, "is not JSON")

    def test_not_text(self, path):
        path.write_bytes(b"\x80\x81\xff")
        self.check(path, "is not text")

    @pytest.mark.parametrize("foreign", ["[]", "7", "null", '{"format": "junit"}', '"text"'])
    def test_foreign(self, path, foreign):
        path.write_text(foreign)
        self.check(path, "is not a finding")

    def test_nested_beyond_measure(self, path):
        path.write_text("[" * 200_000)
        self.check(path, "is not a finding")

    def test_larger_than_any_finding(self, path):
        with path.open("wb") as file:
            file.truncate(17 * 1024 * 1024)
        with pytest.raises(FindingError, match="larger than a finding can be"):
            load(path)

    @pytest.mark.parametrize(("schema", "age"), [(0, "an older"), (99, "another"), ("1", "another")])
    def test_of_another_schema(self, path, schema, age):
        rewritten(path, schema=schema)
        self.check(path, f"written by {age} heisenlab: schema {schema!r}, this one reads 1")

    @pytest.mark.parametrize(
        "change",
        [
            {"plan": [["b.cup", 2, 1]]},
            {"seed": 1},
            {"input": {"steps": 3}},
            {"extra": 1},
            {"checksum": "0" * 64},
            {"checksum": None},
        ],
    )
    def test_edited_by_hand(self, path, change):
        rewritten(path, **change)
        self.check(path, "was changed after it was written")

    def test_missing_or_a_folder(self, tmp_path):
        with pytest.raises(FindingError, match=r"cannot read .*No such file"):
            load(tmp_path / "nowhere.json")
        with pytest.raises(FindingError, match=r"cannot read .*directory"):
            load(tmp_path)


def signed(finding, **changes):
    """A finding that was changed by somebody who can compute checksums."""
    from scenarios.lab.finding import _checksum

    content = {key: value for key, value in {**finding.to_json(), **changes}.items() if key != "checksum"}
    return {**content, "checksum": _checksum(content)}


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"plan": "b"}, "no usable plan"),
        ({"plan": [["b", 0, 0]]}, "no usable plan"),
        ({"digest": 7}, "digest is 7, not a text"),
        ({"seed": "7"}, "seed is '7', not a whole number"),
        ({"fingerprint": []}, "not an object"),
        ({"note": "x"}, "missing or unknown: note"),
    ],
)
def test_fields_of_the_wrong_kind_are_named(finding, changes, says):
    with pytest.raises(FindingError, match=says):
        from_json(signed(finding, **changes))


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


@given(st.sampled_from(sorted(Finding.__dataclass_fields__)), json_values)
def test_whatever_stands_in_a_field_loading_is_a_finding_or_one_line(finding, field, value):
    said = ""
    try:
        loaded = from_json(signed(finding, **{field: value}))
        decode_input(SCENARIO, loaded.input)
    except LabError as error:
        said = str(error)
    assert "\n" not in said


class TestSaving:
    def test_replaces_an_older_finding_whole(self, finding, path):
        finding.save(path)
        assert load(path) == finding

    def test_never_overwrites_what_is_not_a_finding(self, finding, tmp_path):
        thesis = tmp_path / "thesis.json"
        thesis.write_text("{}")
        with pytest.raises(FindingError, match="left as it is"):
            finding.save(thesis)
        assert thesis.read_text() == "{}"

    def test_into_no_folder_or_onto_one_is_refused(self, finding, tmp_path):
        with pytest.raises(FindingError, match="is not a folder"):
            finding.save(tmp_path / "no" / "finding.json")
        with pytest.raises(FindingError, match="is a folder"):
            finding.save(tmp_path)

    def test_that_fails_midway_leaves_what_was_there(self, path, monkeypatch):
        before = path.read_bytes()

        def full(_descriptor):
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(os, "fsync", full)
        with pytest.raises(FindingError, match="No space left on device; nothing was changed"):
            write_whole(path, "half a finding")
        assert path.read_bytes() == before
        assert [entry.name for entry in path.parent.iterdir()] == [path.name]

    def test_that_is_interrupted_leaves_nothing_behind(self, path, monkeypatch):
        def interrupted(_descriptor):
            raise KeyboardInterrupt

        monkeypatch.setattr(os, "fsync", interrupted)
        with pytest.raises(KeyboardInterrupt):
            write_whole(path, "half a finding")
        assert [entry.name for entry in path.parent.iterdir()] == [path.name]


@dataclass(frozen=True)
class Nested:
    rows: tuple[tuple[str, ...], ...] = ()
    seed: int = 0
    name: str | None = None


class TestInputs:
    @given(st.lists(st.lists(st.text()).map(tuple)).map(tuple), st.integers(), st.none() | st.text())
    def test_of_tuples_and_scalars_survive(self, rows, seed, name):
        given_ = Nested(rows, seed, name)
        data = json.loads(json.dumps(encode_input(given_)))

        class Holder:
            name = "nested"
            input_type = Nested

        assert decode_input(Holder(), data) == given_

    @pytest.mark.parametrize(
        ("bad", "says"),
        [
            (7, "frozen dataclass, not 7"),
            (Nested(rows={1}), "does not fit"),
            (Nested(rows=[1]), "not the same after JSON"),
        ],
    )
    def test_that_do_not_fit_into_json_are_refused(self, bad, says):
        with pytest.raises(LabError, match=says):
            encode_input(bad)

    @pytest.mark.parametrize("data", [[], {"steps": -1}, {"hours": 1}, {}])
    def test_that_the_scenario_does_not_take_are_refused(self, data):
        with pytest.raises(FindingError, match="toy"):
            decode_input(SCENARIO, data)
        assert decode_input(SCENARIO, {"steps": 1}) == Errands(1)


def test_loading_never_imports_what_a_file_names(finding, tmp_path):
    evil = tmp_path / "evil.py"
    evil.write_text(f"open({str(tmp_path / 'ran')!r}, 'w')")
    path = tmp_path / "finding.json"
    path.write_text(json.dumps(signed(finding, scenario="evil:SCENARIO", plan=Plan().to_json())))
    assert load(path).scenario == "evil:SCENARIO"
    assert not Path(tmp_path, "ran").exists()
