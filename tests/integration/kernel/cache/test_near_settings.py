"""Where there can be a near cache, and where not."""

import pytest

import surf_data
from surf_data.errors import ConfigurationError


@pytest.mark.parametrize("url", ["redis+sentinel://host/service", "redis+cluster://host"])
def test_several_servers_are_refused(url: str) -> None:
    """With Sentinels or a cluster no server reports all changes, so the setting is refused, with the reason."""
    with pytest.raises(ConfigurationError, match="single Redis server") as caught:
        surf_data.open("host=/nowhere", url, near_cache_bytes=1000)
    assert caught.value.setting == "near_cache_bytes"


def test_without_redis_there_is_none() -> None:
    """The setting alone does no harm."""
    with surf_data.open("host=/nowhere", near_cache_bytes=1000) as data:
        data.cache.set_system_stats({"n": 1})
        assert data.cache.get_system_stats() is None
        assert data.stats()["cache"]["near"] == "off"
