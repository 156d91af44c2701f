"""`heisenlab docs` serves a site to this machine, until Ctrl-C."""

import json
import signal
import subprocess
import sys
from http.client import HTTPConnection
from urllib.parse import urlsplit

import pytest

from scenarios.lab.commands import main
from scenarios.lab.commands.docs import server_for
from simulations.errors import LabError


@pytest.fixture
def site(tmp_path):
    (tmp_path / "index.html").write_text("<p>here", encoding="utf-8")
    return tmp_path


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


def test_a_folder_without_a_site_is_2_and_says_how_to_build_one(tmp_path, capsys):
    assert main(["docs", str(tmp_path), "--no-browser"]) == 2
    assert "python -m docs.site" in capsys.readouterr().err


@pytest.mark.parametrize("port", [-1, 65536])
def test_a_port_that_is_none_is_said(site, port):
    with pytest.raises(LabError, match="cannot be had"):
        server_for(site, port)


def test_a_port_that_is_taken_is_said(site):
    with server_for(site) as server, pytest.raises(LabError, match="cannot be had"):
        server_for(site, server.server_port)
