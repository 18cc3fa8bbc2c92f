"""Sessions of users: PostgreSQL decides, and Redis is believed for a bounded time."""

import json
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any, TypedDict, Unpack, cast
from uuid import UUID

import attrs
import redis

from surf_data.errors import ValidationError
from surf_data.kernel import validation
from surf_data.kernel.cache import commands
from surf_data.kernel.crypto import new_token, token_digest
from surf_data.kernel.identifiers import new_id
from surf_data.kernel.postgres import Executor, Json
from surf_data.kernel.redis import RedisManager
from surf_data.kernel.secret import Secret
from surf_data.screenshot.entities import as_json, identifier
from surf_data.screenshot.queries import screenshot_queries
from surf_data.screenshot.redis_sessions import STORE, TOMBSTONE
from surf_data.screenshot.saving import columns
from surf_data.screenshot.session import NewSession, Session, session_seconds
from surf_data.screenshot.settings import ScreenshotSettings
from surf_data.screenshot.users import checked_limit, digest

_COLUMNS = (
    "type", "ip_address", "user_agent", "device_id", "device_type", "browser", "browser_version", "operating_system",
    "os_version", "country", "city", "timezone", "session_data", "metadata",
)  # fmt: skip
_MAX_REMEMBERED = 10_000
_MAX_DAYS = 36_500
_NEEDED = {"id", "session_id", "expires_at", "user_id", "created_at"}
_MOMENTS = ("expires_at", "last_active_at", "revoked_at", "created_at", "updated_at")


class SessionFacts(TypedDict, total=False):
    """What may be noted of a new session; `Session` says what each is."""

    type: str
    ip_address: str | None
    user_agent: str | None
    device_id: str | None
    device_type: str | None
    browser: str | None
    browser_version: str | None
    operating_system: str | None
    os_version: str | None
    country: str | None
    city: str | None
    timezone: str | None
    session_data: Mapping[str, Any]
    metadata: Mapping[str, Any]


