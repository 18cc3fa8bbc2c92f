"""Lamps: registration, configuration, status."""

import itertools
import threading
import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import attrs
import psycopg
import pytest
from psycopg.types.json import Jsonb

import surf_data
from surf_data import DatabaseError, LampConfig, LampsDataLayer, ValidationError
from surf_data.lamps.lamp_repository import LAMP_STATUSES

Admin = psycopg.Connection[Any]

UNKNOWN = "ffffffff-ffff-4fff-8fff-ffffffffffff"


def lamp_data(**changes: Any) -> dict[str, Any]:
    """Return the data of a new lamp with an address of its own."""
    lamp_id = changes.pop("lamp_id", None) or uuid4()
    return {
        "lamp_id": lamp_id,
        "email": f"{lamp_id}@example.org",
        "name": "Kai",
        "password_hash": "planted-hash-7f3a",
        "location_index": 2,
        **changes,
    }


def registered(data: LampsDataLayer, **changes: Any) -> UUID:
    """Register a lamp and return its id."""
    values = lamp_data(**changes)
    assert data.lamps.register_new_lamp(values) is True
    return UUID(str(values["lamp_id"]))


def rows(admin: Admin, table: str) -> int:
    """Count the rows of a table."""
    row = admin.execute(f"SELECT count(*) FROM {table}").fetchone()  # type: ignore[arg-type]
    assert row is not None
    return int(row[0])


def test_a_registered_lamp_has_the_configuration_of_the_specification(data: LampsDataLayer, admin: Admin) -> None:
    """The configuration is the specification's format: beach resolved, sources in priority order, time in UTC."""
    lamp_id = registered(data, brightness=80)
    admin.execute("UPDATE lamp_registry SET last_seen = '2025-01-01 05:00:00-05' WHERE lamp_id = %s", [lamp_id])
    admin.execute("UPDATE api_configuration SET priority_order = 3 - priority_order")
    config = data.lamps.get_lamp_configuration(str(lamp_id).upper())
    assert config is not None
    assert config.to_dict() == {
        "lamp_id": str(lamp_id),
        "location_index": 2,
        "location_name": "Honolulu",
        "brightness": 80,
        "is_active": True,
        "last_seen": "2025-01-01T10:00:00Z",
        "api_configs": [
            {
                "website_name": "WeatherAPI",
                "full_url": "https://api.weatherapi.com/v1/marine.json",
                "api_key": "WEATHER_API_KEY_PLACEHOLDER",
                "city": {"name": "San Diego", "q": "32.7157,-117.1611"},
                "priority": 1,
            },
            {
                "website_name": "Surfline",
                "full_url": "https://services.surfline.com/kbyg/spots/forecasts",
                "api_key": None,
                "city": {"name": "San Diego", "spot_id": "5842041f4e65fad6a7708876"},
                "priority": 2,
            },
        ],
    }
    assert config.last_seen == datetime(2025, 1, 1, 10, tzinfo=UTC)
    assert config.coordinates is not None
    assert (config.coordinates.lat, config.coordinates.lon) == (21.3099, -157.8581)
    assert [(api.is_json, api.is_metric) for api in config.api_configs] == [(True, True), (True, False)]


def test_a_configuration_is_what_its_class_makes(data: LampsDataLayer) -> None:
    """A lamp that was read has every field, and is as frozen as one that was made."""
    config = data.lamps.get_lamp_configuration(registered(data))
    assert config is not None
    assert config == LampConfig(**attrs.asdict(config, recurse=False))
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        config.brightness = 1  # type: ignore[misc]  # pyright: ignore[reportAttributeAccessIssue]


def test_the_class_of_configurations_only_assigns() -> None:
    """Nothing else happens when one is made, so those that are made of rows without calling it lack nothing."""
    assert not hasattr(LampConfig, "__attrs_pre_init__")
    assert not hasattr(LampConfig, "__attrs_post_init__")
    assert not [field for field in attrs.fields(LampConfig) if field.validator or field.converter]


def test_brightness_is_100_when_not_given(data: LampsDataLayer) -> None:
    """A lamp that was registered without a brightness shines fully."""
    config = data.lamps.get_lamp_configuration(registered(data))
    assert config is not None
    assert config.brightness == 100


