"""The values of the Surf Lamp domain."""

import time
from datetime import UTC, datetime, timedelta, timezone
from uuid import UUID

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from surf_data import ApiConfig, LampConfig, SurfData, ValidationError

LAMP_ID = UUID("00000000-0000-4000-8000-000000000001")

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("abcé", max_size=5), inner, max_size=3),
    max_leaves=10,
)


def test_lamp_config_gives_the_specification_format_to_the_letter() -> None:
    """`LampConfig.to_dict` has the keys, the order and the forms of the specification."""
    config = LampConfig(
        lamp_id=LAMP_ID,
        location_index=2,
        location_name="Honolulu",
        brightness=100,
        last_seen=datetime(2025, 1, 1, 0, 0, 0, 999, tzinfo=timezone(timedelta(hours=-10))),
        api_configs=(
            ApiConfig(
                website_name="Surfline",
                full_url="https://example.org",
                api_key="key123",
                city={"name": "Honolulu", "spot_id": "5842"},
            ),
        ),
    )
    expected = {
        "lamp_id": "00000000-0000-4000-8000-000000000001",
        "location_index": 2,
        "location_name": "Honolulu",
        "brightness": 100,
        "is_active": True,
        "last_seen": "2025-01-01T10:00:00Z",
        "api_configs": [
            {
                "website_name": "Surfline",
                "full_url": "https://example.org",
                "api_key": "key123",
                "city": {"name": "Honolulu", "spot_id": "5842"},
                "priority": 1,
            }
        ],
    }
    assert config.to_dict() == expected
    assert list(config.to_dict()) == list(expected)
    assert list(config.to_dict()["api_configs"][0]) == list(expected["api_configs"][0])  # type: ignore[index]


def test_lamp_config_of_an_unsupported_location_is_named_by_its_index() -> None:
    """A location without a name is called by its number, and a lamp never seen has no time."""
    config = LampConfig(lamp_id=LAMP_ID, location_index=7, brightness=None)
    assert config.location_name == "Location 7"
    assert config.to_dict()["last_seen"] is None


def test_values_are_final() -> None:
    """A value that was handed out cannot be changed behind anybody's back."""
    config = LampConfig(lamp_id=LAMP_ID, location_index=7, brightness=1)
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        config.brightness = 2  # type: ignore[misc]


def test_api_key_is_not_shown() -> None:
    """An API key is in no `repr`."""
    config = ApiConfig(website_name="Surfline", full_url="https://example.org", api_key="key123")
    lamp = LampConfig(lamp_id=LAMP_ID, location_index=0, brightness=1, api_configs=(config,))
    assert "key123" not in repr(config) + repr(lamp) + str(lamp)


def test_surf_data_has_the_specification_structure() -> None:
    """Surf data without values has the specification's keys, in its order, with its defaults."""
    assert SurfData().to_dict() == {
        "wave_height_m": None,
        "wave_period_s": None,
        "wind_speed_mps": None,
        "wind_deg": None,
        "location_name": "",
        "timestamp": None,
        "data_source": "",
        "cache_timestamp": None,
    }


@given(extra=st.dictionaries(st.text("xyz", min_size=1, max_size=4), JSON, max_size=4))
def test_unknown_keys_are_kept(extra: dict[str, object]) -> None:
    """What a source says beyond the known keys survives the way in and out."""
    data = SurfData.from_dict({"wave_height_m": 1.5, **extra})
    assert dict(data.extra) == extra
    assert data.to_dict() == {**SurfData(wave_height_m=1.5).to_dict(), **extra}
    assert SurfData.from_dict(data.to_dict()) == data


@pytest.mark.parametrize("missing", ["wave_height_m", "wave_period_s", "wind_speed_mps"])
def test_completeness_needs_height_period_and_wind(missing: str) -> None:
    """Surf data is complete with wave height, wave period and wind speed; zero is a value."""
    values = {"wave_height_m": 0.0, "wave_period_s": 9.0, "wind_speed_mps": 4.0}
    assert SurfData.from_dict(values).is_complete
    assert not SurfData.from_dict({**values, missing: None}).is_complete


def test_age_is_in_minutes() -> None:
    """The age counts minutes from the measurement, and is unknown without its time."""
    assert SurfData().age_minutes is None
    before = time.time()
    age = SurfData(timestamp=before - 90).age_minutes
    assert age is not None
    assert 1.5 <= age <= 1.5 + (time.time() - before) / 60


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("wave_height_m", "high"),
        ("wave_period_s", float("nan")),
        ("wind_speed_mps", True),
        ("wind_deg", float("inf")),
        ("location_name", None),
        ("timestamp", datetime(2025, 1, 1, tzinfo=UTC)),
        ("data_source", "a\0b"),
        ("cache_timestamp", 2**70),
        ("anything", object()),
        ("anything", "\ud800"),
    ],
)
def test_surf_data_refuses_what_it_cannot_keep(field: str, value: object) -> None:
    """A value that JSON or PostgreSQL could not give back is refused, and the error names its key."""
    with pytest.raises(ValidationError, match=field) as caught:
        SurfData.from_dict({field: value})
    assert caught.value.field is not None
    assert field in caught.value.field


@pytest.mark.parametrize("data", [None, 1, "text", [("wave_height_m", 1)], {1: 2}])
def test_surf_data_is_a_mapping_with_text_keys(data: object) -> None:
    """Anything but a mapping with text keys is refused."""
    with pytest.raises(ValidationError, match="data must"):
        SurfData.from_dict(data)  # type: ignore[arg-type]
