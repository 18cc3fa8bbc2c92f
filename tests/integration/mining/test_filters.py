"""Filters, with the server as referee: what is accepted reads as PostgreSQL reads the raw text."""

import random
import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import psycopg
import pytest

from rig.filters import filters
from surf_data import ValidationError
from surf_data.kernel.postgres.adaptation import ADAPTERS
from surf_data.mining import CycleRecord, MiningDataLayer
from surf_data.mining.filters import read_filter

Admin = psycopg.Connection[Any]

# As many as take ten seconds, and as many as take a quarter of an hour.
SAMPLE, WHOLE = 10_000, 1_000_000

_PIECES = re.compile(
    r't\."[a-z_]+"|%\(p\d+\)s::(?:text|int8|float8|numeric|bool|timestamptz)(?:\[\])?|= ANY|<> ALL'
    r"|[<>]=?|<>|!=|=|\bIS (?:NOT )?NULL\b|\b(?:NOT|AND|OR|BETWEEN|LIKE|ILIKE)\b|[() ]"
)


@pytest.fixture
def referee(
    data: MiningDataLayer, admin: Admin, cycle: Callable[..., CycleRecord]
) -> Iterator[Callable[[str, dict[str, Any] | None], list[int]]]:
    """Return a function that returns the ids of the rows for which a condition is true, of 64 very different rows."""
    start = cycle().created_date
    data.cycles.insert_many(
        [
            cycle(
                asset_guid=f"truck-{number % 4}",
                cycle_number=number + 1,
                cycle_status=("INPROGRESS", "COMPLETE", "OUTLIER")[number % 3],
                current_area=("LOAD", "", "it's", "ü", None)[number % 5],
                tmp_idle_near_loader=("%", "a b", "{}", None)[number % 4],
                outlier_type_id=(None, 0, -1, 2)[number % 4],
                loader_latitude=(None, 0.1, -1.5, 1e308, 9007199254740992.0)[number % 5],
                load_seconds=(None, 0.0, 1000.0, 12.5)[number % 4],
                is_outlier=(None, True, False)[number % 3],
                is_within_load_region=(True, None)[number % 2],
                created_date=start + timedelta(seconds=(number % 7) - 3, microseconds=number % 2),
                cycle_end_utc=(None, start, start.replace(year=99), start.replace(year=1))[number % 4],
            )
            for number in range(64)
        ]
    )
    with psycopg.connect(
        dbname=admin.info.dbname,
        host=admin.info.host,
        port=admin.info.port,
        user=admin.info.user,
        options="-c timezone=UTC -c default_transaction_read_only=on",
        autocommit=True,
        context=ADAPTERS,
    ) as connection:

        def ask(condition: str, values: dict[str, Any] | None) -> list[int]:
            sql = f"SELECT t.asset_cycle_vlx_id FROM dx.asset_cycle_tmp_vlx AS t WHERE {condition} ORDER BY 1"
            return [key for (key,) in connection.execute(sql.encode(), values, prepare=False).fetchall()]

        yield ask


@pytest.mark.sweep
def test_fuzz(
    data: MiningDataLayer,
    referee: Callable[[str, dict[str, Any] | None], list[int]],
    request: pytest.FixtureRequest,
) -> None:
    """Of 10,000 filters (a million a night) each is refused with its place, or means what PostgreSQL reads in it."""
    whole = request.config.getoption("--whole")
    # Another seed each night; it is part of what a failure says.
    count, seed = (WHOLE, random.SystemRandom().randrange(2**32)) if whole else (SAMPLE, 14)
    columns = data.tables.tables()["asset_cycle_tmp_vlx"]
    accepted = refused = empty = 0
    for text in filters(seed, count):
        try:
            condition = read_filter(text, columns)
        except ValidationError as error:
            refused += (error.field or "").startswith(("target_filter", "target_params"))
            continue
        if condition is None:
            empty += 1
            continue
        accepted += 1
        assert not _PIECES.sub("", condition.sql), (seed, text, condition.sql)
        try:
            expected = referee(text, None)
        except psycopg.Error as error:
            pytest.fail(f"seed {seed}: PostgreSQL refuses {text!r}: {error}")
        assert referee(condition.sql, condition.values) == expected, (seed, text)
    assert accepted + refused + empty == count
    assert accepted + refused + empty == count
    assert accepted > count / 2
    assert refused > count / 10
