"""Secrets: by a user's patterns they never reach the disk; common ones are hidden in what is shown."""

import json
import re
import shlex
import signal
import stat
import string
import sys
import warnings
from dataclasses import fields

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from scenarios.lab.commands import main
from simulations.live import recorder
from simulations.live.recorder.codec import to_record
from simulations.live.recorder.log import encode
from simulations.live.recorder.output import LINE_BYTES_MAX, Tail
from simulations.live.recorder.records import LeftBehind
from simulations.live.recorder.redaction import HIDDEN, SECRETS, by_patterns
from simulations.live.recorder.watch import ALL_HIDDEN
from tests.simulations.live.recorder import written as w
from tests.simulations.live.recorder.forked import Case, run_all
from tests.simulations.live.recorder.test_codec import CLASSES, EVENTS

PATIENT = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
ON_LINUX = pytest.mark.skipif(sys.platform != "linux", reason="the recorder reads /proc")

secret = st.text(string.ascii_letters + string.digits + "_-+.~!#%^*", min_size=6, max_size=30).map(
    lambda text: f"Qz{text}"
)
word = st.text(string.ascii_lowercase, min_size=1, max_size=8).filter(lambda text: "qz" not in text)
names = st.sampled_from(
    ["token", "TOKEN", "password", "DB_PASSWORD", "api_key", "API-KEY", "client_secret", "access_token",
     "MYSQL_PWD", "passphrase", "AWS_SESSION_TOKEN", "AWS_ACCESS_KEY_ID", "private_key", "GITHUB_TOKEN"]
)  # fmt: skip
SHAPES = [
    "{name}={secret}",
    "{name}: {secret}",
    '"{name}": "{secret}"',
    "'{name}':'{secret}'",
    '{{"{name}":"{secret} {secret}"}}',
    "--{name}={secret}",
    "--{name} {secret}",
    '--{name} "{secret} {secret}"',
    "Authorization: Bearer {secret}",
    "-H 'Authorization: Basic {secret}'",
    '"authorization": "{secret}"',
    "bearer {secret}",
    "mysql -h host -u root -p{secret} db",
    "/usr/bin/mysqldump --quick -p{secret}",
    "mariadb-dump -p'{secret}' db",
    "7z a -p{secret} out.7z",
    "sshpass -p {secret} ssh host",
    "mongodump -u root -p {secret}",
    "docker login -u someone -p {secret} host",
    "sqlcmd -S host -P {secret}",
    "unzip -P {secret} in.zip",
    "redis-cli -h host -a {secret} ping",
    "ldapsearch -x -w {secret}",
    "smbclient -U someone%{secret} //host/share",
    "openssl rsa -passin pass:{secret}",
    "Cookie: id={secret}; other={secret}",
    '"set-cookie": "id={secret}; Path=/"',
    "curl -u someone:{secret} host",
    "--user someone:{secret}",
    "--proxy-user=someone:{secret}",
    "Server=host;Uid=someone;Pwd={secret};",
    "https://user:{secret}@host/path",
    "postgresql://:{secret}@[::1]:5432/db",
    "https://host/?{name}={secret}",
    "AccountName=host;AccountKey={secret};EndpointSuffix=host",
    "SMTP_PASS={secret}",
    "DB_PASS: '{secret}'",
    "export {name}='{secret}'",
    r"\"{name}\": \"{secret}\"",
]


@PATIENT
@given(st.sampled_from(SHAPES), names, secret, word, word)
def test_common_secrets_are_hidden_and_what_stands_around_them_is_not(shape, name, secret, before, after):
    text = shape.format(name=name, secret=secret)
    if text.startswith("--") and name.startswith("AWS"):
        return  # not an option of any program
    shown = SECRETS.text(f"{before} {text} {after}")
    assert "Qz" not in shown
    assert HIDDEN in shown
    assert shown.startswith(before)


@PATIENT
@given(names, secret, st.lists(word, max_size=3), st.booleans())
def test_an_argument_is_hidden_to_its_end(name, secret, around, together):
    value = f"{secret} and {secret} with spaces"
    words = [f"--{name}={value}"] if together or name.startswith("AWS") else [f"--{name}", value]
    shown = SECRETS.command([*around, *words, *around])
    assert "Qz" not in shlex.join(shown)
    assert shown[: len(around)] == tuple(around)
    assert len(shown) == 2 * len(around) + len(words)


def test_a_flag_of_one_letter_hides_its_argument_to_the_end_and_nothing_else():
    assert SECRETS.command(["/usr/bin/mysql", "-pQz one two", "db"]) == (
        "/usr/bin/mysql",
        f"-p{HIDDEN}",
        "db",
    )
    assert SECRETS.command(["redis-cli", "-a", "Qz one", "ping"]) == ("redis-cli", "-a", HIDDEN, "ping")
    for command in (
        "mysql -P3306 -p db",
        "mkdir -p a/b",
        "docker run -p 80:80 x",
        "my-mysql -pages",
        "zip -r a b",
    ):
        assert SECRETS.text(command) == command


