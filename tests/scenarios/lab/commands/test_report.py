"""`heisenlab report`: a page about a result that stands alone."""

import copy
import html
import json
import re
import sys
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

import scenarios
from scenarios.lab.commands import main
from scenarios.lab.finding import load
from simulations.choices import Plan
from simulations.drawing.marks import FAILS, NEAREST

NAMES = list(scenarios.catalogue())
FETCHING = {"script", "img", "link", "iframe", "object", "a", "foreignobject", "image", "use"}
HOSTILE = "<script>alert(1)</script>\"'&\x1b[2J<img src=http://x.test/>"


@pytest.fixture(scope="module")
def findings(tmp_path_factory):
    folder = tmp_path_factory.mktemp("findings")
    for name in NAMES:
        scenarios.get(name).hunt(searcher="exhaustive", verify=False).finding.save(folder / f"{name}.json")
    return folder


class _Reader(HTMLParser):
    """Reads which elements a page has, and that each is closed where it must be."""

    def __init__(self):
        super().__init__()
        self.open, self.tags, self.attributes = [], set(), []

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.attributes += attrs
        if tag not in {"meta", "br"}:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.add(tag)
        self.attributes += attrs

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def stands_alone(text):
    """Check that a page is closed in itself, runs nothing and fetches nothing; return what it says."""
    reader = _Reader()
    reader.feed(text)
    assert not reader.open
    assert not reader.tags & {
        "script",
        "img",
        "link",
        "iframe",
        "object",
        "a",
        "foreignObject",
        "image",
        "use",
    }
    for name, value in reader.attributes:
        assert not name.startswith("on"), name
        assert name not in {"src", "href", "xlink:href"}
        assert name == "xmlns" or "://" not in (value or "")
    assert "url(" not in text
    assert "@import" not in text
    assert "\x1b" not in text
    return html.unescape(
        re.sub(r"<details>.*?</details>|<style>.*?</style>|<[^>]*>", "", text, flags=re.DOTALL)
    )


@pytest.mark.parametrize("name", NAMES)
def test_a_report_of_a_finding_tells_the_story_and_how_to_replay_it(name, findings, tmp_path, capsys):
    saved, page = findings / f"{name}.json", tmp_path / "page.html"
    assert main(["report", str(saved), "-o", str(page)]) == 0
    assert capsys.readouterr().out.startswith(f"{page}: {name} / as-shipped: ")
    says = stands_alone(page.read_text())
    scenario, finding = scenarios.get(name), load(saved)
    for words in (
        scenario.story.symptom,
        finding.plan_in_words,
        finding.message,
        finding.digest,
        f"heisenlab replay {saved}",
        finding.fingerprint["python"],
        "the nearest",
    ):
        assert words in says
    assert NEAREST in says
    assert scenario.story.root_cause not in says
    assert page.read_text().count("<svg") >= 2
    assert page.stat().st_size < 200_000


def test_what_a_finding_holds_is_escaped_and_never_run(findings, tmp_path):
    saved, page = tmp_path / "hostile.json", tmp_path / "page.html"
    finding = load(findings / "stale-cache.json")
    fingerprint = {**finding.fingerprint, "platform": HOSTILE, "commit": HOSTILE}
    replace(finding, message=HOSTILE, plan_in_words=HOSTILE, fingerprint=fingerprint).save(saved)
    assert main(["report", str(saved), "-o", str(page)]) == 0
    assert "<script>alert(1)</script>" in stands_alone(page.read_text())


def test_a_finding_that_does_not_fail_here_is_not_drawn_as_one_that_does(findings, tmp_path):
    saved, page = tmp_path / "repaired.json", tmp_path / "page.html"
    replace(load(findings / "stale-cache.json"), plan=Plan()).save(saved)
    assert main(["report", str(saved), "-o", str(page)]) == 0
    says = stands_alone(page.read_text())
    assert "holds; changed since it was found" in says
    assert "<svg" not in page.read_text()


def test_what_is_no_report_is_not_overwritten_without_being_asked(findings, tmp_path, capsys):
    saved, page = str(findings / "stale-cache.json"), tmp_path / "notes.html"
    page.write_text("my notes")
    assert main(["report", saved, "-o", str(page)]) == 2
    assert "--force" in capsys.readouterr().err
    assert page.read_text() == "my notes"
    assert main(["report", saved, "-o", str(page), "--force"]) == 0
    first = page.read_bytes()
    capsys.readouterr()
    assert main(["report", saved, "-o", str(page), "--json"]) == 0
    assert page.read_bytes() == first
    assert json.loads(capsys.readouterr().out)["bytes"] == len(first)


