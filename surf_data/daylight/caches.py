"""What is known for a while: weather, traffic, events; in Redis for speed, in PostgreSQL to survive it."""

from collections.abc import Callable
from typing import Any

from surf_data.daylight import checks
from surf_data.daylight.queries import daylight_queries
from surf_data.kernel import validation
from surf_data.kernel.cache import JsonCache
from surf_data.kernel.cache.json_values import Entry
from surf_data.kernel.postgres import Executor, bulk

#: The longest time to live in minutes: 31 days.
MAX_TTL_MINUTES = 44_640
#: What the keys in Redis begin with.
PREFIXES = ("daylight:weather:", "daylight:traffic:", "daylight:events:")
_MAX_KEY = 512
_PORTION = 5_000


class CacheService:
    """Two layers, read Redis first. A Redis that is away costs nothing; an expired value is never returned.

    Arguments:
        database: runs the statements.
        values: Redis; ``None`` within a transaction, where PostgreSQL alone is used.
        layers: ``redis``, ``postgresql`` or ``both``.
    """

    def __init__(self, database: Executor, values: JsonCache | None, layers: str = "both") -> None:
        self._database = database
        self._values = None if layers == "postgresql" else values
        self._has_table = layers != "redis" or values is None

    def set_weather_cache(self, location_key: str, weather_data: Any, ttl_minutes: float = 60) -> None:
        """Store the weather at a place.

        Arguments:
            location_key: 1 to 512 characters.
            weather_data: any JSON but null.
            ttl_minutes: how long it is good for, above 0 and at most 44,640.

        Raises:
            ValidationError: an argument is refused.
            DatabaseError: it could not be stored.
        """
        self._set("weather", location_key, weather_data, ttl_minutes)

    def get_weather_cache(self, location_key: str) -> Any:
        """Return the weather at a place, ``None`` when it is not known any more.

        Raises:
            ValidationError: ``location_key`` is refused.
            DatabaseError: the question could not be answered.
        """
        return self._get("weather", location_key)

    def delete_weather_cache(self, location_key: str) -> None:
        """Forget the weather at a place.

        Raises:
            ValidationError: ``location_key`` is refused.
            DatabaseError: it could not be deleted.
        """
        self._delete("weather", location_key)

    def set_traffic_cache(self, route_key: str, traffic_data: Any, ttl_minutes: float = 30) -> None:
        """Store the traffic on a route; as `set_weather_cache`."""
        self._set("traffic", route_key, traffic_data, ttl_minutes)

    def get_traffic_cache(self, route_key: str) -> Any:
        """Return the traffic on a route; as `get_weather_cache`."""
        return self._get("traffic", route_key)

    def delete_traffic_cache(self, route_key: str) -> None:
        """Forget the traffic on a route; as `delete_weather_cache`."""
        self._delete("traffic", route_key)

    def set_events_cache(self, event_key: str, events_data: Any, ttl_minutes: float = 60) -> None:
        """Store events; as `set_weather_cache`."""
        self._set("events", event_key, events_data, ttl_minutes)

    def get_events_cache(self, event_key: str) -> Any:
        """Return events; as `get_weather_cache`."""
        return self._get("events", event_key)

    def delete_events_cache(self, event_key: str) -> None:
        """Forget events; as `delete_weather_cache`."""
        self._delete("events", event_key)

    def clean_up(self) -> dict[str, int]:
        """Delete the expired rows of all three, in portions; return how many of each.

        Raises:
            DatabaseError: they could not be deleted.
        """
        return {name: self._clean(name) for name in ("weather", "traffic", "events")}

    def _clean(self, name: str) -> int:
        clean = self._statement(name, "clean")
        return bulk.in_batches(lambda rows: clean(self._database, row_limit=rows), _PORTION)

    def _set(self, name: str, key: object, value: Any, ttl_minutes: object) -> None:
        key = _key(key)
        minutes = validation.number("ttl_minutes", ttl_minutes)
        if not 0 < minutes <= MAX_TTL_MINUTES:
            raise validation.invalid("ttl_minutes", f"must be above 0 and at most {MAX_TTL_MINUTES}")
        document = checks.anything("data", value)
        if document is None:
            raise validation.invalid("data", "must not be None")
        # The table first: what is in Redis alone would be gone with it.
        if self._has_table:
            arguments = {"cache_key": key, "data": document, "seconds": minutes * 60.0}
            self._statement(name, "upsert")(self._database, **arguments)
        self._keep(name, key, value, minutes * 60.0)

    def _get(self, name: str, key: object) -> Any:
        key = _key(key)
        if self._values is not None:
            found = self._values.get(f"daylight:{name}:{key}", _value)
            if found is not None:
                return found
        row = self._statement(name, "read")(self._database, cache_key=key) if self._has_table else None
        if row is None:
            return None
        self._keep(name, key, row[0], row[1])
        return row[0]

    def _delete(self, name: str, key: object) -> None:
        key = _key(key)
        if self._has_table:
            self._statement(name, "delete")(self._database, cache_key=key)
        if self._values is not None:
            self._values.delete(f"daylight:{name}:{key}")

    def _keep(self, name: str, key: str, value: Any, seconds: float) -> None:
        # Redis counts whole seconds here; what has less than one left is not worth it.
        if self._values is not None and seconds >= 1:
            self._values.set(f"daylight:{name}:{key}", {"value": value}, ttl_seconds=int(seconds))

    @staticmethod
    def _statement(name: str, action: str) -> Callable[..., Any]:
        queries = daylight_queries()
        statements: dict[str, Callable[..., Any]] = {
            "weather_clean": queries.weather_clean,
            "weather_delete": queries.weather_delete,
            "weather_read": queries.weather_read,
            "weather_upsert": queries.weather_upsert,
            "traffic_clean": queries.traffic_clean,
            "traffic_delete": queries.traffic_delete,
            "traffic_read": queries.traffic_read,
            "traffic_upsert": queries.traffic_upsert,
            "events_clean": queries.events_clean,
            "events_delete": queries.events_delete,
            "events_read": queries.events_read,
            "events_upsert": queries.events_upsert,
        }
        return statements[f"{name}_{action}"]

    setWeatherCache = set_weather_cache  # noqa: N815 - the original's names
    getWeatherCache = get_weather_cache  # noqa: N815
    deleteWeatherCache = delete_weather_cache  # noqa: N815
    setTrafficCache = set_traffic_cache  # noqa: N815
    getTrafficCache = get_traffic_cache  # noqa: N815


def _value(entry: Entry) -> Any:
    return entry.value["value"]


def _key(value: object) -> str:
    return validation.text("key", value, maximum=_MAX_KEY)
