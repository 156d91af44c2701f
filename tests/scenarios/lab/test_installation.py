"""Each thing that can be wrong with an installation, on one that is broken on purpose."""

import base64
import hashlib
import http.server
import importlib
import json
import os
import py_compile
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from scenarios.lab import installation
from scenarios.lab.commands import main
from simulations.errors import LabError

ROOT = Path(__file__).parents[3]


def package(folder, name="scenarios", text=""):
    (folder / name).mkdir(parents=True)
    (folder / name / "__init__.py").write_text(text)
    return folder / name


class TestCopies:
    def test_one_copy_by_two_ways_is_one(self, tmp_path):
        package(tmp_path / "a")
        (tmp_path / "link").symlink_to(tmp_path / "a")
        assert installation.copies([str(tmp_path / "a"), str(tmp_path / "link"), "/nowhere"]) == []

    def test_the_one_that_is_used_and_the_one_in_its_shadow_are_said(self, tmp_path):
        used, shadowed = package(tmp_path / "a"), package(tmp_path / "b")
        (tmp_path / "c" / "scenarios").mkdir(parents=True)  # without __init__.py it shadows nothing
        (line,) = installation.copies([str(tmp_path / each) for each in "cab"])
        assert f"scenarios is on the path 2 times: {used} is used, {shadowed} is shadowed" in line

    def test_the_command_says_so_and_is_1(self, tmp_path, monkeypatch, capsys):
        package(tmp_path)
        monkeypatch.setattr(sys, "path", [*sys.path, str(tmp_path)])
        assert main(["doctor"]) == 1
        assert "scenarios is on the path 2 times" in capsys.readouterr().out


class TestStaleBytecode:
    @pytest.fixture
    def source(self, tmp_path):
        return package(tmp_path, text="ANSWER = 1\n") / "__init__.py"

    def compiled(self, source, mode=py_compile.PycInvalidationMode.TIMESTAMP):
        return Path(py_compile.compile(str(source), invalidation_mode=mode))

    def replaced(self, source):
        """Replace a source by one of the same size and within the same second."""
        status = source.stat()
        source.write_text("ANSWER = 2\n")
        os.utime(source, (status.st_atime, status.st_mtime))

    def said(self, source):
        return installation.stale_bytecode([source.parent])

    @pytest.mark.parametrize("mode", py_compile.PycInvalidationMode)
    def test_bytecode_of_its_source_is_not_stale(self, source, mode):
        self.compiled(source, mode)
        assert self.said(source) == []

    def test_a_source_that_was_replaced_within_a_second_is(self, source):
        compiled = self.compiled(source)
        self.replaced(source)
        command = [sys.executable, "-c", "import scenarios; print(scenarios.ANSWER)"]
        done = subprocess.run(command, cwd=source.parents[1], capture_output=True, text=True)
        assert done.stdout == "1\n"  # Python itself is taken in
        assert str(compiled) in self.said(source)[0]

    def test_one_whose_hash_nobody_checks_is_and_one_that_python_checks_is_not(self, source):
        self.compiled(source, py_compile.PycInvalidationMode.UNCHECKED_HASH)
        source.write_text("ANSWER = 22\n")
        assert self.said(source)
        self.compiled(source, py_compile.PycInvalidationMode.CHECKED_HASH)
        source.write_text("ANSWER = 333\n")
        assert self.said(source) == []

    def test_an_older_time_or_another_size_is_not(self, source):
        self.compiled(source)
        source.write_text("ANSWER = 22\n")
        assert self.said(source) == []

    def test_a_module_without_a_source_is(self, source):
        gone = source.with_name("gone.pyc")
        py_compile.compile(str(source), cfile=str(gone))
        assert str(gone) in self.said(source)[0]

    def test_a_damaged_file_is(self, source):
        compiled = self.compiled(source)
        compiled.write_bytes(compiled.read_bytes()[:20])
        assert self.said(source)


