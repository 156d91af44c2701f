"""`heisenlab docs` serves a site to this machine, until Ctrl-C."""

import json
import signal
import subprocess
import sys
import threading
from http.client import HTTPConnection
from urllib.parse import urlsplit

import pytest

from scenarios.lab.commands import main
from scenarios.lab.commands.docs import server_for
from simulations.errors import LabError


@pytest.fixture
def site(tmp_path):
    folder = tmp_path / "site"
    folder.mkdir()
    (folder / "index.html").write_text("<p>here", encoding="utf-8")
    return folder


@pytest.mark.skipif(sys.platform == "win32", reason="Ctrl-C is another thing there")
def test_says_the_address_serves_and_ends_with_ctrl_c(site):
    words = ["docs", str(site), "--no-browser", "--json"]
    command = [sys.executable, "-m", "scenarios.lab.commands", *words]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as served:
        try:
            address = json.loads(served.stdout.readline())["address"]
            assert address.startswith("http://127.0.0.1:")
            asked = HTTPConnection(urlsplit(address).netloc, timeout=60)
            asked.request("GET", "/")
            assert asked.getresponse().read() == b"<p>here"
            asked.request("GET", "/../../etc/passwd")
            assert asked.getresponse().status == 404
            served.send_signal(signal.SIGINT)
            assert served.wait(60) == 0
        finally:
            served.kill()


def test_listens_to_this_machine_only(site):
    with server_for(site) as server:
        assert server.server_address[0] == "127.0.0.1"


@pytest.mark.parametrize("named", ["", "missing", "site/index.html", "\x1b[2Jname"])
def test_a_folder_without_a_site_is_2_and_a_line_that_says_how_to_build_one(named, tmp_path, capsys):
    (tmp_path / "site").mkdir()
    (tmp_path / "site/index.html").write_text("<p>here", encoding="utf-8")
    assert main(["docs", str(tmp_path / named), "--no-browser"]) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert said.rstrip("\n").isprintable()
    assert "python -m docs.site" in said


@pytest.fixture
def asked(site):
    """Ask a server of the site, whose folder lies beside a secret; return the answer."""
    (site.parent / "secret.txt").write_text("secret", encoding="utf-8")
    with server_for(site) as server:
        serving = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        serving.start()

        def ask(target):
            asking = HTTPConnection("127.0.0.1", server.server_port, timeout=60)
            asking.request("GET", target)
            answer = asking.getresponse()
            return answer, answer.read()

        yield ask
        server.shutdown()
        serving.join()


UP = ["..", "%2e%2e", ".%2E", "..%2f..", "..%5c..", "..\\..", "x/../..", "%252e%252e", "....//..", "..;"]


@pytest.mark.parametrize("up", UP)
@pytest.mark.parametrize("begin", ["/", "//", "", "http://127.0.0.1/", "/index.html/"])
def test_no_path_leads_out_of_the_folder(begin, up, asked):
    for target in (f"{begin}{up}/secret.txt", f"{begin}{up}%2fsecret.txt"):
        answer, body = asked(target)
        assert answer.status in {400, 404}
        assert b"secret</" not in body
        assert body != b"secret"


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("a.mjs", "text/javascript"),
        ("a.js", "text/javascript"),
        ("a.wasm", "application/wasm"),
        ("a.css", "text/css"),
        ("a.svg", "image/svg+xml"),
        ("a.json", "application/json"),
    ],
)
def test_a_browser_is_told_the_kind_it_insists_on_whatever_the_machine_believes(
    name, kind, asked, site, monkeypatch
):
    monkeypatch.setattr("mimetypes.guess_type", lambda *_, **__: ("text/plain", None))
    (site / name).write_text("", encoding="utf-8")
    assert asked(f"/{name}")[0].getheader("Content-Type") == kind


@pytest.mark.parametrize(
    ("error", "told"), [(BrokenPipeError(), False), (ConnectionResetError(), False), (ValueError("x"), True)]
)
def test_a_browser_that_went_away_is_no_error(error, told, site, capsys, monkeypatch):
    monkeypatch.setattr("sys.exception", lambda: error)
    with server_for(site) as server:
        server.handle_error(None, ("127.0.0.1", 1))
    assert bool(capsys.readouterr().err) is told


@pytest.mark.parametrize("port", [-1, 65536])
def test_a_port_that_is_none_is_said(site, port):
    with pytest.raises(LabError, match="cannot be had"):
        server_for(site, port)


def test_a_port_that_is_taken_is_said(site):
    with server_for(site) as server, pytest.raises(LabError, match="cannot be had"):
        server_for(site, server.server_port)
