"""The server and the data that all sides share."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import attrs
import psycopg

from benchmarks.measuring import Measure
from benchmarks.sizes import Sizes
from surf_data import embedded, migrate
from surf_data.kernel import resources

_API_CONFIGURATIONS = 20

_LAMPS = """
INSERT INTO lamp_registry (lamp_id, email, email_key, name, password_hash, location_index, brightness, last_seen)
SELECT
    md5(n::text)::uuid, e.email, e.email, 'Lamp ' || n, repeat('h', 98), n %% 5, n %% 101,
    now() - make_interval(secs => n %% 86400)
FROM generate_series(1, %s::int) AS n, LATERAL (SELECT 'user' || n || '@example.com' AS email) AS e
"""
_SOURCES = """
INSERT INTO api_configuration (website_name, full_url, api_key, city, priority_order)
SELECT
    'Source ' || n, 'https://source' || n || '.example.com/v1/forecast', 'key-' || n,
    jsonb_build_object('name', 'San Diego', 'spot_id', md5(n::text)), n
FROM generate_series(1, %s::int - (SELECT count(*)::int FROM api_configuration)) AS n
"""
# Spread over 90 days up to now, in the order of time. Every hundredth entry is the first lamp's, so that a page of its
# history is full at every size; the others are everybody's.
_ACTIVITY = """
INSERT INTO activity_log (lamp_id, activity_type, status, details, created_at, ip_address, user_agent)
SELECT
    md5((CASE WHEN n %% 100 = 0 THEN 1 ELSE 1 + n * 7919 %% %(lamps)s END)::text)::uuid,
    'type ' || n %% 8, (ARRAY['success', 'success', 'failure'])[1 + n %% 3],
    jsonb_build_object('attempt', n %% 5, 'by', 'operator'),
    now() - interval '90 days' * (1 - n / %(rows)s::float8), '192.0.2.1'::inet + n %% 200, 'lamp/1.4'
FROM generate_series(1, %(rows)s::bigint) AS n
"""


# A log that has been in partitions for as long, instead of one that began with this month.
_MONTHS = """
DO $$
DECLARE
    this CONSTANT timestamp := date_trunc('month', now() AT TIME ZONE 'UTC');
BEGIN
    PERFORM set_config('timezone', 'UTC', true);
    EXECUTE format('DROP TABLE IF EXISTS %I', to_char(this, '"activity_log_before_"YYYY_MM'));
    FOR back IN 1..4 LOOP
        EXECUTE format(
            'CREATE TABLE IF NOT EXISTS %I PARTITION OF activity_log FOR VALUES FROM (%L) TO (%L)',
            to_char(this - make_interval(months => back), '"activity_log_"YYYY_MM'),
            (this - make_interval(months => back)) AT TIME ZONE 'UTC',
            (this - make_interval(months => back - 1)) AT TIME ZONE 'UTC'
        );
    END LOOP;
END
$$
"""


def lamp_id(number: int) -> UUID:
    """Return the id of the lamp with this number, counted from 1."""
    return UUID(hashlib.md5(str(number).encode(), usedforsecurity=False).hexdigest())


@attrs.frozen(kw_only=True)
class Ground:
    """What a benchmark is given."""

    servers: embedded.EmbeddedServers
    sizes: Sizes
    measure: Measure

    @property
    def url(self) -> str:
        """The URL of a database with all the lamps, and without activity."""
        return self.servers.database_url

    @property
    def lamp_ids(self) -> list[UUID]:
        """A thousand lamps, or all if there are fewer."""
        step = max(1, self.sizes.lamps // 1000)
        return [lamp_id(number) for number in range(1, self.sizes.lamps + 1, step)][:1000]

    @contextmanager
    def database(self, name: str, *, lamps: int | None = None, like: str = "surf_data") -> Iterator[str]:
        """Make another database, and drop it in the end.

        Arguments:
            name: its name.
            lamps: how many lamps it has; when not given, it is a copy of another one.
            like: the name of that one, to which no session is connected; by default it is the one at `url`.
        """
        url = urlsplit(self.url)._replace(path=f"/{name}").geturl()
        with psycopg.connect(urlsplit(self.url)._replace(path="/postgres").geturl(), autocommit=True) as connection:
            template = like if lamps is None else "template1"
            connection.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
            try:
                prepare(url, lamps)
                yield url
            finally:
                connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


def prepare(url: str, lamps: int | None) -> None:
    """Migrate a database, and fill it with lamps and API configurations; ``None`` says that this was done."""

    def connect() -> psycopg.Connection[Any]:
        return psycopg.connect(url, autocommit=True)

    with connect() as connection:
        if lamps is not None:
            migrate.Runner(connect, resources.directory("migrations") / "lamps", "lamps").up()
            connection.execute(_LAMPS, [lamps])
            connection.execute(_SOURCES, [_API_CONFIGURATIONS])
        # Compiling costs such short statements more than it gives; no side should pay for it.
        connection.execute(f"ALTER DATABASE {connection.info.dbname} SET jit = off")
        connection.execute("VACUUM ANALYZE")


def fill_activity(url: str, rows: int, *, lamps: int) -> None:
    """Let a database have so many entries of activity, and no others."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("TRUNCATE activity_log")
        connection.execute(_MONTHS)
        with connection.transaction():
            # The lamps are there; to look for the one of each entry takes most of the time.
            connection.execute("SET LOCAL session_replication_role = replica")
            connection.execute(_ACTIVITY, {"rows": rows, "lamps": lamps})
        connection.execute("VACUUM ANALYZE activity_log")
