"""The worlds in Firefox: a page hunts by itself, and tells the test what it has found."""

import json
import re
import shutil
import subprocess
import threading
from urllib.parse import urlsplit

import pytest

import scenarios
from scenarios.lab.hunt import hunt
from tests.docs.play import sites

PARKS = 153
"""The first version that has JSPI switched on."""
NAMES = tuple(scenarios.catalogue())
PAGE = """<!doctype html><title>hunts</title><link rel="icon" href="data:,"><script type="module">
const worker = new Worker("./worker.js", { type: "module" });
const names = NAMES, answers = [], errors = [];
worker.onerror = window.onerror = (error) => errors.push(String(error.message ?? error));
const call = "play.lab:hunt";
const send = (id) => worker.postMessage({ id, call, args: [names[id], "as-shipped", "hypothesis"] });
worker.onmessage = ({ data }) => {
  if ("id" in data) answers.push(data);
  if (answers.length < names.length && data.ready !== false) return send(answers.length);
  const hosts = performance.getEntriesByType("resource").map((entry) => new URL(entry.name).host);
  fetch("/seen", { method: "POST", body: JSON.stringify({ answers, errors, hosts }) });
};
</script>"""


@pytest.mark.timeout(400)
def test_every_hunt_in_firefox_ends_in_the_digest_of_here(tmp_path):
    folder = sites.built()
    program = shutil.which("firefox-esr") or shutil.which("firefox")
    if program is None:
        pytest.skip("Firefox is not installed")
    said = subprocess.run([program, "--version"], capture_output=True, text=True).stdout
    if int(re.search(r"(\d+)\.", said)[1]) < PARKS:
        pytest.skip(f"a thread can be parked from Firefox {PARKS} on, and this is {said.strip()}")
    here = [hunt(name, searcher="exhaustive", verify=False).finding for name in NAMES]
    page = PAGE.replace("NAMES", json.dumps(NAMES))
    told, seen = threading.Event(), []

    def tell(body):
        seen.append(json.loads(body))
        told.set()

    with sites.served(folder, pages={"/hunts.html": page}, tell=tell) as base:
        firefox = subprocess.Popen(
            [program, "--headless", "--no-remote", "--profile", tmp_path, f"{base}hunts.html"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            assert told.wait(300), "the page told nothing"
        finally:
            firefox.terminate()
            firefox.wait()
    (there,) = seen
    assert there["errors"] == []
    assert set(there["hosts"]) == {urlsplit(base).netloc}
    findings = [answer.get("value", answer)["finding"] for answer in there["answers"]]
    assert [(found["digest"], found["plan"]) for found in findings] == [
        (found.digest, found.plan.to_json()) for found in here
    ]
