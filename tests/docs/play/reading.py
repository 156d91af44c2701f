"""What stands on a page, as a reader and a screen reader find it."""

from __future__ import annotations

import contextlib
import io
import json
import shlex
import subprocess
import sys
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import parse_qsl

from scenarios.lab.commands import main

FILE = "watched.py"
"""The file that a line needs which names none."""
VOID = frozenset({"br", "img", "input", "link", "meta"})


@dataclass
class Reading(HTMLParser):
    """A piece of HTML.

    Attributes:
        moves: The links that are moves: the key of each, or its label, and the state that it leads to.
        command: The line that runs the same natively; empty where there is none.
        digest: The digest beside it.
        listing: The file that is to be saved first; empty where there is none.
        says: The sentences that are read out.
        fed: The text.
    """

    html: str
    moves: dict[str, dict[str, str]] = field(default_factory=dict)
    command: str = ""
    digest: str = ""
    listing: str = ""
    says: list[str] = field(default_factory=list)
    _open: list[tuple[str, str]] = field(default_factory=list)

    def __post_init__(self):
        super().__init__()
        self.feed(self.html)
        assert self._open == [], "an element is not closed"

    def handle_starttag(self, tag, attributes):
        given = dict(attributes)
        kind = (given.get("class") or "").split()
        if "move" in kind:
            state = dict(parse_qsl(given["href"].removeprefix("#")))
            self.moves[given.get("data-key") or given["href"]] = state
        if "says" in kind:
            self.says.append("")
        if tag not in VOID:
            self._open.append((tag, next(iter(kind), "")))

    def handle_startendtag(self, tag, attributes):
        pass

    def handle_endtag(self, tag):
        assert self._open.pop()[0] == tag

    def handle_data(self, data):
        for tag, kind in self._open:
            if kind == "says":
                self.says[-1] += data
            elif (tag, kind) == ("pre", "command"):
                self.command += data
            elif (tag, kind) == ("pre", "listing"):
                self.listing += data
            elif (tag, kind) == ("code", "digest"):
                self.digest += data


def natively(reading, folder="."):
    """Run the line of a page as a shell would; return the digest that it prints.

    Args:
        reading: The page.
        folder: Where a file is saved that the line needs.
    """
    program, *words = shlex.split(reading.command)
    if reading.listing:
        return _in_folder(program, words, reading.listing, Path(folder))
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        if program == "python":
            exec(words[words.index("-c") + 1], {})
            return said.getvalue().strip()
        assert program == "heisenlab"
        main([*words, "--json"])
    return json.loads(said.getvalue())["digest"]


def _in_folder(program, words, listing, folder):
    """Save a file and run a line beside it, in a process of its own."""
    name = next((word for word in words if word.endswith(".py")), FILE)
    (folder / name).write_text(listing, encoding="utf-8")
    lab = ["-m", "scenarios.lab.commands", *words, "--json"]
    command = [sys.executable, *(words if program == "python" else lab)]
    said = subprocess.run(command, cwd=folder, capture_output=True, text=True).stdout
    return said.strip() if program == "python" else json.loads(said)["digest"]
