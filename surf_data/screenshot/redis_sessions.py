"""Sessions that are in Redis alone, as the original's cache manager has them: ids and data are the caller's."""

import threading
import time
from collections.abc import Mapping
from typing import Any

import redis

from surf_data.kernel import validation
from surf_data.kernel.cache import commands
from surf_data.kernel.redis import RedisManager
from surf_data.screenshot.cached_values import dump, load
from surf_data.screenshot.session import session_seconds
from surf_data.screenshot.settings import ScreenshotSettings

# What stands where a session was deleted, and reads as none. For so many seconds a slow request cannot bring it back.
TOMBSTONE = b"null"
_TOMBSTONE_SECONDS = 120
_MAX_ID = 255
_MAX_REMEMBERED = 10_000
_FAMILY = "session:"
# Each is about one key, so that it works in a cluster.
STORE = """
if redis.call('GET', KEYS[1]) == 'null' then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'EX', ARGV[2])
return 1
"""
_REPLACE = """
local known = redis.call('GET', KEYS[1])
if not known or known == 'null' or (ARGV[2] ~= '' and known ~= ARGV[2]) then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'KEEPTTL')
return 1
"""
_EXTEND = """
local known = redis.call('GET', KEYS[1])
if not known or known == 'null' then return 0 end
return redis.call('EXPIRE', KEYS[1], ARGV[1])
"""
_DELETE = """
local known = redis.call('GET', KEYS[1])
redis.call('SET', KEYS[1], 'null', 'EX', ARGV[1])
if not known or known == 'null' then return 0 end
return 1
"""


class RedisSessions:
    """Keeps sessions in Redis alone; when Redis is unavailable there are none. Thread-safe.

    Arguments:
        manager: the way to Redis.
        settings: ``redis_key_prefix``, ``session_ttl``.
    """

    def __init__(self, manager: RedisManager, settings: ScreenshotSettings) -> None:
        self._manager = manager
        self._prefix = f"{settings.cache_prefix}{settings.redis_key_prefix}:"
        self._session_ttl = settings.session_ttl
        self._touching = threading.Lock()
        self._touched: dict[str, float] = {}

    def set_session(self, session_id: str, session_data: Mapping[str, Any], ttl: int | None = None) -> bool:
        """Store a session; return whether it was stored. One that was just deleted cannot be brought back.

        Arguments:
            session_id: 1 to 255 printable characters.
            session_data: a JSON object; ``userId`` or ``user_id`` in it lets `get_user_sessions` find the session.
            ttl: seconds until it ends, 1 to 31,622,400; the setting ``session_ttl`` when not given.

        Raises:
            ValidationError: an argument is refused; nothing was sent.
        """
        seconds = self._session_ttl if ttl is None else session_seconds(ttl, "ttl")
        name = self._session_name(session_id)
        document = dump("session_data", validation.mapping("session_data", session_data), 0)
        stored = self._evaluate(STORE, name, document, seconds)
        if stored and (user := _user_of(session_data)):
            self._note(user, session_id, seconds)
        return stored

    def get_session(self, session_id: str) -> dict[str, Any] | None:
        """Return what a session holds; ``None`` if there is none."""
        name = self._session_name(session_id)
        found = load(self._manager.call(lambda client: commands.get(client, name), read=True, otherwise=None))
        return found if isinstance(found, dict) else None

    def update_session(
        self, session_id: str, session_data: Mapping[str, Any], *, expected: Mapping[str, Any] | None = None
    ) -> bool:
        """Replace what a session holds, and leave its end; return whether it was replaced.

        Arguments:
            session_id: as for `set_session`.
            session_data: as for `set_session`.
            expected: what it held when it was read: if it has changed meanwhile, nothing is replaced.
        """
        name = self._session_name(session_id)
        document = dump("session_data", validation.mapping("session_data", session_data), 0)
        before = b"" if expected is None else dump("expected", validation.mapping("expected", expected), 0)
        return self._evaluate(_REPLACE, name, document, before)

    def extend_session(self, session_id: str, ttl: int | None = None) -> bool:
        """Let a session end so many seconds from now; return whether there is such a session."""
        seconds = self._session_ttl if ttl is None else session_seconds(ttl, "ttl")
        return self._evaluate(_EXTEND, self._session_name(session_id), seconds)

    def touch_session(self, session_id: str, ttl: int | None = None, *, every: int = 60) -> bool:
        """Extend a session, but in this process at most once in ``every`` seconds; return whether it was extended."""
        name, now = self._session_name(session_id), time.monotonic()
        pause = validation.integer("every", every, minimum=1, maximum=86_400)
        with self._touching:
            if now - self._touched.get(name, -pause) < pause:
                return False
            if len(self._touched) >= _MAX_REMEMBERED:
                self._touched.clear()
            self._touched[name] = now
        return self.extend_session(session_id, ttl)

    def delete_session(self, session_id: str) -> bool:
        """End a session for good; return whether there was one."""
        return self._evaluate(_DELETE, self._session_name(session_id), _TOMBSTONE_SECONDS)

    def get_user_sessions(self, user_id: str) -> dict[str, dict[str, Any]]:
        """Return the sessions of a user by their ids."""
        found = {session_id: self.get_session(session_id) for session_id in self._noted(user_id)}
        return {session_id: held for session_id, held in found.items() if held is not None}

    def delete_user_sessions(self, user_id: str) -> int:
        """End all sessions of a user; return how many there were."""
        ended = sum(self.delete_session(session_id) for session_id in self._noted(user_id))
        name = self._user_name(user_id)
        self._manager.call(lambda client: client.unlink(name), read=False, otherwise=0)
        return ended

    def _session_name(self, session_id: object) -> str:
        checked = validation.text("session_id", session_id, maximum=_MAX_ID)
        if not checked.isprintable():
            raise validation.invalid("session_id", "must be printable")
        # Two colons, as the original has them.
        return f"{self._prefix}{_FAMILY}:{checked}"

    def _user_name(self, user_id: object) -> str:
        return f"{self._prefix}session-user:{validation.text('user_id', user_id, maximum=_MAX_ID)}"

    def _note(self, user_id: str, session_id: str, seconds: int) -> None:
        name, now = self._user_name(user_id), time.time()

        def note(client: redis.Redis) -> None:
            with client.pipeline(transaction=False) as pipe:
                pipe.zadd(name, {session_id: now + seconds})
                pipe.zremrangebyscore(name, "-inf", now)
                # Longer than any session in it.
                pipe.expire(name, 31_622_400)
                pipe.execute()

        self._manager.call(note, read=False, otherwise=None)

    def _noted(self, user_id: str) -> list[str]:
        name, nobody = self._user_name(user_id), list[Any]()
        members: list[Any] = self._manager.call(
            lambda client: client.zrangebyscore(name, time.time(), "+inf"), read=True, otherwise=nobody
        )
        return [member.decode(errors="replace") for member in members]

    def _evaluate(self, script: str, name: str, *arguments: Any) -> bool:
        return self._manager.call(
            lambda client: bool(client.eval(script, 1, name, *arguments)), read=False, otherwise=False
        )


def _user_of(session_data: Mapping[str, Any]) -> str | None:
    user = session_data.get("userId", session_data.get("user_id"))
    return user if isinstance(user, str) and 0 < len(user) <= _MAX_ID else None
