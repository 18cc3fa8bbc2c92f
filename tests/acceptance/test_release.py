"""What a release is checked by: its changelog, and what is said where a driver or an extra is missing."""

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from lint.changelog import SECTIONS, problems

ROOT = Path(__file__).parents[2]
NAMES = ", ".join(SECTIONS)
NO_DATE = "1.0.0 has a tag, and no date"
GOOD = """# Changes

## 1.1.0 - unreleased

### Added

- A wave,
  and another.

### Fixed

- A leak.

## 1.0.0 - 2026-11-29

### Added

- A lamp.
"""


def test_changelog() -> None:
    """The changelog has the form of Keep a Changelog."""
    assert list(problems((ROOT / "CHANGELOG.md").read_text("utf-8"), [])) == []


@pytest.mark.parametrize(
    ("old", "new", "found"),
    [
        ("", "", []),
        (
            "1.0.0 - 2026-11-29",
            "1.0.0",
            ["1.0.0: no heading like '1.2.0 - 2026-11-29' or '1.2.0 - unreleased'", NO_DATE],
        ),
        ("## 1.0.0", "## 1.2.0", ["1.1.0 is above 1.2.0, and neither newer nor later", NO_DATE]),
        ("1.0.0 - 2026-11-29", "1.0.0 - unreleased", ["1.0.0 is not released, and not at the top", NO_DATE]),
        ("### Fixed", "### Mended", [f"1.1.0: Mended: none of {NAMES}"]),
        ("### Fixed", "### Added", [f"1.1.0: sections in another order than {NAMES}, or twice"]),
        ("- A leak.\n", "", ["1.1.0: an empty section"]),
        ("- A leak.", "A leak.", ["1.1.0: 'A leak.' is no item"]),
    ],
)
def test_changelog_of_another_form(old: str, new: str, found: list[str]) -> None:
    """What is not in that form is named."""
    assert list(problems(GOOD.replace(old, new), ["1.0.0"])) == found


def test_version_without_tags() -> None:
    """What has neither tags nor an sdist's metadata is a development version of the changelog's topmost version."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    topmost = re.search(r"^## (\S+)", (ROOT / "CHANGELOG.md").read_text("utf-8"), re.MULTILINE)
    assert topmost
    assert project["tool"]["hatch"]["version"]["fallback-version"] == f"{topmost[1]}.dev0"


def test_release_has_a_date() -> None:
    """A version is released when its section has a date."""
    assert list(problems(GOOD, [], "1.0.0")) == []
    assert list(problems(GOOD, [], "1.1.0")) == ["1.1.0 is to be released, and has no date"]


def test_driver_that_cannot_be_used() -> None:
    """Where the driver has no libpq, the import says which extra brings one."""
    done = subprocess.run(
        [sys.executable, "-c", "import surf_data"],
        env={**os.environ, "PSYCOPG_IMPL": "c"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith(
        'ImportError: psycopg cannot be used here: pip install "surf-data[binary]"'
    )