@PATIENT
@given(st.lists(word, max_size=12).map(" ".join))
@example("tokenize 512 tokens: max_tokens: 7 passed 3 failed http://host:8080/path PWD=/home at 12:30:11")
@example("pwd=/home pwd: ~/x pwd=$HOME docker -u 1000:1000 no cookies cookie jar --user someone")
def test_ordinary_words_are_shown(text):
    assert SECRETS.text(text) == text


@PATIENT
@given(
    st.lists(
        st.sampled_from(["token", "://a:", 'password="', "-", " --token ", "eyJ", "\\", "mysql ", " -p"])
    )
)
def test_no_text_of_a_log_takes_long(parts):
    """There is no assertion on time: a pattern that tries all ways would not end."""
    SECRETS.text("".join(parts) * 20 + "x" * 4000)


@PATIENT
@given(
    st.lists(st.tuples(st.integers(0, 1), word, secret), min_size=1, max_size=8),
    st.data(),
)
def test_output_is_hidden_however_it_was_cut_into_writes_and_mixed(lines, data):
    """Two sources write by turns, and no write ends where a line or a secret does."""
    tail = Tail(by_patterns(["Qz\\S+"]))
    left = {
        source: "".join(f"{before} {hide}\n" for each, before, hide in lines if each == source).encode()
        for source in (0, 1)
    }
    while any(left.values()):
        source = data.draw(st.sampled_from([each for each in left if left[each]]))
        size = data.draw(st.integers(1, len(left[source])))
        tail.feed(left[source][:size], source)
        left[source] = left[source][size:]
        assert not any(re.search("Qz\\S{3}", line) for line in tail.last())
    assert sorted(tail.last()) == sorted(f"{before} {HIDDEN}" for _, before, _ in lines)


def test_of_a_line_too_long_to_be_looked_through_nothing_is_kept():
    tail = Tail(by_patterns(["BEGIN.*END"]))
    tail.feed(b"BEGIN" + b"s" * LINE_BYTES_MAX + b"END\nnext\n")
    assert tail.last() == [HIDDEN, "next"]


def test_what_follows_a_gap_is_not_kept_before_the_next_line():
    tail = Tail(by_patterns(["password=\\S+"]))
    tail.feed(b"password=")
    tail.skip_line(0)
    tail.feed(b"hunter2")
    tail.feed(b" and\nnext\n")
    assert tail.last() == ["next"]


ENDLESS = f"echo {'a' * 60}!; echo b; exit 3"
SLOW = ["(a+)+$", "(a|aa)+$", "(a*)*b", "^(([a-z])+.)+[A-Z]([a-z])+$", "(?P<secret>(a|a?)+c)"]


@ON_LINUX
@pytest.mark.parametrize("pattern", SLOW)
def test_a_pattern_that_would_never_end_hides_everything_and_leaves_the_signals_as_they_were(pattern):
    def state():
        blocked = signal.pthread_sigmask(signal.SIG_BLOCK, [])
        return signal.getsignal(signal.SIGVTALRM), blocked, signal.getitimer(signal.ITIMER_VIRTUAL)

    before = state()
    redactor = by_patterns(["Qz\\w+", pattern])
    assert redactor.text("x Qz1 y") == f"x {HIDDEN} y"
    assert not redactor.gave_up
    if len(pattern) % 2:
        assert redactor.text("a" * 60 + "!") == HIDDEN
    else:
        assert redactor.command(["a" * 60 + "!", "--x"]) == (HIDDEN, HIDDEN)
    assert redactor.gave_up
    assert redactor.event(LeftBehind(1, "a harmless text")) == LeftBehind(1, HIDDEN)
    assert state() == before


def test_what_cannot_be_compiled_is_a_value_error_of_one_line():
    for pattern in ("(", "a{1,99999999999}", "(" * 10_000 + ")" * 10_000, "(?P<1>a)"):
        with pytest.raises(ValueError, match=r"\A[^\n]+\Z"):
            by_patterns([pattern])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert by_patterns(["[[a]"]).text("a") == HIDDEN  # a Python to come may read it as a set in a set


COMPARED = {"boot", "by", "slurm_end_s"}


@pytest.mark.parametrize("wanted", CLASSES, ids=lambda wanted: wanted.__name__)
def test_a_pattern_hides_in_every_text_of_every_record(wanted):
    redactor = by_patterns(["Qz\\w*"])
    texts = {
        "str | None": "a Qz1 b",
        "tuple[str, ...]": ("a", "Qz2 b"),
        "tuple[LeftBehind, ...]": (LeftBehind(1, "Qz3"),),
    }
    known = {
        each.name: texts[each.type]
        for each in fields(wanted)
        if each.type in texts and each.name not in COMPARED
    }
    assert b"Qz" not in encode(to_record(redactor.event(wanted(**known))))

    @settings(max_examples=20, deadline=None)
    @given(EVENTS[wanted])
    def nothing_to_hide(event):
        assert redactor.event(event) == event

    nothing_to_hide()


