"""The revisions of the project that a deploy is about: a commit, laid out in a folder, and the working tree."""

import io
import os
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import attrs
from query import Query, Unusable

from surf_data.errors import QueryFileError
from surf_data.kernel.postgres.query_files import check_file
from surf_data.migrate import Migration, read_folder

SCENARIOS = Path("tests/rolling/scenarios")


@attrs.frozen
class Revision:
    """One state of the project."""

    #: What it is called in the report.
    name: str
    #: Where its files are.
    root: Path

    def domains(self) -> list[str]:
        """Return the names of its domains: folders of migrations for which there are queries."""
        folders = (self.root / "migrations").glob("*/")
        return sorted(folder.name for folder in folders if (self.root / "sql" / folder.name).is_dir())

    def migrations(self, domain: str) -> list[Migration]:
        """Return the migrations of a domain."""
        return read_folder(self.root / "migrations" / domain) if domain in self.domains() else []

    def queries(self, domain: str) -> tuple[list[Query], list[str]]:
        """Return the queries of a domain, and for each file or query that cannot be read why."""
        found: list[Query] = []
        problems: list[str] = []
        for file in sorted((self.root / "sql" / domain).rglob("*.sql")):
            try:
                sources, faults = check_file(file)
                problems += [str(fault).removeprefix(f"{self.root}{os.sep}") for fault in faults]
                found += [] if faults else [Query.of(source, self.root) for source in sources]
            except QueryFileError as error:
                problems.append(str(error).removeprefix(f"{self.root}{os.sep}"))
        return found, problems

    def play(self, domain: str, url: str) -> str | None:
        """Run a domain's own code of the revision on a database; return why it failed, ``None`` when it did not."""
        scenario = SCENARIOS / f"{domain}.py"
        if not (self.root / scenario).exists():
            return None
        others = ("PG", "SURF_DATA_")
        environment = {name: value for name, value in os.environ.items() if not name.startswith(others)}
        environment |= {"PYTHONPATH": str(self.root), "SURF_DATA_DATABASE_URL": url}
        command = [sys.executable, str(scenario)]
        done = subprocess.run(command, cwd=self.root, env=environment, capture_output=True, text=True, check=False)
        if done.returncode == 0:
            return None
        return f"{scenario}: {(done.stderr.strip().splitlines() or ['it failed'])[-1]}"


def previous(root: Path) -> str | None:
    """Return how the commit before the one that is checked out is called, ``None`` if there is none.

    Raises:
        Unusable: there is one, and it is not here.
    """
    if not (root / ".git").exists():
        return None
    # The commit itself tells of its parents, also where a shallow clone has cut them off.
    commit = _git(root, "cat-file", "commit", "HEAD").partition(b"\n\n")[0]
    if not any(line.startswith(b"parent ") for line in commit.splitlines()):
        return None
    try:
        _git(root, "rev-parse", "--verify", "HEAD~1^{commit}")
    except Unusable:
        raise Unusable("this clone is too shallow for the previous commit: git fetch --deepen=1") from None
    return "HEAD~1"


@contextmanager
def laid_out(root: Path, name: str) -> Iterator[Revision]:
    """Lay out the files of a commit for a block.

    Raises:
        Unusable: it is not here.
    """
    archive = _git(root, "archive", "--format=tar", name)
    with tempfile.TemporaryDirectory() as folder, tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        # What `filter="data"` says since Python 3.11.4.
        tar.extraction_filter = getattr(tarfile, "data_filter", None)
        tar.extractall(folder)  # noqa: S202 - git's own
        yield Revision(name, Path(folder))


def _git(root: Path, *arguments: str) -> bytes:
    # A checkout from which this is run is trusted, also when another account owns it, as in containers.
    command = ["git", "-c", "safe.directory=*", *arguments]
    try:
        return subprocess.run(command, cwd=root, capture_output=True, check=True).stdout
    except FileNotFoundError:
        problem = "git is not installed"
    except subprocess.CalledProcessError as error:
        problem = error.stderr.decode(errors="replace").strip() or "it failed"
    raise Unusable(f"git {arguments[0]}: {problem}")
