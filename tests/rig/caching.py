"""What tests of Redis and of the cache have in common."""

from typing import Any
from urllib.parse import urlsplit

from rig.relay import Relay
from surf_data.kernel import settings
from surf_data.kernel.cache import Entry, JsonCache
from surf_data.kernel.redis import RedisManager

#: A value as applications have them.
VALUE = {"wave_height_m": 1.5, "name": "Māili Point", "tags": [1, None, {"a": True}]}


def manager_of(url: str | None, **keywords: Any) -> RedisManager:
    """Return a manager with a long time-out, since the servers share a machine, unless a test says otherwise."""
    return RedisManager(settings.load({}, **{"redis_url": url, "cache_timeout": 20, **keywords}))


def relay_to(url: str) -> Relay:
    """Return a relay in front of a server on a socket."""
    return Relay(urlsplit(url).path)


def url_of(relay: Relay) -> str:
    """Return the URL that leads through a relay."""
    return f"redis://127.0.0.1:{relay.port}"


def value_of(entry: Entry) -> dict[str, Any]:
    """Return the value itself."""
    return entry.value


def figures(counted: JsonCache | RedisManager) -> dict[str, int | str]:
    """Return the figures that are not zero, of a cache and its manager, while the breaker is closed."""
    stats = counted.stats()
    if isinstance(counted, JsonCache):
        stats = {**stats, **counted._manager.stats()}
        assert stats.pop("near") == "off"
    assert stats.pop("breaker") == "closed"
    return {name: figure for name, figure in stats.items() if figure}
