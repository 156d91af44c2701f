"""Bisecting a real repository, in a worktree of our own."""

import json
import os
import shutil
import signal
import subprocess
import sys

import pytest

from scenarios.lab.commands import main
from scenarios.lab.method import repository
from scenarios.lab.method.bisect import Answer, Kind, Question, bisect, judge
from scenarios.lab.method.repository import Repository
from simulations.errors import LabError

pytestmark = [
    pytest.mark.skipif(shutil.which("git") is None, reason="git is not on the path"),
    pytest.mark.skipif(sys.platform == "win32", reason="the programs are shell scripts"),
]

GOOD, BAD = "exit 0", "echo AssertionError: lost; exit 1"


class Made:
    """A repository whose versions are shell scripts."""

    def __init__(self, folder):
        self.folder = folder
        folder.mkdir()
        self.git("init", "-q", "-b", "main")

    def git(self, *arguments):
        identity = ["-c", "user.name=x", "-c", "user.email=x@y", "-c", "commit.gpgsign=false"]
        command = ["git", *identity, *arguments]
        return subprocess.run(
            command, cwd=self.folder, check=True, capture_output=True, text=True
        ).stdout.strip()

    def commit(self, script, subject="x"):
        (self.folder / "test.sh").write_text(f"# {subject} {os.urandom(4).hex()}\n{script}\n")
        self.git("add", ".")
        self.git("commit", "-qm", subject)
        return self.git("rev-parse", "HEAD")


@pytest.fixture
def made(tmp_path, monkeypatch):
    repository = Made(tmp_path / "repository")
    monkeypatch.chdir(repository.folder)
    return repository


def asked(commits, **options):
    options = {"command": ("sh", "test.sh"), "confidence": 0.8, **options}
    return Question(good=commits[0], bad=commits[-1], **options)


def run(made, question, **options):
    return bisect(Repository.at(made.folder), question, state=made.folder.parent / "state.json", **options)


@pytest.mark.parametrize(
    ("status", "signature", "kind"),
    [
        (0, None, Kind.PASSED),
        (0, "lost", Kind.PASSED),
        (1, None, Kind.FAILED),
        (124, None, Kind.FAILED),
        (1, "^Assertion.*lost$", Kind.FAILED),
        (1, "found", Kind.OTHER),
        (125, "lost", Kind.SKIP),
        (126, "lost", Kind.CANNOT_RUN),
        (127, "lost", Kind.CANNOT_RUN),
        (128, "lost", Kind.ENDED),
        (139, "lost", Kind.ENDED),
        (255, None, Kind.ENDED),
        (-9, "lost", Kind.ENDED),
        (-11, None, Kind.ENDED),
    ],
)
def test_what_an_exit_status_means(status, signature, kind):
    assert judge(status, b"before\nAssertionError: lost\nafter\xff", signature)[0] is kind


def test_the_commit_is_named_and_the_checkout_is_left_alone(made):
    commits = [made.commit(GOOD) for _ in range(4)] + [made.commit(BAD) for _ in range(4)]
    (made.folder / "test.sh").write_text("an edit of the user's\n")
    (made.folder / "untracked").touch()
    before = (made.git("status", "--porcelain"), made.git("rev-parse", "HEAD"), made.git("branch"))
    result = run(made, asked(commits))
    assert (result.answer, result.commits) == (Answer.COMMIT, (commits[4],))
    assert result.counted[commits[4]][0] > 0
    assert result.posterior >= 0.8
    assert (made.git("status", "--porcelain"), made.git("rev-parse", "HEAD"), made.git("branch")) == before
    assert made.git("worktree", "list").count("\n") == 0


@pytest.mark.parametrize("broken", ["exit 125", "exit 127", "./not-there", "kill -9 $$", "exit 139"])
def test_versions_that_cannot_be_judged_are_never_bad(made, broken):
    scripts = [GOOD, GOOD, broken, broken, GOOD, BAD, BAD]
    commits = [made.commit(script) for script in scripts]
    result = run(made, asked(commits, runs_max=200))
    assert (result.answer, result.commits) == (Answer.COMMIT, (commits[5],))


def test_what_lies_between_versions_that_cannot_be_judged_is_not_told_apart(made):
    commits = [made.commit(script) for script in (GOOD, GOOD, "exit 125", "exit 125", BAD, BAD)]
    result = run(made, asked(commits))
    assert result.answer is Answer.COMMITS
    assert result.commits == tuple(commits[2:5])


