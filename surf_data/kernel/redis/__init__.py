"""Commands to Redis, without one word of any domain: connections, topologies, circuit breaker, lock."""

from surf_data.kernel.redis.breaker import CircuitBreaker
from surf_data.kernel.redis.lock import RedisLock
from surf_data.kernel.redis.manager import Ping, RedisManager

__all__ = ["CircuitBreaker", "Ping", "RedisLock", "RedisManager"]
