"""The settings of the access objects for Redis."""

from collections.abc import Callable, Mapping
from typing import Any

from surf_data import mining
from surf_data.mining.settings import MiningSettings, load_settings


def settings(credentials: Callable[[], Mapping[str, Any]] | None = None, /, **keywords: Any) -> MiningSettings:
    """Return the settings from keywords, ``SURF_DATA_*``, ``PGSQL_*``, ``REDIS_*`` and ``PG*`` variables.

    Arguments:
        credentials: returns what a secret store keeps for Redis: ``host``, ``port``, ``dbname`` (a number),
            ``username`` and ``password``; it counts before the environment.
        keywords: attributes of `MiningSettings`.

    Raises:
        ConfigurationError: a setting is unknown or malformed; the error names it, not its value.
    """
    return load_settings(mining.DOMAIN, redis=credentials, **keywords)
