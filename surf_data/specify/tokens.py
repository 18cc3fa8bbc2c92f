"""Session tokens of users: known to their holder alone, stored as hashes."""

from collections.abc import Iterable, Mapping
from typing import Any

from surf_data.kernel import validation
from surf_data.kernel.crypto import new_token, token_digest
from surf_data.kernel.postgres import Executor, Json, bulk
from surf_data.kernel.secret import Secret
from surf_data.specify import fields
from surf_data.specify.base import BaseQueries, BaseRepository
from surf_data.specify.models import SessionToken
from surf_data.specify.statements import specify_queries
from surf_data.specify.table import Document, Table

_BATCH = 5000
_MORE = {
    "ip_address": fields.optional(validation.ip_address),
    "user_agent": fields.optional(fields.text(500, 0)),
    "meta": fields.document,
}


def _complete(document: Document) -> None:
    if "token" in document:
        document["token"] = new_token()
        document["token_hash"] = token_digest(document["token"].reveal())


TABLE: Table[SessionToken] = Table(
    noun="a session token",
    stem="token",
    row=SessionToken,
    checks={"user_id": fields.row_id, "expires_at": fields.moment, "is_active": fields.boolean, **_MORE},
    required=("user_id", "expires_at"),
    # A token is made for each new session.
    defaults={"token": None, "ip_address": None, "user_agent": None, "is_active": True, "meta": {}},
    complete=_complete,
    secret="token",  # noqa: S106 - the name of a column
)


class SessionTokenQueries(BaseQueries[SessionToken]):
    """Reads session tokens."""

    table = TABLE


class SessionTokenRepository(BaseRepository[SessionToken]):
    """Begins, recognises and ends sessions of users.

    Arguments:
        executor: runs the statements: a session, or a `DatabaseManager`.
    """

    def __init__(self, executor: Executor) -> None:
        #: Reads sessions.
        self.queries: SessionTokenQueries = SessionTokenQueries(executor)
        super().__init__(executor, self.queries)

    def bulk_create(self, rows: Iterable[Mapping[str, Any]]) -> list[SessionToken]:
        """Create many sessions, all of them or none, each with a token; see `BaseRepository.bulk_create`."""
        documents = self._checked_rows(rows)
        with self._executor.transaction() as session:
            # One by one, so that there is no doubt whose token is whose.
            sessions = SessionTokenRepository(session)
            return [sessions._insert_one(document) for document in documents]

    def create_session(self, user_id: int, ttl_seconds: float = 3600, **more: Any) -> SessionToken:
        """Begin a session, after the user was recognised.

        Arguments:
            user_id: the user.
            ttl_seconds: for how long it holds, above 0 to a year.
            more: ``ip_address``, ``user_agent``, ``meta``.

        Returns:
            The session; the one time that ``token`` is there.

        Raises:
            ValidationError: an argument is refused.
            ConstraintViolation: there is no such user.
            DatabaseError: it could not be stored.
        """
        validation.check_keys("more", more, required=(), optional=tuple(_MORE))
        given = {"ip_address": None, "user_agent": None, "meta": {}, **more}
        checked: dict[str, Any] = {key: check(key, given[key]) for key, check in _MORE.items()}
        token = new_token()
        row = specify_queries().token_begin(
            self._executor,
            token_hash=token_digest(token.reveal()),
            user_id=fields.row_id("user_id", user_id),
            ttl_seconds=fields.seconds("ttl_seconds", ttl_seconds),
            ip_address=checked["ip_address"],
            user_agent=checked["user_agent"],
            meta=Json(validation.jsonb_text("meta", checked["meta"])),
        )
        return SessionToken(*row, token=token)

    def validate_token(self, token: str | Secret) -> SessionToken | None:
        """Return the session of a token.

        ``last_used_at`` moves at most once a minute, so that most calls write nothing.

        Arguments:
            token: what was presented, 1 to 255 characters.

        Returns:
            The session; ``None`` when the token is unknown, has expired or was revoked, or its user is not active.

        Raises:
            ValidationError: ``token`` cannot be one.
            DatabaseError: that cannot be found out.
        """
        digest = token_digest(fields.secret("token", token))
        row = specify_queries().token_validate(self._executor, token_hash=digest)
        if row is None:
            return None
        session = SessionToken(*row[:-1])
        if row[-1]:
            specify_queries().token_touch(self._executor, row_id=session.id)
        return session

    def revoke_token(self, token: str | Secret) -> bool:
        """End a session. Idempotent: one that has ended counts, too.

        Returns:
            ``False`` when no session has this token.

        Raises:
            ValidationError: ``token`` cannot be one.
            DatabaseError: it could not be stored.
        """
        return bool(
            specify_queries().token_revoke(self._executor, token_hash=token_digest(fields.secret("token", token)))
        )

    def revoke_all(self, user_id: int) -> int:
        """End all sessions of a user; return how many there were.

        Raises:
            ValidationError: ``user_id`` cannot be an id.
            DatabaseError: it could not be stored.
        """
        return int(specify_queries().token_end_all(self._executor, user_id=fields.row_id("user_id", user_id)))

    def cleanup_expired(self) -> int:
        """Delete the sessions that have expired, in portions; return how many this call has deleted.

        Raises:
            DatabaseError: they could not be deleted, or not all.
        """
        return bulk.in_batches(lambda rows: specify_queries().token_clean(self._executor, batch=rows), _BATCH)
