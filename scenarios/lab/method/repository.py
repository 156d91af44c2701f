"""A git repository: its versions between two ends, and a worktree of our own to run them in."""

from __future__ import annotations

import os
import subprocess
import tempfile
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from scenarios.lab.interrupts import held_back
from scenarios.lab.method.flaky_bisect import Versions
from simulations.errors import LabError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

_PATHS_SHOWN_MAX: Final = 3
_NO_HOOKS: Final = ("-c", f"core.hooksPath={os.devnull}")


class RepositoryError(LabError):
    """A repository cannot be used.

    Common causes: git is not installed, the folder is in no repository, a revision does not exist.
    """


@dataclass(frozen=True)
class Repository:
    """A checkout of the user, which is only read.

    Attributes:
        top: The folder of the checkout, or the repository itself where it is bare.
        prefix: Where in it the user stands; empty at the top.
        git_dir: Where git keeps its own files.
    """

    top: Path
    prefix: str
    git_dir: Path

    @classmethod
    def at(cls, folder: str | os.PathLike[str]) -> Repository:
        """Return the repository that a folder is in.

        Raises:
            RepositoryError: there is none, or git is missing.
        """
        if not Path(folder).is_dir():
            raise RepositoryError(f"{folder} is not a folder; name a folder in a git repository")
        here = git(folder, "rev-parse", "--absolute-git-dir", "--is-bare-repository")
        git_dir, bare = here.splitlines()
        if bare == "true":
            return cls(Path(git_dir), "", Path(git_dir))
        top, prefix = (*git(folder, "rev-parse", "--show-toplevel", "--show-prefix").splitlines(), "")[:2]
        return cls(Path(top), prefix, Path(git_dir))

    def commit(self, revision: str) -> str:
        """Return the full hash of a revision.

        Raises:
            RepositoryError: there is no such revision, or it is no commit.
        """
        try:
            return git(
                self.top, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}"
            )
        except RepositoryError as error:
            way_out = (
                "the clone is shallow: git fetch --unshallow"
                if (self.git_dir / "shallow").exists()
                else "git log --oneline lists them"
            )
            raise RepositoryError(f"there is no revision {revision!r} in {self.top}; {way_out}") from error

    def subject(self, commit: str) -> str:
        """Return the first line of a commit's message."""
        return git(self.top, "log", "-1", "--format=%s", commit)

    def changed_files(self) -> int:
        """Return how many files of the checkout differ from its commit; untracked ones do not count."""
        with suppress(RepositoryError):  # a bare repository has no checkout
            return len(git(self.top, "status", "--porcelain", "--untracked-files=no").splitlines())
        return 0


@dataclass(frozen=True)
class Range:
    """The commits between a good end and a bad one.

    Attributes:
        commits: Full hashes: the good end, then every commit that is in the bad end and not in the good one,
            each after its parents; the bad end is the last.
        versions: The same as numbers.
    """

    commits: tuple[str, ...]
    versions: Versions


def range_of(repository: Repository, good: str, bad: str, *, first_parent: bool = False) -> Range:
    """Return the commits between two revisions.

    Args:
        repository: The repository.
        good: A revision without the failure; it must be an ancestor of the bad one.
        bad: A revision with the failure.
        first_parent: Follow only the first parent of a merge, so that a merge stands for all it brought in.

    Raises:
        RepositoryError: a revision does not exist, or the good one is no ancestor of the bad one.
    """
    first, last = repository.commit(good), repository.commit(bad)
    if first == last:
        raise RepositoryError(f"{good} and {bad} are one commit, {first[:12]}; name two")
    try:
        git(repository.top, "merge-base", "--is-ancestor", first, last)
    except RepositoryError as error:
        raise RepositoryError(
            f"{good} is not an ancestor of {bad}, so nothing lies between them; exchange them, or name "
            f"what git merge-base {good} {bad} prints as --good"
        ) from error
    way = ("--first-parent",) if first_parent else ()
    listed = git(
        repository.top, "rev-list", "--topo-order", "--reverse", "--parents", *way, last, f"^{first}"
    )
    rows = [line.split() for line in listed.splitlines()]
    if first_parent:
        rows = [row[:2] for row in rows]
    number = {first: 0} | {row[0]: place for place, row in enumerate(rows, 1)}
    parents = tuple(
        # A parent outside the range is contained in the good end, or stands beside it and counts as good.
        tuple(sorted({number.get(parent, 0) for parent in row[1:]})) or (0,)
        for row in rows
    )
    return Range(tuple(number), Versions(((), *parents)))


def git(
    folder: str | os.PathLike[str],
    *arguments: str,
    given: bytes | None = None,
    environment: Mapping[str, str] | None = None,
) -> str:
    """Run git in a folder and return what it printed.

    Args:
        folder: Where.
        arguments: What to do.
        given: What it reads from its standard input.
        environment: Further variables, for what it runs itself.

    Raises:
        RepositoryError: git is missing or says no; the message is its first line.
    """
    try:
        done = subprocess.run(
            ["git", "--no-optional-locks", *_NO_HOOKS, "-C", str(folder), *arguments],
            input=given,
            stdin=subprocess.DEVNULL if given is None else None,
            capture_output=True,
            env={**git_environment(), **(environment or {})},
        )
    except OSError as error:
        raise RepositoryError(
            f"git cannot be run ({error.strerror}): install git, or put it on PATH"
        ) from error
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip().splitlines() or [f"exit status {done.returncode}"]
        raise RepositoryError(f"git {arguments[0]} in {folder}: {said[0].removeprefix('fatal: ')}")
    return done.stdout.decode(errors="surrogateescape").rstrip("\n")


def git_environment() -> Mapping[str, str]:
    """Return the environment without what would send git to another repository (in a hook, for example)."""
    return {key: value for key, value in os.environ.items() if not key.startswith("GIT_")} | {"LC_ALL": "C"}


@contextmanager
def worktree(repository: Repository, commit: str) -> Iterator[Path]:
    """Make a worktree in a temporary folder, and remove it afterwards, also from the repository's list.

    Args:
        repository: The repository; its own checkout is not touched.
        commit: What is checked out first.

    Raises:
        RepositoryError: git says no.
    """
    with tempfile.TemporaryDirectory(prefix="heisenlab-bisect-", ignore_cleanup_errors=True) as folder:
        tree = Path(folder).resolve() / "worktree"
        try:
            git(repository.top, "worktree", "add", "--quiet", "--detach", str(tree), commit)
            yield tree
        finally:
            with held_back(), suppress(RepositoryError):  # Ctrl-C at a terminal reaches git, too
                git(repository.top, "worktree", "remove", "--force", "--force", str(tree))


def check_out(tree: Path, commit: str) -> None:
    """Switch a worktree of ours to a commit, and remove everything that the last version left in it.

    What is ignored is removed, too: a stale build or stale bytecode would be another version's.

    Raises:
        RepositoryError: git says no.
    """
    git(tree, "checkout", "--quiet", "--force", "--detach", commit)
    git(tree, "clean", "-ffdxq")


def inside(repository: Repository, arguments: Sequence[str]) -> list[str]:
    """Return those arguments of a command that name something in the user's checkout by an absolute path."""
    found = []
    for argument in arguments:
        path = Path(argument)
        with suppress(OSError, ValueError):
            if (
                path.is_absolute()
                and path.exists()
                and path.resolve().is_relative_to(repository.top.resolve())
            ):
                found.append(argument)
    return found[:_PATHS_SHOWN_MAX]
