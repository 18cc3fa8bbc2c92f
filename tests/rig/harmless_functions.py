"""Writes surf_data/kernel/postgres/harmless_functions.txt: the functions of PostgreSQL's own that change nothing."""

from pathlib import Path
from typing import Any

import psycopg

from surf_data import embedded

FILE = Path("surf_data", "kernel", "postgres", "harmless_functions.txt")

_NAMES = """
    SELECT proname
    FROM pg_proc
    WHERE pronamespace = 'pg_catalog'::regnamespace
    GROUP BY proname
    HAVING bool_and(provolatile <> 'v')
    ORDER BY proname COLLATE "C"
"""


def harmless(connection: psycopg.Connection[Any]) -> list[str]:
    """Return the names that no volatile function of the server's own has."""
    return [name for (name,) in connection.execute(_NAMES)]


if __name__ == "__main__":
    with embedded.start(redis=False) as servers, psycopg.connect(servers.database_url) as server:
        FILE.write_text("\n".join(harmless(server)) + "\n", "ascii")
