"""What is found of queries and tables that are declared to be in shards."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from surf_data import embedded
from surf_data.kernel.postgres import Connector
from surf_data.kernel.settings import load
from surf_data.review import ReviewRequest, Workbench, inspect, read_scale
from surf_data.review.analysis.catalog import Catalog
from surf_data.review.distribution.layout import Layout
from surf_data.review.findings.distribution_rules import layout_findings

SCHEMA = """
CREATE TABLE country (id int8 PRIMARY KEY);
CREATE TABLE site (
    id int8 PRIMARY KEY,
    name text,
    country int8 CONSTRAINT site_country REFERENCES country,
    main int8 CONSTRAINT site_main REFERENCES site
);
CREATE TABLE truck (
    id int8 PRIMARY KEY,
    label text UNIQUE,
    site int8 CONSTRAINT truck_site REFERENCES site ON DELETE SET NULL,
    country int8 CONSTRAINT truck_country REFERENCES country,
    EXCLUDE (label WITH =)
);
CREATE TABLE trip (
    truck int8 CONSTRAINT trip_truck REFERENCES truck ON DELETE CASCADE,
    n int8,
    before int8 CONSTRAINT trip_before REFERENCES truck,
    lost int8 CONSTRAINT trip_lost REFERENCES truck ON DELETE SET NULL,
    PRIMARY KEY (truck, n)
);
CREATE TABLE place (site int8 CONSTRAINT place_site REFERENCES site ON DELETE SET NULL);
CREATE TABLE gone (truck int8 CONSTRAINT gone_truck REFERENCES truck ON DELETE SET NULL);
CREATE TABLE note (truck int8 CONSTRAINT note_truck REFERENCES truck);
CREATE UNIQUE INDEX trip_once ON trip (n) WHERE n > 1;
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN new; END';
CREATE TRIGGER touched BEFORE UPDATE ON trip FOR EACH ROW EXECUTE FUNCTION touch();
CREATE TRIGGER named BEFORE UPDATE ON site FOR EACH ROW EXECUTE FUNCTION touch();
"""
SCALE = """
[tables]
truck = { rows = 1, distribute = "id" }
trip = { rows = 1, distribute = "truck", with = "truck" }
place = { rows = 1, distribute = "site" }
gone = { rows = 1, distribute = "truck", with = "truck" }
site = { rows = 1, reference = true }
"""


@pytest.fixture
def declared(tmp_path: Path) -> Path:
    """Return a folder of migrations with the schema and what is declared of it."""
    (tmp_path / "migrations").mkdir()
    (tmp_path / "migrations" / "0001_trucks.sql").write_text(f"-- migrate:up\n{SCHEMA}", "utf-8")
    (tmp_path / "migrations" / "scale.toml").write_text(SCALE, "utf-8")
    return tmp_path


def test_tables(database: Callable[[str], Any], declared: Path) -> None:
    """Unique keys without the column, foreign keys that leave their shard, and triggers are found by their names."""
    catalog = Catalog.read(database(SCHEMA))
    found = list(layout_findings(catalog, Layout.of(catalog, read_scale(declared / "migrations" / "scale.toml"))))
    assert sorted((each.code, each.subject, each.about) for each in found) == [
        ("SHARD-KEY", "gone_truck", "gone"),
        ("SHARD-KEY", "note_truck", "note"),
        ("SHARD-KEY", "place_site", "place"),
        ("SHARD-KEY", "site_country", "site"),
        ("SHARD-KEY", "trip_before", "trip"),
        ("SHARD-KEY", "trip_lost", "trip"),
        ("SHARD-KEY", "trip_once", "trip"),
        ("SHARD-KEY", "truck_country", "truck"),
        ("SHARD-KEY", "truck_label_key", "truck"),
        ("SHARD-TRIGGER", "named", "site"),
        ("SHARD-TRIGGER", "touched", "trip"),
    ]
    said = {each.subject: each.message for each in found}
    assert said["truck_label_key"] == (
        "truck is in shards by id, and no shard knows what is unique in all of them: add the column to the key, or "
        "keep the key in a table of its own"
    )
    assert said["place_site"].endswith("cannot be kept: it would change site, which decides the shard")
    assert said["gone_truck"].endswith("cannot be kept: it would change truck, which decides the shard")
    assert said["trip_before"].endswith("cannot be kept: truck does not lead to id of the same shard")
    assert said["truck_country"].endswith("cannot be kept: its parent is neither in shards nor a reference table")
    assert said["site_country"].endswith("cannot be kept: a table that is whole on each node leads to none that is not")
    assert said["note_truck"].endswith("cannot be kept: note is not in the shards of its parent")


def test_queries_of_a_foreign_folder(servers: embedded.EmbeddedServers, declared: Path) -> None:
    """A query that asks all shards or is refused is found, and may be accepted; what is one row's to do is not."""
    (declared / "sql").mkdir()
    (declared / "sql" / "trip.sql").write_text(
        "-- name: trip_list()\n-- All trips.\nSELECT t.n FROM trip AS t;\n\n"
        "-- name: trip_lock()\n-- All trips, locked.\nSELECT t.n FROM trip AS t FOR UPDATE;\n\n"
        "-- name: trip_count()$\n-- How many.\n-- accept: ALL-SHARDS once a day\n"
        "SELECT count(*) AS n FROM trip AS t;\n\n"
        "-- name: trip_of(truck)\n-- A truck's trips.\nSELECT t.n FROM trip AS t WHERE t.truck = :truck::int8;\n\n"
        "-- name: trip_copy()#\n-- Takes many trips.\nCOPY trip (truck, n) FROM STDIN;\n\n"
        "-- name: trip_refused()\n-- No such table.\nSELECT 1 AS one FROM trips AS t;\n\n"
        "-- name: one()\n-- One.\n-- accept: NO-SHARD it was refused once\nSELECT 1 AS one;\n",
        "utf-8",
    )
    request = ReviewRequest(
        folder=declared / "sql",
        sources=(declared / "migrations",),
        scale=read_scale(declared / "migrations" / "scale.toml"),
    )
    # A server of others, on which nothing is planned: what is declared of shards counts all the same.
    workbench = Workbench(connect=Connector(load(database_url=servers.database_url)).connect)
    now = inspect(request, workbench).now
    assert {name: str(verdict) for name, verdict in now.verdicts.items()} == {
        "trip_list": "all shards: nothing says one truck of trip",
        "trip_lock": "refused: it locks rows of several shards",
        "trip_count": "all shards: nothing says one truck of trip",
        "trip_of": "one shard by :truck",
        "trip_copy": "all shards: COPY takes each row to the shard that it belongs to, or from it",
        "one": "local",
    }
    found = [(each.code, each.subject, each.accepted) for each in now.state.findings if each.file is not None]
    assert found == [
        ("ALL-SHARDS", "trip_list", None),
        ("NO-SHARD", "trip_lock", None),
        ("ALL-SHARDS", "trip_count", "once a day"),
        ("STALE-ACCEPT", "one", None),
    ]
