import re
import sys

import pytest

from simulations.batch_job.database import edges
from simulations.batch_job.measure_planning import main, measure, planning_seconds, query, script
from simulations.errors import LabError

needs_a_shell = pytest.mark.skipif(sys.platform == "win32", reason="stands in for psql with a shell script")


@pytest.mark.parametrize("shape", ["chain", "star", "clique"])
def test_a_query_has_the_join_conditions_of_its_shape(shape):
    joined = re.findall(r"t(\d+)\.\w+(?: \+ \d+)? = t(\d+)\.", query(shape, 6))
    assert sorted((int(left), int(right)) for left, right in joined) == sorted(edges(shape, 6))


def test_one_equivalence_class_joins_everything_to_one_column():
    assert query("class", 3) == "select * from t0, t1, t2 where t0.a = t1.id and t0.a = t2.id"


def test_the_tables_are_temporary_and_nothing_is_run():
    text = script("star", 3)
    assert text.count("create temporary table") == 3
    assert "explain (summary on) select" in text
    assert "set geqo = off" in text
    assert "analyze)" not in text


def test_the_planning_time_is_read_from_what_postgresql_prints():
    assert planning_seconds("Nested Loop ...\nPlanning Time: 935790.125 ms\n") == 935.790125
    with pytest.raises(LabError, match="no planning time but 'ERROR'"):
        planning_seconds("ERROR")


@pytest.mark.parametrize(("shape", "tables"), [("star", 1), ("star", 99), ("snowflake", 5)])
def test_what_makes_no_sense_is_refused(shape, tables):
    with pytest.raises(LabError):
        query(shape, tables)


def test_without_psql_it_says_what_to_install(monkeypatch, capsys):
    monkeypatch.setenv("PATH", "")
    with pytest.raises(LabError, match="psql is not on the path"):
        measure("dbname=nowhere", "star", 8)
    assert main(["dbname=nowhere"]) == 2
    assert "install the client of PostgreSQL" in capsys.readouterr().err


@needs_a_shell
def test_a_failing_server_is_told_in_one_line(monkeypatch, tmp_path):
    fake = tmp_path / "psql"
    fake.write_text("#!/bin/sh\necho 'no such server' >&2\nexit 2\n")
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    with pytest.raises(LabError, match="psql failed with status 2: no such server"):
        measure("dbname=nowhere", "star", 8)


@needs_a_shell
def test_a_row_is_printed_for_each_size(monkeypatch, tmp_path, capsys):
    fake = tmp_path / "psql"
    fake.write_text("#!/bin/sh\necho 'Planning Time: 1500 ms'\n")
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    assert main(["dbname=x", "--from", "8", "--to", "9"]) == 0
    assert capsys.readouterr().out.splitlines() == ["shape,tables,seconds", "star,8,1.5", "star,9,1.5"]
