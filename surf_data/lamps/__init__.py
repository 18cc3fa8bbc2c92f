"""The Surf Lamp domain: lamps, users, activity, a cache of surf data."""

from surf_data.kernel.emails import email_key
from surf_data.lamps.activity_logger import PostgresActivityLogger
from surf_data.lamps.cache_manager import RedisCacheManager
from surf_data.lamps.interfaces import IActivityLogger, ICacheManager, ILampRepository, IUserRepository
from surf_data.lamps.lamp_repository import PostgresLampRepository
from surf_data.lamps.layer import DOMAIN, LampsDataLayer, LampsTransaction, open
from surf_data.lamps.session_repository import PostgresSessionRepository
from surf_data.lamps.types import ApiConfig, Coordinates, LampConfig, SurfData
from surf_data.lamps.user_repository import PostgresUserRepository

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