def test_another_failure_is_not_the_one_that_is_looked_for(made):
    other = "echo Timeout; exit 1"
    commits = [made.commit(script) for script in (GOOD, other, other, GOOD, BAD, BAD)]
    result = run(made, asked(commits, signature="lost"))
    assert (result.answer, result.commits) == (Answer.COMMIT, (commits[4],))


def test_no_change_is_an_answer(made):
    commits = [made.commit(BAD) for _ in range(4)]
    assert run(made, asked(commits)).answer is Answer.OLDER
    commits = [made.commit(GOOD) for _ in range(4)]
    assert run(made, asked(commits)).answer is Answer.NEVER


def test_a_commit_on_a_branch_is_named_and_with_first_parent_its_merge(made):
    commits = [made.commit(GOOD, "start")]
    made.git("checkout", "-qb", "side")
    (made.folder / "side").write_text("side")
    made.git("add", ".")
    made.git("commit", "-qm", "harmless")
    culprit = made.commit(BAD, "culprit")
    made.git("checkout", "-q", "main")
    for number in range(3):
        (made.folder / "main").write_text(str(number))
        made.git("add", ".")
        made.git("commit", "-qm", f"main {number}")
    made.git("merge", "-q", "--no-edit", "side")
    merge = made.git("rev-parse", "HEAD")
    commits.append(merge)
    assert run(made, asked(commits)).commits == (culprit,)
    assert run(made, asked(commits, first_parent=True)).commits == (merge,)


def test_an_interrupted_bisection_goes_on_and_a_finished_one_begins_anew(made):
    commits = [made.commit(GOOD) for _ in range(4)] + [made.commit(BAD) for _ in range(4)]
    seen = []

    def interrupt(progress, belief, words):
        seen.append(progress.runs)
        if progress.runs == 5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(made, asked(commits), watch=interrupt)
    assert made.git("worktree", "list").count("\n") == 0
    with pytest.raises(LabError, match="holds another bisection"):
        run(made, asked(commits, signature="lost"))
    result = run(made, asked(commits), watch=lambda progress, *_: seen.append(progress.runs))
    assert seen == [*range(1, result.runs + 1)]
    assert result.commits == (commits[4],)
    run(made, asked(commits), watch=lambda progress, *_: seen.append(progress.runs))
    assert seen[result.runs] == 1


@pytest.mark.skipif(not hasattr(signal, "pthread_sigmask"), reason="nothing can be held back")
@pytest.mark.parametrize("at", ["add", "checkout", "remove"])
def test_ctrl_c_whenever_it_comes_leaves_no_worktree_in_the_list(made, at, monkeypatch):
    """At `remove` it would have ended git, too, were it not held back."""
    commits = [made.commit(GOOD), made.commit(BAD)]
    git = repository.git

    def interrupted(folder, *arguments, **options):
        if "remove" in arguments:
            held = signal.pthread_sigmask(signal.SIG_BLOCK, [])
            assert {signal.SIGINT, signal.SIGTERM} <= held
        done = git(folder, *arguments, **options)
        if at in arguments:
            raise KeyboardInterrupt
        return done

    monkeypatch.setattr(repository, "git", interrupted)
    with pytest.raises(KeyboardInterrupt):
        run(made, asked(commits))
    assert signal.SIGINT not in signal.pthread_sigmask(signal.SIG_BLOCK, [])
    assert made.git("worktree", "list").count("\n") == 0


def test_a_disk_that_fills_up_takes_no_result_away(made, monkeypatch):
    commits = [made.commit(GOOD), made.commit(BAD)]
    progress = run(made, asked(commits))
    assert progress.problem is None
    (made.folder.parent / "state.json").unlink()
    fsync, calls = os.fsync, []

    def refused(descriptor):
        calls.append(descriptor)
        if len(calls) > 1:
            raise OSError(28, "No space left on device")
        fsync(descriptor)

    monkeypatch.setattr("scenarios.lab.finding.os.fsync", refused)
    result = run(made, asked(commits))
    assert result.commits == (commits[1],)
    assert "No space left on device" in result.problem


COUNTS = [-1, 0.5, 1e400, float("nan"), "1", True, None, [], 10**10]