@pytest.mark.parametrize(
    "content", ["", "{", "[]", '{"verdict": 1}', "\x00", '{"format": "heisenlab finding"}']
)
def test_what_is_no_result_is_refused_in_a_line(content, tmp_path, capsys):
    saved, page = tmp_path / "x.json", tmp_path / "page.html"
    saved.write_text(content)
    assert main(["report", str(saved), "-o", str(page)]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1
    assert not page.exists()


ACCOUNT = """
class Account:
    def __init__(self):
        self.balance = 100

    def withdraw(self):
        if self.balance >= int("80"):  # <script>
            self.balance = self.balance - 80

setup = Account
workers = {"alice": Account.withdraw, "<b>bob": Account.withdraw}

def check(account):
    return account.balance >= 0
"""


@pytest.fixture
def exploration(tmp_path, capsys):
    program, page = tmp_path / "account_to_report.py", tmp_path / "drawn.html"
    program.write_text(ACCOUNT)
    assert main(["threads", "run", str(program), "--json", "--html", str(page)]) == 1
    data = json.loads(capsys.readouterr().out)
    assert data["says"].splitlines()[0] in stands_alone(page.read_text())
    return data


def test_an_exploration_of_the_users_own_threads_has_the_nearest_schedule_that_passes(exploration, tmp_path):
    saved, page = tmp_path / "exploration.json", tmp_path / "page.html"
    saved.write_text(json.dumps(exploration))
    assert main(["report", str(saved), "-o", str(page)]) == 0
    says = stands_alone(page.read_text())
    assert [run["title"] for run in exploration["runs"]] == [FAILS, NEAREST]
    for words in (exploration["words"], "from here on they differ"):
        assert words in says
    assert exploration["lanes"].splitlines()[1] not in says, "the picture shows it"


def test_of_an_exploration_that_found_nothing_there_is_a_report_and_no_picture(tmp_path, capsys):
    program, drawn, page = (tmp_path / name for name in ("safe.py", "drawn.svg", "page.html"))
    program.write_text("setup = list\nworkers = [lambda state: None] * 2\n")
    assert main(["threads", "run", str(program), "--json", "--preemptions", "1", "--svg", str(drawn)]) == 0
    printed = capsys.readouterr()
    assert "nothing was found, so there is nothing to draw" in printed.err
    assert not drawn.exists()
    (tmp_path / "safe.json").write_text(printed.out)
    assert main(["report", str(tmp_path / "safe.json"), "-o", str(page)]) == 0
    assert "exhausted after" in stands_alone(page.read_text())
    assert "<svg" not in page.read_text()


@pytest.mark.parametrize(
    "broken",
    [
        {"runs": 1},
        {"runs": [{}]},
        {"schedules": "many"},
        {"runs": [{"title": "", "tone": "?", "lanes": ["a"], "steps": [], "ended": "", "unit": ""}]},
        {"runs": [{"title": "", "tone": "", "lanes": [], "steps": [], "ended": "", "unit": ""}]},
    ],
)
def test_an_exploration_that_was_damaged_is_refused(broken, exploration, tmp_path, capsys):
    saved = tmp_path / "exploration.json"
    saved.write_text(json.dumps({**exploration, **broken}))
    assert main(["report", str(saved), "-o", str(tmp_path / "page.html")]) == 2
    assert "no exploration that can be read" in capsys.readouterr().err


MEMORY = {
    "command": ["viewer", HOSTILE],
    "filling": {"kind": "fill", "size": 1 << 32},
    "programs": [{"pid": 7, "filled": [["0x10000", "0x100000000"]]}],
    "crashes": [
        {
            "pid": 7,
            "program": HOSTILE,
            "signal": "SIGSEGV",
            "explanations": [
                {
                    "value": "0x1da3b010",
                    "original": "0x7f461da3b010",
                    "cut": "cut to unsigned 32 bits",
                    "region": ["0x7f461da3b000", "0x7f461dd3d000"],
                    "region_name": HOSTILE,
                }
            ],
        }
    ],
    "says": f"killed by SIGSEGV {HOSTILE}",
}


def test_a_memory_report_has_the_pointer_and_what_it_was_cut_to(tmp_path):
    saved, page = tmp_path / "memory.json", tmp_path / "page.html"
    saved.write_text(json.dumps(MEMORY))
    assert main(["report", str(saved), "-o", str(page)]) == 0
    says = stands_alone(page.read_text())
    assert "P 0x7f461da3b010" in says
    assert "X 0x1da3b010: SIGSEGV, cut to" in says
    saved.write_text(json.dumps({**MEMORY, "crashes": [{"explanations": [{}]}]}))
    assert main(["report", str(saved), "-o", str(page)]) == 2


EXPLORATION = {
    "verdict": "found",
    "schedules": 3,
    "says": "check(state) returned False\n\nalice  bob",
    "lanes": "alice  bob",
    "runs": [
        {
            "title": title,
            "tone": tone,
            "lanes": ["alice", "bob"],
            "steps": [
                {"lane": 0, "text": "12: reads", "at": "1", "tone": ""},
                {"lane": 1, "text": title, "at": "", "tone": tone},
            ],
            "ended": "the check fails",
            "unit": "ms",
        }
        for title, tone in ((FAILS, "✗"), (NEAREST, "✓"))
    ],
    "plan": [["alice", 1]],
}
GONE = object()
STRANGE = st.one_of(
    st.sampled_from([GONE, HOSTILE, "--></style></svg>", "]]>", "\u202e\u2066a", "\ud800", "9" * 5000]),
    st.sampled_from(
        ["0x" + "f" * 300, "-0x5", "0x10", 2**70, -1, 1e400, float("nan"), [], {}, [[]], {"": 1}]
    ),
    st.text(),
    st.none() | st.booleans() | st.integers() | st.floats(),
)


def places(value, above=()):
    """Every place in a value of JSON, but the top."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, each in inner:
        yield (*above, key)
        yield from places(each, (*above, key))


def changed(value, place, strange):
    """A copy in which something else stands in one place."""
    value = copy.deepcopy(value)
    around = value
    for key in place[:-1]:
        around = around[key]
    if strange is GONE:
        del around[place[-1]]
    else:
        around[place[-1]] = strange
    return value


@pytest.mark.parametrize("depth", [20, 300, 700])
@pytest.mark.parametrize("where", [(EXPLORATION, ("says",)), (EXPLORATION, ("plan",)), (MEMORY, ("says",))])
def test_a_result_that_is_nested_beyond_measure_is_one_line(where, depth, tmp_path, capsys):
    kind, place = where
    saved = tmp_path / "deep.json"
    deep = changed(kind, place, "DEEP")
    saved.write_text(json.dumps(deep).replace('"DEEP"', "[" * depth + "]" * depth))
    assert main(["report", str(saved), "-o", str(tmp_path / "page.html")]) == 2
    assert capsys.readouterr().err.count("\n") == 1


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    where=st.sampled_from([(kind, place) for kind in (EXPLORATION, MEMORY) for place in places(kind)]),
    strange=STRANGE,
)
@example(where=(EXPLORATION, ("schedules",)), strange=1e400)
@example(where=(EXPLORATION, ("runs", 0, "steps", 1, "lane")), strange=1e400)
@example(where=(EXPLORATION, ("runs", 0, "lanes")), strange=["x"] * 20_000)
@example(where=(EXPLORATION, ("runs", 0, "lanes")), strange=["<b>"] * 1000)
@example(where=(MEMORY, ("crashes",)), strange=MEMORY["crashes"] * 500)
def test_whatever_stands_in_a_result_the_page_stands_alone_or_a_line_says_why(
    where, strange, tmp_path, capsys
):
    kind, place = where
    saved, page = tmp_path / "strange.json", tmp_path / "page.html"
    saved.write_text(json.dumps(changed(kind, place, strange)))
    status = main(["report", str(saved), "-o", str(page)])
    printed = capsys.readouterr()
    if status == 0:
        stands_alone(page.read_text())
        assert page.stat().st_size < 4_000_000
    else:
        assert status == 2
        assert printed.err.count("\n") == 1


@pytest.mark.skipif(sys.platform != "linux", reason="recording needs Linux")
def test_a_recording_has_its_suspects(tmp_path, capfd):
    runs, page = tmp_path / "runs", tmp_path / "page.html"
    assert main(["record", "-o", str(runs), "--", "sh", "-c", "echo '<b>'; exit 3"]) == 3
    assert main(["report", str(runs), "-o", str(page)]) == 0
    says = stands_alone(page.read_text())
    assert "Who may have ended it" in says
    assert "<b>" in says
    assert main(["report", str(tmp_path), "-o", str(page)]) == 2
    assert len(capfd.readouterr().err.strip().splitlines()) >= 1
