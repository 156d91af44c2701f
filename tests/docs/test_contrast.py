"""Every text of the pages that can be played and of the reports stands out, and a report can be printed.

The texts of the site are measured in `test_site.py`, where its pages are opened.
"""

import json
import random
import shutil
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import parse_qsl

import pytest

import scenarios
from docs.play import pages
from scenarios.lab.commands import main
from simulations.live.threads import explore
from tests.docs.contrast import faint
from tests.docs.play.sites import ROOT, chromium
from tests.docs.play.test_links import links
from tests.scenarios.lab.commands.test_report import MEMORY
from tests.simulations.live.recorder import written as w

NEEDED = 4.5
PAPER_PX = (680, 1009)
"""What is left of A4 within margins of 15 mm."""
BROKEN = """(height) => {
  const wrong = [], all = [...document.body.querySelectorAll("*")].filter((each) => each.checkVisibility());
  const style = (each) => getComputedStyle(each);
  const not = (name, value, kinds) => all.filter((each) => each.matches(kinds))
    .filter((each) => style(each)[name] !== value).forEach((each) => wrong.push([name, each.outerHTML]));
  not("breakAfter", "avoid", "h1, h2, caption, thead");
  not("breakInside", "avoid", "figure, tr, .hl-line");
  not("breakInside", "auto", "pre, table");
  if (document.documentElement.scrollWidth > innerWidth) wrong.push("wider than the paper");
  for (const each of all.filter((each) => !each.closest("svg") && style(each).overflowX !== "visible")) {
    if (each.scrollWidth > each.clientWidth + 1) wrong.push(["cut off", each.outerHTML]);
  }
  for (const each of document.querySelectorAll("svg")) {
    if (each.getBoundingClientRect().height > height) wrong.push(["longer than the paper", each.textContent]);
  }
  if (style(document.body).backgroundColor !== "rgb(255, 255, 255)") wrong.push("not white");
  return wrong.map((each) => String(each).slice(0, 120));
}"""
SHOWN = {
    "on": '<div style="background:{below}"><p style="color:{above}">{n}</p></div>',
    "before": '<div style="background:{below}"><p style="--c:{above}" data-n="{n}"></p></div>',
    "deeper": '<div style="background:{below}"><p style="color:{above}"><b>{n}</b></p></div>',
    "drawn": '<svg><rect width="300" height="150" fill="{below}"/>'
    '<text y="50" fill="{above}">{n}</text></svg>',
    "over another": '<svg style="background:{above}"><path d="M0 0H300V150H0Z" fill="{below}"/>'
    '<text y="50" class="hl" fill="currentColor" style="color:{above}">{n}</text></svg>',
}


class Account:
    def __init__(self):
        self.balance = 100

    def withdraw(self):
        if self.balance >= 60:
            self.balance -= 60


def luminance(colour):
    parts = [value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in colour]
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]


def ratio(one, other):
    low, high = sorted(luminance([value / 255 for value in each]) for each in (one, other))
    return (high + 0.05) / (low + 0.05)


@pytest.fixture(scope="module")
def tab(tmp_path_factory):
    with chromium("file://", tmp_path_factory.mktemp("profile")) as opened:
        opened.page.set_viewport_size({"width": 1280, "height": 900})
        yield opened


def judged(tab, path, markup):
    path.write_text(markup, encoding="utf-8")
    tab.page.goto(path.as_uri())
    return faint(tab.page)


def test_a_text_is_faint_exactly_where_the_formula_says_so(tab, tmp_path):
    chosen = random.Random(7)
    shown, expected = [], set()
    for n in range(60):
        above, below = ([chosen.randrange(256) for _ in range(3)] for _ in range(2))
        named = {"above": f"rgb{(*above,)}", "below": f"rgb{(*below,)}", "n": f"n{n}."}
        shown.append(SHOWN[sorted(SHOWN)[n % len(SHOWN)]].format(**named))
        expected |= {f"n{n}."} if ratio(above, below) < NEEDED else set()
    assert 10 < len(expected) < 60
    style = "<style>p::before{content:attr(data-n);color:var(--c)}</style>"
    found = judged(tab, tmp_path / "page.html", style + "\n".join(shown))
    assert {said.split()[-1] for said in found if said.startswith("light")} == expected