def test_an_unknown_or_inactive_lamp_has_no_configuration(data: LampsDataLayer) -> None:
    """A lamp that is unknown or out of use is `None`, not an error."""
    lamp_id = registered(data)
    data.lamps.update_lamp_status(lamp_id, "inactive")
    assert data.lamps.get_lamp_configuration(UNKNOWN) is None
    assert data.lamps.get_lamp_configuration(lamp_id) is None


def test_several_configurations_come_in_the_order_asked_for(data: LampsDataLayer) -> None:
    """Many lamps are read at once, in the order of their ids as given; unknown ones are left out."""
    first, second, third = (registered(data, location_index=index) for index in range(3))
    asked = [third, str(first), UNKNOWN, second, third]
    found = data.lamps.get_lamp_configurations(iter(asked))
    assert [config.lamp_id for config in found] == [third, first, second, third]
    assert [config.location_name for config in found] == ["Honolulu", "San Diego", "Santa Cruz", "Honolulu"]
    assert found[1] == data.lamps.get_lamp_configuration(first)


def test_several_configurations_take_one_statement(data: LampsDataLayer) -> None:
    """However many lamps are asked for, one statement is sent, and none for no lamps."""
    lamp_ids = [registered(data) for _ in range(3)]
    data.lamps.get_lamp_configurations(lamp_ids)
    before = data.database.get_pool_status()["queries_count"]
    data.lamps.get_lamp_configurations(lamp_ids)
    assert data.lamps.get_lamp_configurations([]) == []
    assert data.database.get_pool_status()["queries_count"] == before + 1


def test_reference_data_is_read_again_when_it_has_changed(data: LampsDataLayer, admin: Admin) -> None:
    """A change of locations or API configurations shows in the next configuration, and unchanged data is kept."""
    lamp_id = registered(data)

    def reads() -> int:
        return int(data.stats()["queries"]["lamps.reference_data"]["count"])

    data.lamps.get_lamp_configuration(lamp_id)
    before = reads()
    data.lamps.get_lamp_configuration(lamp_id)
    assert reads() == before
    admin.execute("UPDATE api_configuration SET is_active = false WHERE website_name = 'Surfline'")
    admin.execute("DELETE FROM system_configuration WHERE config_key = 'supported_locations'")
    config = data.lamps.get_lamp_configuration(lamp_id)
    assert config is not None
    assert [api.website_name for api in config.api_configs] == ["WeatherAPI"]
    assert config.location_name == "Location 2"
    assert config.coordinates is None
    assert reads() == before + 1


def test_reference_data_that_was_rolled_back_is_not_kept(data: LampsDataLayer, admin: Admin) -> None:
    """What a transaction saw of its own changes is gone from memory once it is rolled back."""
    lamp_id = registered(data)
    change = "UPDATE api_configuration SET is_active = false"
    with pytest.raises(ZeroDivisionError), data.transaction() as tx:
        tx.lamps._database._connection.execute(change)  # type: ignore[attr-defined]
        inside = tx.lamps.get_lamp_configuration(lamp_id)
        assert inside is not None
        assert inside.api_configs == ()
        raise ZeroDivisionError
    outside = data.lamps.get_lamp_configuration(lamp_id)
    assert outside is not None
    assert len(outside.api_configs) == 2


def test_reference_data_without_a_version_is_read_every_time(data: LampsDataLayer, admin: Admin) -> None:
    """Emptying the version table costs speed, not correctness."""
    lamp_id = registered(data)
    admin.execute("DELETE FROM reference_version")
    admin.execute("UPDATE api_configuration SET is_active = false")
    config = data.lamps.get_lamp_configuration(lamp_id)
    assert config is not None
    assert config.api_configs == ()


def test_unreadable_locations_are_left_out_with_a_warning(
    data: LampsDataLayer, admin: Admin, caplog: pytest.LogCaptureFixture
) -> None:
    """A location that was mistyped does not take the others, or the lamps, with it."""
    lamp_id = registered(data)
    locations = [7, {"index": "x", "name": "A"}, {"name": "B"}, {"index": 1, "name": "C", "coordinates": {"lat": 1}}]
    stored = [*locations, {"index": 2, "name": "Waikiki"}]
    for value, name in ((stored, "Waikiki"), ({"not": "a list"}, "Location 2")):
        admin.execute(
            "UPDATE system_configuration SET config_value = %s WHERE config_key = 'supported_locations'",
            [Jsonb(value)],
        )
        config = data.lamps.get_lamp_configuration(lamp_id)
        assert config is not None
        assert (config.location_name, config.coordinates) == (name, None)
    assert [record.msg for record in caplog.records] == ["unreadable entry in supported_locations"] * 4


