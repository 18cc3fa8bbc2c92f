"""Location history: what comes is stored once, found by time, and gone when it is deleted."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import psycopg
import pytest

from surf_data.daylight import DaylightDataLayer
from surf_data.errors import ConstraintViolation, SurfDataError, ValidationError

Refused = Callable[..., SurfDataError]

HERE = {"lat": 21.66, "lng": -158.05, "name": "Pipeline"}
T0 = datetime(2026, 3, 1, 12, tzinfo=UTC)


def test_an_entry_is_stored_now(data: DaylightDataLayer, user_id: str) -> None:
    """Without a time the server's own is taken, and the record says what was given."""
    entry = data.history.addLocationHistory(user_id, HERE, "surfing", {"provider": "gps"})
    assert entry.id.startswith("history_kai_")
    assert (entry.location, entry.activity, entry.metadata) == (HERE, "surfing", {"provider": "gps"})
    assert abs(entry.recorded_at - entry.created_at) < timedelta(seconds=1)
    assert data.history.getUserLocationHistory(user_id, 10) == [entry]
    assert entry.to_dict().keys() >= {"userId", "timestamp", "createdAt"}


def test_a_place_may_have_no_coordinates(data: DaylightDataLayer, user_id: str) -> None:
    """A location with a name alone is stored as it is."""
    assert data.history.add_location_history(user_id, {"name": "home"}, "rest").location == {"name": "home"}


def test_the_same_id_again_returns_what_is_stored(data: DaylightDataLayer, user_id: str) -> None:
    """A call that is repeated stores nothing twice; ids are each user's own."""
    first = data.history.add_location_history(user_id, HERE, "surfing", id="h1", recorded_at=T0)
    again = data.history.add_location_history(user_id, HERE, "sleeping", id="h1", recorded_at=T0)
    later = data.history.add_location_history(user_id, HERE, "sleeping", id="h1")
    assert first == again == later
    others = data.history.add_location_history("eve", HERE, "surfing", id="h1", recorded_at=T0)
    assert (others.user_id, data.history.get_user_location_history(user_id)) == ("eve", [first])


def test_a_range_includes_both_ends_and_is_oldest_first(data: DaylightDataLayer, user_id: str) -> None:
    """Moments in any zone mean what they mean; pages go on behind the last entry."""
    for hour in range(5):
        data.history.add_location_history(
            user_id, HERE, f"a{hour}", id=f"h{hour}", recorded_at=T0 + timedelta(hours=hour)
        )
    found = data.history.getLocationHistoryByDateRange(user_id, "2026-03-01T14:00:00+01:00", "2026-03-01T15:00:00Z")
    assert [entry.id for entry in found] == ["h1", "h2", "h3"]
    first = data.history.get_location_history_by_date_range(user_id, T0, T0 + timedelta(days=1), limit=2)
    rest = data.history.get_location_history_by_date_range(user_id, T0, T0 + timedelta(days=1), after=first[-1])
    assert [entry.id for entry in [*first, *rest]] == ["h0", "h1", "h2", "h3", "h4"]
    newest = data.history.get_user_location_history(user_id, 2)
    older = data.history.get_user_location_history(user_id, before=newest[-1])
    assert [entry.id for entry in [*newest, *older]] == ["h4", "h3", "h2", "h1", "h0"]


def test_a_day_is_the_local_one(data: DaylightDataLayer, user_id: str) -> None:
    """A day without time means midnight to midnight where the user is, also when clocks change."""
    # Berlin changed clocks on 29 March 2026: the day has 23 hours.
    for number, moment in enumerate(["2026-03-28T23:00:00Z", "2026-03-29T21:59:59.999999Z", "2026-03-29T22:00:00Z"]):
        data.history.add_location_history(user_id, HERE, "x", id=f"h{number}", recorded_at=moment)
    found = data.history.get_location_history_by_date_range(
        user_id, "2026-03-29", date(2026, 3, 29), time_zone="Europe/Berlin"
    )
    assert [entry.id for entry in found] == ["h0", "h1"]


