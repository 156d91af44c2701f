"""Hides what must not be read: by patterns of the user before it is written, and common secrets when shown.

A pattern hides what it matches; one with a group called `secret` hides that group only. What cannot be known
is not hidden: a password that stands alone, without a name before it, is a word like any other.

A pattern of the user may take longer than the job on one line (`(a+)+$` does). Its time is limited, and when
it is up, every text is hidden whole: the job goes on, and nothing is written that should not be.
"""

from __future__ import annotations

import re
import signal
import threading
import warnings
from contextlib import contextmanager
from dataclasses import dataclass, fields, is_dataclass, replace
from enum import Enum
from typing import TYPE_CHECKING, Any, Final, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from simulations.live.recorder.records import Event

_E = TypeVar("_E", bound="Event")
_T = TypeVar("_T")

HIDDEN: Final = "[hidden]"
_GROUP: Final = "secret"
_COMPARED: Final = frozenset({"boot", "by", "slurm_end_s"})
"""Attributes of records that are compared with others and hold no words of the job."""

_NAME: Final = (
    r"(?:passw(?:or)?d|passphrase|[-_]pwd|secret|token(?!s|iz)|api[-_]?key|access[-_]?key|private[-_]?key"
    r"|signing[-_]?key|account[-_]?key|credential)[\w.-]{0,40}"
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
    rf"(?-i:[A-Z0-9]_PASS){_IS}(?P<secret>{_VALUE})",
    rf"\bpwd{_IS}(?P<secret>(?![/~.$])[^\s;]{{1,4000}})",
    r"(?<!\S)(?:-u|--user|--proxy-user)[\s=]{1,8}[^\s:]{1,200}:(?P<secret>(?!\d{1,9}(?!\S))\S{1,4000})",
    r"\bbearer\s{1,8}(?P<secret>[^\s\"']{1,4000})",
    rf"\bAWS_\w{{1,40}}{_IS}(?P<secret>{_VALUE})",
    r"\b(?P<secret>(?:AKIA|ASIA)[0-9A-Z]{4,40})",
    r"://[^\s/:@\"']{0,200}:(?P<secret>[^\s\"']{1,300})@",
    r"://[^\s/:@\"']{1,200}:(?P<secret>(?!\d{1,5}(?:[/?#,;)\s]|$))[^\s/\"'@]{1,300})$",
    r"\b(?P<secret>(?:gh[pousr]_|github_pat_|glpat-|xox[abprs]-|sk-|[sr]k_live_|hf_|npm_|pypi-)[\w-]{8,300})",
    r"\b(?P<secret>(?:whsec_|dckr_pat_|AIza|ya29\.)[\w-]{8,300})",
    r"\b(?P<secret>eyJ[\w-]{8,2000}(?:\.[\w-]{0,2000}){0,2})",
)
_ARGUMENT: Final = re.compile(
    rf"^-{{0,2}}[\w.-]{{0,40}}(?:{_NAME}|AWS_\w{{1,40}})[=:](?P<secret>.+)$", re.IGNORECASE | re.DOTALL
)
_SPACES: Final = re.compile(r"\s")
_FLAG: Final = re.compile(rf"^--?[\w-]{{0,40}}{_NAME}$", re.IGNORECASE)


SECONDS_MAX: Final = 0.25
"""Processor time that a user's patterns may take for one text; a line of 8 KiB takes a thousandth of it."""


class _TooLongError(Exception):
    """The time of a pattern is up."""


class Limit:
    """How long patterns may take. When that was too long once, nothing is tried any more.

    The time is that of the processor, so a busy machine changes nothing. A match holds Python's lock; only a
    signal ends it, and only in the main thread, where a recorder and its witness look for texts to hide.

    Attributes:
        spent: Whether a pattern has taken too long.
    """

    def __init__(self) -> None:
        self.spent = False

    def within(self, action: Callable[[], _T], otherwise: _T) -> _T:
        """Return what an action returns; something else where it takes too long, or one did before."""
        if self.spent:
            return otherwise
        if threading.current_thread() is not threading.main_thread():
            return action()
        try:
            with _raised_after(SECONDS_MAX):
                return action()
        except _TooLongError:
            self.spent = True
            return otherwise


@contextmanager
def _raised_after(seconds: float) -> Iterator[None]:
    def up(*_: object) -> None:
        raise _TooLongError

    before = signal.signal(signal.SIGVTALRM, up)
    mask = signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGVTALRM})
    try:
        signal.setitimer(signal.ITIMER_VIRTUAL, seconds)
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        signal.signal(signal.SIGVTALRM, before)


@dataclass(frozen=True)
class Redactor:
    """Replaces what must not be read by `HIDDEN`.

    Attributes:
        patterns: What to hide.
        argument: An argument of a command whose value is hidden to its end, spaces included; None if none is.
        flag: An argument whose successor is hidden; None if none is.
        limit: How long the patterns may take; None where they are known to be quick.
    """

    patterns: tuple[re.Pattern[str], ...] = ()
    argument: re.Pattern[str] | None = None
    flag: re.Pattern[str] | None = None
    limit: Limit | None = None

    def __bool__(self) -> bool:
        return bool(self.patterns)

    @property
    def gave_up(self) -> bool:
        """Whether a pattern took too long, so that every text is hidden whole."""
        return self.limit is not None and self.limit.spent

    def text(self, words: str) -> str:
        """Return a text without what must not be read."""
        if not (self.patterns and words):
            return words
        return self._in_time(lambda: _covered(words, list(self._spans(words))), HIDDEN)

    def command(self, words: Sequence[str]) -> tuple[str, ...]:
        """Return a command and its arguments without what must not be read, also where it spans several."""
        if not self.patterns:
            return tuple(words)
        return self._in_time(lambda: self._covered_command(words), (HIDDEN,) * len(words))

    def _in_time(self, hide: Callable[[], _T], otherwise: _T) -> _T:
        return hide() if self.limit is None else self.limit.within(hide, otherwise)

    def _covered_command(self, words: Sequence[str]) -> tuple[str, ...]:
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
    """Return what hides all that a user's regular expressions match, as long as they do not take too long.

    Raises:
        ValueError: one is no regular expression; it says why.
    """
    try:
        with warnings.catch_warnings():  # of what another Python may read otherwise, this one reads it
            warnings.simplefilter("ignore")
            return Redactor(tuple(map(re.compile, patterns)), limit=Limit())
    except (re.error, OverflowError, RecursionError) as error:
        raise ValueError(str(error)) from error