class SessionRepository:
    """Keeps sessions in PostgreSQL. What Redis says of one counts for ``session_trust_seconds``.

    So a session that was revoked while Redis could not be reached may live that much longer, and no more. Without
    Redis, and in a transaction, PostgreSQL is always asked.

    Arguments:
        executor: runs the statements.
        manager: the way to Redis.
        settings: ``session_trust_seconds`` and ``redis_key_prefix``.
        reads_cache: whether `get` asks Redis first: not in a transaction.
    """

    def __init__(
        self, executor: Executor, manager: RedisManager, settings: ScreenshotSettings, *, reads_cache: bool
    ) -> None:
        self._executor = executor
        self._manager = manager
        self._trust = settings.session_trust_seconds
        self._prefix = f"{settings.cache_prefix}{settings.redis_key_prefix}:session-row:"
        self._reads_cache = reads_cache and self._trust > 0
        self._touching = threading.Lock()
        self._touched: dict[str, tuple[float, int]] = {}

    def create(self, user_id: UUID | str, *, ttl_seconds: int = 86_400, **facts: Unpack[SessionFacts]) -> NewSession:
        """Begin a session of an active user.

        Arguments:
            user_id: the user.
            ttl_seconds: for how long it holds, 1 to 31,622,400.
            facts: what is noted of it: address, agent, device, place, ``session_data``.

        Returns:
            The token for its holder, of which the hash alone is stored, and the session.

        Raises:
            ValidationError: an argument is refused, or there is no such active user.
            DatabaseError: it could not be stored.
        """
        user, seconds = identifier("user_id", user_id), session_seconds(ttl_seconds)
        validation.check_keys("facts", facts, required=(), optional=tuple(SessionFacts.__annotations__))
        entity = Session(**cast("dict[str, Any]", facts))
        token = new_token()
        parameters: dict[str, Any] = {**columns(entity, _COLUMNS), "session_id": token_digest(token.reveal())}
        stored = screenshot_queries().session_insert(
            self._executor, id=new_id(), seconds=seconds, user_id=user, **parameters
        )
        if stored is None:
            raise ValidationError("user_id is not an active user's", field="user_id")
        return NewSession(token=token, session=stored)

    def get(self, token: str | Secret) -> Session | None:
        """Return the session of a token; ``None`` if it has ended, or its user may not sign in.

        Raises:
            ValidationError: ``token`` cannot be one.
            DatabaseError: PostgreSQL had to be asked, and cannot answer.
        """
        key = digest(token)
        if not self._reads_cache:
            return screenshot_queries().session_by_session_id(self._executor, session_id=key)
        name = self._prefix + key
        document = self._manager.call(lambda client: commands.get(client, name), read=True, otherwise=None)
        if (known := _load(document)) is not None and known.is_active:
            return known
        found = screenshot_queries().session_by_session_id(self._executor, session_id=key)
        if found is not None and document != TOMBSTONE:
            self._keep(name, found)
        return found

    def find(self, session_id: UUID | str) -> Session | None:
        """Return a session by its id, whatever its state; ``None`` if there is none."""
        return screenshot_queries().session_by_id(self._executor, id=identifier("session_id", session_id))

    def list_active(self, user_id: UUID | str, limit: int = 100) -> Sequence[Session]:
        """Return the sessions of a user that hold, the one that ends last first."""
        return screenshot_queries().session_list_active(
            self._executor, user_id=identifier("user_id", user_id), row_limit=checked_limit(limit)
        )

    def extend(self, token: str | Secret, ttl_seconds: int = 86_400) -> datetime | None:
        """Let a session end so many seconds from now; return when, ``None`` if it does not hold."""
        key = digest(token)
        ends: datetime | None = screenshot_queries().session_extend(
            self._executor, session_id=key, seconds=session_seconds(ttl_seconds)
        )
        self._forget([key])
        return ends

    def touch(self, token: str | Secret, *, every: int = 60) -> bool:
        """Note that a session is in use, at most once in ``every`` seconds; requests meanwhile are counted with it.

        Returns:
            Whether it was noted now.
        """
        key, now = digest(token), time.monotonic()
        pause = validation.integer("every", every, minimum=1, maximum=86_400)
        with self._touching:
            last, waiting = self._touched.get(key, (-pause, 0))
            if len(self._touched) >= _MAX_REMEMBERED:
                self._touched.clear()
            due = now - last >= pause
            self._touched[key] = (now, 0) if due else (last, waiting + 1)
        if not due:
            return False
        noted = screenshot_queries().session_touch(self._executor, session_id=key, requests=waiting + 1, every=pause)
        return bool(noted)

    def set_data(
        self, token: str | Secret, session_data: Mapping[str, Any], *, expected: Mapping[str, Any] | None = None
    ) -> bool:
        """Replace what a session holds; return whether it was replaced.

        Arguments:
            token: what its holder presents.
            session_data: a JSON object.
            expected: what it held when it was read: if it has changed meanwhile, nothing is replaced.
        """
        key = digest(token)
        before = None if expected is None else Json(validation.jsonb_object("expected", expected))
        document = Json(validation.jsonb_object("session_data", session_data))
        replaced = screenshot_queries().session_data(
            self._executor, session_id=key, session_data=document, expected=before
        )
        self._forget([key])
        return bool(replaced)

    def rotate(self, token: str | Secret) -> Secret | None:
        """Give a session another token, as after a login; return it, ``None`` if the session does not hold."""
        key, fresh = digest(token), new_token()
        changed = screenshot_queries().session_rotate(
            self._executor, session_id=key, new_session_id=token_digest(fresh.reveal())
        )
        self._forget([key])
        return fresh if changed else None

    def revoke(self, token: str | Secret, reason: str | None = None) -> bool:
        """End a session for good; return whether it was active."""
        key = digest(token)
        ended = screenshot_queries().session_revoke(self._executor, session_id=key, reason=_reason(reason))
        self._forget([key])
        return bool(ended)

    def revoke_all(self, user_id: UUID | str, *, keep: str | Secret | None = None, reason: str | None = None) -> int:
        """End all sessions of a user for good, but for one that is to be kept; return how many were ended."""
        ended = screenshot_queries().session_revoke_all(
            self._executor,
            user_id=identifier("user_id", user_id),
            keep=None if keep is None else digest(keep),
            reason=_reason(reason),
        )
        keys = [key for (key,) in ended]
        self._forget(keys)
        return len(keys)

    def expire(self, limit: int = 1_000) -> int:
        """Mark sessions whose time is up as expired, 1 to 1,000 of them; return how many."""
        return screenshot_queries().session_expire(self._executor, row_limit=checked_limit(limit))

    def purge(self, days: int = 30, limit: int = 1_000) -> int:
        """Delete sessions that ended so many days ago, 1 to 1,000 of them; return how many."""
        kept = validation.integer("days", days, minimum=0, maximum=_MAX_DAYS)
        return screenshot_queries().session_purge(self._executor, days=kept, row_limit=checked_limit(limit))

    def _keep(self, name: str, session: Session) -> None:
        left = int((session.expires_at - datetime.now(UTC)).total_seconds())
        if (seconds := min(self._trust, left)) > 0:
            document = _dump(session)
            # Not over the tombstone of one that was revoked since it was read.
            self._manager.call(
                lambda client: client.eval(STORE, 1, name, document, seconds), read=False, otherwise=None
            )

    def _forget(self, keys: Sequence[str]) -> None:
        """Have PostgreSQL asked about sessions until whatever was read of them before is too old to be stored."""
        seconds = self._trust + 10
        names = [self._prefix + key for key in keys] if self._trust else []
        if names:
            self._manager.call(lambda client: _bury(client, names, seconds), read=False, otherwise=None)


def _bury(client: redis.Redis, names: Sequence[str], seconds: int) -> None:
    # Not a transaction: in a cluster the keys are on several servers.
    with client.pipeline(transaction=False) as pipe:
        for name in names:
            pipe.set(name, TOMBSTONE, ex=seconds)
        pipe.execute()


def _dump(session: Session) -> str:
    known = {name: getattr(session, name) for name in attrs.fields_dict(Session)}
    # Most of what may be noted is not, and what is left out is neither sent nor read.
    return json.dumps({name: as_json(value) for name, value in known.items() if value}, separators=(",", ":"))


def _load(document: object) -> Session | None:
    if not isinstance(document, bytes) or document == TOMBSTONE:
        return None
    with suppress(ValueError, TypeError, LookupError, RecursionError, AttributeError):
        values: dict[str, Any] = json.loads(document.decode())
        if not values.keys() >= _NEEDED:
            return None
        values |= {name: datetime.fromisoformat(values[name]) for name in _MOMENTS if name in values}
        return Session(**values)
    return None


def _reason(reason: object) -> str | None:
    return None if reason is None else validation.text("reason", reason, maximum=255)