class TestInstalledFiles:
    @pytest.fixture
    def installed(self, tmp_path, monkeypatch):
        """A wheel of another name, installed as pip does."""
        text = b"X = 1\n"
        (tmp_path / "lablet.py").write_bytes(text)
        digest = base64.urlsafe_b64encode(hashlib.sha256(text).digest()).rstrip(b"=").decode()
        folder = tmp_path / "lablet-1.0.dist-info"
        folder.mkdir()
        (folder / "METADATA").write_text("Metadata-Version: 2.1\nName: lablet\nVersion: 1.0\n")
        (folder / "RECORD").write_text(
            f"lablet.py,sha256={digest},{len(text)}\nlablet-1.0.dist-info/RECORD,,\n"
        )
        monkeypatch.syspath_prepend(tmp_path)
        importlib.invalidate_caches()
        return tmp_path

    def test_what_was_installed_is_what_is_there(self, installed):
        assert installation.edited("lablet") == []
        assert installation.edited("no-such-thing") == []

    def test_an_edit_and_a_missing_file_are_said(self, installed):
        (installed / "lablet.py").write_text("X = 2\n")
        assert "1 installed files of lablet are not those" in installation.edited("lablet")[0]
        (installed / "lablet.py").unlink()
        assert "lablet.py (missing)" in installation.edited("lablet")[0]

    def test_another_copy_than_that_of_the_checkout_one_stands_in_is_said(
        self, tmp_path, monkeypatch, capsys
    ):
        here = {name: str(ROOT / name) for name in ("simulations", "scenarios")}
        assert installation.beside_a_checkout(ROOT / "docs", here) == []
        assert installation.beside_a_checkout(tmp_path, here) == []
        (tmp_path / "pyproject.toml").write_text('[project]\nname = "heisenlab"\n')
        monkeypatch.chdir(tmp_path)
        assert main(["doctor"]) == 1
        assert f"you stand in the checkout {tmp_path}, but what is under test is in {ROOT}" in (
            capsys.readouterr().out
        )


@pytest.mark.parametrize(
    ("said", "status", "line"),
    [
        ("development", 0, "label"),
        ("staging", 0, "label"),
        ("production", 0, "label"),
        ("prod", 1, "says 'prod', which is none of development, staging, production"),
        (None, 1, "LAB_STAGE is not set"),
    ],
)
def test_the_label_comes_from_the_variable_that_is_named(monkeypatch, capsys, said, status, line):
    monkeypatch.delenv("LAB_STAGE", raising=False)
    if said is not None:
        monkeypatch.setenv("LAB_STAGE", said)
    assert main(["doctor", "--label", "LAB_STAGE"]) == status
    assert line in capsys.readouterr().out


LOCKS = {
    "requirements.txt": "# comment\n-e .\nSimPy[x] == {0} --hash=sha256:00  # why\n"
    "absent==1 ; python_version < '3'\nfoo @ https://x\n",
    "pylock.toml": 'lock-version = "1.0"\n[[packages]]\nname = "simpy"\nversion = "{0}"\n'
    '[[packages]]\nname = "absent"\nversion = "1"\n',
    "uv.lock": '[[package]]\nname = "simpy"\nversion = "{0}"\n[[package]]\nname = "simpy"\nversion = "0.1"\n',
    "poetry.lock": '[[package]]\nname = "SimPy"\nversion = "{0}"\n',
}