def test_days_have_their_box_and_their_ends(data: DaylightDataLayer, user_id: str) -> None:
    """Each local day says how many entries it has, between which moments, and in which box."""
    for number, (hour, lat) in enumerate([(0, 10.0), (1, 12.5), (30, 11.0)]):
        moment = T0 + timedelta(hours=hour)
        data.history.add_location_history(user_id, {"lat": lat, "lng": 5}, "x", id=f"h{number}", recorded_at=moment)
    days = data.history.get_location_days(user_id, "2026-02-01", "2026-04-01")
    assert [(day.day, day.points, day.south, day.north) for day in days] == [
        (date(2026, 3, 1), 2, 10.0, 12.5),
        (date(2026, 3, 2), 1, 11.0, 11.0),
    ]
    assert days[0].to_dict()["day"] == "2026-03-01"


def test_another_users_entries_are_as_missing(data: DaylightDataLayer, user_id: str) -> None:
    """An id alone deletes nothing."""
    entry = data.history.add_location_history(user_id, HERE, "surfing")
    assert data.history.get_user_location_history("eve") == []
    assert data.history.delete_location_history(entry.id, "eve") is False
    assert data.history.delete_location_history(entry.id, user_id) is True
    assert data.history.delete_location_history(entry.id, user_id) is False


