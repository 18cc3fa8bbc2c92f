"""Lamps become configurations while they are read."""

from collections.abc import Callable, Mapping
from typing import Any, cast

import psycopg

from surf_data.kernel.postgres import Executor, Statement
from surf_data.kernel.postgres.execution import PORTION
from surf_data.lamps.reference_data import ReferenceCache
from surf_data.lamps.rows import LampOfManyRow
from surf_data.lamps.types import LampConfig


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
        self._known = reference.current
        self._configs: list[LampConfig] = []

    def read(self, query: Callable[..., list[LampOfManyRow]], **parameters: object) -> list[LampConfig]:
        """Return the configurations of the lamps that ``query`` answers with, in their order."""
        known_version = self._known and self._known.version
        left = query(cast("Executor", self), known_version=known_version, **parameters)
        return self._configs or list(self._reference.configs(self._executor, left))

    def run(self, statement: Statement, parameters: Mapping[str, Any], _: object) -> list[LampOfManyRow]:
        """Run the query, make configurations if what they need is known, and else return the rows."""
        return self._executor.run(statement, parameters, self._fetch)

    def _fetch(self, cursor: psycopg.Cursor[Any]) -> list[LampOfManyRow]:
        rows: list[LampOfManyRow] = cursor.fetchmany(PORTION)
        # All of them were read at one moment, so what is true of one is true of all.
        if not rows or self._known is None or not rows[0][-1]:
            # The other version cannot be read now, which could take another connection.
            return rows + cursor.fetchall()
        configs: list[LampConfig] = []
        while rows:
            configs += map(self._known.lamp_config, rows)
            rows = cursor.fetchmany(PORTION)
        self._configs = configs
        return rows