@PATIENT
@given(
    st.lists(st.sampled_from(["ab", "ba", "aab", "c"]), min_size=1, max_size=6),
    st.sampled_from(["a+b", "b a"]),
)
def test_a_pattern_that_spans_arguments_hides_in_each(words, pattern):
    shown = " ".join(by_patterns([pattern]).command(words)).replace(HIDDEN, "")
    assert not re.search(pattern, shown)


def test_a_pattern_that_matches_nothing_at_all_hides_nothing():
    assert by_patterns(["x*"]).text("abc") == "abc"
    assert by_patterns(["key (?P<secret>\\w+)", "b(?P<secret>z)?"]).text("a key b") == f"a key {HIDDEN}"


@pytest.fixture(scope="module")
def recorded(tmp_path_factory):
    """A job with secrets in its command line, its environment, its children and its output."""
    folder = tmp_path_factory.mktemp("secret")
    job = r"""
import os, subprocess, sys, time
waiting = [sys.executable, '-c', 'import sys; sys.stdin.read()', 'Qzchild']
child = subprocess.Popen(waiting, stdin=subprocess.PIPE)
for part in ('password=', 'Qzsplit', 'word\n', 'plain\n', 'Qzunfinished'): os.write(1, part.encode())
time.sleep(0.4); child.stdin.close(); child.wait(); sys.exit('Qzlast words')
"""
    arguments = ["--password", "Qzargument", "x" * 3000 + "Qzlong"]
    words = ["--interval", "0.1", "--", sys.executable, "-c", job, *arguments]
    before = "os.environ['PASSWORD'] = 'Qzenvironment'; os.umask(0)"
    outcomes = run_all(
        [
            Case(["-o", folder / "redacted", "--redact", "Qz\\w+", *words], before),
            Case(["-o", folder / "kept", *words], before),
            Case(["-o", folder / "slow", "--redact", SLOW[0], "--", "sh", "-c", ENDLESS]),
        ]
    )
    assert [status for status, _ in outcomes] == [1, 1, 3]
    return folder, outcomes


@ON_LINUX
def test_a_pattern_that_would_never_end_keeps_no_job_from_its_end(recorded):
    folder, outcomes = recorded
    assert outcomes[2][1].startswith("a" * 60 + "!\nb\n")
    found = recorder.report(folder / "slow").recording
    assert found.last_lines == (HIDDEN, HIDDEN)
    assert ALL_HIDDEN in {getattr(event, "text", "") for event in found.events}


@ON_LINUX
def test_what_is_redacted_never_reaches_the_disk(recorded):
    folder, outcomes = recorded
    on_disk = b"".join(each.read_bytes() for each in (folder / "redacted").rglob("*") if each.is_file())
    assert b"Qz" not in on_disk
    assert on_disk.count(HIDDEN.encode()) >= 4
    assert "Qzsplitword" in outcomes[0][1], "the job's output itself is passed on as it is"
    assert b"Qzsplitword" in b"".join(each.read_bytes() for each in (folder / "kept").rglob("log"))
    assert b"Qzenvironment" not in b"".join(each.read_bytes() for each in (folder / "kept").rglob("log"))


@ON_LINUX
def test_what_is_shown_hides_common_secrets_unless_asked(recorded, capsys):
    folder, outcomes = recorded
    verdict = outcomes[1][1].partition("heisenlab record:")[2]
    assert "Qzargument" not in verdict
    for words in (["show"], ["show", "--json"]):
        main(["record", *words, str(folder / "kept")])
        shown = capsys.readouterr().out
        assert "Qzsplitword" not in shown
        assert "Qzargument" not in shown
        assert HIDDEN in shown
    main(["record", "show", "--show-secrets", str(folder / "kept")])
    assert "password=Qzsplitword" in capsys.readouterr().out
    assert "password=Qzsplitword" in json.dumps(recorder.report(folder / "kept", show_secrets=True).to_json())


@ON_LINUX
def test_only_the_owner_may_read_a_recording(recorded):
    """Whatever the umask: the job ran with 0."""
    for run in (recorded[0] / "kept").iterdir():
        assert stat.S_IMODE(run.stat().st_mode) == 0o700
        assert {each.name: stat.S_IMODE(each.stat().st_mode) for each in run.iterdir()} == {
            "log": 0o600,
            "reserve": 0o600,
        }


def test_a_suspicion_quotes_no_secret(tmp_path):
    run = (
        w.start(command=["job", "--token=Qz1"]),
        w.end(5000, 1),
        w.tail(5000, "psycopg: password=Qz2 refused"),
    )
    w.written(tmp_path / "0001", *run)
    found = recorder.report(tmp_path)
    assert "the database" in str(found)
    assert "Qz" not in json.dumps(found.to_json()) + str(found)
