"""What is taken for a keyword is one."""

from typing import Any

import psycopg

from surf_data.kernel.postgres.effects import _KEYWORDS


def test_keywords_are_none_of_the_names_that_a_function_can_have(watcher: psycopg.Connection[Any]) -> None:
    """The server says so of each of them: none can be called without quotes."""
    rows = watcher.execute("SELECT word FROM pg_get_keywords() WHERE catcode IN ('R', 'C')").fetchall()
    assert {word for (word,) in rows} >= _KEYWORDS
