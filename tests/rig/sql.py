"""The statements of an object of query functions."""

from collections.abc import Iterator
from typing import Any


def statements(queries: Any) -> Iterator[tuple[str, str]]:
    """Yield the name and the SQL of every query, those of subfolders included."""
    for name in queries.available_queries:
        found = queries
        for part in name.split("."):
            found = getattr(found, part)
        yield name, found.sql
