"""Checks that CHANGELOG.md has the form of Keep a Changelog: ``nox -s lint``, and ``--release 1.2.0`` by releases."""

import re
import subprocess
import sys
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

from packaging.version import Version

SECTIONS = ("Added", "Changed", "Deprecated", "Removed", "Fixed", "Security")
_NAMES = ", ".join(SECTIONS)
HEADING = re.compile(r"^(\d+\.\d+\.\d+) - (unreleased|\d{4}-\d\d-\d\d)$")


def problems(text: str, tags: list[str], release: str | None = None) -> Iterator[str]:
    """Yield what is wrong with a changelog.

    Arguments:
        text: the changelog.
        tags: the versions that have a tag.
        release: the version that is about to be released, if one is.
    """
    versions: list[tuple[Version, str]] = []
    for block in re.split(r"^## ", text, flags=re.MULTILINE)[1:]:
        heading, _, body = block.partition("\n")
        found = HEADING.match(heading)
        if found is None:
            yield f"{heading}: no heading like '1.2.0 - 2026-11-29' or '1.2.0 - unreleased'"
            continue
        versions.append((Version(found[1]), found[2]))
        yield from _sections(found[1], body)
    for newer, older in pairwise(versions):
        if newer[0] <= older[0] or newer[1] < older[1]:
            yield f"{newer[0]} is above {older[0]}, and neither newer nor later"
        if older[1] == "unreleased":
            yield f"{older[0]} is not released, and not at the top"
    dated = {str(version) for version, date in versions if date != "unreleased"}
    yield from (f"{tag} has a tag, and no date" for tag in tags if tag not in dated)
    if release is not None and release not in dated:
        yield f"{release} is to be released, and has no date"


def _sections(version: str, body: str) -> Iterator[str]:
    titles = re.findall(r"^### (.+)$", body, re.MULTILINE)
    yield from (f"{version}: {title}: none of {_NAMES}" for title in titles if title not in SECTIONS)
    if titles != [title for title in SECTIONS if title in titles] and set(titles) <= set(SECTIONS):
        yield f"{version}: sections in another order than {_NAMES}, or twice"
    for section in re.split(r"^### .+\n", body, flags=re.MULTILINE)[1:]:
        lines = [line for line in section.splitlines() if line]
        if not lines:
            yield f"{version}: an empty section"
        yield from (f"{version}: {line!r} is no item" for line in lines if not line.startswith(("- ", "  ")))


def main(arguments: list[str]) -> int:
    """Check the file; return the exit code."""
    release = arguments[1] if arguments[:1] == ["--release"] else None
    tags = subprocess.check_output(["git", "tag", "--list", "v*"], text=True).split()  # noqa: S607 - the developer's
    found = list(problems(Path("CHANGELOG.md").read_text("utf-8"), [tag[1:] for tag in tags], release))
    print("\n".join([*found, f"{len(found)} problems in CHANGELOG.md"]))  # noqa: T201 - its answer
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
