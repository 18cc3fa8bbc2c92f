"""Which tables may be pulled from, and the settings of the access objects for PostgreSQL."""

from collections.abc import Callable, Mapping
from typing import Any

from surf_data import mining
from surf_data.mining.settings import MiningSettings, load_settings

#: The views of schema ``dx`` that ``single_query`` may name. Another one is a view by migration, and a line here.
ALLOWED_TABLES: list[str] = [
    "asset_cycle_tmp_vlx",
    "asset_cycle_repro_tmp_vlx",
    "asset_cycle_vlx",
    "tx_process_info",
    "asset",
    "region",
    "asset_cycles",
    "process_checkpoints",
    "asset_master",
]

#: Columns that say the same as another one, and come only when they are named.
SYNONYMS: Mapping[str, tuple[str, ...]] = {"asset_cycles": ("status",), "asset_master": ("asset_guid",)}


def settings(credentials: Callable[[], Mapping[str, Any]] | None = None, /, **keywords: Any) -> MiningSettings:
    """Return the settings from keywords, ``SURF_DATA_*``, ``PGSQL_*``, ``REDIS_*`` and ``PG*`` variables.

    Arguments:
        credentials: returns what a secret store keeps for PostgreSQL: ``host``, ``port``, ``dbname``, ``username`` and
            ``password``; it counts before the environment.
        keywords: attributes of `MiningSettings`.

    Raises:
        ConfigurationError: a setting is unknown or malformed; the error names it, not its value.
    """
    return load_settings(mining.DOMAIN, postgresql=credentials, **keywords)
