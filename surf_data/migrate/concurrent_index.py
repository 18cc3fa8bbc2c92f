"""An index that is built or dropped CONCURRENTLY, and what an interruption leaves of it.

PostgreSQL keeps the index of a failed build: it costs every write, serves no query, and lets ``IF NOT EXISTS`` pass it
over indefinitely (its manual, CREATE INDEX, "Building Indexes Concurrently").
"""

import re
from itertools import takewhile
from typing import Any, Self

import attrs
import psycopg
from psycopg.sql import SQL, Identifier

from surf_data.errors import MigrationError
from surf_data.kernel.postgres import Session
from surf_data.migrate.queries import migrate_queries
from surf_data.migrate.rows import IndexState
from surf_data.migrate.statements import Statement, split

_BUILD = re.compile(r"CREATE (?:UNIQUE )?INDEX CONCURRENTLY (?:IF NOT EXISTS )?")
_DROP = re.compile(r"DROP INDEX CONCURRENTLY (?:IF EXISTS )?")
_AFTER_NAME = frozenset({"ON", "USING", "*", "(", "CASCADE", "RESTRICT"})


@attrs.frozen(kw_only=True)
class ConcurrentIndex:
    """The index that a statement builds or drops."""

    #: Its name as the statement has it.
    name: str
    #: The table's name as the statement has it; ``None`` when the index is dropped.
    table: str | None

    @classmethod
    def of(cls, sql: str) -> Self | None:
        """Return the index that the statement ``sql`` builds or drops; ``None`` when it does neither."""
        [statement] = split(sql)
        words = " ".join(statement.words)
        head = _BUILD.match(words) or _DROP.match(words)
        if head is None:
            return None
        name = _name(statement, head.group().count(" "))
        if head.re is _DROP:
            return cls(name="".join(name), table=None)
        on = head.group().count(" ") + len(name) + 1
        return cls(name="".join(name), table="".join(_name(statement, on + (statement.words[on] == "ONLY"))))

    def is_done(self, session: Session) -> bool:
        """Return whether the server has done what the statement asks for."""
        state = self._state(session)
        return state is None if self.table is None else state is not None and state.valid

    def drop_remains(self, session: Session, connection: psycopg.Connection[Any]) -> None:
        """Drop what an earlier attempt to build it has left, if anything.

        Raises:
            MigrationError: another session is building it.
        """
        state = self._state(session)
        if self.table is None or state is None or state.valid:
            return
        if state.builder is not None:
            raise MigrationError(f"backend {state.builder} is building the index {self.name}: wait for it, or end it")
        # An identifier cannot be a parameter.
        remains = Identifier(state.schema_name, state.index_name)
        connection.execute(SQL("DROP INDEX CONCURRENTLY {}").format(remains), prepare=False)

    def _state(self, session: Session) -> IndexState | None:
        state: IndexState | None = migrate_queries().index_state(session, index_name=self.name, table_name=self.table)
        return state


def _name(statement: Statement, begin: int) -> list[str]:
    named = takewhile(lambda token: token.text.upper() not in _AFTER_NAME, statement.tokens[begin:])
    return [token.text for token in named]
