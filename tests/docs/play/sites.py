"""The folder that `python -m docs.play.build` makes, a server for it, and browsers that open it."""

from __future__ import annotations

import contextlib
import functools
import json
import os
import shutil
import threading
from dataclasses import dataclass, field
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
FLAGS = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update"),
)
WAIT_S = 120.0
"""How long a page may take for a call; a machine may be slow, and nothing is measured."""

PROBE = """<!doctype html><title>probe</title><link rel="icon" href="data:,"><script type="module">
const worker = new Worker("./worker.js", { type: "module" });
const waiting = new Map();
let sent = 0;
window.started = new Promise((started) => {
  worker.onmessage = ({ data }) => ("ready" in data ? started(data) : waiting.get(data.id)?.(data));
});
worker.onerror = (error) => console.error(error.message);
window.call = (call, ...args) => new Promise((answered) => {
  waiting.set(++sent, answered);
  setTimeout(() => answered({ traceback: `no answer from ${call}` }), 60000);
  worker.postMessage({ id: sent, call, args });
});
</script>"""


def built():
    """Return the folder that HEISENLAB_PLAY names; skip the test where it names none."""
    named = os.environ.get("HEISENLAB_PLAY", "")
    if not Path(named, "worker.js").is_file():
        pytest.skip("HEISENLAB_PLAY names no folder that `python -m docs.play.build` has made")
    return Path(named)


class _Handler(SimpleHTTPRequestHandler):
    def __init__(self, *args, pages, tell, **kwargs):
        self._pages, self._tell = pages, tell
        super().__init__(*args, **kwargs)

    def log_message(self, *_):
        pass

    def do_GET(self):
        if self.path == "/favicon.ico":  # which browsers ask for by themselves
            self._answer(204)
        elif self.path in self._pages:
            self._answer(200, self._pages[self.path].encode(), self.guess_type(self.path))
        else:
            super().do_GET()

    def do_POST(self):
        self._tell(self.rfile.read(int(self.headers["Content-Length"])))
        self._answer(204)

    def _answer(self, status, content=b"", kind="text/html"):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


@contextlib.contextmanager
def served(folder, *, pages=None, tell=print):
    """Serve a folder on this machine; yield its address.

    There is a page `probe.html` that can `call` the lab, and others by their path; what is posted is told.
    """
    pages = {"/probe.html": PROBE, **(pages or {})}
    handler = functools.partial(_Handler, directory=folder, pages=pages, tell=tell)
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@dataclass
class Tab:
    """A page in Chromium, and what it must not do.

    Attributes:
        page: Playwright's page.
        foreign: Addresses of other hosts that were asked for.
        errors: What was written to the console as an error, and exceptions that nothing caught.
    """

    page: object
    foreign: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    def call(self, name, *args):
        """Call a function of the lab by way of `probe.html`; return its value, or fail with its traceback."""
        answer = self.page.evaluate("given => call(...given)", [name, *args])
        assert "value" in answer, answer["traceback"]
        return answer["value"]


@contextlib.contextmanager
def chromium(base, profile):
    """Open a new profile of Chromium at an address; yield the tab, and check it in the end.

    Its reader asks for less motion, so that nothing moves unless a test says so.
    """
    sync_api = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if program is None:
        pytest.skip("Chromium is not installed")
    with sync_api.sync_playwright() as playwright:
        context = playwright.chromium.launch_persistent_context(
            profile, executable_path=program, headless=True, args=FLAGS, reduced_motion="reduce"
        )
        try:
            page = context.new_page()
            page.set_default_timeout(WAIT_S * 1000)
            tab = Tab(page)
            inline = (base, "data:", "blob:")
            context.on("request", lambda asked: asked.url.startswith(inline) or tab.foreign.append(asked.url))
            page.on("console", lambda said: said.type == "error" and tab.errors.append(_said(said)))
            page.on("pageerror", lambda error: tab.errors.append(str(error)))
            yield tab
            assert tab.foreign == []
            assert tab.errors == []
        finally:
            context.close()


def _said(said):
    where = said.location.get("url", "")
    return f"{said.text} {where}".strip()


def as_json(value):
    """Return a value as it is after a journey through JSON."""
    return json.loads(json.dumps(value))
