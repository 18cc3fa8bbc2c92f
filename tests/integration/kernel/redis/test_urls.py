"""URLs of single servers: what is accepted, and what is refused without being repeated."""

import pytest

from rig.caching import figures, manager_of
from surf_data.errors import ConfigurationError


@pytest.mark.parametrize(
    "url",
    [
        "sesame",
        "http://sesame",
        "redis:",
        "redis://",
        "redis://:6379",
        "redis://:sesame@",
        "redis://:ses/ame@host",
        "redis://:12/sesame@host",
        "redis://:ses#ame@host",
        "redis://user#:sesame@host",
        "redis://:ses?ame@host",
        "redis://:ses[ame@host",
        "redis://host:sesame",
        "redis://host:99999",
        "redis://host/sesame",
        "redis://host/1/2",
        "redis://host?db=sesame",
        "redis://host?sesame=1",
        "redis://host?socket_timeout=30",
        "redis://host?ssl_ca_certs=/sesame",
        "rediss://host?ssl_sesame=1",
        "rediss://host?ssl_cert_reqs=sesame",
        "redis://" + "sesame" * 20,
        "unix://",
        "unix:///",
        "unix://sesame/redis.sock",
        "unix://:sesame@",
    ],
)
def test_malformed_urls_are_refused(url: str) -> None:
    """A URL that cannot be right is a configuration error that repeats none of it, and nothing travels along."""
    with pytest.raises(ConfigurationError) as raised:
        manager_of(url)
    error = raised.value
    assert error.setting == "redis_url"
    assert "redis_url (SURF_DATA_REDIS_URL)" in str(error)
    assert "ses" not in str(error)
    assert error.__cause__ is None
    assert error.__context__ is None


@pytest.mark.parametrize(
    "url",
    [
        "redis://localhost",
        "redis://localhost/",
        "redis://localhost:6380/15",
        "redis://user:pass@[::1]:6379/0",
        "rediss://user@localhost?ssl_cert_reqs=required&ssl_check_hostname=true",
        "unix:///run/redis.sock?db=1&username=user&password=pass",
    ],
)
def test_well_formed_urls_are_taken(url: str) -> None:
    """What the documentation shows is accepted, and nothing is connected for it."""
    assert figures(manager_of(url)) == {}
