"""What reaches a user: the sdist, and the wheel that is built from it."""

import ast
import importlib.util
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path
from typing import NamedTuple

import pytest

import surf_data

ROOT = Path(__file__).parents[2]


class Distributions(NamedTuple):
    """What is in each archive."""

    #: The names of the files, without the top folder.
    sdist: frozenset[str]
    wheel: frozenset[str]
    #: The wheel's.
    metadata: str
    #: The sdist's.
    version: str


@pytest.fixture(scope="module")
def distributions(tmp_path_factory: pytest.TempPathFactory) -> Distributions:
    """Build the sdist from the checkout and the wheel from the sdist."""
    folder = tmp_path_factory.mktemp("distributions")
    hatchling = [sys.executable, "-m", "hatchling", "build", "-d", str(folder)]
    subprocess.run([*hatchling, "-t", "sdist"], cwd=ROOT, check=True, capture_output=True)
    [sdist] = folder.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        # What `filter="data"` says since Python 3.11.4.
        archive.extraction_filter = getattr(tarfile, "data_filter", None)
        archive.extractall(folder)  # noqa: S202 - just built here
        members = {member.name.partition("/")[2] for member in archive.getmembers() if member.isfile()}
    unpacked = folder / sdist.name.removesuffix(".tar.gz")
    subprocess.run([*hatchling, "-t", "wheel"], cwd=unpacked, check=True, capture_output=True)
    [wheel] = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
        [metadata] = [archive.read(name).decode() for name in names if name.endswith(".dist-info/METADATA")]
    version = sdist.name.removesuffix(".tar.gz").rpartition("-")[2]
    return Distributions(frozenset(members), frozenset(names), metadata, version)


def sql_files() -> set[str]:
    """Return every .sql file of the checkout, and the declared scales beside them, relative to the root."""
    return {
        path.relative_to(ROOT).as_posix()
        for folder in ("sql", "migrations")
        for pattern in ("*.sql", "scale.toml")
        for path in (ROOT / folder).rglob(pattern)
    }


def test_sdist_has_all_sql(distributions: Distributions) -> None:
    """The sdist contains every query file and every migration."""
    assert set() == sql_files() - distributions.sdist


def test_wheel_has_all_sql(distributions: Distributions) -> None:
    """The wheel contains every query file and every migration, and no other."""
    packaged = {name for name in distributions.wheel if name.startswith(("surf_data/_sql/", "surf_data/_migrations/"))}
    assert {f"surf_data/_{name}" for name in sql_files()} == packaged


def test_templates(distributions: Distributions) -> None:
    """The templates of the review's document are in both."""
    folder = ROOT / "surf_data" / "review" / "report" / "templates"
    templates = {path.relative_to(ROOT).as_posix() for path in folder.iterdir()}
    assert templates
    assert templates <= distributions.sdist & distributions.wheel


def test_wheel_is_typed(distributions: Distributions) -> None:
    """Type checkers take the annotations of an installed surf_data for real."""
    assert "surf_data/py.typed" in distributions.wheel


def test_wheel_has_nothing_but_the_package(distributions: Distributions) -> None:
    """Installing surf_data adds one package to an environment, and neither tests nor documents."""
    folders = {name.partition("/")[0] for name in distributions.wheel}
    assert {"surf_data"} == {folder for folder in folders if not folder.endswith(".dist-info")}


def test_sdist_knows_its_version(distributions: Distributions) -> None:
    """The wheel that is built from an sdist has the sdist's version, without git."""
    assert f"\nVersion: {distributions.version}\n" in distributions.metadata


def version_of(folder: Path) -> str:
    """Return which version a checkout has."""
    hatchling = [sys.executable, "-m", "hatchling", "version"]
    return subprocess.check_output(hatchling, cwd=folder, text=True, stderr=subprocess.DEVNULL).strip()


def test_version_is_that_of_the_tag(tmp_path: Path) -> None:
    """A tag is the version, and commits after it are development versions of the next; so are those before any."""

    def git(*arguments: str) -> None:
        who = ("-c", "user.name=Kai", "-c", "user.email=kai@example.com", "-c", "commit.gpgsign=false")
        subprocess.run(["git", *who, *arguments], cwd=tmp_path, check=True, capture_output=True)  # noqa: S607 - git

    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    assert version_of(tmp_path) == "0.1.0.dev0"
    git("init")
    git("add", ".")
    git("commit", "--message=First")
    assert version_of(tmp_path) == "0.1.0.dev1"
    git("tag", "v9.4.0")
    assert version_of(tmp_path) == "9.4.0"
    git("commit", "--allow-empty", "--message=Second")
    assert version_of(tmp_path) == "9.4.1.dev1"


def test_public_names_are_sorted() -> None:
    """A reader finds a public name by its place in the alphabet."""
    assert sorted(surf_data.__all__) == list(surf_data.__all__)


def test_public_names_are_complete() -> None:
    """What surf_data imports for its users is public, and what is public exists."""
    tree = ast.parse(Path(surf_data.__file__).read_text("utf-8"))
    # Beside what is imported at once, what type checkers see: it is imported when it is used.
    public = {
        alias.asname or alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
        and node.module not in {"importlib", "surf_data", "surf_data.kernel.lazy_names", "typing"}
        for alias in node.names
    }
    assert public == set(surf_data.__all__)
    assert all(hasattr(surf_data, name) for name in surf_data.__all__)


def test_there_is_no_other_name() -> None:
    """A name that is not public is an AttributeError, as of any module."""
    with pytest.raises(AttributeError, match="module 'surf_data' has no attribute 'LampConfigs'"):
        surf_data.LampConfigs  # noqa: B018 - the expression raises


def test_import_takes_only_what_a_service_needs() -> None:
    """`import surf_data` imports no package but its drivers, and no room that only operators or developers enter."""
    program = (
        "import sys, aiosql, attrs, psycopg_pool, redis; drivers = set(sys.modules);"
        "import surf_data; print(*set(sys.modules) - drivers)"
    )
    added = subprocess.check_output([sys.executable, "-c", program], text=True).split()
    assert {"surf_data"} == {name.partition(".")[0] for name in added} - sys.stdlib_module_names
    rooms = {name.split(".")[1] for name in added if name.startswith("surf_data.")}
    assert set() == rooms & {"backup", "cli", "embedded", "migrate", "review"}
    assert {"data_layer", "domain", "errors", "kernel"} == rooms


def test_import_leaves_what_is_needed_later_for_later() -> None:
    """`import surf_data` reads no SQL, and knows no more of Redis than a program that has none needs."""
    program = "import sys, surf_data; print(*sys.modules)"
    imported = set(subprocess.check_output([sys.executable, "-c", program], text=True).split())
    later = {
        "aiosql",
        "surf_data.kernel.redis.topology",
        "surf_data.kernel.cache.tracking",
        "surf_data.kernel.postgres.query_source",
    }
    assert set() == imported & later
    assert all(map(importlib.util.find_spec, later))
