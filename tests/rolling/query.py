"""One query, and what becomes of it on a server."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import attrs
import psycopg
from psycopg.pq import ExecStatus, Format
from psycopg.pq.abc import PGresult

from surf_data.kernel.postgres.query_source import QuerySource
from surf_data.kernel.postgres.scanner import tokens

Connection = psycopg.Connection[Any]

# Who has been given something in this database, beside the owners of the tables.
GRANTEES = """
SELECT DISTINCT acl.grantee::regrole::text
FROM pg_class AS pc
CROSS JOIN aclexplode(pc.relacl) AS acl
WHERE pc.relnamespace NOT IN ('pg_catalog'::regnamespace, 'information_schema'::regnamespace)
      AND acl.grantee NOT IN (0, pc.relowner)
ORDER BY 1
"""
TYPES = """
SELECT format_type(asked.oid, asked.modifier)
FROM unnest(%s::int8[]::oid[], %s::int4[]) WITH ORDINALITY AS asked (oid, modifier, place)
ORDER BY asked.place
"""
# What a value of a type may look like: whether it is an array, and of its items the name, the category (PostgreSQL's
# manual, 52.65) and the first label of an enum.
SHAPES = """
SELECT pt.typcategory = 'A', item.typname, item.typcategory,
       (SELECT pe.enumlabel FROM pg_enum AS pe WHERE pe.enumtypid = item.oid ORDER BY pe.enumsortorder LIMIT 1)
FROM unnest(%s::int8[]::oid[]) WITH ORDINALITY AS asked (oid, place)
INNER JOIN pg_type AS pt ON pt.oid = asked.oid
INNER JOIN pg_type AS item ON item.oid = CASE WHEN pt.typcategory = 'A' THEN pt.typelem ELSE pt.oid END
ORDER BY asked.place
"""
# By the category of the type, or by its name.
VALUES = {
    "B": "true",
    "D": "2000-01-01 00:00:00",
    "I": "127.0.0.1",
    "N": "1",
    "R": "empty",
    "S": "a",
    "T": "1 second",
    "V": "1",
    "bytea": "a",
    "json": "{}",
    "jsonb": "{}",
    "uuid": "00000000-0000-0000-0000-000000000000",
}
# What a made-up value cannot be to blame for: a column that the query does not give, schemas, columns, functions and
# rights that are missing, objects in another state. Source: PostgreSQL's manual, appendix A.
FAULTS_OF_SCHEMA = ("23502", "3F", "42", "55")


class Unusable(Exception):
    """There is nothing to compare; says why."""


@attrs.frozen(kw_only=True)
class Outcome:
    """What a server answers to a query."""

    #: Why it cannot run; ``None`` when it can.
    refusal: str | None
    #: The types of its parameters.
    parameters: tuple[str, ...] = ()
    #: Its columns with their types.
    columns: tuple[str, ...] = ()
    #: For each role that was tried, why it may not run the query; ``None`` when it may.
    roles: Mapping[str, str | None] = attrs.field(factory=dict)

    def differences(self, now: "Outcome", allowed: set[str]) -> Iterator[str]:
        """Yield what code that relies on this outcome meets ``now`` instead; ``allowed`` are roles that it may have."""
        if now.refusal is not None:
            yield now.refusal
            return
        for what, mine, other in (("takes", self.parameters, now.parameters), ("gives", self.columns, now.columns)):
            if mine != other:
                yield f"it {what} ({', '.join(other)}), not ({', '.join(mine)})"
        for role, refusal in now.roles.items():
            if role in allowed and refusal is not None:
                yield f"{refusal}, as {role}"


@attrs.frozen(kw_only=True)
class Query:
    """One query of a revision."""

    #: Where it stands: file and line, and its name.
    place: str
    #: As the server prepares it.
    sql: str

    @classmethod
    def of(cls, source: QuerySource, root: Path) -> "Query":
        """Return the query of a file below ``root``.

        Raises:
            QueryFileError: it is a COPY whose columns are those that the table happens to have.
        """
        numbers = {name: f"${number}" for number, name in enumerate(source.parameters, start=1)}
        pieces = [
            numbers[token.text[1:]] if token.kind == "parameter" else token.text for token in tokens(source.source)
        ]
        sql = _insertion(source) if source.code[0].text.upper() == "COPY" else "".join(pieces)
        return cls(place=f"{source.file.relative_to(root)}:{source.line} {source.name}", sql=sql)

    def outcome(self, connection: Connection, roles: Sequence[str]) -> Outcome:
        """Return what a server answers to the query, as the connection's role and in ``roles``; nothing is kept."""
        with connection.transaction(force_rollback=True):
            prepared = connection.pgconn.prepare(b"", self.sql.encode())
            if prepared.status != ExecStatus.COMMAND_OK:
                return Outcome(refusal=_words(prepared))
            described = connection.pgconn.describe_prepared(b"")
            parameters = [described.param_type(number) for number in range(described.nparams)]
            columns = range(described.nfields)
            # With their modifiers: a running statement fails, too, when varchar(50) becomes varchar(100).
            kinds = _types(connection, [(described.ftype(column), described.fmod(column)) for column in columns])
            names = [(described.fname(column) or b"").decode() for column in columns]
            taken = _types(connection, [(oid, -1) for oid in parameters])
            values = _values(connection, parameters)
        return Outcome(
            refusal=self._refusal(connection, values, None),
            parameters=tuple(taken),
            columns=tuple(f"{name} {kind}" for name, kind in zip(names, kinds, strict=True)),
            roles={role: self._refusal(connection, values, role) for role in roles},
        )

    def _refusal(self, connection: Connection, values: Sequence[bytes | None], role: str | None) -> str | None:
        """Run the query with made-up values, and return why the schema does not let it."""
        with connection.transaction(force_rollback=True):
            if role is not None:
                try:
                    connection.execute(f"SET LOCAL ROLE {role}".encode())
                except psycopg.Error as error:
                    return error.diag.message_primary
            done = connection.pgconn.exec_params(self.sql.encode(), values, result_format=Format.BINARY)
            if done.status in {ExecStatus.TUPLES_OK, ExecStatus.COMMAND_OK}:
                return None
            # A NULL where no value could be made up is no column that the query leaves out.
            faults = FAULTS_OF_SCHEMA[1:] if None in values else FAULTS_OF_SCHEMA
            return _words(done) if (done.error_field(_SQLSTATE) or b"").decode().startswith(faults) else None


