"""Redis, without one word of any domain: connection, circuit breaker, versioned JSON values with a time to live."""

from surf_data.cache.breaker import CircuitBreaker
from surf_data.cache.connection import Ping, RedisManager
from surf_data.cache.json_values import MAX_TTL_SECONDS, Entry
from surf_data.cache.loading import LoadOptions
from surf_data.cache.store import JsonCache

__all__ = ["MAX_TTL_SECONDS", "CircuitBreaker", "Entry", "JsonCache", "LoadOptions", "Ping", "RedisManager"]