@pytest.mark.parametrize("value", COUNTS, ids=str)
def test_counts_of_a_state_file_are_whole_numbers_of_a_size_that_can_be(made, value):
    commits = [made.commit(GOOD), made.commit(BAD)]
    run(made, asked(commits))
    state = made.folder.parent / "state.json"
    whole = json.loads(state.read_text()) | {"done": False}
    last = {commits[1]: [1, 0, 0]}
    for change in (
        {"runs": value},
        *({"counts": last | {commits[0]: [0] * n + [value] + [0] * (2 - n)}} for n in range(3)),
    ):
        state.write_text(json.dumps(whole | change))
        with pytest.raises(LabError, match="is no state file of a bisection; name another --state"):
            run(made, asked(commits))


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"done": true}x', '{"format": "heisenlab bisect"}'])
def test_a_state_file_of_something_else_is_left_alone(made, text):
    commits = [made.commit(GOOD), made.commit(BAD)]
    state = made.folder.parent / "state.json"
    state.write_text(text)
    with pytest.raises(LabError, match="is no state file of a bisection; name another --state"):
        run(made, asked(commits))
    assert state.read_text() == text


def test_what_a_command_leaves_running_is_ended_and_does_not_hold_the_run_up(made):
    commits = [made.commit("sleep 600 & exit 0"), made.commit(f"sleep 600 & {BAD}")]
    assert run(made, asked(commits)).commits == (commits[1],)


def test_a_version_from_before_the_test_was_written_is_skipped(made):
    commits = [made.commit(GOOD) for _ in range(2)]
    made.git("mv", "test.sh", "old.sh")
    made.git("commit", "-qm", "without the test")
    commits.append(made.git("rev-parse", "HEAD"))
    commits += [made.commit(GOOD), made.commit(BAD)]
    result = run(made, asked(commits))
    assert result.commits == (commits[4],)
    assert {*result.skipped} <= {commits[2]}


def test_a_test_that_was_never_committed_is_said(made):
    commits = [made.commit(GOOD), made.commit(BAD)]
    (made.folder / "check.sh").write_text(BAD)
    with pytest.raises(LabError, match=r"check\.sh is in your checkout and not in"):
        run(made, asked(commits, command=("sh", "check.sh")))
    result = run(made, asked(commits, command=("sh", "-c", "exit 0", "x" * 5000)))
    assert result.answer is Answer.NEVER


def test_a_run_that_takes_too_long_is_no_verdict(made):
    commits = [made.commit(GOOD), made.commit("sleep 600"), made.commit(BAD), made.commit(BAD)]
    result = run(made, asked(commits, seconds_max=0.2))
    assert result.skipped.keys() <= {commits[1]}
    assert {commits[2]} <= {*result.commits} <= {commits[1], commits[2]}


