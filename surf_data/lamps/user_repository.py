"""User accounts in PostgreSQL."""

from collections.abc import Mapping
from typing import Any

from surf_data.kernel import validation
from surf_data.kernel.crypto import PasswordHasher
from surf_data.kernel.emails import checked_email, email_key
from surf_data.kernel.postgres import Executor
from surf_data.lamps.queries import lamp_queries
from surf_data.lamps.registration import Registration


class PostgresUserRepository:
    """Registers users, checks their credentials, erases them.

    Arguments:
        database: runs the statements.
    """

    def __init__(self, database: Executor) -> None:
        self._database = database

    def register_user(self, user_data: Mapping[str, Any]) -> bool:
        """Register a user with a lamp.

        Arguments:
            user_data: ``lamp_id`` (UUID or text), ``email``, ``name``, ``password_hash`` (text of 1 to 255
                characters each) and ``location_index`` (0 or more); ``brightness`` (0 to 100 per cent, 100 when left
                out). Other keys are refused.

        Returns:
            ``True``.

        Raises:
            ValidationError: the data is refused; ``User already registered`` when the e-mail address is taken in any
                spelling: case, Unicode composition and surrounding space do not count.
            DatabaseError: it could not be stored.
        """
        Registration.from_mapping("user_data", user_data).insert(self._database)
        return True

    def validate_user_credentials(self, email: str, password_hash: str) -> bool:
        """Return whether an active user has this e-mail address and this password hash.

        The hash is compared in constant time, and for an unknown address the same work is done.

        Arguments:
            email: the address in any spelling.
            password_hash: the hash that the caller made of the password, 1 to 255 characters.

        Returns:
            Whether both belong to one active user.

        Raises:
            ValidationError: an argument cannot be an address or a hash.
            DatabaseError: the question could not be answered.
        """
        key = email_key(checked_email(email))
        given = validation.text("password_hash", password_hash, maximum=255)
        stored = lamp_queries().user_password_hash(self._database, email_key=key)
        return PasswordHasher.matches(stored, given)

    def erase_user(self, email: str) -> bool:
        """Erase a user: the account, the lamp and its sessions, and who it was in the activity log. For the owner.

        Entries of the log stay, for statistics, without the lamp, address, agent and details; those of a lamp that was
        deleted before are not found any more. It is one transaction. Backups keep what they hold.

        Arguments:
            email: the address in any spelling.

        Returns:
            Whether there was such a user.

        Raises:
            ValidationError: ``email`` cannot be an address.
            DatabaseError: it could not be done, for example because the role is the application's, which may not
                rewrite the log; then nothing is.
        """
        key = email_key(checked_email(email))
        with self._database.transaction() as transaction:
            lamp_id = lamp_queries().user_lamp(transaction, email_key=key)
            if lamp_id is None:
                return False
            lamp_queries().activity_anonymise(transaction, lamp_id=lamp_id)
            lamp_queries().user_delete(transaction, lamp_id=lamp_id)
        return True