_SQLSTATE = psycopg.pq.DiagnosticField.SQLSTATE
_PRIMARY = psycopg.pq.DiagnosticField.MESSAGE_PRIMARY


def grantees(connection: Connection) -> list[str]:
    """Return the roles, quoted where need be, that have rights to something in the database."""
    return [str(role) for (role,) in connection.execute(GRANTEES).fetchall()]


def _insertion(source: QuerySource) -> str:
    """Return the INSERT that gives what a COPY gives: the server tells nothing of a COPY before it runs."""
    words = [token.text for token in source.code]
    if "(" not in words[2:] or words[1] == "(" or words.index("(") > [word.upper() for word in words].index("FROM"):
        raise source.error("write COPY table (columns) FROM STDIN")
    opening, closing = words.index("("), words.index(")")
    columns = [word for word in words[opening + 1 : closing] if word != ","]
    values = ", ".join(f"${number}" for number in range(1, len(columns) + 1))
    return f"INSERT INTO {''.join(words[1:opening])} ({', '.join(columns)}) VALUES ({values})"


def _types(connection: Connection, types: Sequence[tuple[int, int]]) -> list[str]:
    rows = connection.execute(TYPES, [[oid for oid, _ in types], [modifier for _, modifier in types]])
    return [str(name) for (name,) in rows.fetchall()]


def _values(connection: Connection, types: Sequence[int]) -> list[bytes | None]:
    """Return a value for each type, as text; ``None`` where none can be made up."""
    values: list[bytes | None] = []
    for array, name, category, label in connection.execute(SHAPES, [list(types)]).fetchall():
        value = label or VALUES.get(name, VALUES.get(category))
        values.append(None if value is None else (f'{{"{value}"}}' if array else value).encode())
    return values


def _words(refused: PGresult) -> str:
    return (refused.error_field(_PRIMARY) or b"it failed").decode()
