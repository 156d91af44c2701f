"""Hides what must not be read: by patterns of the user before it is written, and common secrets when shown.

A pattern hides what it matches; one with a group called `secret` hides that group only. What cannot be known
is not hidden: a password that stands alone, without a name before it, is a word like any other.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, fields, is_dataclass, replace
from enum import Enum
from typing import TYPE_CHECKING, Any, Final, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from simulations.live.recorder.records import Event

_E = TypeVar("_E", bound="Event")

HIDDEN: Final = "[hidden]"
_GROUP: Final = "secret"
_COMPARED: Final = frozenset({"boot", "by", "slurm_end_s"})
"""Attributes of records that are compared with others and hold no words of the job."""

_NAME: Final = (
    r"(?:passw(?:or)?d|passphrase|[-_]pwd|secret|token(?!s|iz)|api[-_]?key|access[-_]?key|private[-_]?key"
    r"|signing[-_]?key|credential)[\w.-]{0,40}"
)
"""What the name of a secret contains. Each repetition is bounded, so that no text takes long."""

_VALUE: Final = r"""(?:\\*"(?:[^"\\]|\\.){0,2000}"?|\\*'(?:[^'\\]|\\.){0,2000}'?|\S{1,4000})"""
_IS: Final = r"""["'\\]{0,4}\s{0,8}(?:[=:]|%3D)\s{0,8}"""
_OF_CLIENTS: Final = {
    r"mysql(?:dump|admin|import|show|check|slap|pump|sh|binlog)?|mariadb(?:-\w{1,20})?|7z[ar]?": r"-p",
    r"sshpass|mongo\w{0,20}|docker\s{1,8}login|podman\s{1,8}login": r"-p\s{0,8}",
    r"sqlcmd|bcp|isql|zip|unzip": r"-P\s{0,8}",
    r"redis-cli|valkey-cli": r"-a\s{1,8}",
    r"ldap\w{1,20}": r"-w\s{0,8}",
    r"smbclient|rpcclient|smbget": r"-U\s{0,8}[^\s%]{1,200}%",
    r"openssl": r"pass:",
}
"""Programs that take a password after a flag of one letter, and that flag, in the case that it has."""

_PATTERNS: Final = (
    *(
        rf"(?<![\w-])(?:{programs})(?=\s)[^\r\n|;&]{{0,1000}}?\s(?-i:{flag})(?P<secret>{_VALUE})"
        for programs, flag in _OF_CLIENTS.items()
    ),
    rf"{_NAME}{_IS}(?P<secret>{_VALUE})",
    rf"(?<!\S)['\"]?--?[\w-]{{0,40}}{_NAME}['\"]?\s{{1,8}}(?P<secret>{_VALUE})",
    rf"authorization{_IS}[\"']?(?P<secret>[^\r\n\"']{{1,4000}})",
    rf"\bcookie{_IS}[\"']?(?P<secret>[^\r\n\"']{{1,4000}})",
    rf"\bpwd{_IS}(?P<secret>(?![/~.$])[^\s;]{{1,4000}})",
    r"(?<!\S)(?:-u|--user|--proxy-user)[\s=]{1,8}[^\s:]{1,200}:(?P<secret>(?!\d{1,9}(?!\S))\S{1,4000})",
    r"\bbearer\s{1,8}(?P<secret>[^\s\"']{1,4000})",
    rf"\bAWS_\w{{1,40}}{_IS}(?P<secret>{_VALUE})",
    r"\b(?P<secret>(?:AKIA|ASIA)[0-9A-Z]{4,40})",
    r"://[^\s/:@\"']{0,200}:(?P<secret>[^\s\"']{1,300})@",
    r"://[^\s/:@\"']{1,200}:(?P<secret>(?!\d{1,5}(?:[/?#,;)\s]|$))[^\s/\"'@]{1,300})$",
    r"\b(?P<secret>(?:gh[pousr]_|github_pat_|glpat-|xox[abprs]-|sk-|sk_live_|hf_|npm_|pypi-)[\w-]{8,300})",
    r"\b(?P<secret>eyJ[\w-]{8,2000}(?:\.[\w-]{0,2000}){0,2})",
)
_ARGUMENT: Final = re.compile(
    rf"^-{{0,2}}[\w.-]{{0,40}}(?:{_NAME}|AWS_\w{{1,40}})[=:](?P<secret>.+)$", re.IGNORECASE | re.DOTALL
)
_SPACES: Final = re.compile(r"\s")
_FLAG: Final = re.compile(rf"^--?[\w-]{{0,40}}{_NAME}$", re.IGNORECASE)


