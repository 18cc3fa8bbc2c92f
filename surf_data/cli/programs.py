"""Where PostgreSQL's client programs are when they are not on ``PATH``."""

from pathlib import Path

from surf_data.embedded.postgres import installations
from surf_data.errors import EmbeddedServerError


def program_folders() -> list[Path]:
    """Return the folders of programs that come with the embedded servers, newest first; none without the extra."""
    try:
        programs = installations()
    except EmbeddedServerError:
        return []
    return [programs[version] for version in sorted(programs, reverse=True)]