class TestCommand:
    def lines(self, capsys):
        captured = capsys.readouterr()
        assert "Traceback" not in captured.err
        return captured.out, captured.err

    def test_the_last_line_says_posterior_rates_runs_and_what_is_assumed(self, made, capsys):
        commits = [made.commit(GOOD), made.commit(GOOD), made.commit(BAD, "the culprit"), made.commit(BAD)]
        command = ["bisect", "--good", commits[0], "--bad", "HEAD", "--history", "good=0/200,bad=7/30"]
        assert main([*command, "--", "sh", "test.sh"]) == 0
        last = self.lines(capsys)[0].splitlines()[-1]
        assert last.startswith(f"{commits[2]} brought it (the culprit): posterior 0.9")
        for part in ("there, 0/", "runs of", "assumes that a good version never shows a failing run"):
            assert part in last
        assert main([*command, "--json", "--", "sh", "test.sh"]) == 0
        data = json.loads(self.lines(capsys)[0])
        assert (data["commit"], data["answer"]) == (commits[2], "one commit brought it")
        assert data["counts"][commits[0]] == {"failed": 0, "passed": 200}

    def test_giving_up_is_3(self, made, capsys):
        commits = [made.commit(GOOD) for _ in range(8)] + [made.commit(BAD)]
        command = ["bisect", "--good", commits[0], "--bad", "HEAD", "--max-runs", "3", "--", "sh", "test.sh"]
        assert main(command) == 3
        assert "gave up: the best suspect is" in self.lines(capsys)[0]

    @pytest.mark.parametrize(
        ("options", "says"),
        [
            (("--good", "nowhere", "--bad", "main"), "there is no revision 'nowhere'"),
            (("--good", "--help", "--bad", "main"), None),
            (("--good", "main", "--bad", "main~2"), "main is not an ancestor of main~2"),
            (("--good", "main", "--bad", "HEAD"), "are one commit"),
            (("--good", "main~2"), "give both ends"),
            (("--good", "main~2", "--bad", "main", "--signature", "("), "is no regular expression"),
            (("--good", "main~2", "--bad", "main", "--confidence", "1"), "above 0.5 and below 1"),
            (("--good", "main~2", "--bad", "main", "--history", "good=2/9"), "the good end failed 2 times"),
            (("--good", "main~2", "--bad", "main", "--history", "bad=9/2"), "more failures than runs"),
            (("--good", "main~2", "--bad", "main", "-C", "/nowhere"), "/nowhere is not a folder"),
        ],
    )
    def test_what_cannot_be_done_is_2_with_a_way_out(self, made, capsys, options, says):
        for script in (GOOD, BAD, BAD):
            made.commit(script)
        status = main(["bisect", *options, "--", "sh", "test.sh"])
        out, err = self.lines(capsys)
        if says is not None:
            assert (status, out) == (2, "")
            assert says in err.splitlines()[-1]

    def test_a_folder_in_no_repository_is_one_line(self, tmp_path, monkeypatch, capsys):
        monkeypatch.chdir(tmp_path)
        monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
        assert main(["bisect", "--good", "a", "--bad", "b", "--", "true"]) == 2
        assert self.lines(capsys)[1].count("\n") == 1

    def test_a_revision_that_a_shallow_clone_does_not_have_is_said(self, made, tmp_path, capsys):
        first, *_ = [made.commit(BAD) for _ in range(3)]
        made.git("clone", "-q", "--depth", "1", f"file://{made.folder}", str(tmp_path / "shallow"))
        command = ["bisect", "--good", first, "--bad", "HEAD", "-C", str(tmp_path / "shallow"), "--", "true"]
        assert main(command) == 2
        assert "the clone is shallow: git fetch --unshallow" in self.lines(capsys)[1]

    def test_a_single_failure_without_a_signature_is_said(self, made, capsys):
        commits = [made.commit(GOOD), made.commit(GOOD), made.commit(BAD), made.commit(BAD)]
        command = ["bisect", "--good", commits[0], "--bad", "HEAD", "--confidence", ".6"]
        said = []
        for options in ([], ["--signature", "lost"]):
            assert main([*command, *options, "--", "sh", "test.sh"]) == 0
            out, _ = self.lines(capsys)
            assert "failed 1/1 there" in out
            said.append("only one run failed there" in out)
        assert said == [True, False]

    def test_a_missing_git_is_one_line(self, made, monkeypatch, capsys):
        monkeypatch.setenv("PATH", "/nowhere")
        assert main(["bisect", "--good", "a", "--bad", "b", "--", "true"]) == 2
        assert "install git, or put it on PATH" in self.lines(capsys)[1]

    def test_a_bad_end_that_cannot_be_judged_is_one_line(self, made, capsys):
        commits = [made.commit(GOOD), made.commit(BAD)]
        assert main(["bisect", "--good", commits[0], "--bad", "HEAD", "--", "./not-there"]) == 2
        assert "cannot be judged (./not-there: No such file or directory)" in self.lines(capsys)[1]

    def test_changes_that_are_not_committed_are_said_and_kept(self, made, capsys):
        commits = [made.commit(GOOD), made.commit(BAD)]
        (made.folder / "test.sh").write_text("exit 7\n")
        assert main(["bisect", "--good", commits[0], "--bad", "HEAD", "--", "sh", "test.sh"]) == 0
        assert "1 changed files are not committed" in self.lines(capsys)[1]
        assert (made.folder / "test.sh").read_text() == "exit 7\n"

    def test_a_file_of_the_checkout_named_by_its_absolute_path_is_said(self, made, capsys):
        commits = [made.commit(GOOD), made.commit(BAD)]
        path = str(made.folder / "test.sh")
        main(["bisect", "--good", commits[0], "--bad", "HEAD", "--", "sh", path])
        assert "every version would run that same file" in self.lines(capsys)[1]
