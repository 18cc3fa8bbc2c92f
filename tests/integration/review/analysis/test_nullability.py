"""Claims about nulls and numbers of rows, compared with what really comes back."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg

from surf_data.kernel.postgres.query_source import QuerySource
from surf_data.review import analyse
from surf_data.review.analysis.facts import Facts

HERE = Path(__file__).parent
SCHEMA = (HERE / "adversarial_schema.sql").read_text("utf-8")
# How a table that inherits can hold nulls where its parent says that there are none.
SCHEMA_16 = """
CREATE TABLE parent (a int4, b int4 NOT NULL);
CREATE TABLE child () INHERITS (parent);
ALTER TABLE child ALTER b DROP NOT NULL;
INSERT INTO child VALUES (1, NULL);
"""
SCHEMA_18 = """
CREATE TABLE parent (a int4, b int4 CONSTRAINT b_given NOT NULL NO INHERIT);
CREATE TABLE child () INHERITS (parent);
INSERT INTO child VALUES (1, NULL);
CREATE TABLE unproven (a int4 NOT NULL, b int4);
INSERT INTO unproven VALUES (1, NULL);
ALTER TABLE unproven ADD CONSTRAINT b_given NOT NULL b NOT VALID;
CREATE TABLE computed (
    id int4 PRIMARY KEY,
    a int4,
    doubled int4 GENERATED ALWAYS AS (a * 2),
    tripled int4 GENERATED ALWAYS AS (a * 3) STORED
);
INSERT INTO computed (id, a) VALUES (1, NULL), (2, 2);
"""
#: The share of all columns that have to be claimed.
SHARE = 0.4
#: What is given for parameters: each of these for all of them.
VALUES: tuple[str | None, ...] = (None, "30")


def executed(connection: psycopg.Connection[Any], query: QuerySource, value: str | None) -> Any:
    """Run a query with ``value`` for every parameter, roll it back, and return what libpq has of the result."""
    with connection.transaction(force_rollback=True):
        values = [value.encode() if value else None for _ in query.order]
        result = connection.pgconn.exec_params(query.wire.encode(), values)
        assert result.status == psycopg.pq.ExecStatus.TUPLES_OK, (query.sql, result.error_message.decode())
        return result


def adversarial(connection: psycopg.Connection[Any]) -> str:
    """Return the queries for the version of a server."""
    newer = connection.info.server_version >= 180000
    files = ["adversarial.sql", *(["adversarial_18.sql"] if newer else [])]
    connection.execute((SCHEMA_18 if newer else SCHEMA_16).encode(), prepare=False)
    return "".join((HERE / name).read_text("utf-8") for name in files)


def test_claims(
    database: Callable[[str], psycopg.Connection[Any]], queries: Callable[[str], list[QuerySource]]
) -> None:
    """No column that is claimed to be NOT NULL ever is null, on data full of nulls; and many are claimed."""
    connection = database(SCHEMA)
    asked = queries(adversarial(connection))
    outcomes = analyse(connection, asked)
    wrong, claimed, columns = [], 0, 0
    for outcome in outcomes:
        assert isinstance(outcome, Facts), outcome
        assert outcome.columns is not None
        columns += len(outcome.columns)
        claimed += sum(not column.nullable for column in outcome.columns)
        for value in VALUES if outcome.query.order else (None,):
            result = executed(connection, outcome.query, value)
            for place, column in enumerate(outcome.columns):
                nulls = [row for row in range(result.ntuples) if result.get_value(row, place) is None]
                if nulls and not column.nullable:
                    wrong.append((outcome.query.sql, column.name, column.reason))
    assert wrong == []
    assert len(asked) >= 150
    assert claimed >= SHARE * columns


def test_rows(database: Callable[[str], psycopg.Connection[Any]], queries: Callable[[str], list[QuerySource]]) -> None:
    """No query gives more or fewer rows than claimed."""
    connection = database(SCHEMA)
    wrong = []
    for outcome in analyse(connection, queries(adversarial(connection))):
        assert isinstance(outcome, Facts), outcome
        for value in VALUES if outcome.query.order else (None,):
            count = executed(connection, outcome.query, value).ntuples
            if (count > 1 and outcome.rows.at_most_one) or (count < 1 and outcome.rows.at_least_one):
                wrong.append((outcome.query.sql, count, str(outcome.rows), outcome.rows.reason))
    assert wrong == []