class TestLock:
    @pytest.mark.parametrize("name", LOCKS)
    def test_the_versions_of_the_lock_are_compared(self, tmp_path, capsys, name):
        from importlib import metadata

        lock = tmp_path / name
        lock.write_text(LOCKS[name].format(metadata.version("simpy")))
        assert main(["doctor", "--lock", str(lock)]) == 0, capsys.readouterr().out
        lock.write_text(LOCKS[name].format("99.1"))
        assert main(["doctor", "--lock", str(lock)]) == 1
        assert f"simpy is {metadata.version('simpy')}, locked at 99.1" in capsys.readouterr().out

    def test_what_is_locked_and_not_there_is_said(self, tmp_path):
        lock = tmp_path / "requirements.txt"
        lock.write_text("no.such_thing==1.2\n")
        (line,) = installation.against_lock(lock)
        assert line.startswith("no-such-thing is locked at 1.2 and not installed")

    @pytest.mark.parametrize("text", [None, "", "simpy>=4\n", "\xff"])
    def test_a_file_that_is_no_lock_is_2_with_one_line(self, tmp_path, capsys, text):
        lock = tmp_path / "requirements.txt"
        if text is not None:
            lock.write_text(text, encoding="latin-1")
        assert main(["doctor", "--lock", str(lock)]) == 2
        assert capsys.readouterr().err.count("\n") == 1

    @pytest.mark.parametrize(
        ("name", "text"),
        [
            ("uv.lock", "package = [1, 'x']\n"),
            ("uv.lock", "package = 5\n[[packages]]\nname = 1\n"),
            ("uv.lock", f"package = {'[' * 5000}{']' * 5000}\n"),
            ("requirements.txt", f"simpy{' ' * 100_000}x\n"),
        ],
        ids=["no tables", "no lists", "nested", "spaces"],
    )
    def test_whatever_a_lock_holds_it_is_compared_or_one_line(self, tmp_path, name, text):
        lock = tmp_path / name
        lock.write_text(text)
        with pytest.raises(LabError, match="pins no versions"):
            installation.against_lock(lock)

    @pytest.mark.skipif(not Path("/dev/zero").exists(), reason="there is no /dev/zero")
    def test_a_lock_without_an_end_is_refused(self, tmp_path, monkeypatch):
        monkeypatch.setattr(installation, "_LOCK_BYTES_MAX", 1000)
        (tmp_path / "uv.lock").symlink_to("/dev/zero")
        with pytest.raises(LabError, match="larger than a lock file can be"):
            installation.against_lock(tmp_path / "uv.lock")


class TestNewest:
    @pytest.fixture
    def index(self):
        """An index on this machine; set `answer` to what it says."""

        class Handler(http.server.BaseHTTPRequestHandler):
            answer = b""

            def do_GET(self):
                self.send_response(200 if self.path == "/pypi/heisenlab/json" else 404)
                self.end_headers()
                self.wfile.write(self.answer)

            def log_message(self, *arguments):
                pass

        server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        Handler.address = f"http://127.0.0.1:{server.server_port}/pypi"
        yield Handler
        server.shutdown()
        thread.join()
        server.server_close()

    def doctor(self, index):
        return main(["doctor", "--newest", "--index", index.address])

    @pytest.mark.parametrize(("version", "status"), [("0.0.9", 0), ("99.0", 1)])
    def test_a_newer_version_is_a_problem_with_a_way_out(self, index, capsys, version, status):
        index.answer = json.dumps({"info": {"version": version}}).encode()
        assert self.doctor(index) == status
        assert ("99.0 is out" in capsys.readouterr().out) == bool(status)

    @pytest.mark.parametrize("answer", [b"", b"{}", b"[]", b"\xff"])
    def test_an_answer_that_is_none_is_a_line(self, index, capsys, answer):
        index.answer = answer
        assert self.doctor(index) == 0
        assert "newest" in capsys.readouterr().out

    def test_without_a_network_it_is_a_line_and_no_problem(self, capsys):
        assert main(["doctor", "--newest", "--index", "http://127.0.0.1:9/pypi"]) == 0
        assert "not known: http://127.0.0.1:9/pypi/heisenlab/json cannot be asked" in capsys.readouterr().out

    def test_nothing_is_asked_unless_the_user_wants_it(self, monkeypatch, capsys):
        monkeypatch.setattr(installation, "newest", None)
        assert main(["doctor", "--json"]) == 0
        assert "newest" not in json.loads(capsys.readouterr().out)

    def test_only_the_web_is_asked(self):
        with pytest.raises(LabError, match="an index is an address"):
            installation.newest("file:///etc")

    @pytest.mark.parametrize(
        ("version", "than", "newer"),
        [
            ("1.10", "1.9", True),
            ("1.0", "1", False),
            ("2", "10", False),
            ("1.1rc1", "1.0", True),
            ("x", "1", False),
            ("9" * 5000, "1", True),
        ],
    )
    def test_versions_are_compared_by_their_numbers(self, version, than, newer):
        assert installation.is_newer(version, than) is newer
