"""What tests stand on: servers that a test may halt and kill, and a relay that loses what it carries."""

from rig.pgbouncer import PgBouncer
from rig.postgres import PostgresServer
from rig.redis import RedisServer
from rig.redis_fleet import ClusterService, SentinelService
from rig.relay import Relay, as_pooler
from rig.waiting import eventually

__all__ = [
    "ClusterService",
    "PgBouncer",
    "PostgresServer",
    "RedisServer",
    "Relay",
    "SentinelService",
    "as_pooler",
    "eventually",
]