def test_registration_is_logged_with_it(data: LampsDataLayer) -> None:
    """A registered lamp has a registration entry with address and location, and no secret."""
    lamp_id = registered(data, email="Kai@Example.org")
    (entry,) = data.activity.get_lamp_activity_history(lamp_id)
    assert (entry["activity_type"], entry["status"]) == ("registration", "success")
    assert entry["details"] == {"email": "Kai@Example.org", "location": 2}


def test_a_registration_whose_log_entry_fails_leaves_nothing(data: LampsDataLayer, admin: Admin) -> None:
    """A failing second statement takes the first with it."""
    admin.execute("ALTER TABLE activity_log ADD CONSTRAINT no_registration CHECK (activity_type <> 'registration')")
    with pytest.raises(DatabaseError) as caught:
        data.lamps.register_new_lamp(lamp_data())
    assert (caught.value.query, caught.value.sqlstate) == ("lamps.activity_insert", "23514")
    assert caught.value.constraint == "no_registration"
    assert rows(admin, "lamp_registry") == rows(admin, "activity_log") == 0


def test_a_lamp_is_registered_once(data: LampsDataLayer, admin: Admin) -> None:
    """A second registration of a lamp or of an address is refused and leaves nothing."""
    values = lamp_data(email="kai@example.org")
    data.lamps.register_new_lamp(values)
    with pytest.raises(ValidationError, match=r"^Lamp already registered$") as caught:
        data.lamps.register_new_lamp({**values, "email": "other@example.org"})
    assert caught.value.field == "lamp_id"
    assert caught.value.__cause__ is caught.value.__context__ is None
    with pytest.raises(ValidationError, match=r"^User already registered$") as caught:
        data.lamps.register_new_lamp({**values, "lamp_id": uuid4(), "email": " KAI@example.org"})
    assert caught.value.field == "email"
    assert rows(admin, "lamp_registry") == rows(admin, "activity_log") == 1


@pytest.mark.parametrize("status", sorted(LAMP_STATUSES))
def test_status_sets_whether_a_lamp_is_in_use(data: LampsDataLayer, admin: Admin, status: str) -> None:
    """Each documented status sets the flag and the time, whatever the flag was."""
    lamp_id = registered(data)
    for before in (True, False):
        admin.execute("UPDATE lamp_registry SET is_active = %s, last_seen = NULL, updated_at = '2020-01-01'", [before])
        assert data.lamps.update_lamp_status(lamp_id, f" {status.title()} ") is True
        row = admin.execute(
            "SELECT is_active, last_seen = updated_at, updated_at > '2020-01-02' FROM lamp_registry"
        ).fetchone()
        assert row == (LAMP_STATUSES[status], True, True)


def test_a_sign_of_life_reaches_no_index(data: LampsDataLayer) -> None:
    """Of a lamp that stays in use no index learns when it is heard of again; of one that is put out of use they do."""
    lamp_id = registered(data)
    hot = []
    with data.transaction() as tx:
        for status in ("active", "active", "inactive"):
            tx.lamps.update_lamp_status(lamp_id, status)
            counted = "SELECT n_tup_hot_upd FROM pg_stat_xact_user_tables WHERE relname = 'lamp_registry'"
            hot.append(tx.session._connection.execute(counted).fetchone())
    assert hot == [(1,), (2,), (2,)]


def test_status_of_an_unknown_lamp_cannot_be_set(data: LampsDataLayer) -> None:
    """Updating a lamp that does not exist is `False`, not an error."""
    assert data.lamps.update_lamp_status(UNKNOWN, "active") is False


def test_active_lamps_come_latest_first(data: LampsDataLayer, admin: Admin) -> None:
    """All active lamps are listed, the ones heard of last first, those never heard of last."""
    never, old, new, off = (registered(data) for _ in range(4))
    for lamp_id, seen in ((old, "2025-01-01"), (new, "2025-06-01"), (off, "2025-07-01")):
        admin.execute("UPDATE lamp_registry SET last_seen = %s WHERE lamp_id = %s", [seen, lamp_id])
    admin.execute("UPDATE lamp_registry SET is_active = false WHERE lamp_id = %s", [off])
    listed = data.lamps.get_all_active_lamps()
    assert [lamp.lamp_id for lamp in listed] == [new, old, never]
    assert listed[0] == data.lamps.get_lamp_configuration(new)


