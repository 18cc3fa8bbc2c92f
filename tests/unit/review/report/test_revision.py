"""Files of another git revision."""

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from surf_data.errors import ConfigurationError
from surf_data.review.report.revision import revision_of

Git = Callable[..., str]


def git_in(folder: Path, *arguments: str) -> str:
    """Run git without settings of one's own."""
    identity = ["-c", "user.name=A", "-c", "user.email=a@example.com", "-c", "commit.gpgsign=false"]
    environment = {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
    done = subprocess.run(
        ["git", *identity, *arguments],  # noqa: S607 - the developer's git
        cwd=folder,
        check=True,
        capture_output=True,
        text=True,
        env=environment,
    )
    return done.stdout


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """Return a repository with a commit, tagged v1, from which the working tree has gone on."""
    folder = tmp_path / "house of [sql]"
    (folder / "sql" / "deep").mkdir(parents=True)
    git_in(folder, "init", "-q", "-b", "main")
    (folder / "sql" / "shop.sql").write_text("-- before\n", "utf-8")
    (folder / "sql" / "deep" / "ä b.sql").write_text("-- deep\n", "utf-8")
    (folder / "other.txt").write_text("x", "utf-8")
    git_in(folder, "add", ".")
    git_in(folder, "commit", "-q", "-m", "first")
    git_in(folder, "tag", "v1")
    (folder / "sql" / "shop.sql").write_text("-- now\n", "utf-8")
    (folder / "new").mkdir()
    return folder


def test_files(repository: Path, tmp_path: Path) -> None:
    """What a revision has is there for the block, and only what was asked for; the repository stays as it was."""
    (tmp_path / "outside.sql").write_text("", "utf-8")
    wanted = [repository / "sql", repository / "new", tmp_path / "outside.sql"]
    before = git_in(repository, "status", "--short")
    with revision_of("v1", wanted) as revision:
        then = revision.path(repository / "sql")
        assert then is not None
        assert (then / "shop.sql").read_text("utf-8") == "-- before\n"
        assert (then / "deep" / "ä b.sql").read_text("utf-8") == "-- deep\n"
        assert revision.path(repository / "new") is None
        # Neither asked for nor in the repository.
        assert revision.path(repository / "other.txt") is None
        assert revision.path(tmp_path / "outside.sql") == tmp_path / "outside.sql"
        assert revision.commit == git_in(repository, "rev-parse", "v1").strip()
        assert revision.shown(then / "shop.sql") == Path("sql", "shop.sql")
        assert revision.shown(tmp_path / "outside.sql") == tmp_path / "outside.sql"
        assert revision.told(f"{then / 'shop.sql'}:3: no") == "v1:sql/shop.sql:3: no"
    assert not then.exists()
    assert git_in(repository, "status", "--short") == before
    assert "worktree" not in git_in(repository, "worktree", "list", "--porcelain").replace("worktree ", "", 1)


def test_whole_repository(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The top of a repository has everything, also by a path without a name, and for a hook of another repository."""
    monkeypatch.chdir(repository / "sql")
    for variable in ("GIT_DIR", "GIT_INDEX_FILE", "GIT_WORK_TREE"):
        monkeypatch.setenv(variable, "/nowhere")
    with revision_of("main", [Path("..")]) as revision:
        then = revision.path(Path(".."))
        assert then is not None
        assert (then / "other.txt").exists()
        file = revision.path(Path("shop.sql"))
        assert file is not None
        assert file.read_text("utf-8") == "-- before\n"


def test_no_such_revision(repository: Path) -> None:
    """A revision that git does not know is named, with what may be the reason."""
    for name in ("nope", "--help"):
        with pytest.raises(ConfigurationError, match=f"no revision {name} here; a shallow clone"):
            revision_of(name, [repository / "sql" / "shop.sql"]).__enter__()


def test_no_repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a repository, and without git, there is an error that says so."""
    with pytest.raises(ConfigurationError, match="is not in a git repository"):
        revision_of("main", [tmp_path]).__enter__()
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ConfigurationError, match="git is needed to compare revisions"):
        revision_of("main", [tmp_path]).__enter__()
