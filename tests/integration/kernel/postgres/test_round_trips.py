"""What validation accepts comes back from PostgreSQL as it was."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from ipaddress import IPv4Address, IPv6Address
from typing import Any
from uuid import UUID

import psycopg
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from surf_data.errors import ValidationError
from surf_data.kernel import validation
from surf_data.kernel.postgres import DatabaseManager, Json

Echo = Callable[..., tuple[Any, ...]]

TEXTS = st.text(st.characters(exclude_categories=()), max_size=50)
DOCUMENTS = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**64), 2**64) | st.floats() | TEXTS,
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(TEXTS, inner, max_size=5),
    max_leaves=20,
)
MOMENTS = st.datetimes(timezones=st.timezones()) | st.sampled_from(
    [datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)]
)


@pytest.fixture
def echo(
    watcher: psycopg.Connection[Any], open_database: Callable[..., DatabaseManager], load: Callable[..., Any]
) -> Echo:
    """Return a function that stores one row and reads it, in a database whose clock is in New York."""
    watcher.execute(f"ALTER DATABASE {watcher.info.dbname} SET timezone = 'America/New_York'".encode())
    watcher.execute("CREATE TABLE stored (t text, i int4, b int8, m timestamptz, u uuid, a inet, j jsonb)")
    database = open_database(pool_max_size=1)
    queries = load(
        {
            "store(t, i, b, m, u, a, j)!": (
                "INSERT INTO stored (t, i, b, m, u, a, j) VALUES "
                "(:t::text, :i::int4, :b::int8, :m::timestamptz, :u::uuid, :a::inet, :j::jsonb);"
            ),
            "fetch()^": "SELECT t, i, b, m, u, a, j FROM stored;",
            "clear()#": "TRUNCATE stored;",
        }
    )

    def stored(**values: Any) -> tuple[Any, ...]:
        queries.clear(database)
        queries.store(database, **{**dict.fromkeys("tibmuaj"), **values})
        row: tuple[Any, ...] = queries.fetch(database)
        return row

    return stored


@pytest.fixture
def load_ids(load: Callable[..., Any]) -> Echo:
    """Return a query that answers with the list that it is given."""
    query: Echo = load({"ids(ids)$": "SELECT :ids::uuid [];"}).ids
    return query


@examples(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    text=TEXTS,
    small=st.integers(0, 2**31 - 1),
    large=st.integers(-(2**63), 2**63 - 1),
    moment=MOMENTS,
    identifier=st.uuids(),
    address=st.ip_addresses(),
)
def test_accepted_values_come_back_as_they_were(
    echo: Echo,
    text: str,
    small: int,
    large: int,
    moment: datetime,
    identifier: UUID,
    address: IPv4Address | IPv6Address,
) -> None:
    """Text, numbers, moments, ids and addresses that are accepted are stored and read unchanged."""
    try:
        sent = (
            validation.text("t", text, minimum=0, maximum=50),
            validation.integer("i", small, minimum=0),
            validation.integer("b", large, minimum=-(2**63), maximum=validation.INT8_MAX),
            validation.aware_datetime("m", moment),
            validation.uuid("u", str(identifier)),
            validation.ip_address("a", str(address)),
        )
    except ValidationError:
        return
    received = echo(**dict(zip("tibmua", sent, strict=True)))[:6]
    assert received == sent
    assert str(received[3].tzinfo) == "UTC"


class _Id(UUID):
    """A UUID of a class of its own."""


IDS = st.lists(st.uuids() | st.uuids().map(lambda each: _Id(int=each.int)) | st.none(), max_size=5)


@examples(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(ids=st.lists(st.uuids()) | IDS | st.lists(st.lists(st.uuids(), min_size=2, max_size=2)))
def test_lists_of_ids_come_back_as_they_were(database: DatabaseManager, load_ids: Echo, ids: list[Any]) -> None:
    """However many they are, with others between them, and within others."""
    assert load_ids(database, ids=ids) == ids


@examples(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(document=DOCUMENTS)
def test_accepted_documents_come_back_as_they_were(echo: Echo, document: object) -> None:
    """A JSON document that is accepted for jsonb is read as the same document, down to the type of each number."""
    try:
        text = validation.jsonb_text("j", document)
    except ValidationError:
        return
    # PostgreSQL's numbers have no negative zero; the two are equal in Python, too.
    expected = json.loads(text, parse_float=lambda digits: float(digits) + 0.0)
    assert json.dumps(echo(j=Json(text))[6], sort_keys=True) == json.dumps(expected, sort_keys=True)


@pytest.mark.parametrize("depth", [1, 64])
def test_the_deepest_document_can_be_read(echo: Echo, depth: int) -> None:
    """A document as deep as is accepted can be read again."""
    document: object = "bottom"
    for _ in range(depth):
        document = [document]
    assert echo(j=Json(validation.jsonb_text("j", document)))[6] == document


def test_the_largest_document_can_be_read(echo: Echo) -> None:
    """A document as large as is accepted can be read again."""
    document = "x" * (validation.MAX_JSON_BYTES - 2)
    assert echo(j=Json(validation.jsonb_text("j", document)))[6] == document
