"""The Surf Lamp domain: lamps, users, activity, a cache of surf data."""

from typing import TYPE_CHECKING

from surf_data.kernel.lazy_names import lazily

if TYPE_CHECKING:
    from surf_data.kernel.emails import email_key
    from surf_data.lamps.activity_logger import PostgresActivityLogger
    from surf_data.lamps.cache_manager import RedisCacheManager
    from surf_data.lamps.interfaces import IActivityLogger, ICacheManager, ILampRepository, IUserRepository
    from surf_data.lamps.lamp_repository import PostgresLampRepository
    from surf_data.lamps.layer import DOMAIN, LampsDataLayer, LampsTransaction, open
    from surf_data.lamps.session_repository import PostgresSessionRepository
    from surf_data.lamps.types import ApiConfig, Coordinates, LampConfig, SurfData
    from surf_data.lamps.user_repository import PostgresUserRepository
else:
    __getattr__, __dir__ = lazily(
        __name__,
        {
            "surf_data.kernel.emails": "email_key",
            "surf_data.lamps.activity_logger": "PostgresActivityLogger",
            "surf_data.lamps.cache_manager": "RedisCacheManager",
            "surf_data.lamps.interfaces": "IActivityLogger ICacheManager ILampRepository IUserRepository",
            "surf_data.lamps.lamp_repository": "PostgresLampRepository",
            "surf_data.lamps.layer": "DOMAIN LampsDataLayer LampsTransaction open",
            "surf_data.lamps.session_repository": "PostgresSessionRepository",
            "surf_data.lamps.types": "ApiConfig Coordinates LampConfig SurfData",
            "surf_data.lamps.user_repository": "PostgresUserRepository",
        },
    )

__all__ = [
    "DOMAIN",
    "ApiConfig",
    "Coordinates",
    "IActivityLogger",
    "ICacheManager",
    "ILampRepository",
    "IUserRepository",
    "LampConfig",
    "LampsDataLayer",
    "LampsTransaction",
    "PostgresActivityLogger",
    "PostgresLampRepository",
    "PostgresSessionRepository",
    "PostgresUserRepository",
    "RedisCacheManager",
    "SurfData",
    "email_key",
    "open",
]
