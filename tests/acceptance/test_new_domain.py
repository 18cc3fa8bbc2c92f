"""``surf-data new domain`` writes a domain that works as written, and a domain outside the package is one like any."""

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Cli = Callable[..., Any]
ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a new domain."""
    folder = tmp_path_factory.mktemp("new") / "shop"
    run("-m", "surf_data", "new", "domain", "surf_shop", "--into", str(folder))
    return folder


@pytest.fixture(scope="module")
def installed(project: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Install it as a package for real, and return an environment in which it is."""
    target = tmp_path_factory.mktemp("site")
    options = ["--quiet", "--no-deps", "--no-build-isolation", "--target", str(target)]
    run("-m", "pip", "install", *options, str(project))
    paths = [str(target), *filter(None, [os.environ.get("PYTHONPATH")])]
    return {**os.environ, "PYTHONPATH": os.pathsep.join([*paths, str(ROOT)])}


def run(*arguments: str, folder: Path = ROOT, environment: dict[str, str] | None = None) -> str:
    """Run a Python program, and return what it printed, after checking that it succeeded."""
    done = subprocess.run(
        [sys.executable, *arguments], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_its_queries_are_clean(installed: dict[str, str]) -> None:
    """Review, stubs and layout of the new domain are what they should be, found by its name alone."""
    for command in (["review"], ["stubs", "--check"], ["format", "--check"]):
        run("-m", "surf_data", *command, "--domain", "surf_shop", environment=installed)


def test_its_own_test_passes(project: Path, installed: dict[str, str]) -> None:
    """The test that comes with it passes."""
    options = ["-q", "-p", "no:cacheprovider", "-c", str(project / "pyproject.toml")]
    assert "passed" in run("-m", "pytest", *options, str(project / "tests"), folder=project, environment=installed)


def test_it_conforms(installed: dict[str, str]) -> None:
    """A domain that is installed beside this package keeps what the package's own do."""
    shown = run("-m", "pytest", "-q", "tests/conformance", "-k", "surf_shop", environment=installed)
    assert re.search(r"^1[0-9] passed", shown, re.MULTILINE)


def test_its_code_is_clean(project: Path) -> None:
    """The code is laid out and typed."""
    run("-m", "ruff", "check", "--no-cache", folder=project)
    run("-m", "ruff", "format", "--check", "--no-cache", folder=project)
    run("-m", "mypy", "--strict", "surf_shop", folder=project)


@pytest.mark.parametrize("name", ["lamps", "Shop", "a", "class", "pg_shop", "two-words", "public"])
def test_a_bad_name(cli: Cli, tmp_path: Path, name: str) -> None:
    """What cannot be the name of a package and of a schema is refused, and nothing is written."""
    done = cli("new", "domain", name, "--into", str(tmp_path / "project"))
    assert (done.code, list(tmp_path.iterdir())) == (2, [])


def test_nothing_is_overwritten(cli: Cli, project: Path) -> None:
    """Where a file exists already, nothing is written."""
    done = cli("new", "domain", "surf_shop", "--into", str(project))
    assert done.code == 2
    assert "exists; nothing was written" in done.err


def test_a_dry_run(cli: Cli, tmp_path: Path) -> None:
    """A dry run lists the files and writes none."""
    done = cli("new", "domain", "kiosk", "--into", str(tmp_path / "kiosk"), "--dry-run")
    assert "would write" in done.out
    assert list(tmp_path.iterdir()) == []
