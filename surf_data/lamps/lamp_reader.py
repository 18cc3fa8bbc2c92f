"""Lamps become configurations while they are read."""

from collections.abc import Callable, Mapping
from typing import Any, cast

import psycopg

from surf_data.lamps.reference_data import ReferenceCache
from surf_data.lamps.rows import LampRow
from surf_data.lamps.types import LampConfig
from surf_data.postgres import Executor, Statement
from surf_data.postgres.execution import PORTION


class LampReader:
    """Stands in for an executor, and makes configurations of a query's rows a few at a time.

    All rows at once, and then their configurations, would keep Python's garbage collector busier than all the rest.

    Arguments:
        executor: runs the query.
        reference: knows what is the same for every lamp, or will.
    """

    def __init__(self, executor: Executor, reference: ReferenceCache) -> None:
        self._executor = executor
        self._reference = reference
        self._configs: list[LampConfig] = []

    def read(self, query: Callable[..., list[LampRow]], **parameters: object) -> list[LampConfig]:
        """Return the configurations of the lamps that ``query`` answers with, in their order."""
        left = query(cast("Executor", self), **parameters)
        return self._configs or list(self._reference.configs(self._executor, left))

    def run(self, statement: Statement, parameters: Mapping[str, Any], _: object) -> list[LampRow]:
        """Run the query, make configurations if what they need is known, and else return the rows."""
        return self._executor.run(statement, parameters, self._fetch)

    def _fetch(self, cursor: psycopg.Cursor[Any]) -> list[LampRow]:
        rows: list[LampRow] = cursor.fetchmany(PORTION)
        reference = self._reference.known(rows[0]) if rows else None
        if reference is None:
            # It cannot be read now, which could take another connection.
            return rows + cursor.fetchall()
        configs: list[LampConfig] = []
        while rows:
            configs += map(reference.lamp_config, rows)
            rows = cursor.fetchmany(PORTION)
        self._configs = configs
        return rows