@pytest.fixture
def many_lamps(admin: Admin) -> int:
    """Store more lamps than fit into a few batches."""
    number = 5000
    admin.execute(
        """
        INSERT INTO lamp_registry (lamp_id, email, email_key, name, password_hash, location_index)
        SELECT gen_random_uuid(), i || '@example.org', i || '@example.org', 'Kai', 'hash', i %% 5
        FROM generate_series(1, %s) AS i
        """,
        [number],
    )
    return number


@pytest.mark.parametrize("batch_size", [1000, 4999, 5000, 5001])
def test_active_lamps_are_iterated_completely(data: LampsDataLayer, many_lamps: int, batch_size: int) -> None:
    """Whatever the batch size, every active lamp comes once, in the order of the ids."""
    found = list(data.lamps.iter_active_lamps(batch_size))
    assert len(found) == many_lamps
    assert [lamp.lamp_id for lamp in found] == sorted(lamp.lamp_id for lamp in data.lamps.get_all_active_lamps())


def test_there_may_be_no_lamps(data: LampsDataLayer) -> None:
    """Without lamps nothing is read but that, and nothing fails."""
    assert data.lamps.get_all_active_lamps() == []
    assert data.lamps.get_lamp_configurations([UNKNOWN]) == []
    assert list(data.lamps.iter_active_lamps()) == []
    assert "lamps.reference_data" not in data.stats()["queries"]


@pytest.mark.parametrize("count", [0, 1, 49, 50, 51, 100, 120, 5000])
def test_many_lamps_are_the_same_whether_the_reference_data_is_known(
    data: LampsDataLayer, migrated_url: str, many_lamps: int, count: int
) -> None:
    """What is read at once is the same, and in the same order, before and after the reference data was first read."""
    lamp_ids = [lamp.lamp_id for lamp in data.lamps.get_all_active_lamps()]
    assert len(lamp_ids) == many_lamps
    # The server answers in the order of the ids, or of where the rows lie.
    wanted = lamp_ids[:count][::-1]
    with surf_data.open(migrated_url, pool_min_size=1) as fresh:
        first = fresh.lamps.get_lamp_configurations(wanted)
        assert [lamp.lamp_id for lamp in first] == wanted
        assert fresh.lamps.get_lamp_configurations(wanted) == first
        assert data.lamps.get_lamp_configurations(wanted) == first
    with surf_data.open(migrated_url, pool_min_size=1) as fresh:
        assert fresh.lamps.get_all_active_lamps() == data.lamps.get_all_active_lamps()


def test_iteration_takes_constant_memory(data: LampsDataLayer, many_lamps: int) -> None:
    """Iterating over all lamps needs the memory of a batch, not of all of them."""
    list(itertools.islice(data.lamps.iter_active_lamps(100), 100))
    tracemalloc.start()
    try:
        for _ in data.lamps.iter_active_lamps(100):
            pass
        peak_of_iteration = tracemalloc.get_traced_memory()[1]
        tracemalloc.reset_peak()
        data.lamps.get_all_active_lamps()
        peak_of_list = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak_of_iteration < peak_of_list / 5


def test_an_iteration_reads_reference_data_once(data: LampsDataLayer, admin: Admin, many_lamps: int) -> None:
    """All lamps of an iteration come with the same reference data; when others notice a change, none is read again."""
    lamps = data.lamps.iter_active_lamps(100)
    first = next(lamps)
    admin.execute("UPDATE api_configuration SET is_active = false")
    changed = data.lamps.get_lamp_configuration(first.lamp_id)
    assert changed is not None
    assert changed.api_configs == ()
    before = data.stats()["queries"]["lamps.reference_data"]["count"]
    assert [lamp.api_configs for lamp in lamps] == [first.api_configs] * (many_lamps - 1)
    assert data.stats()["queries"]["lamps.reference_data"]["count"] == before