@dataclass(frozen=True)
class Redactor:
    """Replaces what must not be read by `HIDDEN`.

    Attributes:
        patterns: What to hide.
        argument: An argument of a command whose value is hidden to its end, spaces included; None if none is.
        flag: An argument whose successor is hidden; None if none is.
    """

    patterns: tuple[re.Pattern[str], ...] = ()
    argument: re.Pattern[str] | None = None
    flag: re.Pattern[str] | None = None

    def __bool__(self) -> bool:
        return bool(self.patterns)

    def text(self, words: str) -> str:
        """Return a text without what must not be read."""
        return _covered(words, list(self._spans(words))) if self.patterns else words

    def command(self, words: Sequence[str]) -> tuple[str, ...]:
        """Return a command and its arguments without what must not be read, also where it spans several."""
        if not self.patterns:
            return tuple(words)
        joined = " ".join(words)
        whole_words = " ".join(_SPACES.sub("_", word) for word in words)
        spans = [span for text in {joined, whole_words} for span in self._spans(text)]
        covered, begin = [], 0
        for place, word in enumerate(words):
            inside = [(first - begin, last - begin) for first, last in spans]
            inside += self._spans(word)
            whole = self.argument.search(word) if self.argument else None
            inside += [whole.span(_GROUP)] if whole else []
            inside += [(0, len(word))] if place and self.flag and self.flag.search(words[place - 1]) else []
            covered.append(_covered(word, inside))
            begin += len(word) + 1
        return tuple(covered)

    def event(self, event: _E) -> _E:
        """Return a record without what must not be read in any of its texts."""
        found: _E = self._value("", event) if self.patterns else event
        return found

    def _value(self, name: str, value: Any) -> Any:
        if name in _COMPARED or isinstance(value, Enum):
            return value
        if is_dataclass(value) and not isinstance(value, type):
            return replace(
                value,
                **{each.name: self._value(each.name, getattr(value, each.name)) for each in fields(value)},
            )
        if isinstance(value, tuple):
            return (
                self.command(value) if name == "command" else tuple(self._value("", each) for each in value)
            )
        return self.text(value) if isinstance(value, str) else value

    def _spans(self, words: str) -> Iterator[tuple[int, int]]:
        for pattern in self.patterns:
            for found in pattern.finditer(words):
                yield found.span(_GROUP) if _GROUP in pattern.groupindex else found.span()


def _covered(words: str, spans: list[tuple[int, int]]) -> str:
    """Return a text in which each run of covered characters is replaced."""
    kept: list[str] = []
    done = 0
    for first, last in sorted((max(0, first), min(last, len(words))) for first, last in spans):
        if first >= last or last <= done:
            continue
        if first > done or not kept:
            kept += [words[done:first], HIDDEN]
        done = last
    return "".join(kept) + words[done:]


NOTHING: Final = Redactor()
"""Hides nothing."""

SECRETS: Final = Redactor(tuple(re.compile(each, re.IGNORECASE) for each in _PATTERNS), _ARGUMENT, _FLAG)
"""Hides common secrets: values of names such as `token=` and `--password`, of `Authorization:`, `Cookie:` and
`AWS_...`, passwords in URLs, after `--user NAME:` and after a flag of one letter of a known program, and keys
of a form that is known."""


def by_patterns(patterns: Sequence[str]) -> Redactor:
    """Return what hides all that a user's regular expressions match.

    Raises:
        re.error: one is no regular expression.
    """
    return Redactor(tuple(map(re.compile, patterns)))
