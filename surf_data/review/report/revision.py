"""The files of another git revision, for the time of a comparison: nothing of the repository changes."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import attrs

from surf_data.errors import ConfigurationError

# What a hook's environment says of its own repository, which need not be the one that is asked here.
_OF_HOOKS = frozenset({"GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX"})


@attrs.frozen(kw_only=True)
class Revision:
    """A revision, some files of which are in a folder."""

    #: As it was asked for: ``main``.
    name: str
    #: The commit that this is.
    commit: str
    #: The top of the working tree.
    top: Path
    #: The folder with the revision's files.
    folder: Path

    def path(self, now: Path) -> Path | None:
        """Return where a file or folder of the working tree is in this revision.

        Arguments:
            now: where it is in the working tree; what lies outside is the same in every revision.

        Returns:
            The path; ``None`` if the revision does not have it.
        """
        place = _resolved(now)
        if not place.is_relative_to(self.top):
            return now
        there = self.folder / place.relative_to(self.top)
        return there if there.exists() else None

    def shown(self, path: Path) -> Path:
        """Return what a message calls a file that `path` led to: its path from the top of the repository."""
        return path.relative_to(self.folder) if path.is_relative_to(self.folder) else path

    def told(self, text: str) -> str:
        """Return a message about the revision's files as git names them: ``main:sql/shop.sql``."""
        return text.replace(f"{self.folder}{os.sep}", f"{self.name}:")


@contextmanager
def revision_of(name: str, wanted: Iterable[Path]) -> Iterator[Revision]:
    """Have files of another revision in a folder for a block.

    Arguments:
        name: what git knows the revision by: a branch, a tag, a commit.
        wanted: files and folders of the working tree, the first within the repository. What the revision has in their
            places is in the folder.

    Raises:
        ConfigurationError: git is not installed, there is no repository, or it has no such revision.
    """
    places = [_resolved(path) for path in wanted]
    inside = places[0] if places[0].is_dir() else places[0].parent
    top = Path(_git(inside, "rev-parse", "--show-toplevel", problem=f"{inside} is not in a git repository").strip())
    commit = _git(
        top,
        "rev-parse",
        "--verify",
        "--quiet",
        "--end-of-options",
        f"{name}^{{commit}}",
        problem=f"git knows no revision {name} here; a shallow clone has but its last commit: fetch the others",
    ).strip()
    with tempfile.TemporaryDirectory(prefix="surf-data-revision-") as temporary:
        folder = Path(temporary).resolve() / "files"
        folder.mkdir()
        within = [] if top in places else [str(place.relative_to(top)) for place in places if place.is_relative_to(top)]
        _write(top, commit, within, folder)
        yield Revision(name=name, commit=commit, top=top, folder=folder)


def _write(top: Path, commit: str, within: Iterable[str], folder: Path) -> None:
    names = _git(top, "--literal-pathspecs", "ls-tree", "-r", "-z", "--name-only", "--full-tree", commit, "--", *within)
    # An index of our own, so that the repository's is left alone.
    index = folder.parent / "index"
    _git(top, "read-tree", commit, index=index)
    _git(top, "checkout-index", "-z", "--stdin", f"--prefix={folder}{os.sep}", index=index, given=names)


def _git(top: Path, *arguments: str, index: Path | None = None, given: str = "", problem: str | None = None) -> str:
    git = shutil.which("git")
    if git is None:
        raise ConfigurationError("git is needed to compare revisions, and is not installed")
    environment = {name: value for name, value in os.environ.items() if name not in _OF_HOOKS}
    done = subprocess.run(
        [git, "-C", str(top), *arguments],
        input=given,
        capture_output=True,
        check=False,
        encoding="utf-8",
        errors="surrogateescape",
        env=environment if index is None else {**environment, "GIT_INDEX_FILE": str(index)},
    )
    if done.returncode:
        said = done.stderr.strip().removeprefix("fatal: ")
        raise ConfigurationError("; ".join(filter(None, (problem, said))))
    return done.stdout


def _resolved(path: Path) -> Path:
    # A link may lead out of the repository, and then is the same in all revisions; the last part is the repository's.
    return path.resolve() if path.name in {"", ".."} else path.parent.resolve() / path.name