def test_an_abandoned_iteration_gives_its_connection_back(migrated_url: str, many_lamps: int) -> None:
    """A reader that stops half way does not keep the connection, not even the only one."""
    with surf_data.open(migrated_url, pool_min_size=1, pool_max_size=1, pool_timeout=5) as data:
        for _ in data.lamps.iter_active_lamps(10):
            break
        assert len(data.lamps.get_all_active_lamps()) == many_lamps


def test_iteration_works_within_a_transaction(data: LampsDataLayer, many_lamps: int) -> None:
    """Within a transaction, iterations use its connection, also two at once, and see its changes."""
    with data.transaction() as tx:
        lamp_id = uuid4()
        tx.lamps.register_new_lamp(lamp_data(lamp_id=lamp_id))
        one, two = tx.lamps.iter_active_lamps(7), tx.lamps.iter_active_lamps(1000)
        pairs = list(zip(one, two, strict=True))
    assert len(pairs) == many_lamps + 1
    assert all(left == right for left, right in pairs)
    assert lamp_id in {left.lamp_id for left, _ in pairs}


@pytest.mark.parametrize("name", ["get_lamp_configuration", "update_lamp_status"])
@pytest.mark.parametrize(
    "lamp_id", [None, "", 7, "not-a-uuid", b"x", UNKNOWN[:-1] + "_", f"{{{UNKNOWN}}}", " " + UNKNOWN, UNKNOWN + "\0"]
)
def test_an_id_is_a_uuid(data: LampsDataLayer, name: str, lamp_id: object) -> None:
    """Anything but a UUID is refused before anything is sent."""
    arguments = (lamp_id, "active") if name == "update_lamp_status" else (lamp_id,)
    with pytest.raises(ValidationError, match="lamp_id must be a UUID"):
        getattr(data.lamps, name)(*arguments)
    assert data.stats()["queries"] == {}


@pytest.mark.parametrize(
    ("lamp_ids", "field"),
    [
        (UNKNOWN, "lamp_ids"),
        (UUID(UNKNOWN), "lamp_ids"),
        (7, "lamp_ids"),
        ([UNKNOWN, "x"], r"lamp_ids[1]"),
        ((UNKNOWN for _ in range(100_001)), "lamp_ids"),
    ],
)
def test_ids_are_a_list_of_uuids(data: LampsDataLayer, lamp_ids: Any, field: str) -> None:
    """A single id, a wrong one among many, or too many are refused before anything is sent."""
    with pytest.raises(ValidationError) as caught:
        data.lamps.get_lamp_configurations(lamp_ids)
    assert caught.value.field == field
    assert data.stats()["queries"] == {}


@pytest.mark.parametrize("status", [None, True, "", "on fire", "a" * 21, "active\0"])
def test_a_status_is_one_of_the_documented(data: LampsDataLayer, status: Any) -> None:
    """A status that is not documented is refused before anything is sent."""
    with pytest.raises(ValidationError) as caught:
        data.lamps.update_lamp_status(UNKNOWN, status)
    assert caught.value.field == "status"
    assert data.stats()["queries"] == {}


@pytest.mark.parametrize("batch_size", [0, -1, 1.5, True, None, 100_001])
def test_a_batch_size_is_a_number_of_lamps(data: LampsDataLayer, batch_size: Any) -> None:
    """A batch size that cannot be is refused when asked, not when iterated."""
    with pytest.raises(ValidationError, match="batch_size"):
        data.lamps.iter_active_lamps(batch_size)


def test_threads_read_while_reference_data_changes(data: LampsDataLayer, admin: Admin) -> None:
    """Configurations that are read while an administrator edits are each of one version of the reference data."""
    lamp_id = registered(data)
    admin.execute("UPDATE api_configuration SET city = '{}'")
    barrier = threading.Barrier(5)

    def read() -> list[LampConfig | None]:
        barrier.wait()
        return [data.lamps.get_lamp_configuration(lamp_id) for _ in range(100)]

    with ThreadPoolExecutor(4) as threads:
        reading = [threads.submit(read) for _ in range(4)]
        barrier.wait()
        for version in range(30):
            admin.execute("UPDATE api_configuration SET city = %s", [Jsonb(version)])
        configs = [config for done in reading for config in done.result()]
    assert all(config is not None and len({str(api.city) for api in config.api_configs}) == 1 for config in configs)
    last = data.lamps.get_lamp_configuration(lamp_id)
    assert last is not None
    assert {api.city for api in last.api_configs} == {29}