def test_a_range_is_deleted_in_portions(data: DaylightDataLayer, user_id: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both ends are included, and what lies outside stays."""
    monkeypatch.setattr("surf_data.daylight.location_history._PORTION", 2)
    entries = [{"location": HERE, "activity": "x", "timestamp": T0 + timedelta(hours=hour)} for hour in range(6)]
    data.history.add_location_histories(user_id, entries)
    assert data.history.delete_location_range(user_id, T0, T0 + timedelta(hours=4)) == 5
    assert len(data.history.get_user_location_history(user_id)) == 1


def test_what_is_under_a_hold_stays(data: DaylightDataLayer, user_id: str, admin: psycopg.Connection[Any]) -> None:
    """A legal hold keeps its entries from being deleted one by one, too."""
    data.history.add_location_history(user_id, HERE, "x", id="held", recorded_at=T0)
    data.history.add_location_history(user_id, HERE, "x", id="free", recorded_at=T0 + timedelta(days=2))
    admin.execute(
        "INSERT INTO daylight.legal_holds (table_name, reason, user_id, since, until) VALUES (%s, %s, %s, %s, %s)",
        ("location_history", "case 7", user_id, T0, T0 + timedelta(days=1)),
    )
    assert data.history.delete_location_history("held", user_id) is False
    assert data.history.delete_location_range(user_id, T0, T0 + timedelta(days=9)) == 1
    assert [entry.id for entry in data.history.get_user_location_history(user_id)] == ["held"]


def test_a_repeated_upload_changes_nothing(data: DaylightDataLayer, user_id: str) -> None:
    """The first time all are new; again, none is; with more, only those."""
    upload: list[dict[str, Any]] = [
        {"id": f"h{n}", "userId": user_id, "location": HERE, "activity": "x", "recorded_at": T0 + timedelta(minutes=n)}
        for n in range(100)
    ]
    first = data.history.add_location_histories(None, upload[:60])
    again = data.history.add_location_histories(None, upload[:60])
    whole = data.history.add_location_histories(None, iter(upload))
    assert [(each.inserted, each.duplicates) for each in (first, again, whole)] == [(60, 0), (0, 60), (40, 60)]
    assert len(data.history.get_user_location_history(user_id, 1000)) == 100
    assert data.history.add_location_histories(user_id, []).inserted == 0


def test_an_upload_keeps_its_places_as_they_are(data: DaylightDataLayer, user_id: str) -> None:
    """Coordinates alone, whole ones, tiny ones, with more beside them, or none: each comes back with its types."""
    places: list[dict[str, Any]] = [
        {"lat": 21.66, "lng": -158.05},
        {"lng": 1e-7, "lat": -0.0},
        {"lat": 21, "lng": -158},
        {"lat": 21, "lng": -158.5},
        {"x": 1, "y": 2},
        HERE,
    ]
    data.history.add_location_histories(
        user_id,
        [
            {"location": place, "activity": "x", "recorded_at": T0 - timedelta(hours=n)}
            for n, place in enumerate(places)
        ],
    )
    stored = [entry.location for entry in data.history.get_user_location_history(user_id)]
    assert stored == places
    assert [{name: type(each) for name, each in place.items()} for place in stored] == [
        {name: type(each) for name, each in place.items()} for place in places
    ]


def test_an_upload_may_be_part_of_a_transaction(data: DaylightDataLayer, user_id: str) -> None:
    """Within a transaction a repeated upload does not spoil it."""
    entry = {"id": "h", "location": HERE, "activity": "x", "recorded_at": T0}
    with data.transaction() as tx:
        tx.history.add_location_histories(user_id, [entry])
        assert tx.history.add_location_histories(user_id, [entry]).duplicates == 1
    assert len(data.history.get_user_location_history(user_id)) == 1


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"location": {"lat": 91, "lng": 0}}, "entries[1].location.lat"),
        ({"location": {"lat": 1}}, "entries[1].location"),
        ({"location": {"lat": float("nan"), "lng": 0}}, "entries[1].location.lat"),
        ({"location": {"lat": "1", "lng": 0}}, "entries[1].location.lat"),
        ({"location": None}, "entries[1].location"),
        ({"activity": ""}, "entries[1].activity"),
        ({"recorded_at": "2026-03-01T00:00:00"}, "entries[1].recorded_at"),
        ({"recorded_at": datetime.now(UTC) + timedelta(days=2)}, "entries[1].recorded_at"),
        ({"id": "x" * 2000}, "entries[1].id"),
        ({"speed": 4}, "entries[1].speed"),
    ],
)
def test_a_bad_entry_refuses_the_upload_by_name(
    data: DaylightDataLayer, refused: Refused, user_id: str, change: dict[str, Any], field: str
) -> None:
    """One bad entry stores none, and the error says which entry and which field."""
    good = {"location": HERE, "activity": "x", "recorded_at": T0}
    error = refused(lambda: data.history.add_location_histories(user_id, [good, {**good, **change}]))
    assert isinstance(error, ValidationError)
    assert error.field == field
    assert data.history.get_user_location_history(user_id) == []


def test_an_upload_lacks_nothing(data: DaylightDataLayer, refused: Refused, user_id: str) -> None:
    """A missing user, time or member is named; too many entries, and what is no list, are refused."""
    entry = {"location": HERE, "activity": "x", "recorded_at": T0}
    upload = data.history.add_location_histories
    assert "lacks user_id" in str(refused(lambda: upload(None, [entry])))
    assert "lacks recorded_at" in str(refused(lambda: upload(user_id, [{"location": HERE, "activity": "x"}])))
    assert "lacks activity" in str(refused(lambda: upload(user_id, [{"location": HERE}])))
    assert str(refused(lambda: upload(user_id, entry))) == "entries must be a list of mappings"
    many = ({**entry, "id": str(n)} for n in range(100_001))
    assert str(refused(lambda: upload(user_id, many))) == "entries must have at most 100,000 items"


def test_bad_ranges_are_refused_by_name(data: DaylightDataLayer, refused: Refused, user_id: str) -> None:
    """Reversed ranges, days without a zone, zones that there are not, years that there are not."""
    ranged = data.history.get_location_history_by_date_range
    assert str(refused(lambda: ranged(user_id, T0, T0 - timedelta(1)))) == "end_date must not be before start_date"
    assert str(refused(lambda: ranged(user_id, "2026-03-01", T0))) == "start_date is a day, which needs time_zone"
    assert "IANA" in str(refused(lambda: ranged(user_id, T0, T0, time_zone="Nowhere")))
    assert "ISO 8601" in str(refused(lambda: ranged(user_id, "2026-13-01", T0)))
    assert "years" in str(refused(lambda: ranged(user_id, T0, date.max, time_zone="UTC")))
    assert "before.recorded_at" in str(refused(lambda: data.history.get_user_location_history(user_id, before={})))


def test_what_the_server_refuses_is_passed_on(data: DaylightDataLayer, user_id: str, refused: Refused) -> None:
    """A violation that is no repetition is not taken for one."""
    entry = {"location": HERE, "activity": "x", "recorded_at": "1000-01-01T00:00:00Z"}
    with data.database.transaction() as session:
        session._connection.execute("SELECT 1")
    assert data.history.add_location_histories(user_id, [entry]).inserted == 1
    assert issubclass(ConstraintViolation, SurfDataError)