@pytest.mark.parametrize(
    ("markup", "count"),
    [
        ('<p style="color:#767676">passes', 0),
        ('<p style="color:#777777">fails', 1),
        ('<p style="color:#949494;font-size:24px">large, and passes', 0),
        ('<p style="color:#000;opacity:.4">fails', 1),
        ('<p style="color:#fff;visibility:hidden">is not seen', 0),
        ('<svg role="img"><rect width="9" height="9" fill="#959595"/></svg>', 1),
        ('<svg role="img"><rect width="9" height="9" fill="#959595" stroke="#949494"/></svg>', 0),
        ('<svg role="img"><rect width="9" height="9" fill="#000" fill-opacity="0.12"/></svg>', 0),
    ],
)
def test_large_text_and_marks_need_less_and_a_tint_is_no_mark(tab, tmp_path, markup, count):
    found = judged(tab, tmp_path / "page.html", f"<body style='background:#fff'>{markup}")
    assert len(found) == 2 * count, found


def test_every_text_of_the_pages_that_can_be_played_stands_out(tab, tmp_path):
    shutil.copyfile(ROOT / "docs/play/shell.css", tmp_path / "shell.css")
    states = [(name, dict(parse_qsl(at[1:]))) for name, at in links()]
    with ThreadPoolExecutor(1) as aside:  # this thread has the event loop of Playwright
        first = {name: aside.submit(pages.html, name).result() for name in pages.NAMES}
        stages = [aside.submit(pages.module(name).show, state).result() for name, state in states]
    shown = list(first.items())
    for (name, _), stage in zip(states, stages, strict=True):
        shown.append((name, first[name].partition('<div id="stage">')[0] + stage))
    wrong = {}
    for number, (name, html) in enumerate(shown):
        if found := judged(tab, tmp_path / f"{number}.html", html.partition("<script")[0]):
            wrong[name, number] = found
    assert wrong == {}


def reported(folder):
    """Write the seven reports into a folder; return their names."""
    for name in scenarios.catalogue():
        scenarios.get(name).hunt(searcher="exhaustive", verify=False).finding.save(folder / f"{name}.json")
    found = explore(Account, [Account.withdraw] * 2, lambda account: account.balance >= 0)
    (folder / "threads.json").write_text(json.dumps(found.to_json()), encoding="utf-8")
    (folder / "memory.json").write_text(json.dumps(MEMORY), encoding="utf-8")
    w.written(folder / "runs/0001", w.start(), w.job(), *w.samples(w.HOUR_MS), w.end(w.HOUR_MS, -9))
    results = [*sorted(folder.glob("*.json")), folder / "runs"]
    for result in results:
        assert main(["report", str(result), "-o", str(folder / f"{result.stem}.html")]) == 0
    return [folder / f"{result.stem}.html" for result in results]


@pytest.fixture(scope="module")
def reports(tmp_path_factory):
    with ThreadPoolExecutor(1) as aside:
        return aside.submit(reported, tmp_path_factory.mktemp("reports")).result()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_of_a_printed_report_nothing_is_cut_off_or_dark_and_no_picture_is_broken(tab, reports, scheme):
    tab.page.set_viewport_size(dict(zip(("width", "height"), PAPER_PX, strict=True)))
    tab.page.emulate_media(media="print", color_scheme=scheme)
    wrong = {}
    try:
        for path in reports:
            tab.page.goto(path.as_uri())
            wrong |= {path.stem: found} if (found := tab.page.evaluate(BROKEN, PAPER_PX[1])) else {}
    finally:
        tab.page.emulate_media(media="screen")
        tab.page.set_viewport_size({"width": 1280, "height": 900})
    assert wrong == {}


def test_every_text_of_the_reports_stands_out(tab, reports):
    assert len(reports) == 7
    wrong = {}
    for path in reports:
        tab.page.goto(path.as_uri())
        wrong |= {path.stem: found} if (found := faint(tab.page)) else {}
    assert wrong == {}
