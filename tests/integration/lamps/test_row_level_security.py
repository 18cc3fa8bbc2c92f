"""The option of docs/security.md: a tenant reads the activity of one lamp, and the service goes on as before."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest

import surf_data
from surf_data.errors import DatabaseError

Connection = psycopg.Connection[Any]

DOCUMENT = Path(__file__).parents[3] / "docs" / "security.md"
OPENED = "SELECT set_config('surf_data.lamp_id', %s, true)"
SEEN = "SELECT lamp_id FROM activity_log"


@pytest.fixture
def tenant(data: surf_data.LampsDataLayer, admin: Connection, migrated_url: str) -> Iterator[Connection]:
    """Return a tenant's connection, after what the document says was run."""
    [block] = [
        block
        for block in re.findall(r"^```sql\n(.*?)^```$", DOCUMENT.read_text("utf-8"), re.MULTILINE | re.DOTALL)
        if "ROW LEVEL SECURITY" in block
    ]
    admin.execute(block.encode())
    try:
        with psycopg.connect(migrated_url, autocommit=True) as connection:
            connection.execute("SET SESSION AUTHORIZATION surf_lamp_tenant")
            yield connection
    finally:
        admin.execute("DROP OWNED BY surf_lamp_tenant; DROP ROLE surf_lamp_tenant")


@pytest.fixture
def lamps(data: surf_data.LampsDataLayer) -> list[str]:
    """Register two lamps with an entry each; return their ids."""
    ids = [str(uuid4()) for _ in range(2)]
    for lamp_id in ids:
        lamp = {"lamp_id": lamp_id, "email": f"{lamp_id}@example.com", "name": "Kai", "password_hash": "-"}
        data.users.register_user({**lamp, "location_index": 0})
        data.activity.log_activity(lamp_id, "status", "success")
    return ids


def test_a_tenant_reads_one_lamp(tenant: Connection, lamps: list[str]) -> None:
    """Within a transaction that names a lamp its entries are there, and no other lamp's."""
    with tenant.transaction():
        tenant.execute(OPENED, [lamps[0]])
        assert [str(lamp_id) for (lamp_id,) in tenant.execute(SEEN)] == [lamps[0]]


def test_without_a_name_nothing_is_there(tenant: Connection, lamps: list[str]) -> None:
    """Neither before a transaction has named a lamp nor after it does a tenant read anything."""
    assert tenant.execute(SEEN).fetchall() == []
    with tenant.transaction():
        tenant.execute(OPENED, [lamps[0]])
    assert tenant.execute(SEEN).fetchall() == []


def test_the_service_goes_on(tenant: Connection, data: surf_data.LampsDataLayer, lamps: list[str]) -> None:
    """The application logs and reads for all lamps; only imports by COPY are refused, as the document says."""
    data.activity.log_activity(lamps[1], "status", "success")
    assert len(data.activity.get_lamp_activity_history(lamps[1])) == 2
    assert data.stats()["activity"] == {"failures": 0}
    with pytest.raises(DatabaseError) as caught:
        data.activity.log_activities([{"activity_type": "status", "status": "success"}])
    assert caught.value.sqlstate == "0A000"


def test_a_lamp_can_still_be_deleted(tenant: Connection, admin: Connection, lamps: list[str]) -> None:
    """The foreign key still lets go of a deleted lamp's entries."""
    admin.execute("SET ROLE surf_lamp_app")
    admin.execute("DELETE FROM lamp_registry WHERE lamp_id = %s", [lamps[0]])
    admin.execute("RESET ROLE")
    assert admin.execute("SELECT count(*) FROM activity_log WHERE lamp_id IS NULL").fetchone() == (1,)
