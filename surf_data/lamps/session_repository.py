"""Sessions of users in PostgreSQL."""

from uuid import UUID, uuid4

from surf_data.kernel import validation
from surf_data.kernel.crypto import new_token, token_digest
from surf_data.kernel.postgres import Executor
from surf_data.kernel.secret import Secret
from surf_data.lamps.queries import lamp_queries

#: The longest life of a session in seconds: a year.
MAX_SESSION_SECONDS = 366 * 86_400


class PostgresSessionRepository:
    """Begins, recognizes and ends sessions. Only the holder knows a token: the hash alone is stored.

    Arguments:
        database: runs the statements.
    """

    def __init__(self, database: Executor) -> None:
        self._database = database

    def begin_session(self, lamp_id: str | UUID, seconds: int = 86_400) -> Secret:
        """Begin a session, after the user was recognized.

        Arguments:
            lamp_id: the user's lamp.
            seconds: for how long it holds, 1 to 31,622,400.

        Returns:
            The token, for the user; it cannot be had again.

        Raises:
            ValidationError: an argument is refused.
            DatabaseError: it could not be stored, for example because there is no such lamp.
        """
        lamp_id = validation.uuid("lamp_id", lamp_id)
        seconds = validation.integer("seconds", seconds, minimum=1, maximum=MAX_SESSION_SECONDS)
        token = new_token()
        lamp_queries().session_insert(
            self._database,
            session_id=uuid4(),
            lamp_id=lamp_id,
            session_token=token_digest(token.reveal()),
            seconds=seconds,
        )
        return token

    def get_session_lamp(self, token: str) -> UUID | None:
        """Return the lamp of the user who presents a token.

        What is compared in the database is a hash, so how long that takes tells nothing about a token.

        Arguments:
            token: what was presented, 1 to 255 characters.

        Returns:
            The lamp; ``None`` when no session has this token, it has expired, or the lamp is not active.

        Raises:
            ValidationError: ``token`` cannot be one.
            DatabaseError: the question could not be answered.
        """
        return lamp_queries().session_lamp(self._database, session_token=_digest(token))

    def end_session(self, token: str) -> bool:
        """End a session.

        Arguments:
            token: what was presented, 1 to 255 characters.

        Returns:
            Whether there was one.

        Raises:
            ValidationError: ``token`` cannot be one.
            DatabaseError: it could not be ended.
        """
        return bool(lamp_queries().session_delete(self._database, session_token=_digest(token)))


def _digest(token: object) -> str:
    return token_digest(validation.text("token", token, maximum=255))
