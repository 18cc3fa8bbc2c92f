"""Cycles of mining assets: access objects over PostgreSQL and Redis, as the service's callers know them."""

from typing import TYPE_CHECKING

from surf_data.kernel.lazy_names import lazily

if TYPE_CHECKING:
    from surf_data.mining.connections import close_all_connections
    from surf_data.mining.errors import (
        DataAccessError,
        PgsqlConnectionError,
        RedisConnectionError,
        StatementFailed,
        TableAccessDenied,
    )
    from surf_data.mining.key_pattern import RedisKeyPattern
    from surf_data.mining.layer import DOMAIN, MiningDataLayer, MiningTransaction, open
    from surf_data.mining.named_query import (
        NamedQuery,
        get_last_cycle_number_asset_query,
        get_loaders_from_asset_idle_query,
        get_loaders_from_process_info_query,
        get_regions_query,
    )
    from surf_data.mining.pgsql_action_dao import CustomQueryParams, PgsqlActionDAO, QueryParams
    from surf_data.mining.pgsql_base_dao import PgsqlBaseDAO
    from surf_data.mining.postgresql_config import ALLOWED_TABLES
    from surf_data.mining.records import CYCLES_FOR_FINAL_TABLE, CycleRecord, ProcessInfoRecord
    from surf_data.mining.redis_base_dao import RedisBaseDAO
    from surf_data.mining.redis_source_dao import RedisSourceDAO
    from surf_data.mining.regions import RegionData
    from surf_data.mining.settings import MiningSettings
    from surf_data.mining.steps import CycleState, StepOutcome
else:
    __getattr__, __dir__ = lazily(
        __name__,
        {
            "surf_data.mining.connections": "close_all_connections",
            "surf_data.mining.errors": """
                DataAccessError PgsqlConnectionError RedisConnectionError StatementFailed
                TableAccessDenied
            """,
            "surf_data.mining.key_pattern": "RedisKeyPattern",
            "surf_data.mining.layer": "DOMAIN MiningDataLayer MiningTransaction open",
            "surf_data.mining.named_query": """
                NamedQuery get_last_cycle_number_asset_query get_loaders_from_asset_idle_query
                get_loaders_from_process_info_query get_regions_query
            """,
            "surf_data.mining.pgsql_action_dao": "CustomQueryParams PgsqlActionDAO QueryParams",
            "surf_data.mining.pgsql_base_dao": "PgsqlBaseDAO",
            "surf_data.mining.postgresql_config": "ALLOWED_TABLES",
            "surf_data.mining.records": "CYCLES_FOR_FINAL_TABLE CycleRecord ProcessInfoRecord",
            "surf_data.mining.redis_base_dao": "RedisBaseDAO",
            "surf_data.mining.redis_source_dao": "RedisSourceDAO",
            "surf_data.mining.regions": "RegionData",
            "surf_data.mining.settings": "MiningSettings",
            "surf_data.mining.steps": "CycleState StepOutcome",
        },
    )

__all__ = [
    "ALLOWED_TABLES",
    "CYCLES_FOR_FINAL_TABLE",
    "DOMAIN",
    "CustomQueryParams",
    "CycleRecord",
    "CycleState",
    "DataAccessError",
    "MiningDataLayer",
    "MiningSettings",
    "MiningTransaction",
    "NamedQuery",
    "PgsqlActionDAO",
    "PgsqlBaseDAO",
    "PgsqlConnectionError",
    "ProcessInfoRecord",
    "QueryParams",
    "RedisBaseDAO",
    "RedisConnectionError",
    "RedisKeyPattern",
    "RedisSourceDAO",
    "RegionData",
    "StatementFailed",
    "StepOutcome",
    "TableAccessDenied",
    "close_all_connections",
    "get_last_cycle_number_asset_query",
    "get_loaders_from_asset_idle_query",
    "get_loaders_from_process_info_query",
    "get_regions_query",
    "open",
]
