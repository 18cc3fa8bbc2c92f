"""Sessions of users: those that hold data, and those that stand for a login."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from surf_data.daylight import checks
from surf_data.daylight.queries import daylight_queries
from surf_data.daylight.records import UserSession
from surf_data.errors import ConstraintViolation, ValidationError
from surf_data.kernel import validation
from surf_data.kernel.crypto import new_token, token_digest
from surf_data.kernel.postgres import Executor, bulk
from surf_data.kernel.secret import Secret

#: The longest life of a session in days: for so long user_sessions are kept.
MAX_SESSION_DAYS = 30
#: Logins of a user at once; the oldest ends when another begins.
MAX_LOGINS = 5
#: Seconds of a login, and those below which it should be refreshed.
LOGIN_SECONDS = 86_400
REFRESH_BELOW = 300
_PORTION = 5_000


class Login(NamedTuple):
    """What the holder of a login gets, and no other caller."""

    #: What it presents with each request.
    token: Secret
    #: What it exchanges both for.
    refresh_token: Secret


class LoginState(NamedTuple):
    """A login that was recognised."""

    user_id: str
    #: Seconds it has left.
    seconds_left: float
    #: Whether it is time to refresh it.
    should_refresh: bool


class UserSessionService:
    """Sessions that hold data. Only the holder knows a token: the hash alone is stored.

    Arguments:
        database: runs the statements.
    """

    def __init__(self, database: Executor) -> None:
        self._database = database

    def create(self, user_id: str, data: Mapping[str, Any] | None = None, ttl_days: int = MAX_SESSION_DAYS) -> Secret:
        """Begin a session.

        Arguments:
            user_id: the user.
            data: a JSON object.
            ttl_days: how long it holds, 1 to 30.

        Returns:
            The token, for the user; it cannot be had again.

        Raises:
            ValidationError: an argument is refused, or there is no such user.
            DatabaseError: it could not be stored.
        """
        token = new_token()
        days = validation.integer("ttl_days", ttl_days, minimum=1, maximum=MAX_SESSION_DAYS)
        values: dict[str, Any] = {
            "session_hash": token_digest(token.reveal()),
            "user_id": checks.identifier("user_id", user_id),
            "data": checks.document("data", {} if data is None else data),
            "seconds": days * 86_400.0,
        }
        _stored(lambda: daylight_queries().session_create(self._database, **values))
        return token

    def get(self, token: str) -> UserSession | None:
        """Return a session; ``None`` when there is none with this token, or it has expired.

        Raises:
            ValidationError: ``token`` cannot be one.
            DatabaseError: the question could not be answered.
        """
        return daylight_queries().session_get(self._database, session_hash=_digest(token))

    def destroy(self, token: str) -> bool:
        """End a session; return whether there was one.

        Raises:
            ValidationError: ``token`` cannot be one.
            DatabaseError: it could not be ended.
        """
        return bool(daylight_queries().session_destroy(self._database, session_hash=_digest(token)))

    def destroy_all(self, user_id: str) -> int:
        """End all sessions of a user, logins included; return how many.

        Raises:
            ValidationError: ``user_id`` cannot be an id.
            DatabaseError: they could not be ended.
        """
        user_id = checks.identifier("user_id", user_id)
        return daylight_queries().session_destroy_all(self._database, user_id=user_id) or 0

    def clean_up(self) -> int:
        """Delete the sessions that have expired, in portions; return how many.

        Raises:
            DatabaseError: they could not be deleted.
        """
        return bulk.in_batches(lambda rows: daylight_queries().session_clean(self._database, row_limit=rows), _PORTION)


class AuthSessionService:
    """Logins: 24 hours, five of a user at once, refreshed by exchanging both tokens.

    Arguments:
        database: runs the statements.
    """

    def __init__(self, database: Executor) -> None:
        self._database = database

    def begin(self, user_id: str, *, ip_address: object = None, user_agent: str | None = None) -> Login:
        """Begin a login, after the user was recognised; the sixth ends the oldest.

        Raises:
            ValidationError: an argument is refused, or there is no such user.
            DatabaseError: it could not be stored.
        """
        login = Login(new_token(), new_token())
        values: dict[str, Any] = {
            "user_id": checks.identifier("user_id", user_id),
            "ip_address": None if ip_address is None else validation.ip_address("ip_address", ip_address),
            "user_agent": None if user_agent is None else validation.text("user_agent", user_agent, maximum=1000),
        }
        _stored(
            lambda: daylight_queries().auth_session_begin(
                self._database,
                session_hash=token_digest(login.token.reveal()),
                refresh_hash=token_digest(login.refresh_token.reveal()),
                seconds=float(LOGIN_SECONDS),
                most=MAX_LOGINS,
                **values,
            )
        )
        return login

    def get(self, token: str) -> LoginState | None:
        """Return whose login it is; ``None`` when it is none, has expired, or the user is not active.

        Raises:
            ValidationError: ``token`` cannot be one.
            DatabaseError: the question could not be answered.
        """
        row = daylight_queries().auth_session_user(self._database, session_hash=_digest(token))
        if row is None:
            return None
        seconds_left = row[1]
        return LoginState(row[0], seconds_left, seconds_left < REFRESH_BELOW)

    def refresh(self, refresh_token: str) -> Login | None:
        """Exchange both tokens of a login for new ones; the old ones are worth nothing then.

        Returns:
            The new tokens; ``None`` when there is no such login, or it has expired.

        Raises:
            ValidationError: ``refresh_token`` cannot be one.
            DatabaseError: they could not be exchanged.
        """
        login = Login(new_token(), new_token())
        user_id = daylight_queries().auth_session_refresh(
            self._database,
            refresh_hash=_digest(refresh_token),
            new_session_hash=token_digest(login.token.reveal()),
            new_refresh_hash=token_digest(login.refresh_token.reveal()),
            seconds=float(LOGIN_SECONDS),
        )
        return None if user_id is None else login

    def clean_up(self) -> int:
        """Delete the logins that have expired, in portions; return how many.

        Raises:
            DatabaseError: they could not be deleted.
        """
        return bulk.in_batches(
            lambda rows: daylight_queries().auth_session_clean(self._database, row_limit=rows), _PORTION
        )

    def end(self, token: str) -> bool:
        """End a login; return whether there was one.

        Raises:
            ValidationError: ``token`` cannot be one.
            DatabaseError: it could not be ended.
        """
        return bool(daylight_queries().auth_session_end(self._database, session_hash=_digest(token)))


def _digest(token: object) -> str:
    return token_digest(validation.text("token", token, maximum=255))


def _stored(store: Any) -> None:
    try:
        store()
    except ConstraintViolation as error:
        if error.constraint not in {"user_sessions_user", "auth_sessions_user"}:
            raise
    else:
        return
    # Raised outside the handler, so that nothing is chained to it.
    raise ValidationError("there is no such user", field="user_id")
